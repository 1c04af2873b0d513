"""The yearly cycle: a draft is put together, worked through, consulted on, approved and published by two persons."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.actor import Actor, Post
from domain.catalog import PublishedCatalog
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from service import clock
from service.catalog.commands import editing, importing, publishing
from service.catalog.queries import editing as drafts
from service.catalog.queries.differences import difference
from service.catalog.queries.editions import edition_named, edition_on, editions
from service.catalog.queries.published import catalog_on
from service.catalog.schemas import (
    FindingView,
    NewConsultation,
    NewFindingDecision,
    NewItem,
    NewPublication,
)
from service.database import Tx
from service.gateways.catalog_files import read_catalog
from service.gateways.catalog_sheets import read_catalog_sheets
from service.journal import By
from tests.conftest import ROOT
from tests.world import World

SHEET = """目录,序号,编码,名称,行业分类
急需紧缺,1,6-18-02-04,焊工,加工维修
急需紧缺,2,6-18-02-05,铸造工,加工维休
急需紧缺,4,4-10-01-05,养老护理员 L,家政养老
一般性,1,4-3-2,中式烹调师,食品餐饮
"""


def as_catalog(sheet: str) -> PublishedCatalog:
    return read_catalog_sheets(sheet.encode(), "catalog.csv")


class Office:
    """An editor, a publisher, and the year after this one, on a day in its first quarter."""

    def __init__(self, tx: Tx, editor: Actor, publisher: Actor, today: date) -> None:
        self.tx, self.editor, self.publisher = tx, editor, publisher
        self.year = today.year + 1
        self.today = date(self.year, 2, 3)
        self.now = datetime.combine(self.today, datetime.min.time(), clock.SHANGHAI)
        self.by = By.actor(editor, Post.CATALOG_EDITOR, self.now)

    async def draft(self, sheet: str = SHEET, revision: int = 0, *, replace: bool = False) -> UUID:
        source, of = sheet.encode(), (self.year, as_catalog(sheet))
        return await importing.import_edition(self.tx, self.by, *of, source, "示例", revision, replace=replace)

    async def findings(self, edition_id: UUID) -> dict[str, FindingView]:
        """By kind; the drafts here have each kind once."""
        return {each.kind: each for each in (await drafts.findings_of(self.tx, edition_id)).findings}

    async def decide(
        self, edition_id: UUID, finding: FindingView, decision: Any, note: str = "照原件"
    ) -> FindingView:
        new = NewFindingDecision(decision, note)
        return await editing.decide_finding(self.tx, self.editor, edition_id, finding.id, new, self.now)

    async def correct(self, edition_id: UUID, called: str, **values: Any) -> None:
        page = await drafts.draft_page(self.tx, edition_id, 0, 500)
        item = next(each for each in page.items if each.name == called)
        new = {each: getattr(item, each) for each in ("list_name", "name", "industry", "code", "tag")}
        new |= {"serial": int(item.serial), "reason": "对照原件", **values}
        await editing.correct_item(self.tx, self.editor, edition_id, item.id, NewItem(**new), self.now)

    async def consult(self, edition_id: UUID) -> None:
        last = (self.today + timedelta(days=6)).isoformat()
        asked = NewConsultation(self.today.isoformat(), last)
        await publishing.consult(self.tx, self.editor, edition_id, asked, self.today, self.now)
        self.today += timedelta(days=7)

    async def approve(self, edition_id: UUID, reason: str = "") -> None:
        await publishing.approve(self.tx, self.publisher, edition_id, reason, self.today, self.now)

    async def publish(self, edition_id: UUID, override: str = "", first: date | None = None) -> None:
        new = NewPublication((first or self.today).isoformat(), override)
        await publishing.publish(self.tx, self.publisher, edition_id, new, self.today, self.now)

    async def published(self, sheet: str = SHEET) -> UUID:
        edition_id = await self.draft(sheet)
        for finding in (await self.findings(edition_id)).values():
            await self.decide(edition_id, finding, "accept")
        await self.consult(edition_id)
        await self.approve(edition_id)
        await self.publish(edition_id)
        return edition_id


@pytest.fixture
async def office(tx: Tx, world: World) -> Office:
    editor, publisher = [await world.user(tx, {post}) for post in (Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER)]
    return Office(tx, editor, publisher, world.today)


async def refused(tx: Tx, work: Any, kind: type[DomainError], code: str) -> DomainError:
    """`work` is refused so, and nothing of it stays."""
    async with tx.begin_nested() as nested:
        with pytest.raises(kind) as refusal:
            await work
        await nested.rollback()
    assert refusal.value.code == code
    return refusal.value


async def test_findings_are_worked_through_in_the_draft(tx: Tx, office: Office) -> None:
    edition_id = await office.draft()
    found = await office.findings(edition_id)
    assert set(found) == {"serial_gap", "industry_misspelt", "code_malformed"}
    await office.decide(edition_id, found["serial_gap"], "ask", "已函询发文单位")
    await office.decide(edition_id, found["serial_gap"], "accept", "发文单位答复：编号跳号")
    await office.correct(edition_id, "铸造工", industry="加工维修")
    await office.correct(edition_id, "中式烹调师", code="4-03-02-01")
    page = await drafts.findings_of(tx, edition_id)
    assert (page.open_errors, page.open_warnings) == (0, 0)
    said = {each.kind: (each.decision, each.note) for each in page.findings}
    assert said == {
        "serial_gap": ("accept", "发文单位答复：编号跳号"),
        "industry_misspelt": ("correct", "对照原件"),
        "code_malformed": ("correct", "对照原件"),
    }
    rows = await drafts.draft_page(tx, edition_id, 0, 500)
    assert [(each.name, each.corrected) for each in rows.items] == [
        ("焊工", False), ("铸造工", True), ("养老护理员", False), ("中式烹调师", True),
    ]  # fmt: skip
    changes = {each.before["name"]: (each.before, each.after) for each in rows.changes if each.before}
    before, after = changes["中式烹调师"]
    assert (before["code"], after and after["code"]) == ("4-3-2", "4-03-02-01")


async def test_a_correction_that_is_wrong_is_found_and_opens_what_was_settled(tx: Tx, office: Office) -> None:
    edition_id = await office.draft()
    await office.correct(edition_id, "铸造工", industry="加工维修")
    await office.correct(edition_id, "铸造工", industry="加工维护")
    assert (await office.findings(edition_id))["industry_misspelt"].decision is None
    await office.correct(edition_id, "铸造工", industry="航天航空", code="6-18-02-04")
    found = await office.findings(edition_id)
    assert {"industry_unknown", "code_duplicate", "code_two_names"} <= set(found)
    assert found["industry_misspelt"].decision == "correct"


async def test_rows_are_added_and_removed_with_a_reason(tx: Tx, office: Office) -> None:
    edition_id = await office.draft()
    new = NewItem("急需紧缺", "装配钳工", "加工维修", "发文单位补充", "6-20-01-01", "", 3)
    added = await editing.add_item(tx, office.editor, edition_id, new, office.now)
    assert (added.place, added.line, added.corrected) == (5, 6, True)
    assert "serial_gap" not in {k for k, each in (await office.findings(edition_id)).items() if not each.decision}
    await editing.remove_item(tx, office.editor, edition_id, added.id, "重复", office.now)
    assert (await office.findings(edition_id))["serial_gap"].decision is None
    changes = (await drafts.draft_page(tx, edition_id, 0, 500)).changes
    assert {(each.kind, each.reason) for each in changes} == {("added", "发文单位补充"), ("removed", "重复")}
    gone = editing.remove_item(tx, office.editor, edition_id, added.id, "重复", office.now)
    await refused(tx, gone, NotFound, "catalog.no_item")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"code": "6-18-2-4"}, "catalog.code"),
        ({"tag": "X"}, "catalog.tag"),
        ({"name": " 焊工"}, "catalog.words"),
        ({"industry": ""}, "catalog.words"),
        ({"reason": "  "}, "words.empty"),
    ],
)
async def test_a_row_is_not_corrected_to_nonsense(tx: Tx, office: Office, values: dict[str, Any], code: str) -> None:
    edition_id = await office.draft()
    await refused(tx, office.correct(edition_id, "焊工", **values), Invalid, code)


async def test_the_cycle_of_a_year(tx: Tx, office: Office) -> None:
    before = await edition_on(tx, office.today)
    assert before is not None
    edition_id = await office.draft()
    await office.consult(edition_id)
    await refused(tx, office.approve(edition_id), Conflict, "edition.open_errors")
    await publishing.reopen(tx, office.editor, edition_id, "改正编码", office.now)
    await office.correct(edition_id, "中式烹调师", code="4-03-02-01")
    await office.consult(edition_id)
    await refused(tx, office.approve(edition_id), Invalid, "edition.open_warnings")
    await office.approve(edition_id, "照原件公布")
    await refused(
        tx, office.publish(edition_id, first=office.today - timedelta(days=1)), Invalid, "edition.first_in_past"
    )
    first = office.today + timedelta(days=10)
    await office.publish(edition_id, first=first)
    new, old = await edition_on(tx, first), await edition_on(tx, first - timedelta(days=1))
    assert new is not None
    assert old is not None
    assert (new.id, new.status, new.reason, new.historical) == (edition_id, "published", "照原件公布", False)
    assert (old.id, old.status, old.last) == (before.id, "superseded", first - timedelta(days=1))
    assert [each.name for each in (await catalog_on(tx, first)).items] == [
        "焊工",
        "铸造工",
        "养老护理员",
        "中式烹调师",
    ]
    assert (await edition_on(tx, date(2020, 1, 1))) is None


async def test_nothing_is_left_out_on_the_way(tx: Tx, office: Office) -> None:
    edition_id = await office.draft()
    await refused(tx, office.approve(edition_id, "照原件"), Conflict, "wrong_status")
    await refused(tx, office.publish(edition_id, "照原件"), Conflict, "wrong_status")
    await office.consult(edition_id)
    await refused(tx, office.publish(edition_id, "照原件"), Conflict, "wrong_status")


async def test_an_edition_in_consultation_stands_still(tx: Tx, office: Office) -> None:
    edition_id = await office.draft()
    finding = (await office.findings(edition_id))["serial_gap"]
    await office.consult(edition_id)
    for work in (
        office.correct(edition_id, "焊工", name="电焊工"),
        office.decide(edition_id, finding, "accept"),
        office.draft(),
    ):
        refusal = await refused(tx, work, Conflict, "edition.not_a_draft")
        assert refusal.facts["status"] == "in_consultation"
    await refused(tx, office.consult(edition_id), Conflict, "wrong_status")


async def test_opinions_are_heard_to_the_end(tx: Tx, office: Office) -> None:
    edition_id = await office.draft()
    await office.consult(edition_id)
    office.today -= timedelta(days=1)
    refusal = await refused(tx, office.approve(edition_id, "照原件"), Conflict, "edition.consultation_runs")
    assert refusal.facts["last"] == office.today.isoformat()


async def test_whoever_edited_does_not_approve_even_by_sql(tx: Tx, world: World, office: Office) -> None:
    both = await world.user(tx, {Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER})
    edition_id = await office.draft()
    for finding in (await office.findings(edition_id)).values():
        new = NewFindingDecision("accept", "照原件")
        await editing.decide_finding(tx, both, edition_id, finding.id, new, office.now)
    await office.consult(edition_id)
    mine = publishing.approve(tx, both, edition_id, "", office.today, office.now)
    await refused(tx, mine, Forbidden, "edition.own_work")
    attacks = (
        f"""INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, actor_person_id, at)
            VALUES ('edition', '{edition_id}', 'approve', '{{}}', '{{"status": "approved"}}', 'catalog_publisher',
                    '{both.person_id}', now())""",
        f"""INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
            VALUES ('edition', '{edition_id}', 'approve', '{{}}', '{{"status": "approved"}}', 'nobody', now())""",
    )
    for attack in attacks:
        async with tx.begin_nested() as nested:
            await tx.execute(text(attack))
            with pytest.raises(DBAPIError, match="whoever edited"):
                await tx.execute(text(f"UPDATE catalog_editions SET status = 'approved' WHERE id = '{edition_id}'"))
            await nested.rollback()


async def test_the_calendar_is_set_aside_only_with_a_reason(tx: Tx, office: Office) -> None:
    edition_id = await office.draft()
    for finding in (await office.findings(edition_id)).values():
        await office.decide(edition_id, finding, "accept")
    office.today = date(office.year, 4, 20)
    await office.consult(edition_id)
    await office.approve(edition_id)
    refusal = await refused(tx, office.publish(edition_id), Conflict, "edition.calendar")
    assert refusal.facts["faults"] == ["outside_first_quarter"]
    await office.publish(edition_id, "疫情推迟")
    told = await edition_named(tx, office.year, None, drafts=False)
    assert (told.reason, told.calendar_faults) == ("疫情推迟", ["outside_first_quarter"])


async def test_one_adjustment_begins_as_a_copy_with_its_decisions(tx: Tx, office: Office) -> None:
    base = await office.published()
    copy = await importing.copy_edition(tx, office.by, base, office.year, 1)
    found = await drafts.findings_of(tx, copy)
    assert (found.open_errors, found.open_warnings) == (0, 0)
    assert {each.decision for each in found.findings} == {"accept"}
    await office.correct(copy, "焊工", name="电焊工")
    changed = await difference(tx, (office.year, 0), (office.year, 1), drafts=True)
    assert [(each.before.name, each.after.name) for each in changed.renamed] == [("焊工", "电焊工")]
    hidden = difference(tx, (office.year, 0), (office.year, 1), drafts=False)
    await refused(tx, hidden, NotFound, "edition.none_of_year")
    office.today = date(office.year, 5, 6)
    await office.consult(copy)
    await office.approve(copy)
    await office.publish(copy)
    assert [each.revision for each in (await editions(tx, drafts=False)).editions if each.year == office.year] == [
        1,
        0,
    ]
    twice = await importing.copy_edition(tx, office.by, copy, office.year, 2)
    await office.consult(twice)
    await office.approve(twice)
    refusal = await refused(tx, office.publish(twice), Conflict, "edition.calendar")
    assert refusal.facts["faults"] == ["adjusted_already"]


async def test_a_draft_is_put_together_anew_but_a_published_edition_is_not(tx: Tx, office: Office) -> None:
    assert await office.draft() == await office.draft(SHEET.replace("焊工", "电焊工"))
    edition_id = await office.draft()
    assert [each.name for each in (await drafts.draft_page(tx, edition_id, 0, 1)).items] == ["焊工"]
    other = await importing.import_edition(tx, office.by, office.year - 9, as_catalog(SHEET), b"x", "示例")
    await refused(tx, importing.copy_edition(tx, office.by, other, office.year, 1), Conflict, "edition.not_published")
    await refused(tx, importing.copy_edition(tx, office.by, uuid4(), office.year, 1), NotFound, "edition.none")
    await office.correct(edition_id, "铸造工", industry="加工维修")
    await refused(tx, office.draft(), Conflict, "edition.worked_on")
    assert await office.draft(replace=True) == edition_id
    await office.published()
    await refused(tx, office.draft(), Conflict, "edition.published")


ATTACKS = [
    "UPDATE catalog_editions SET reason = 'x' WHERE id = '{id}'",
    "UPDATE catalog_editions SET status = 'draft', in_force = NULL WHERE id = '{id}'",
    "UPDATE catalog_editions SET in_force = daterange(lower(in_force) - 30, NULL) WHERE id = '{id}'",
    "UPDATE catalog_editions SET year = 1999 WHERE id = '{id}'",
    "DELETE FROM catalog_editions WHERE id = '{id}'",
    "UPDATE catalog_items SET name = 'x' WHERE edition_id = '{id}'",
    "DELETE FROM catalog_items WHERE edition_id = '{id}'",
    "UPDATE catalog_items SET edition_id = '{draft}' WHERE edition_id = '{id}'",
    "UPDATE catalog_items SET edition_id = '{id}', place = place + 100 WHERE edition_id = '{draft}'",
    "UPDATE catalog_findings SET decision = 'accept', note = 'x', decided_at = now() WHERE edition_id = '{id}'",
    "DELETE FROM catalog_findings WHERE edition_id = '{id}'",
    "DELETE FROM catalog_item_changes WHERE edition_id = '{id}'",
    "UPDATE catalog_item_changes SET reason = 'x' WHERE edition_id = '{id}'",
    "UPDATE catalog_editions SET status = 'published', in_force = daterange('2030-01-01', '2030-02-01')"
    " WHERE id = '{draft}'",
    "DELETE FROM catalog_editions WHERE id = '{draft}'",
    "UPDATE catalog_editions SET historical = true WHERE id = '{draft}'",
    "UPDATE catalog_editions SET in_force = daterange(lower(in_force), lower(in_force) + 9) WHERE id = '{id}'",
]


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
async def test_what_was_published_stays_as_it_was_against_raw_sql(tx: Tx, office: Office, attack: str) -> None:
    edition_id = await office.draft()
    await office.correct(edition_id, "焊工", name="电焊工")
    for finding in (await office.findings(edition_id)).values():
        await office.decide(edition_id, finding, "accept")
    await office.consult(edition_id)
    await office.approve(edition_id)
    await office.publish(edition_id)
    draft = await office.draft(revision=1)
    with pytest.raises(
        DBAPIError,
        match=r"immutable|permission denied|only a draft|never deleted|only a past edition|this move|only what",
    ):
        await tx.execute(text(attack.format(id=edition_id, draft=draft)))


async def test_one_day_has_one_edition_whatever_is_tried(tx: Tx, office: Office) -> None:
    base = await office.published()
    copy = await importing.copy_edition(tx, office.by, base, office.year, 1)
    await office.consult(copy)
    await office.approve(copy)
    begun = (await edition_named(tx, office.year, 0, drafts=False)).first
    assert begun is not None
    office.today = begun
    await refused(tx, office.publish(copy, "当天就改"), Conflict, "edition.later_in_force")


#: What a finding proposes as the value to correct a cell to; other kinds are for a person to look into.
_CORRECTED_BY_PROPOSAL = {"industry_misspelt": "industry", "industry_truncated": "industry"}


async def test_the_published_annex_is_worked_through_to_an_edition_that_can_be_published(
    tx: Tx, office: Office
) -> None:
    source = next((ROOT / "data" / "sources").glob("*.txt")).read_bytes()
    published = read_catalog(source, "notice.txt")
    edition_id = await importing.import_edition(tx, office.by, office.year, published, source, "济人社函〔2023〕28号")
    found = (await drafts.findings_of(tx, edition_id)).findings
    assert len(found) == 45
    rows = {(each.list_name, each.line): each for each in (await drafts.draft_page(tx, edition_id, 0, 2000)).items}
    corrected = 0
    for finding in found:
        field = _CORRECTED_BY_PROPOSAL.get(finding.kind)
        if field is None or finding.line is None:
            await office.decide(edition_id, finding, "accept", "照公布的样子，已记录待发文单位核实")
            continue
        item = rows[finding.list_name, finding.line]
        values = {name: getattr(item, name) for name in ("list_name", "code", "tag", "industry")}
        new = NewItem(
            name=item.name.strip(), reason="错字", serial=int(item.serial), **{**values, field: finding.suggestion}
        )
        await editing.correct_item(tx, office.editor, edition_id, item.id, new, office.now)
        corrected += 1
    assert corrected > 0
    settled = await drafts.findings_of(tx, edition_id)
    assert (settled.open_errors, settled.open_warnings) == (0, 0)
    assert {each.decision for each in settled.findings} == {"accept", "correct"}
    changes = (await drafts.draft_page(tx, edition_id, 0, 1)).changes
    assert len(changes) == corrected
    await office.consult(edition_id)
    await office.approve(edition_id)
    await office.publish(edition_id)
    changed = await difference(tx, (2023, 0), (office.year, 0), drafts=False)
    assert {len(getattr(changed, kind)) for kind in ("added", "removed", "renamed", "recoded", "relisted")} == {0}
    assert len(changed.reclassed) == corrected
