"""评价结果 on pages: an assessment body hands in a class's results as a sheet, and both sides read them."""

from asyncio import to_thread
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Response

from domain.actor import Actor
from domain.errors import NotFound
from service.assessments.commands import filing
from service.assessments.queries.results import assessed_by, results_of
from service.assessments.schemas import AssessmentsView, AssessmentView
from service.database import Tx
from service.gateways.assessment_sheets import LIMITS, read_assessment
from service.pages import forms
from service.pages.forms import Fault, Typed
from service.pages.institution import class_form
from service.pages.institution.frame import Ask, shown
from service.training.queries.views import class_view
from service.wording import words

_CLASSES_MAX = 50
_FIELDS = frozenset({"class_number", "assessed_on", "corrects", "reason"})


async def listed(
    request: Ask, tx: Tx, me: Actor, today: date, typed: Typed | None = None, faults: list[Fault] | None = None
) -> Response[bytes]:
    """Classes whose results my body told, and the form to tell one's, or to correct them."""
    reported = await assessed_by(tx, me, _CLASSES_MAX)
    page = {"reported": reported, "typed": typed or {}, "faults": faults or [], "once": uuid4()}
    about = {**page, "bytes_max": LIMITS.file_bytes}
    return await shown(request, tx, me, "assessments", today, status=422 if faults else 200, **about)


async def one(request: Ask, tx: Tx, me: Actor, today: date, class_id: UUID) -> Response[bytes]:
    """The results of a class that my body assessed, version by version. NotFound `assessment.not_found`."""
    versions = (await results_of(tx, me, class_id)).assessments
    return await shown(request, tx, me, "assessment", today, versions=versions, view=None)


async def of_class(request: Ask, tx: Tx, me: Actor, today: date, now: datetime, class_id: UUID) -> Response[bytes]:
    """The same of a class of my institution, which may have none yet. NotFound `class.not_found`."""
    view = await class_view(tx, me, class_id, now)
    versions = list[AssessmentView]()
    with suppress(NotFound):  # none were told so far
        versions = (await results_of(tx, me, class_id)).assessments
    return await shown(request, tx, me, "assessment", today, versions=versions, view=view)


async def taken(request: Ask, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """Take the results of a class, whole or not at all; NotFound `class.not_found` is said at its number."""
    typed, views, sent = await forms.typed(request), list[AssessmentsView](), list[forms.Sent]()

    async def take() -> None:
        sent.append(await forms.file_of(request, "sheet"))
        sheet = await to_thread(read_assessment, sent[0].data, f"results.{sent[0].kind}")
        corrects = typed.get("corrects", "")
        about = {
            "class_number": typed.get("class_number", ""),
            "assessed_on": forms.day_typed(typed, "assessed_on"),
            "corrects": class_form.count_of(corrects) if corrects else None,
            "reason": typed.get("reason", ""),
        }
        once = forms.once_of(request, me, {**typed, "sheet": sent[0].sha256}, typed.get("once", ""))
        answer = await once(tx, AssessmentsView, lambda: filing.file_sheet(tx, me, sheet, about, today, now))
        views.append(answer.view)

    if faults := _at_fields(await _refused(tx, take)):
        named = {**typed, "file": sent[0].name if sent else ""}
        return await listed(request, tx, me, today, named, faults)
    return forms.see(f"/institution/assessments/{views[0].assessments[0].class_id}", "assessed")


async def _refused(tx: Tx, take: Any) -> list[Fault]:
    try:
        return await forms.refused(tx, take)
    except NotFound as refusal:
        return [("class_number", words(refusal.code, refusal.facts))]


def _at_fields(faults: list[Fault]) -> list[Fault]:
    own = [each for each in faults if each[0] in _FIELDS]
    return [*own, *class_form.placed((each for each in faults if each not in own), {})]
