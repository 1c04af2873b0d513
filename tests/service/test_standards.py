"""Sets of standards: proposed, signed by two bureaus, published for days, corrected for days that are past."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import asdict
from sqlalchemy import text

from domain.actor import Post
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from domain.standard import recompute
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.standards import STANDARDS, standards_recompute
from service.database import Tx
from service.standards import commands
from service.standards.queries.amounts import standards_on
from service.standards.queries.formulas import formulas_of, given_of
from service.standards.queries.sets import set_view, sets, whole_set
from service.standards.schemas import DaysView, NewSignature, SetView
from tests.service.test_editions import Office
from tests.standards import Bureaus, flat
from tests.world import WELDER, WELDER_LEVEL_4_FEN, World

JAN, JUL = date(2027, 1, 1), date(2027, 7, 1)
NURSE, FOUNDER = "4-10-01-05", "6-18-02-05"
TWO_ITEMS = f"""目录,序号,编码,名称,行业分类
急需紧缺,1,{WELDER},焊工,加工维修
急需紧缺,2,{NURSE},养老护理员 L,家政养老
"""


@pytest.fixture
async def bureaus(tx: Tx, world: World) -> Bureaus:
    return await Bureaus.of(tx, world)


async def amount(tx: Tx, on: date, level: str = "4", occupation: str = WELDER) -> int | None:
    return next((each.amount_fen for each in await standards_on(tx, occupation, on) if each.level == level), None)


async def sample_set(tx: Tx) -> SetView:
    (sample,) = [each for each in (await sets(tx, None)).sets if each.sample]
    return sample


async def _audited(tx: Tx) -> None:
    for promise in (JOURNALLED, LEGAL_MOVES, STANDARDS):
        assert await first_breach(tx, promise.checks) is None
    assert await standards_recompute(tx) is None


async def test_samples_are_a_set_with_the_amounts_that_they_had(tx: Tx, world: World) -> None:
    sample = await sample_set(tx)
    assert (sample.status, sample.sample, sample.signatures) == ("published", True, [])
    assert sample.amounts == sample_amounts(await _lists(tx))
    assert await amount(tx, world.today) == WELDER_LEVEL_4_FEN
    assert await amount(tx, world.today, "senior", "2-02-38-03") == 360_000


def sample_amounts(lists: dict[str, set[str]]) -> int:
    return sum(3 if occupation.startswith("2-02-") else 5 for occupation in lists)


async def _lists(tx: Tx) -> dict[str, set[str]]:
    rows = await tx.execute(
        text("""SELECT coalesce(a.canonical, i.code), array_agg(DISTINCT i.list_kind) FROM catalog_items i
                  JOIN catalog_editions e ON e.id = i.edition_id AND e.year = 2023
                  LEFT JOIN occupation_aliases a ON a.code = i.code WHERE i.code IS NOT NULL GROUP BY 1""")
    )
    return {code: set(kinds) for code, kinds in rows}


async def test_every_sample_amount_is_what_it_was_before_there_were_formulas(tx: Tx) -> None:
    base = {
        "5": 700,
        "4": 1000,
        "3": 1500,
        "2": 2000,
        "1": 3000,
        "junior": 1500,
        "intermediate": 2000,
        "senior": 3000,
    }
    lists = await _lists(tx)
    rows = (await tx.execute(text("SELECT occupation, level, amount_fen FROM standards WHERE sample"))).all()
    for occupation, level, fen in rows:
        best = max({"shortage": 120, "manufacturing": 110}.get(kind, 100) for kind in lists[occupation])
        assert fen == base[level] * best
    assert len(rows) == sample_amounts(lists)


async def test_a_set_goes_from_proposal_to_its_days(tx: Tx, bureaus: Bureaus) -> None:
    sample = await sample_set(tx)
    proposed = await bureaus.propose(tx, flat(80_000), JAN, date(2027, 12, 31))
    assert (proposed.status, proposed.revision, proposed.mine, proposed.in_force) == ("draft", 0, True, [])
    assert await amount(tx, JAN) == WELDER_LEVEL_4_FEN
    signed = await bureaus.sign(tx, proposed)
    assert signed.status == "signed"
    assert [each.bureau for each in signed.signatures] == ["hr", "finance"]
    published = await bureaus.publish(tx, proposed.id)
    assert (published.status, published.in_force) == ("published", [DaysView(JAN, date(2027, 12, 31))])
    assert [await amount(tx, day) for day in (date(2026, 12, 31), JAN, date(2027, 12, 31), date(2028, 1, 1))] == [
        *(WELDER_LEVEL_4_FEN, 80_000, 80_000, WELDER_LEVEL_4_FEN)
    ]
    before, after, *_ = (await set_view(tx, None, sample.id)).in_force  # tests over HTTP publish for later days
    assert before == DaysView(date(2019, 1, 1), date(2026, 12, 31))
    assert after.first == date(2028, 1, 1)
    await _audited(tx)


async def test_a_set_of_which_nothing_is_left_is_superseded(tx: Tx, bureaus: Bureaus) -> None:
    first = await bureaus.in_force(tx, flat(80_000), JAN, date(2027, 6, 30))
    second = await bureaus.in_force(tx, flat(90_000), JAN)
    assert (second.revision, (await set_view(tx, None, first.id)).status) == (1, "superseded")
    assert await amount(tx, JAN) == 90_000
    await _audited(tx)


async def test_every_amount_is_computed_again_from_its_steps_and_from_the_formula(tx: Tx, bureaus: Bureaus) -> None:
    formula = flat(101_050, lists={"shortage": 115}, scarcity={"urgent": 133}, group={"graduate": 120})
    proposed = await bureaus.propose(tx, formula, JAN, facts={"scarcity": {WELDER: "urgent"}})
    parsed = (await formulas_of(tx, [proposed.id]))[proposed.id]
    assert parsed is not None
    seen, after = 0, ""
    while True:
        page = await whole_set(tx, None, proposed.id, after)
        for row in page.rows:
            steps = [asdict(each) for each in row.steps]
            assert recompute([{k: v for k, v in each.items() if v is not None} for each in steps]) == row.amount_fen
            seen += 1
        if page.next is None:
            break
        after = page.next
    assert seen == proposed.amounts > 2_000
    welder = next(
        each
        for each in (await whole_set(tx, None, proposed.id, f"{WELDER} 3")).rows
        if (each.occupation, each.level) == (WELDER, "4")
    )
    assert welder.facts["scarcity"] == "urgent"
    assert "shortage" in welder.facts["lists"]
    assert welder.amount_fen == 154_600  # 1,010.50 × 1.15 × 1.33 = 1,545.56
    assert given_of("4", welder.facts)["lists"] == tuple(welder.facts["lists"])


# ---- what is refused


@pytest.mark.parametrize(
    ("changed", "kind", "code"),
    [
        ({"formula": {"result": "amount", "terms": {}}}, Invalid, "formula.too_many"),
        ({"formula": flat(100, group={"六类": 120})}, Invalid, "formula.unknown_word"),
        ({"formula": flat(0)}, Invalid, "standards.nothing"),
        ({"formula": flat(100, level={"apprentice": 0, "5": 100})}, Invalid, "standards.nothing"),
        ({"facts": {"age": {WELDER: 1}}}, Invalid, "formula.unknown_fact"),
        ({"facts": {"hours": {WELDER: True}}}, Invalid, "formula.fact"),
        ({"facts": {"scarcity": {"9-99-99-99": "urgent"}}}, Invalid, "standards.unknown_occupation"),
        ({"first": "2026-13-01"}, Invalid, "date.no_such_day"),
        ({"first": "2027-02-01", "last": "2027-01-31"}, Invalid, "period.reversed"),
        ({"first": "2019-01-01", "reason": " "}, Invalid, "standards.reason"),
        ({"first": "1950-01-01"}, Conflict, "standards.no_edition"),
        ({"source": "  "}, Invalid, "words.empty"),
        ({"source": "张三来电 13800138000"}, Invalid, "text.personal_number"),
        ({"reason": "电话 13800138000"}, Invalid, "text.personal_number"),
        ({"corrects": "00000000-0000-0000-0000-000000000000"}, NotFound, "standards.not_found"),
        ({"edition_id": "00000000-0000-0000-0000-000000000000"}, Conflict, "standards.no_items"),
    ],
)
async def test_a_proposal_that_is_not_right_is_refused(
    tx: Tx, bureaus: Bureaus, changed: dict[str, Any], kind: type[DomainError], code: str
) -> None:
    new = bureaus.new(flat(80_000), JAN)
    for name, value in changed.items():
        setattr(new, name, value)
    with pytest.raises(kind) as refused:
        await commands.propose(tx, bureaus.editor, new, bureaus.world.today, bureaus.world.now)
    assert refused.value.code == code


async def test_three_persons_and_what_they_were_shown(tx: Tx, bureaus: Bureaus, world: World) -> None:
    proposed = await bureaus.propose(tx, flat(80_000), JAN)
    shown, now = NewSignature(proposed.content_hash), world.now
    both = await world.user(tx, {Post.STANDARD_EDITOR, Post.HR_SIGNER})
    new = bureaus.new(flat(70_000), JUL)
    own = await commands.propose(tx, both, new, world.today, now)
    with pytest.raises(Forbidden, match=r"standards\.same_person"):
        await commands.sign(tx, both, own.id, NewSignature(own.content_hash), now)
    with pytest.raises(Conflict, match=r"standards\.other_content"):
        await commands.sign(tx, bureaus.hr, proposed.id, NewSignature(own.content_hash), now)
    with pytest.raises(Conflict, match=r"wrong_status"):
        await bureaus.publish(tx, proposed.id)
    await commands.sign(tx, bureaus.hr, proposed.id, shown, now)
    with pytest.raises(Conflict, match=r"standards\.bureau_signed"):
        await commands.sign(tx, both, proposed.id, shown, now)
    with pytest.raises(Conflict, match=r"wrong_status"):
        await bureaus.publish(tx, proposed.id)
    await commands.sign(tx, bureaus.finance, proposed.id, shown, now)
    with pytest.raises(Conflict, match=r"wrong_status"):
        await commands.sign(tx, bureaus.finance, proposed.id, shown, now)
    assert (await bureaus.publish(tx, proposed.id)).status == "published"
    with pytest.raises(Conflict, match=r"wrong_status"):
        await bureaus.publish(tx, proposed.id)
    await _audited(tx)


async def test_a_set_over_a_draft_waits_for_the_edition_and_fits_it(tx: Tx, bureaus: Bureaus, world: World) -> None:
    posts = (Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER)
    office = Office(tx, *[await world.user(tx, {post}) for post in posts], world.today)
    edition = await office.draft(TWO_ITEMS)
    formula = flat(80_000, lists={"shortage": 115})
    over_draft = await bureaus.propose(tx, formula, JAN, edition_id=edition)
    with_facts = await bureaus.propose(tx, formula, JAN, edition_id=edition, facts={"scarcity": {NURSE: "urgent"}})
    for each in (over_draft, with_facts):
        await bureaus.sign(tx, each)
    with pytest.raises(Conflict, match=r"standards\.edition_not_published"):
        await bureaus.publish(tx, over_draft.id)
    savepoint = await tx.begin_nested()
    await go_out(office, edition)
    assert (await bureaus.publish(tx, over_draft.id)).status == "published"
    await savepoint.rollback()
    await office.correct(edition, "养老护理员", name="铸造工", code=FOUNDER, tag="", industry="加工维修")
    await go_out(office, edition)
    for each in (over_draft, with_facts):
        with pytest.raises(Conflict, match=r"standards\.edition_changed"):
            await bureaus.publish(tx, each.id)
    await bureaus.in_force(tx, formula, JAN, edition_id=edition)
    assert [await amount(tx, JAN, occupation=each) for each in (WELDER, FOUNDER, NURSE)] == [92_000, 92_000, None]


async def go_out(office: Office, edition: UUID) -> None:
    await office.consult(edition)
    await office.approve(edition, "照原件")
    await office.publish(edition)


async def test_out_of_season_a_set_needs_a_reason_that_was_signed(tx: Tx, bureaus: Bureaus, world: World) -> None:
    proposed = await bureaus.propose(tx, flat(80_000), JUL, reason="")
    await bureaus.sign(tx, proposed)
    late, in_season = date(2027, 4, 1), date(2027, 3, 31)
    with pytest.raises(Conflict, match=r"standards\.calendar") as refused:
        await commands.publish(tx, bureaus.editor, proposed.id, late, world.now)
    assert refused.value.facts == {"faults": ["outside_first_quarter"]}
    with pytest.raises(Invalid, match=r"standards\.reason"):
        await commands.publish(tx, bureaus.editor, proposed.id, date(2027, 7, 2), world.now)
    published = await commands.publish(tx, bureaus.editor, proposed.id, in_season, world.now)
    assert (published.status, published.published_on) == ("published", in_season)
    explained = await bureaus.propose(tx, flat(90_000), JUL, reason="财政批复推迟")
    await bureaus.sign(tx, explained)
    assert (await commands.publish(tx, bureaus.editor, explained.id, late, world.now)).status == "published"


async def test_what_is_dropped_leaves_its_number(tx: Tx, bureaus: Bureaus, world: World) -> None:
    proposed = await bureaus.propose(tx, flat(80_000), JAN)
    dropped = await commands.drop(tx, bureaus.editor, proposed.id, world.now)
    assert dropped.status == "dropped"
    with pytest.raises(Conflict, match=r"wrong_status"):
        await commands.sign(tx, bureaus.hr, proposed.id, NewSignature(proposed.content_hash), world.now)
    again = await bureaus.propose(tx, flat(90_000), JAN)
    assert again.revision == proposed.revision
    published = await bureaus.in_force(tx, flat(90_000), JUL)
    with pytest.raises(Conflict, match=r"wrong_status"):
        await commands.drop(tx, bureaus.editor, published.id, world.now)
    await _audited(tx)


async def test_only_the_post_may(tx: Tx, bureaus: Bureaus, world: World) -> None:
    new = bureaus.new(flat(80_000), JAN)
    for actor in (bureaus.hr, bureaus.finance, world.staff[Post.REVIEWER]):
        with pytest.raises(Forbidden, match=r"post_missing"):
            await commands.propose(tx, actor, new, world.today, world.now)
    proposed = await bureaus.propose(tx, flat(80_000), JAN)
    with pytest.raises(Forbidden, match=r"post_missing"):
        await commands.sign(tx, bureaus.editor, proposed.id, NewSignature(proposed.content_hash), world.now)


# ---- days that are past


async def test_a_correction_takes_days_from_the_middle(tx: Tx, bureaus: Bureaus) -> None:
    wrong = await bureaus.in_force(tx, flat(80_000), JAN, date(2027, 12, 31))
    corrected = await bureaus.in_force(
        tx, flat(88_000), date(2027, 3, 1), date(2027, 4, 30), corrects=wrong.id, reason="系数写错"
    )
    assert (corrected.revision, corrected.corrects, corrected.reason) == (1, wrong.id, "系数写错")
    assert (await set_view(tx, None, wrong.id)).in_force == [
        *(DaysView(JAN, date(2027, 2, 28)), DaysView(date(2027, 5, 1), date(2027, 12, 31)))
    ]
    days = (date(2027, 2, 28), date(2027, 3, 1), date(2027, 4, 30), date(2027, 5, 1))
    assert [await amount(tx, day) for day in days] == [80_000, 88_000, 88_000, 80_000]
    await _audited(tx)


async def test_a_correction_lasts_as_long_as_what_it_corrects(tx: Tx, bureaus: Bureaus) -> None:
    wrong = await bureaus.in_force(tx, flat(80_000), JAN, date(2027, 12, 31))
    corrected = await bureaus.propose(tx, flat(88_000), JUL, corrects=wrong.id)
    assert corrected.last == date(2027, 12, 31)
