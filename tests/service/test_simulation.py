"""What other standards would have cost: the one pass over claims against every claim computed anew."""

import json
import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import text

from domain.actor import Actor, Post
from domain.errors import Forbidden, Invalid, NotFound
from domain.standard import form, parse_formula
from service.claims.queries.decisions import stored_facts
from service.database import Tx, transaction
from service.statistics.commands import simulate
from service.statistics.queries.simulation import parse_period, simulation, simulations
from service.statistics.schemas import NewSimulation, SimulationView
from tests.conftest import Databases
from tests.races.test_standards_by_sql import refused
from tests.service.test_batches_http import client, desk
from tests.service.test_standards_affected import _file
from tests.service.test_standards_http import run
from tests.standards import Bureaus, flat
from tests.world import World

__all__ = ["client"]

NAMES = {"by_district": "district", "by_fund": "fund", "by_list": "list_kind", "by_level": "level"}
# Those of other kinds have no standard that another could take the place of.
_CLAIMS = text("""
    SELECT * FROM claims WHERE kind = 'training' AND filed_on BETWEEN :first AND :last ORDER BY id
""")


@pytest.fixture
async def bureaus(tx: Tx, world: World) -> Bureaus:
    return await Bureaus.of(tx, world)


async def file_some(tx: Tx, world: World, chance: random.Random, number: int) -> None:
    """Claims with groups and fees, in two districts; some of them refused or withdrawn."""
    await world.set_policy(tx, "subsidy_capped_by_fee", True)
    here, other = world.here, world.other
    for _ in range(number):
        world.here = chance.choice([here, other])
        await _file(tx, world, chance)
    world.here = here


