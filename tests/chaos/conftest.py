"""Chaos tests bring a stack of their own: this process needs no database."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def environment() -> None:
    """In place of the one that migrates a database for every other test."""
