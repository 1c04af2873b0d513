"""The roster of a class from a sheet."""

from uuid import uuid4

import httpx
import pytest

from domain.errors import Conflict, Invalid
from service.database import Tx, transaction
from service.gateways.class_roster_sheets import FORM, read_class_roster
from service.gateways.headed_sheets import HeadedLine
from service.gateways.sheet_files import CSV_TYPE, XLSX_TYPE, as_sheet
from service.local.made_up import MadeUpPerson
from service.training.commands.rosters import change_roster
from service.training.schemas import ClassView
from tests.service.test_batches_http import Desk, client, desk
from tests.training import SIZE, School
from tests.world import World

__all__ = ["client"]

REASON = "名册以附表为准"


@pytest.fixture
async def school(tx: Tx, world: World) -> School:
    return await School.build(tx, world)


def typed(some: list[MadeUpPerson]) -> list[list[str]]:
    return [[each.name, each.id_number, each.phone] for each in some]


def sheet(lines: list[list[str]], kind: str = "csv") -> bytes:
    return as_sheet([["某班开班名册"], *FORM.template(), *lines], kind)


def read(lines: list[list[str]], kind: str = "csv") -> list[HeadedLine]:
    return read_class_roster(sheet(lines, kind), f"roster.{kind}")


async def change(tx: Tx, school: School, filed: ClassView, lines: list[list[str]], kind: str = "csv") -> ClassView:
    world = school.world
    return await change_roster(tx, world.clerks[0], filed.id, read(lines, kind), REASON, world.today, world.now)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_the_sheet_s_people_take_the_place_of_the_roster(tx: Tx, school: School, kind: str) -> None:
    filed = await school.file(tx)
    people = [school.world.maker.person() for _ in range(SIZE + 2)]
    changed = await change(tx, school, filed, typed(people), kind)
    assert (len(filed.roster), len(changed.roster)) == (SIZE, SIZE + 2)
    assert (changed.steps[-1].parts, changed.steps[-1].reason) == (["roster"], REASON)


async def test_what_is_malformed_is_told_by_its_line_and_nothing_changes(tx: Tx, school: School) -> None:
    filed, lines = await school.file(tx), typed([school.world.maker.person() for _ in range(SIZE)])
    lines[1][1], lines[3][2], lines[4][0] = "37010219900101123", "12345", ""
    with pytest.raises(Invalid) as refused:
        await change(tx, school, filed, lines)
    told = [(each.field, each.code) for each in (refused.value, *refused.value.others)]
    assert [field for field, _ in told] == ["line 4.id_number", "line 6.phone", "line 7.name"]
    assert all("." in code for _, code in told)


async def test_a_class_that_began_keeps_its_roster(tx: Tx, school: School) -> None:
    held = await school.approved(tx)
    school.let_pass(40)
    with pytest.raises(Conflict, match=r"class\.begun|wrong_status"):
        await change(tx, school, held, typed([school.world.maker.person() for _ in range(SIZE)]))


async def upload(who: Desk, filed: ClassView, data: bytes, media_type: str) -> int:
    headers = {**who.headers, "Content-Type": media_type, "Idempotency-Key": str(uuid4())}
    answer = await who.client.post(
        f"/api/classes/{filed.id}/roster", params={"reason": REASON}, content=data, headers=headers
    )
    return answer.status_code


async def test_it_comes_over_http_and_only_from_its_institution(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        school = await School.build(tx, committed)
        filed = await school.file(tx)
    clerk, stranger = [await desk(client, each) for each in committed.clerks[:2]]
    template = await clerk.get("/classes/roster/template?kind=csv")
    assert template.text.strip("\ufeff\r\n").split(",") == [column.heading for column in FORM.columns]
    data = sheet(typed([committed.maker.person() for _ in range(SIZE)]), "xlsx")
    cases = (
        (stranger, XLSX_TYPE, 404),
        (clerk, "application/pdf", 415),
        (clerk, CSV_TYPE, 422),
        (clerk, XLSX_TYPE, 200),
    )
    for who, media_type, status in cases:
        assert await upload(who, filed, data, media_type) == status
