"""Complaints and their answers, risk signals, and the yearly evaluation by a third party."""

from typing import Any

from domain.actor import Post
from domain.errors import Conflict, Invalid, NotFound
from service.oversight.commands import complaining, evaluating, signalling
from service.oversight.queries import complaints, evaluations
from service.oversight.queries.signals import seen
from service.oversight.schemas import (
    AnsweredView,
    EvaluationView,
    NewComplaintAnswer,
    NewEvaluation,
    NewEvaluationCorrection,
    SignalRunView,
)
from service.pages.field.acts import Act, Said
from service.web import as_wanted
from service.wording import words

_COMPLAINTS_A_PAGE = 50
_WHICH = ("open", "overdue", "answered")


# ---- complaints


async def listed(said: Said) -> dict[str, Any]:
    """Complaints of my district that wait, that are late, or that were answered; or the one whose number was told."""
    which = said.text("which") if said.text("which") in _WHICH else _WHICH[0]
    number = said.text("number")
    found = await complaints.district_complaints(
        said.tx, said.me, said.today, said.cursor(), _COMPLAINTS_A_PAGE, which=which, number=number
    )
    shown = {"which": "" if number else which, "number": number}
    return {**shown, "complaints": found.complaints, "next": found.next}


async def _complaint(said: Said) -> dict[str, Any]:
    return {"complaint": await complaints.complaint_view(said.tx, said.me, said.id, said.today)}


async def _answer(said: Said) -> AnsweredView:
    founded = {"yes": True, "no": False}.get(said.text("founded"))
    if founded is None:
        raise Invalid("value.missing", "founded")
    new = as_wanted({"answer": said.text("answer"), "founded": founded}, NewComplaintAnswer)
    return await complaining.answer(said.tx, said.me, said.id, new, said.today, said.now)


ANSWER = Act(
    "field/complaint.html",
    _complaint,
    _answer,
    AnsweredView,
    lambda said, _: f"/desk/complaints/{said.id}",
    "complaint_answered",
    frozenset({"answer", "founded"}),
)


# ---- signals


async def signals(said: Said) -> dict[str, Any]:
    """What the latest run found; nothing before the first."""
    try:
        found = await seen.signals(said.tx, said.me)
    except NotFound:
        return {"run": None, "findings": []}
    return {"run": found.run, "findings": found.findings}


async def _run(said: Said) -> SignalRunView:
    return await signalling.ask_run(said.tx, said.me, said.today, said.now)


RUN = Act("field/signals.html", signals, _run, SignalRunView, lambda *_: "/desk/signals", "signals_asked")


# ---- evaluations


async def evaluated(said: Said) -> dict[str, Any]:
    """A year's results of the institutions in my reach; last year's, unless one is named."""
    year = said.year() or said.today.year - 1
    return {
        "year": year,
        "years": [said.today.year - back for back in range(4)],
        "results": await evaluations.evaluations_on_desk(said.tx, said.me, year),
        "may_enter": said.me.holds(Post.EVALUATOR),
    }


async def _to_enter(said: Said) -> dict[str, Any]:
    """The indicators of the year that is evaluated."""
    year = said.year() or said.today.year - 1
    try:
        of = await evaluations.formula_for(said.tx, year)
    except Conflict as refusal:
        return {"year": year, "formula": None, "indicators": [], "why": words(refusal.code, refusal.facts)}
    return {"year": year, "formula": of, "indicators": _indicators(of), "why": ""}


def _indicators(of: evaluations.FormulaOf) -> list[tuple[str, str, int]]:
    """Field, name and weight of each."""
    return [(str(each), words(f"indicator.{each}"), weight) for each, weight in of.formula.weights.items()]


def _read(said: Said, of: evaluations.FormulaOf) -> dict[str, Any]:
    """Points and evidence of every indicator, in fields of the page. Invalid `value.missing`, `value.form`."""
    names = [str(each) for each in of.formula.weights]
    return {
        "values": {name: _points(said, f"values_{name}") for name in names},
        "evidence": {name: said.fingerprint(f"evidence_{name}") for name in names},
        "summary": said.text("summary"),
    }


def _points(said: Said, field: str) -> float:
    whole, _, tenth = said.text(field).partition(".")
    if not whole:
        raise Invalid("value.missing", field)
    if not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in (whole, tenth or "0")):
        raise Invalid("evaluation.value", field)
    return float(said.text(field).removesuffix("."))


async def _enter(said: Said) -> EvaluationView:
    year = said.year()
    if year is None:
        raise Invalid("evaluation.year", "year")
    of = await evaluations.formula_for(said.tx, year)
    told = {"institution": said.text("institution"), "year": year, **_read(said, of)}
    return await evaluating.evaluate(said.tx, said.me, as_wanted(told, NewEvaluation), said.today, said.now)


def _at_evaluation(_: Said, view: EvaluationView) -> str:
    return f"/desk/evaluations/{view.id}"


_FIELDS = frozenset(
    f"{part}_{name}"
    for part in ("values", "evidence")
    for name in ("pass", "attendance", "employment", "complaints", "patrols", "satisfaction")
)
ENTER = Act(
    "field/evaluation_new.html",
    _to_enter,
    _enter,
    EvaluationView,
    _at_evaluation,
    "evaluation_entered",
    _FIELDS | {"institution", "summary"},
)


async def evaluation(said: Said) -> dict[str, Any]:
    """One version of a result. NotFound `evaluation.not_found`."""
    view = await evaluations.evaluation_view(said.tx, said.me, said.id)
    holds = not await evaluations.is_corrected(said.tx, said.id)
    rows = [(words(f"indicator.{name}"), value, view.evidence.get(name, "")) for name, value in view.values.items()]
    return {"evaluation": view, "rows": rows, "may_correct": holds and said.me.holds(Post.EVALUATOR)}


async def _to_correct(said: Said) -> dict[str, Any]:
    view = await evaluations.evaluation_view(said.tx, said.me, said.id)
    of = await evaluations.formula_named(said.tx, view.formula)
    before = {f"values_{name}": value for name, value in view.values.items()}
    before |= {f"evidence_{name}": sha for name, sha in view.evidence.items()}
    typed = {**before, "summary": view.summary, **said.typed}
    return {"evaluation": view, "indicators": _indicators(of), "formula": of, "typed": typed}


async def _correct(said: Said) -> EvaluationView:
    view = await evaluations.evaluation_view(said.tx, said.me, said.id)
    of = await evaluations.formula_named(said.tx, view.formula)
    new = as_wanted({**_read(said, of), "reason": said.text("reason")}, NewEvaluationCorrection)
    return await evaluating.correct(said.tx, said.me, said.id, new, said.now)


CORRECT = Act(
    "field/evaluation_correct.html",
    _to_correct,
    _correct,
    EvaluationView,
    _at_evaluation,
    "evaluation_corrected",
    _FIELDS | {"summary", "reason"},
)
