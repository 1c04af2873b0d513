"""The frame of a clerk's pages: for whom one works, and the doors that fit that institution."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Request, Response

from domain.actor import Actor
from domain.institution import EMPLOYERS, InstitutionKind
from service.database import Tx
from service.institutions.queries.registry import Known, institution_for
from service.pages.rendering import private

Ask = Request[Any, Any, Any]

_TEACHES = (("开班", "/institution/classes"), ("代领名册", "/institution/rosters"), ("协议", "/institution/mandates"))
_ASSESSES = (("评价结果", "/institution/assessments"),)
_EMPLOYS = (("劳动合同", "/institution/contracts"),)
_CLAIMS = (("申领", "/institution/claims"), ("到账", "/institution/money"))
_STANDS = (("信用与处理", "/institution/standing"),)
_DO_NOT_TEACH = frozenset({InstitutionKind.ASSESSMENT_BODY, InstitutionKind.ENTERPRISE})


async def mine(tx: Tx, me: Actor) -> Known:
    """The institution that I work for. NotFound `institution.not_found`."""
    return await institution_for(tx, me, me.institution_id or UUID(int=0))


def doors_of(kind: str) -> list[tuple[str, str]]:
    """(name, address) of each part of the work that such an institution has."""
    teaches = () if kind in _DO_NOT_TEACH else _TEACHES
    assesses = _ASSESSES if kind == InstitutionKind.ASSESSMENT_BODY else ()
    employs = _EMPLOYS if kind in EMPLOYERS else ()
    claims = () if kind == InstitutionKind.ASSESSMENT_BODY else _CLAIMS
    return [*teaches, *assesses, *employs, *claims, *_STANDS]


async def shown(
    request: Ask, tx: Tx, me: Actor, template: str, today: date, *, status: int = 200, **given: Any
) -> Response[bytes]:
    """A page of `institution/`, in the frame of my institution."""
    known = await mine(tx, me)
    frame = {"desk": known.name, "doors": doors_of(known.kind)}
    return private(request, f"institution/{template}.html", today, status=status, **frame, **given)