async def one_by_one(
    tx: Tx, formula: dict[str, Any], view: SimulationView, lists: dict[str, tuple[str, ...]]
) -> dict[str, Any]:
    """The same totals from every stored claim by itself, with the facts of its decision."""
    parsed = parse_formula(formula)
    costs: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    left_out: Counter[str] = Counter()
    inputs = view.inputs
    for claim in await tx.execute(_CLAIMS, {"first": inputs.first, "last": inputs.last}):
        if inputs.district not in {None, claim.district}:
            continue
        if claim.status in {"refused", "withdrawn", "lapsed", "recovered"}:
            left_out[claim.status] += claim.amount_fen
            continue
        facts = stored_facts(claim.decision)
        given: dict[str, Any] = {"level": claim.level, "lists": lists.get(claim.subsidy_key, ())}
        if facts.group:
            given["group"] = facts.group.group
        formed = form(parsed, given) if claim.subsidy_key in lists else None
        due = formed.amount_fen if formed else 0
        if facts.fee and facts.parameters.subsidy_capped_by_fee:
            due = min(due, facts.fee.fee_fen // 100 * 100)
        fund = "unemployment_insurance" if claim.group_code == "enterprise_employee" else "employment_subsidy"
        said = {"district": claim.district, "fund": fund, "list_kind": claim.list_kind, "level": claim.level}
        said["change"] = _change(claim.amount_fen, due)
        said["position"] = f"{claim.district} {fund} {claim.filed_on.year}"
        for name, value in said.items():
            for at, fen in enumerate((1, claim.amount_fen, due)):
                costs[name, value][at] += fen
    return {"costs": {key: tuple(cost) for key, cost in costs.items()}, "left_out": dict(left_out)}


def _change(before: int, after: int) -> str:
    if before == after:
        return "same"
    return "more" if after > before else "less" if after else "nothing"


def told(view: SimulationView) -> dict[str, Any]:
    costs = {}
    for name, key in NAMES.items():
        for row in getattr(view.result, name):
            costs[key, row.key] = (row.claims, row.before_fen, row.after_fen)
    for row in view.result.changes:
        if row.claims:
            costs["change", row.key] = (row.claims, row.before_fen, row.after_fen)
    for each in view.result.positions:
        if each.claims:
            key = f"{each.district} {each.fund} {each.year}"
            costs["position", key] = (each.claims, each.before_fen, each.after_fen)
    return {"costs": costs, "left_out": {each.status: each.amount_fen for each in view.result.not_counted}}


async def lists_of(tx: Tx, day: date) -> dict[str, tuple[str, ...]]:
    rows = await tx.execute(
        text("""SELECT coalesce(a.canonical, i.code), array_agg(DISTINCT i.list_kind ORDER BY i.list_kind)
                  FROM catalog_items i
                  JOIN catalog_editions e ON e.id = i.edition_id AND e.in_force @> CAST(:day AS date)
                  LEFT JOIN occupation_aliases a ON a.code = i.code
                 WHERE i.code IS NOT NULL GROUP BY 1"""),
        {"day": day},
    )
    return {code: tuple(kinds) for code, kinds in rows}


async def test_the_totals_are_those_of_every_claim_by_itself(tx: Tx, world: World, bureaus: Bureaus) -> None:
    chance = random.Random(11)
    await file_some(tx, world, chance, 40)
    lists = await lists_of(tx, world.today)
    seen: Counter[str] = Counter()
    for turn in range(4):
        factors = {"lists": {"shortage": 120}, "group": {"graduate": chance.choice([0, 50, 100, 150])}}
        formula = flat(chance.choice([80_000, 100_000, 130_000]), **factors)
        if turn % 2:
            values = {"4": chance.randint(500, 1_500) * 100, "3": 150_000}
            formula["terms"]["base"] = {"kind": "table", "by": "level", "unit": "fen", "values": values}
        new = NewSimulation(formula)
        if turn == 3:
            new = NewSimulation(set_id=(await bureaus.propose(tx, formula, world.today)).id)
        view = await simulate(tx, None, new, world.today, world.now)
        expected = await one_by_one(tx, formula, view, lists)
        assert told(view) == expected
        assert view.result.total.claims == sum(row.claims for row in view.result.by_level)
        seen.update({change: cost[0] for (name, change), cost in expected["costs"].items() if name == "change"})
        assert expected["left_out"].keys() >= {"refused", "withdrawn"}
    assert {"more", "less", "nothing", "same"} <= seen.keys()


async def test_the_same_inputs_give_the_kept_result(tx: Tx, world: World, bureaus: Bureaus) -> None:
    await world.claim(tx)
    new = NewSimulation(flat(90_000))
    first = await simulate(tx, bureaus.editor, new, world.today, world.now)
    again = await simulate(tx, bureaus.hr, new, world.today, world.now + timedelta(hours=1))
    assert again == first
    other = await simulate(tx, bureaus.editor, NewSimulation(flat(90_100)), world.today, world.now)
    assert other.inputs_sha256 != first.inputs_sha256
    await world.claim(tx)
    later = await simulate(tx, bureaus.editor, new, world.today, world.now)
    assert later.inputs.claims_sha256 != first.inputs.claims_sha256
    assert later.result.total.claims == first.result.total.claims + 1
    assert await simulation(tx, bureaus.finance, first.id) == first
    listed = (await simulations(tx, bureaus.editor)).simulations
    assert {each.id for each in listed} >= {first.id, other.id, later.id}
    owner = "SELECT actor_user_id, actor_name FROM simulations WHERE id = :id"
    assert tuple((await tx.execute(text(owner), {"id": first.id})).one()) == (
        *(bureaus.editor.user_id, "standard_editor"),
    )


async def test_nothing_about_claims_changes(tx: Tx, world: World, bureaus: Bureaus) -> None:
    claim = await world.claim(tx, "payable")
    state = "SELECT to_jsonb(c) FROM claims c WHERE id = :id"
    before = (await tx.execute(text(state), {"id": claim.id})).scalar_one()
    journal = (await tx.execute(text("SELECT count(*) FROM journal"))).scalar_one()
    await simulate(tx, bureaus.editor, NewSimulation(flat(10_000)), world.today, world.now)
    assert (await tx.execute(text(state), {"id": claim.id})).scalar_one() == before
    assert (await tx.execute(text("SELECT count(*) FROM journal"))).scalar_one() == journal
    assert (await tx.execute(text("SELECT current_setting('enable_sort')"))).scalar_one() == "on"


async def test_what_the_money_would_not_reach_for_is_said(tx: Tx, world: World, bureaus: Bureaus) -> None:
    poor = "370126"
    world.poor.add(poor)
    await world.appropriate(tx, poor, 250_000)
    for _ in range(2):
        await world.claim(tx, district=poor)
    view = await simulate(tx, None, NewSimulation(flat(130_000)), world.today, world.now)
    (position,) = [each for each in view.result.positions if each.district == poor]
    assert (position.appropriated_fen, position.before_fen, position.after_fen) == (250_000, 240_000, 260_000)
    assert (position.exceeded_before, position.exceeded, position.missing_fen) == (False, True, 10_000)
    nowhere = "370124"
    world.poor.add(nowhere)
    await world.claim(tx, district=nowhere)
    view = await simulate(tx, None, NewSimulation(flat(130_000)), world.today, world.now)
    (position,) = [each for each in view.result.positions if each.district == nowhere]
    assert (position.appropriated_fen, position.missing_fen, position.exceeded) == (None, 130_000, True)


async def test_facts_that_claims_do_not_carry_are_named(tx: Tx, world: World) -> None:
    formula = flat(90_000, group={"graduate": 120}, mode={"blended": 70}, scarcity={"urgent": 110})
    view = await simulate(tx, None, NewSimulation(formula), world.today, world.now)
    assert view.result.not_on_claims == ["mode"]


async def test_each_is_answered_for_their_district(tx: Tx, world: World, bureaus: Bureaus) -> None:
    await world.claim(tx)
    await world.claim(tx, district=world.other)
    someone = bureaus.editor
    of_district = Actor(someone.user_id, someone.person_id, someone.posts, world.here)
    of_other = Actor(someone.user_id, someone.person_id, someone.posts, world.other)
    new = NewSimulation(flat(90_000))
    city = await simulate(tx, someone, new, world.today, world.now)
    mine = await simulate(tx, of_district, new, world.today, world.now)
    assert {each.key for each in mine.result.by_district} == {world.here}
    assert {each.key for each in city.result.by_district} >= {world.here, world.other}
    assert {each.district for each in mine.inputs.appropriations} == {world.here}
    assert (await simulation(tx, of_district, mine.id)).id == mine.id
    for who, which in ((of_district, city), (of_other, mine)):
        with pytest.raises(NotFound, match=r"simulation\.not_found"):
            await simulation(tx, who, which.id)
        assert which.id not in {each.id for each in (await simulations(tx, who)).simulations}


async def test_what_is_refused(tx: Tx, world: World, bureaus: Bureaus) -> None:
    async def asked(new: NewSimulation, me: Actor | None = None) -> SimulationView:
        return await simulate(tx, me, new, world.today, world.now)

    for new in (NewSimulation(), NewSimulation(flat(1_000), set_id=uuid4())):
        with pytest.raises(Invalid, match=r"simulation\.formula_or_set"):
            await asked(new)
    with pytest.raises(NotFound, match=r"standards\.not_found"):
        await asked(NewSimulation(set_id=uuid4()))
    with pytest.raises(Invalid, match=r"formula\.unknown_word"):
        await asked(NewSimulation(flat(1_000, group={"六类": 120})))
    with pytest.raises(Invalid, match=r"period\.reversed"):
        await asked(NewSimulation(flat(1_000), first="2026-02-01", last="2026-01-01"))
    with pytest.raises(Forbidden, match="post_missing"):
        await asked(NewSimulation(flat(1_000)), world.staff[Post.MAKER])
    for actor in (bureaus.editor, bureaus.hr, bureaus.finance, world.staff[Post.AUDITOR]):
        await asked(NewSimulation(flat(1_000)), actor)


@pytest.mark.parametrize(
    ("first", "last", "span"),
    [
        (None, None, ("2025-03-03", "2026-03-02")),
        (None, "2025-12-31", ("2025-01-01", "2025-12-31")),
        ("2025-06-01", None, ("2025-06-01", "2026-03-02")),
        ("2024-02-29", "2024-02-29", ("2024-02-29", "2024-02-29")),
    ],
)
def test_the_period(first: str | None, last: str | None, span: tuple[str, str]) -> None:
    days = parse_period(first, last, date(2026, 3, 2))
    assert (str(days.first), str(days.last)) == span


async def test_a_kept_result_cannot_be_changed(tx: Tx, world: World, databases: Databases) -> None:
    view = await simulate(tx, None, NewSimulation(flat(90_000)), world.today, world.now)
    for statement in ("UPDATE simulations SET result = '{}'", "DELETE FROM simulations"):
        assert await refused(tx, f"{statement} WHERE id = :id", id=view.id) == "42501"
    again = "INSERT INTO simulations SELECT gen_random_uuid(), inputs_sha256, '{}', '{}', NULL, NULL, 'x', now()"
    assert await refused(tx, f"{again} FROM simulations WHERE id = :id", id=view.id) == "23505"


async def test_over_http_and_by_the_command_line(client: Any, committed: World, tmp_path: Path) -> None:
    async with transaction() as tx:
        bureaus = await Bureaus.of(tx, committed)
        await committed.claim(tx)
    editor = await desk(client, bureaus.editor)
    answer = await editor.post("/statistics/simulations", {"formula": flat(95_000)})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["result"]["total"]["claims"] > 0
    assert (await editor.get(f"/statistics/simulations/{found['id']}")).json() == found
    assert found["id"] in {each["id"] for each in (await editor.get("/statistics/simulations")).json()["simulations"]}
    assert (await editor.get(f"/statistics/simulations/{uuid4()}")).status_code == 404
    maker = await desk(client, committed.staff[Post.MAKER])
    assert (await maker.post("/statistics/simulations", {"formula": flat(95_000)})).status_code == 403
    file = tmp_path / "formula.json"
    file.write_text(json.dumps({"source": "示例", "formula": flat(95_000)}), "utf-8")
    by_command = await run("simulate", "--change", str(file), "--json")
    assert by_command.exit_code == 0, by_command.output
    assert msgspec.json.decode(by_command.output, type=SimulationView).inputs_sha256 == found["inputs_sha256"]
    shown = await run("simulate", "--change", str(file), "--to", found["inputs"]["to"])
    assert "不再有" in shown.output
    assert found["id"] in shown.output
    neither = await run("simulate")
    assert (neither.exit_code, "二者取一" in neither.output) == (1, True)
    unknown = await run("simulate", "--set", str(UUID(int=1)))
    assert "没有这个标准方案" in unknown.output
