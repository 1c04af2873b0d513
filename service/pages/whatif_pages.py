"""What other standards would have cost: asked with a set or with changed figures, read as charts and tables."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response

from domain.errors import NotFound
from domain.money import fen_display
from service.access.queries import district_names
from service.gateways.publication_files import as_csv
from service.gateways.sheet_files import CSV_TYPE
from service.pages import charts, figures
from service.pages.catalog_desk import Visit, chosen
from service.pages.forms import Fault, Typed
from service.pages.standard_pages import base_of, set_name, with_formula
from service.standards.queries.sets import sets
from service.statistics.commands import simulate
from service.statistics.queries import simulation as kept
from service.statistics.schemas import CostRowView, NewSimulation, SimulationResult, SimulationView
from service.web import as_wanted, private_file

_Page = Response[Any]
_NONE: Typed = {}
AT = "/catalog-desk/what-if"
_WAN = 1_000_000  # fen in 万元
_HEADING = ("分项", "名称", "笔数", "现行标准（元）", "新标准（元）", "多了（元）", "少了（元）")
_MIRRORS = (("by_district", "区县"), ("by_list", "目录"), ("by_level", "等级"), ("by_fund", "资金"))


async def listed(visit: Visit, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """What was computed before, and the form to try a set."""
    found = (await kept.simulations(visit.tx, visit.me)).simulations
    names = {each.id: set_name(each) for each in (await sets(visit.tx, visit.me)).sets}
    options = [(str(each.id), f"{set_name(each)}，{each.status_name}") for each in await with_formula(visit)]
    return visit.shown("what_if", typed, faults, simulations=found, names=names, sets=options)


async def try_set(visit: Visit) -> _Page:
    """Compute what a set would have cost."""
    typed = await visit.typed()

    async def ask() -> NewSimulation:
        known = {str(each.id) for each in await with_formula(visit)}
        told: dict[str, Any] = {"set_id": chosen(typed, "set_id", known), **_days(typed)}
        return as_wanted(told, NewSimulation)  # type: ignore[no-any-return]

    return await _computed(visit, ask, lambda faults: listed(visit, typed, faults))


async def figures_page(visit: Visit, base: UUID | None, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """The form to try other figures."""
    whole = await base_of(visit, base)
    formula = whole.formula if whole else None
    given: dict[str, Any] = {
        "base": whole,
        "name": set_name(whole) if whole else "",
        "formula": figures.sentence(formula) if formula else "",
        "parts": figures.parts_of(formula) if formula else [],
    }
    return visit.shown("what_if_new", {**figures.typed_of(formula), **typed}, faults, **given)


async def try_figures(visit: Visit) -> _Page:
    """Compute what other figures would have cost."""
    typed = await visit.typed()
    base = as_wanted(typed.get("base") or None, UUID | None)

    async def ask() -> NewSimulation:
        whole = await base_of(visit, base)
        if whole is None:
            raise NotFound("standards.not_found")
        told: dict[str, Any] = {"formula": figures.with_figures(whole.formula or {}, typed), "facts": whole.facts}
        told |= {"edition_id": whole.edition_id and str(whole.edition_id), **_days(typed)}
        return as_wanted(told, NewSimulation)  # type: ignore[no-any-return]

    return await _computed(visit, ask, lambda faults: figures_page(visit, base, typed, faults))


def _days(typed: Typed) -> dict[str, str | None]:
    return {name: typed.get(name) or None for name in ("from", "to")}


async def _computed(visit: Visit, ask: Any, again: Any) -> _Page:
    made = list[SimulationView]()

    async def effect() -> None:
        made.append(await simulate(visit.tx, visit.me, await ask(), visit.today, visit.now))

    return await visit.does(effect, lambda: f"{AT}/{made[0].id}", "computed", again)


async def shown(visit: Visit, simulation_id: UUID) -> _Page:
    """One result: before and after, where it comes from, who gains and who loses, whose money is not enough."""
    view = await kept.simulation(visit.tx, visit.me, simulation_id)
    result = view.result
    names = {each.id: set_name(each) for each in (await sets(visit.tx, visit.me)).sets}
    short = [each for each in result.positions if each.exceeded]
    given: dict[str, Any] = {
        "simulation": view,
        "result": result,
        "set_name": names.get(view.inputs.set_id, "") if view.inputs.set_id else "",
        "district": (await district_names(visit.tx)).get(view.inputs.district or "", "全市"),
        "difference_fen": result.total.after_fen - result.total.before_fen,
        "cost_chart": _ranked(result.by_district),
        "changes": [(name, _change(getattr(result, field)), getattr(result, field)) for field, name in _MIRRORS[:3]],
        "short": short,
    }
    return visit.shown("what_if_result", **given)


def _ranked(rows: Sequence[CostRowView]) -> charts.Chart | None:
    """What each would cost, the most first."""
    if not rows:
        return None
    bars = [(each.name, each.after_fen / _WAN, f"{each.after_fen / _WAN:,.1f} 万元") for each in rows]
    return charts.ranked(bars, width=460, high=max(1.0, *(value for _, value, _ in bars)), label=96)


def _change(rows: Sequence[CostRowView]) -> charts.Chart | None:
    """By how much each would rise or fall, in 万元."""
    bars = [(each.name, (each.after_fen - each.before_fen) / _WAN) for each in rows]
    return charts.change(bars, width=460, label=110) if any(value for _, value in bars) else None


async def numbers(visit: Visit, simulation_id: UUID) -> Response[bytes]:
    """The numbers of a result as a file."""
    view = await kept.simulation(visit.tx, visit.me, simulation_id)
    return private_file(
        as_csv(_HEADING, _lines(view.result)), CSV_TYPE, f"测算-{view.inputs.first}-{view.inputs.last}.csv"
    )


def _lines(result: SimulationResult) -> list[tuple[str, ...]]:
    whole = result.total
    lines = [_line("合计", "合计", whole.claims, whole.before_fen, whole.after_fen)]
    for field, name in (*_MIRRORS, ("changes", "增减")):
        lines += [
            _line(name, each.name, each.claims, each.before_fen, each.after_fen) for each in getattr(result, field)
        ]
    return lines


def _line(part: str, name: str, claims: int, before_fen: int, after_fen: int) -> tuple[str, ...]:
    return part, name, str(claims), _plain(before_fen), _plain(after_fen), *_apart(after_fen - before_fen)


def _plain(fen: int) -> str:
    """1234.50: for a sheet that goes on counting."""
    return fen_display(fen).replace(",", "")


def _apart(fen: int) -> tuple[str, str]:
    """How much more, how much less: a cell with a minus would be taken for a formula."""
    return _plain(max(fen, 0)), _plain(max(-fen, 0))
