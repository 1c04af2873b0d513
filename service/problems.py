"""Refusals as `application/problem+json` (RFC 9457). The only file that knows which refusal is which HTTP status.

Accept-Language chooses between Chinese, the default, and English.
"""

import re
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Ineligible,
    Invalid,
    Malformed,
    NotFound,
    SignedOut,
    Throttled,
    Unavailable,
)
from service.database import said_by
from service.logs import log
from service.wording import Language, next_step, wording, words

Ask = Request[Any, Any, Any]


class FieldProblem(Struct):
    """`field` is a JSON path such as `account.number`, the name of a parameter or header, or a line of a file."""

    field: str
    code: str
    message: str


class ProblemView(Struct):
    """`detail` is a sentence for people; `code` and `facts` are for programs, `errors` for the fields of a form.

    `decision` is there when the rules do not grant a claim: every rule's outcome.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    facts: dict[str, Any]
    errors: list[FieldProblem] | UnsetType = UNSET
    decision: dict[str, Any] | UnsetType = UNSET


Answer = Response[ProblemView]

_STATUS: dict[type[DomainError], int] = {
    Malformed: 400,
    SignedOut: 401,
    NotFound: 404,
    Conflict: 409,
    Forbidden: 403,
    Invalid: 422,
    Ineligible: 422,
    Throttled: 429,
    Unavailable: 503,
}

#: What a constraint or guard of the database means to the one who ran into it (the rule was met first by another).
_BY_CONSTRAINT = {
    "uq_claims_once": "claim.already_filed",
    "uq_claims_certificate": "claim.certificate_used",
    "uq_claims_invoice": "claim.invoice_used",
    "uq_payment_attempts_live": "attempt.live",
    "uq_batch_signatures_person": "batch.same_person",
    "pk_batch_signatures": "batch.step_signed",
    "uq_treasury_transfers_voucher": "batch.voucher_used",
    "uq_users_login": "user.login_taken",
    "uq_step_ups_code": "step_up.used",
    "pk_policy_confirmations": "policy.confirmed",
    "ck_policy_confirmations_two_persons": "policy.same_person",
    "uq_claim_holds_live": "holding.live",
    "uq_claim_objections_standing": "objection.standing",
    "uq_claim_appeals_refusal": "appeal.standing",
    "uq_manual_checks_open": "manual_check.open",
    "ck_manual_checks_two_persons": "manual_check.same_person",
    "uq_amount_appeals_claim": "amount_appeal.standing",
    "uq_clawback_waivers_open": "clawback.waiver_open",
    "ck_clawback_waivers_two_persons": "clawback.same_person",
    **dict.fromkeys(("uq_clawbacks_open", "uq_clawbacks_ground"), "clawback.nothing"),
    "pk_return_resolutions": "exception.resolved",
    "ck_attempt_decisions_two_persons": "attempt.same_person",
    "pk_standard_signatures": "standards.bureau_signed",
    "uq_standard_signatures_person": "standards.same_person",
    "ck_standard_signatures_three_persons": "standards.same_person",
    "ex_standard_sets_one_a_day": "standards.other_published",
    "uq_catalog_editions_year_revision": "busy",
    "ex_catalog_editions_one_a_day": "edition.other_published",
    "pk_standard_review_answers": "review.answered",
    "uq_penalties_proposed": "penalty.proposed",
    "ck_penalties_two_persons": "penalty.same_person",
    "ck_penalties_three_persons": "penalty.same_person",
    "uq_evaluations_institution_id_year_version": "evaluation.recorded",
    "uq_evaluations_corrects_id": "evaluation.corrected",
    "ck_evaluations_two_persons": "evaluation.same_person",
    "pk_complaint_answers": "complaint.answered",
    "uq_institutions_credit_code": "institution.known",
    "pk_institution_account_answers": "institution.account_answered",
    "ck_institution_account_answers_two_persons": "institution.same_person",
    "uq_selection_applications_live": "selection.applied",
    "uq_selection_score_sheets_person": "selection.scored",
    **dict.fromkeys(
        (f"ex_institution_{facts}_one_a_day" for facts in ("listings", "scopes", "branches", "contacts", "grades")),
        "institution.days_taken",
    ),
    "ex_training_sessions_teacher": "class.teacher_taken",
    "ex_training_sessions_room": "class.room_taken",
    "uq_training_classes_number": "busy",
    "uq_attendance_marks_corrected_once": "attendance.corrected",
    "uq_patrols_session": "busy",
    "uq_assessment_results_certificate": "assessment.certificate_taken",
    "uq_assessments_version": "busy",
    "ck_claim_approvals_two_persons": "post.excluded",
    "uq_procured_projects_number": "project.number_taken",
    "pk_notice_objections": "busy",  # the same form, at the same moment
    "uq_clawback_appeals_clawback": "clawback_appeal.standing",
    "pk_notice_objection_answers": "notice_objection.answered",
}
_BY_SQLSTATE = {
    "ZD216": "batch.checks_few",
    "ZD217": "batch.others_open",
    "ZD218": "step_up.other",
    "ZD219": "step_up.needed",
    "ZD250": "step_up.needed",
    "ZD260": "notice.over",
    "ZD261": "notice_objection.own",
    "ZD262": "claim.objected",
    "ZD263": "clawback_appeal.not_demanded",
    "ZD264": "clawback_appeal.same_person",
    "ZD265": "clawback.appealed",
    "ZD266": "post.excluded",
    "ZD267": "claim.relative",
    **dict.fromkeys(("55P03", "40P01", "40001", "57014"), "busy"),
    "ZD011": "user.posts_exclude",
    "ZD013": "claim.held",
    "ZD015": "attempt.live",
    "ZD017": "batch.past_no_return",
    "ZD018": "batch.voucher_used",
    "ZD029": "appeal.same_person",
    "ZD061": "busy",  # the round went on while somebody applied to it
    "ZD081": "class.person_taken",
    "ZD082": "class.begun",
    "ZD084": "training.first_inspection",
    "ZD131": "attendance.key_revoked",
    "ZD184": "project.no_room",
    "ZD191": "claim.own",
    "ZD193": "clawback.nothing",
    "ZD235": "account.same_person",
    "ZD238": "amount_correction.changed",
    "ZD196": "amount_appeal.same_person",
    "ZD192": "manual_check.needed",
    "ZD171": "claim.relative",
    "ZD172": "post.excluded",
    "ZD173": "busy",  # an approval was drawn while somebody published
    **dict.fromkeys(("ZD140", "ZD141"), "busy"),  # weights or timetables changed while somebody drew
}
_LOST_CONNECTION = ("08", "57P")

#: How msgspec's complaints begin.
_COMPLAINTS = {
    "Object missing required field": "value.missing",
    "Object contains unknown field": "value.unknown",
    "Expected `str`, got": "value.not_text",
}
_MISSING_PARAMETER = re.compile("^Missing required [a-z]+ parameter '([^']+)'")


def language_of(request: Ask) -> Language:
    """English when it is asked for first, else Chinese."""
    return "en" if request.headers.get("accept-language", "").strip().lower().startswith("en") else "zh"


def problem(
    request: Ask,
    status: int,
    code: str,
    facts: Mapping[str, Any],
    errors: list[FieldProblem] | UnsetType = UNSET,
    decision: dict[str, Any] | UnsetType = UNSET,
) -> Answer:
    """One problem document, in the language that is asked for."""
    detail = words(code, facts, language_of(request))
    content = ProblemView(f"urn:zhida:problem:{code}", detail, status, code, detail, dict(facts), errors, decision)
    headers = {"Retry-After": "2"} if code in {"busy", "idempotency.busy"} else {}
    return Response(content, status_code=status, media_type="application/problem+json", headers=headers)


def _refused(request: Ask, refusal: DomainError) -> Answer:
    status = next(status for kind, status in _STATUS.items() if isinstance(refusal, kind))
    language = language_of(request)
    if isinstance(refusal, Invalid):
        found = (refusal, *refusal.others)
        errors = [FieldProblem(each.field, each.code, words(each.code, each.facts, language)) for each in found]
        return problem(request, status, refusal.code, refusal.facts, errors)
    if isinstance(refusal, Ineligible) and "decision" in refusal.facts:
        told = refusal.facts["decision"]
        outcomes = [{**each, **_in_words(each, language)} for each in told["outcomes"]]
        reasons = [each["message"] for each in outcomes if each["outcome"] == "failed"]
        decision = {**told, "outcomes": outcomes}
        return problem(request, status, refusal.code, {"reasons": "".join(reasons)}, decision=decision)
    answer = problem(request, status, refusal.code, refusal.facts)
    if isinstance(refusal, Throttled):
        answer.headers["Retry-After"] = str(refusal.facts["minutes"] * 60)
    return answer


def _in_words(outcome: Mapping[str, Any], language: Language) -> dict[str, str]:
    code, facts = outcome["code"], outcome["facts"]
    return {"message": words(code, facts, language), "next": next_step(code, facts, language)}


def _malformed(request: Ask, refusal: ValidationException) -> Answer:
    """What msgspec or Litestar found wrong with a body, a parameter or a header, in our words."""
    told = malformed_places(refusal)
    if not told and (missing := _MISSING_PARAMETER.search(refusal.detail)):
        told = [(missing[1], "value.missing")]
    language = language_of(request)
    errors = [FieldProblem(field, code, words(code, {}, language)) for field, code in told]
    fields = [field for field, _ in told] or ["body"]
    return problem(request, 400, "malformed", {"fields": fields}, errors)


def malformed_places(refusal: ValidationException) -> list[tuple[str, str]]:
    """Each field that is not of the form it should have, and the code of what is wrong with it."""
    found = refusal.extra if isinstance(refusal.extra, list) else []
    return [_place_and_code(each) for each in found if isinstance(each, dict)]


def _place_and_code(told: dict[str, Any]) -> tuple[str, str]:
    """The field, as a JSON path or the name of a parameter, and what is wrong with it."""
    place, message = str(told.get("key", "")), str(told.get("message", ""))
    if told.get("source") == "header":
        place = place.title().replace("_", "-")
    if place in {"", "data"}:
        place = "body"
    for beginning, code in _COMPLAINTS.items():
        if message.startswith(beginning):
            name = message.rpartition(" ")[2].strip("`") if "field" in beginning else ""
            inner = ".".join(part for part in (place if place != "body" else "", name) if part)
            return inner[:200] or place, code
    return place, "value.form"


def _http(request: Ask, refusal: HTTPException) -> Answer:
    code = f"http.{refusal.status_code}" if f"http.{refusal.status_code}" in wording() else "http.400"
    response = problem(request, refusal.status_code, code, {})
    for name, value in (refusal.headers or {}).items():
        response.headers[name] = value
    return response


def met_rule(refusal: SQLAlchemyError) -> str | None:
    """The code of the rule that the database kept, because somebody was quicker or it is busy; else None."""
    said = said_by(refusal)
    return _BY_CONSTRAINT.get(said.constraint) or _BY_SQLSTATE.get(said.sqlstate)


def _database(request: Ask, refusal: SQLAlchemyError) -> Answer:
    """A race that the database decided, or a database that is away."""
    said = said_by(refusal)
    if (code := met_rule(refusal)) is not None:
        return problem(request, 409, code, {})
    lost = isinstance(refusal, DBAPIError) and (
        refusal.connection_invalidated or said.sqlstate.startswith(_LOST_CONNECTION)
    )
    if lost or isinstance(refusal, PoolTimeout):
        return problem(request, 503, "database_away", {})
    if said.sqlstate.startswith(("ZD", "23")):
        log.error(
            "database_refused", sqlstate=said.sqlstate, constraint=said.constraint or None, path=request.url.path
        )
        return problem(request, 409, "database_refused", {"sqlstate": said.sqlstate})
    return _unexpected(request, refusal)


def _no_connection(request: Ask, _: OSError) -> Answer:
    return problem(request, 503, "database_away", {})


def _unexpected(request: Ask, failure: Exception) -> Answer:
    log.error("unexpected", path=request.url.path, kind=type(failure).__name__, exc_info=failure)
    return problem(request, 500, "http.500", {})


HANDLERS: ExceptionHandlersMap = {
    DomainError: _refused,
    ValidationException: _malformed,
    HTTPException: _http,
    SQLAlchemyError: _database,
    OSError: _no_connection,
    Exception: _unexpected,
}
