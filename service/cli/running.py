"""How a command does its work: one event loop, connections closed after it, refusals said in a sentence."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import click
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import DomainError, Invalid
from service.database import Tx, dispose, transaction
from service.problems import met_rule
from service.wording import words

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T], status: int = 1) -> T:
    """Do it; what the rules or the database refuse is said in a sentence, with exit code `status`."""

    async def whole() -> T:
        try:
            return await work
        finally:
            await dispose()

    try:
        return asyncio.run(whole())
    except DomainError as refusal:
        place = f"{refusal.field}：" if isinstance(refusal, Invalid) else ""
        refuse(f"{place}{words(refusal.code, refusal.facts)}", status)
    except SQLAlchemyError as refused:
        if (code := met_rule(refused)) is None:
            raise
        refuse(words(code), status)


def in_transaction(work: Callable[[Tx], Awaitable[T]], status: int = 1) -> T:
    """`run` in one transaction."""

    async def whole() -> T:
        async with transaction() as tx:
            return await work(tx)

    return run(whole(), status)


def refuse(sentence: str, status: int = 1) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(status)
