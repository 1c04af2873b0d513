"""A whole stack of its own for the flow tests of a worker."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.local.stack import StackHandle, run_stack
from tests.flows.office import Office


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackHandle]:
    """`zhida up --demo` in a directory of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHIDA_")}
    with run_stack(tmp_path_factory.mktemp("stack") / "data", environment=environment) as running:
        yield running


@pytest.fixture
def office(stack: StackHandle) -> Office:
    """The people of the stack."""
    return Office(stack)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need the whole stack share one worker, and so one stack."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("stack"))
