"""Files of the registry's owner for tests: made-up entries, loaded by one person and confirmed by another."""

from itertools import count
from typing import Any

from domain.actor import Actor, Post
from domain.verification import Question
from service.database import Tx
from service.gateways.registry_files import FORM
from service.gateways.sheet_files import FILES
from service.verification.commands.files import confirm_file, load_file
from service.verification.schemas import NewRegistryFile, RegistryFileView
from tests.world import World

_numbers = count(1)


def line_of(question: Question, **other: str) -> dict[str, str]:
    """What the registry would write if the claim told the truth; cells by field may be given otherwise."""
    told = {
        "certificate_number": question.number,
        "holder_name": question.holder_name,
        "id_number": question.id_number,
        "occupation_code": question.occupation_code,
        "level": question.level,
        "issued_on": question.issued_on.isoformat(),
        "status": "有效",
        "revoked_on": "",
    }
    return {**told, **other}


def file_of(*lines: dict[str, str], kind: str = "csv", mark: bool = True) -> bytes:
    """A sheet of these lines under its headings; with a `mark` no two files are the same."""
    file = FILES[kind]()
    extra = [f"第{next(_numbers)}份"] if mark else []
    headings = [column.heading for column in FORM.columns]
    file.add([[*headings, *extra], *([line.get(each.field, "") for each in FORM.columns] for line in lines)])
    return file.content()


async def load(
    tx: Tx, world: World, data: bytes, me: Actor | None = None, filename: str = "registry.csv", **about: Any
) -> RegistryFileView:
    """Loaded, and not confirmed yet."""
    told = {"as_of": world.today.isoformat(), "source": "示例登记机构", **about}
    me = me or await world.user(tx, {Post.OPERATOR})
    return await load_file(tx, me, NewRegistryFile(**told), data, filename, world.today, world.now)


async def put_in_force(tx: Tx, world: World, *lines: dict[str, str], **about: Any) -> RegistryFileView:
    """Loaded and confirmed."""
    loaded = await load(tx, world, file_of(*lines), **about)
    return await confirm_file(tx, await world.user(tx, {Post.CATALOG_PUBLISHER}), loaded.id, world.now)
