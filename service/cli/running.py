"""How a command does its work: one event loop, connections closed after it, refusals said in a sentence."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import click
from litestar.exceptions import ValidationException
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import DomainError, Invalid
from service.access.commands import who_is
from service.access.schemas import NewSignIn
from service.database import Tx, dispose, transaction
from service.problems import malformed_places, met_rule
from service.web import as_wanted
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


#: For commands that act as a person with posts.
as_login = click.option("--as", "login", required=True, help="以谁的名义：登录名，密码在这里问")


def in_name_of(work: Callable[[Tx, Any], Awaitable[T]], login: str | None = None) -> T:
    """`run` in one transaction, as the person of `login`, whose password is asked; without one, as nobody."""
    password = click.prompt("密码", hide_input=True) if login else ""

    async def whole() -> T:
        me = await who_is(NewSignIn(login, password)) if login else None
        async with transaction() as tx:
            return await work(tx, me)

    return run(whole())


def wanted(said: dict[str, Any], kind: type[T]) -> T:
    """As the same body would be read over HTTP, with the same words for a field that is not right."""
    try:
        read: T = as_wanted(said, kind)
    except ValidationException as refusal:
        refuse("\n".join(f"{field}：{words(code)}" for field, code in malformed_places(refusal)))
    return read


def refuse(sentence: str, status: int = 1) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(status)
