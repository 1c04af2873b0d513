"""Registers: loaded whole or not at all by one person, confirmed by another, and asked by digest only."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select, text

from domain.actor import Actor, Post
from domain.errors import DomainError, Forbidden, Invalid, NotFound
from domain.identity import NationalId
from domain.register import FoundEntry
from service.audit.queries.in_clear import first_in_clear
from service.crypto import keyring
from service.database import Tx, transaction
from service.gateways import register_files
from service.journal import JournalRow
from service.registers.commands import confirm_register, load_register
from service.registers.queries import Sought, list_snapshots, look_up, snapshots_on
from service.registers.schemas import NewSnapshot
from service.registers.tables import EntryRow, SnapshotRow
from tests.registers import file_of, load, loader, put_in_force
from tests.world import WELDER, World


@pytest.fixture
async def publisher(tx: Tx, world: World) -> Actor:
    return await world.user(tx, {Post.CATALOG_PUBLISHER})


async def refusal(asked: Any) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await asked
    return caught.value


def sought(world: World, id_number: str, group: str = "", level: str = "4") -> Sought:
    return Sought(NationalId.parse(id_number, today=world.today), group, WELDER, level)


async def counted(tx: Tx) -> tuple[int, int]:
    entries = (await tx.execute(select(func.count()).select_from(EntryRow))).scalar_one()
    return entries, (await tx.execute(select(func.count()).select_from(SnapshotRow))).scalar_one()


# ---- two persons


async def test_one_loads_another_confirms_and_then_it_is_asked(tx: Tx, world: World, publisher: Actor) -> None:
    someone = world.maker.person().id_number
    loaded = await load(tx, world, "pensioners", file_of({"id_number": someone, "first": "2025-01-01"}))
    assert (loaded.name, loaded.lines, loaded.lines_before, loaded.confirmed, loaded.mine) == (
        *("领取养老金人员名册", 1, None, False),
        True,
    )
    assert "pensioners" not in await snapshots_on(tx, world.today)
    confirmed = await confirm_register(tx, publisher, loaded.id, world.today, world.now)
    assert (confirmed.confirmed, confirmed.asked, confirmed.mine) == (True, True, False)
    found, nothing = await look_up(
        tx,
        [sought(world, someone), sought(world, world.maker.person().id_number)],
        await snapshots_on(tx, world.today),
    )
    assert [(each.register, each.snapshot, each.entries) for each in found] == [
        ("pensioners", str(loaded.id), (FoundEntry(2, date(2025, 1, 1)),))
    ]
    assert [each.entries for each in nothing] == [()]
    row = JournalRow
    steps = select(row.action, row.actor_person_id).where(row.subject_id == loaded.id).order_by(row.id)
    assert [each.action for each in await tx.execute(steps)] == ["load", "confirm"]
    assert (await refusal(confirm_register(tx, publisher, loaded.id, world.today, world.now))).code == (
        "register.confirmed"
    )


async def test_who_may_load_and_who_may_confirm(tx: Tx, world: World, publisher: Actor) -> None:
    data = file_of({"id_number": world.maker.person().id_number})
    for me in (world.staff[Post.REVIEWER], publisher, await world.user(tx, {Post.CATALOG_EDITOR}, world.here)):
        assert isinstance(await refusal(load(tx, world, "public_payroll", data, me)), Forbidden)
    both = await world.user(tx, {Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER})
    loaded = await load(tx, world, "public_payroll", data, both)
    own = await refusal(confirm_register(tx, both, loaded.id, world.today, world.now))
    assert own.code == "register.same_person"
    assert isinstance(
        await refusal(confirm_register(tx, await loader(tx, world), loaded.id, world.today, world.now)), Forbidden
    )
    assert isinstance(
        await refusal(confirm_register(tx, publisher, publisher.user_id, world.today, world.now)), NotFound
    )


async def test_the_same_file_for_the_same_day_is_one_snapshot(tx: Tx, world: World) -> None:
    data = file_of({"id_number": world.maker.person().id_number})
    first, again = [await load(tx, world, "public_payroll", data) for _ in range(2)]
    assert first.id == again.id
    assert await counted(tx) == (1, 1)
    yesterday = (world.today - timedelta(days=1)).isoformat()
    assert (await load(tx, world, "public_payroll", data, as_of=yesterday)).id != first.id
    assert (
        await load(tx, world, "students", file_of({"id_number": world.maker.person().id_number, "graduates": "2027"}))
    ).id
    assert await counted(tx) == (3, 3)


# ---- which one is asked


async def test_the_latest_day_is_asked_and_what_ran_out_is_not_replaced_by_what_was_before(
    tx: Tx, world: World
) -> None:
    today, name = world.today, "public_payroll"
    old = await put_in_force(tx, world, name, as_of=today - timedelta(days=60))
    new = await put_in_force(tx, world, name, as_of=today - timedelta(days=2), last=(today).isoformat())
    late = await put_in_force(tx, world, name, as_of=today - timedelta(days=30))
    assert (new.lines_before, late.lines_before) == (1, 1)
    asked = {day: (await snapshots_on(tx, day)).get(name) for day in (today - timedelta(days=59), today)}
    assert [each and each.id for each in asked.values()] == [old.id, new.id]
    assert (await snapshots_on(tx, today - timedelta(days=3)))[name].id == late.id
    assert name not in await snapshots_on(tx, today + timedelta(days=1))
    standing = {each.id: each.asked for each in (await list_snapshots(tx, None, today)).snapshots}
    assert [standing[each.id] for each in (old, new, late)] == [False, True, False]


async def test_of_two_for_one_day_the_later_signature_holds(tx: Tx, world: World) -> None:
    """So that a wrong file is put right by loading the right one."""
    await put_in_force(tx, world, "deceased")
    right = await put_in_force(tx, world, "deceased")
    assert (await snapshots_on(tx, world.today))["deceased"].id == right.id


async def test_only_the_register_of_the_group_that_is_named_is_asked(tx: Tx, world: World) -> None:
    someone = world.maker.person().id_number
    for register in ("group_graduate", "group_hard_to_employ", "unemployment_insurance"):
        await put_in_force(tx, world, register, {"id_number": someone, "first": "2025-01-01"})
    snapshots = await snapshots_on(tx, world.today)
    groups = ("", "graduate", "enterprise_employee")
    found = await look_up(tx, [sought(world, someone, group) for group in groups], snapshots)
    assert [[each.register for each in looked] for looked in found] == [
        [],
        ["group_graduate"],
        ["unemployment_insurance"],
    ]


async def test_a_payment_of_the_sister_scheme_counts_for_its_occupation_after_aliases_and_its_level(
    tx: Tx, world: World
) -> None:
    alias, canonical = (await tx.execute(text("SELECT code, canonical FROM occupation_aliases LIMIT 1"))).one()
    someone = world.maker.person().id_number
    line = {"id_number": someone, "first": "2025-06-01", "occupation": alias, "level": "四级/中级工"}
    await put_in_force(tx, world, "sister_payments", line, {**line, "first": "2024-06-01", "level": "5"})
    number, snapshots = NationalId(someone), await snapshots_on(tx, world.today)
    wanted = [Sought(number, "", code, level) for code, level in ((canonical, "4"), (canonical, "3"), (WELDER, "4"))]
    found = await look_up(tx, wanted, snapshots)
    assert [[entry.first for entry in looked[0].entries] for looked in found] == [[date(2025, 6, 1)], [], []]


# ---- what files there are


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
async def test_texts_in_the_encodings_of_offices(tx: Tx, world: World, encoding: str) -> None:
    someone = world.maker.person().id_number
    data = file_of({"id_number": f" {someone.lower()}", "first": "2025年3月2日"}, encoding=encoding)
    loaded = await load(tx, world, "pensioners", b"" + data)
    assert loaded.lines == 1


async def test_a_workbook_with_a_title_and_columns_of_its_own(tx: Tx, world: World) -> None:
    book, stream, someone = Workbook(), BytesIO(), world.maker.person().id_number
    sheet = book.active
    assert sheet is not None
    for row in (["某市退休人员", "", ""], ["序号", "公民身份号码", "退休日期"], ["1", someone, "2025/3/2"]):
        sheet.append(row)
    book.save(stream)
    loaded = await load(tx, world, "pensioners", stream.getvalue(), filename="名册.xlsx")
    assert loaded.lines == 1
    stored = (await tx.execute(select(EntryRow.__table__).where(EntryRow.snapshot_id == loaded.id))).one()
    assert (stored.line, stored.first, stored.index) == (
        *(3, date(2025, 3, 2)),
        keyring().blind_index("person", someone),
    )


async def test_every_wrong_line_is_named_and_nothing_is_stored(tx: Tx, world: World) -> None:
    good = [world.maker.person().id_number for _ in range(3)]
    lines = [
        *({"id_number": each, "first": "2025-01-01"} for each in good),
        {"id_number": good[0][:-1] + ("0" if good[0][-1] != "0" else "1"), "first": "2025-01-01"},
        {"id_number": "4.40305E+17", "first": "2025-01-01"},
        {"id_number": "", "first": "2025-01-01"},
        {"id_number": good[1], "first": "2025-02-29"},
        {"id_number": good[1], "first": "9999-12-31"},
        {"id_number": good[1]},
        {"id_number": good[1], "first": "2025-01-02", "last": "2025-01-01"},
        {"id_number": good[0].replace("0", "Ｏ", 1), "first": "2025-01-01"},
    ]
    refused = await refusal(load(tx, world, "pensioners", file_of(*lines)))
    assert (refused.code, refused.facts["count"], getattr(refused, "field", "")) == ("register.lines", 8, "line 5")
    assert [(each["line"], each["field"], each["code"]) for each in refused.facts["lines"]] == [
        (5, "id_number", "id.check_digit"),
        (6, "id_number", "id.spreadsheet_number"),
        (7, "id_number", "id.empty"),
        (8, "first", "date.no_such_day"),
        (9, "first", "date.out_of_range"),
        (10, "first", "value.missing"),
        (11, "last", "period.reversed"),
        (12, "id_number", "id.characters"),
    ]
    assert not any(number in str(refused.facts) for number in good)
    assert await counted(tx) == (0, 0)


async def test_a_wrong_line_after_thousands_leaves_nothing_of_them(committed: World) -> None:
    """Whole or not at all: what was copied before the line was reached goes with the transaction."""
    number = committed.maker.person().id_number
    lines = [{"id_number": number}] * 6_000 + [{"id_number": "x"}]
    async with transaction() as tx:
        me = await loader(tx, committed)
    with pytest.raises(Invalid):
        async with transaction() as tx:
            await load(tx, committed, "public_payroll", file_of(*lines), me)
    async with transaction() as tx:
        left = select(func.count()).where(EntryRow.index == keyring().blind_index("person", number))
        assert (await tx.execute(left)).scalar_one() == 0


@pytest.mark.parametrize(
    ("data", "filename", "code"),
    [
        (b"", "a.csv", "sheet.no_headings"),
        ("姓名,退休日期\n王,2025-01-01".encode(), "a.csv", "sheet.no_headings"),
        ("身份证号\n1".encode(), "a.csv", "sheet.no_headings"),
        ("身份证号,开始日期\n".encode(), "a.csv", "roster.empty"),
        ("身份证号,退休日期,开始日期\n".encode(), "a.csv", "roster.column_twice"),
        ('身份证号,开始日期\n"1'.encode(), "a.csv", "csv.malformed"),
        ("身份证号,开始日期\n".encode() + b"1" * 100_000, "a.csv", "csv.malformed"),
        ("身份证号,开始日期\n".encode() + b"," * 200, "a.csv", "sheet.too_large"),
        (b"\xff\xff\xff", "a.csv", "file.not_text"),
        ("身份证号,开始日期\n\0".encode(), "a.csv", "file.not_text"),
        (b"PK\x03\x04 a workbook", "a.csv", "file.not_text"),
        ("身份证号,开始日期\n1,2025-01-01".encode(), "a.xlsx", "file.not_a_workbook"),
        (b"%PDF-1.7", "a.pdf", "file.unknown_kind"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
async def test_what_is_no_register(tx: Tx, world: World, data: bytes, filename: str, code: str) -> None:
    assert (await refusal(load(tx, world, "pensioners", data, filename=filename))).code == code
    assert await counted(tx) == (0, 0)


async def test_a_file_that_is_too_large_is_not_read_to_its_end(
    tx: Tx, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_files, "CSV_BYTES_MAX", 20)
    data = file_of({"id_number": world.maker.person().id_number})
    assert (await refusal(load(tx, world, "public_payroll", data))).code == "file.too_large"


async def test_numbers_and_formulas_of_a_workbook_are_named(tx: Tx, world: World) -> None:
    book, stream = Workbook(), BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in (["身份证号", "退休日期"], [370102199001011234, "2025-01-01"], ["=A2", "2025-01-01"]):
        sheet.append(row)
    book.save(stream)
    refused = await refusal(load(tx, world, "pensioners", stream.getvalue(), filename="a.xlsx"))
    assert [(each["line"], each["code"]) for each in refused.facts["lines"]] == [
        (2, "id.not_text"),
        (3, "cell.formula"),
    ]


@pytest.mark.parametrize(
    ("about", "field", "code"),
    [
        ({"register": "group_enterprise_employee"}, "register", "register.unknown"),
        ({"register": "jailed"}, "register", "register.unknown"),
        ({"as_of": "2999-01-01"}, "as_of", "date.out_of_range"),
        ({"as_of": "2099-01-01"}, "as_of", "register.in_future"),
        ({"as_of": "1.1.2026"}, "as_of", "date.format"),
        ({"first": "2026-01-02", "last": "2026-01-01"}, "last", "period.reversed"),
        ({"source": " "}, "source", "words.empty"),
        ({"source": "王某 13800000000 送来"}, "source", "text.personal_number"),
    ],
)
async def test_what_is_told_of_a_file(tx: Tx, world: World, about: dict[str, Any], field: str, code: str) -> None:
    told = {"register": "public_payroll", "as_of": "2026-01-01", "source": "示例", **about}
    data = BytesIO(file_of({"id_number": world.maker.person().id_number}))
    me = await loader(tx, world)
    asked = load_register(tx, me, NewSnapshot(**told), data, "a.csv", world.today, world.now)
    refused = await refusal(asked)
    assert (refused.code, getattr(refused, "field", "")) == (code, field)


# ---- what the database keeps


async def test_whoever_is_only_in_a_register_is_no_person_here_and_nowhere_in_clear(tx: Tx, world: World) -> None:
    people = text("SELECT count(*) FROM people")
    someone = world.maker.person()
    me = await loader(tx, world)
    before = (await tx.execute(people)).scalar_one()
    await load(tx, world, "pensioners", file_of({"id_number": someone.id_number, "first": "2025-01-01"}), me)
    assert (await tx.execute(people)).scalar_one() == before
    assert await first_in_clear(tx) is None
    for table in ("register_entries", "register_snapshots", "journal"):
        held = await tx.execute(
            text(f"SELECT 1 FROM {table} t WHERE t::text LIKE :number"), {"number": f"%{someone.id_number}%"}
        )
        assert held.first() is None


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE register_snapshots SET as_of = as_of + 1",
        "DELETE FROM register_entries",
        "UPDATE register_entries SET first = NULL",
        "DELETE FROM register_confirmations",
        "INSERT INTO register_entries (snapshot_id, line, index) SELECT id, 99, '\\x00' FROM register_snapshots",
        "INSERT INTO register_confirmations (snapshot_id, loader_id, person_id, confirmed_by, confirmed_at)"
        " SELECT id, loader_id, loader_id, loaded_by, now() FROM register_snapshots",
    ],
)
async def test_what_was_loaded_stays(tx: Tx, world: World, attack: str) -> None:
    await load(tx, world, "public_payroll", file_of({"id_number": world.maker.person().id_number}))
    with pytest.raises(Exception, match=r"permission denied|was loaded|two_persons"):
        await tx.execute(text(attack))


async def test_a_snapshot_without_its_lines_is_not_confirmed(tx: Tx, world: World, publisher: Actor) -> None:
    await load(tx, world, "public_payroll", file_of({"id_number": world.maker.person().id_number}))
    await tx.execute(
        text("""INSERT INTO register_snapshots SELECT gen_random_uuid(), register, as_of, in_force, source, 'other',
                       lines, loader_id, loaded_by, loaded_at FROM register_snapshots""")
    )
    empty = (await tx.execute(select(SnapshotRow.id).where(SnapshotRow.sha256 == "other"))).scalar_one()
    with pytest.raises(Exception, match="with all of its lines"):
        await confirm_register(tx, publisher, empty, world.today, world.now)
