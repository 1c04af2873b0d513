"""Classes as the officers of their district decide on them."""

from typing import Any

from domain.actor import Post
from domain.errors import Invalid
from domain.training import CLASS_LIFECYCLE, ClassAction, ClassStatus
from service.access.queries import district_names
from service.pages.field.acts import Act, Said
from service.training.commands import deciding
from service.training.queries import views
from service.training.queries.estimates import stored_estimate
from service.training.queries.overlaps import overlaps
from service.training.schemas import ClassView, NewClassReason
from service.wording import words

_CLASSES_A_PAGE = 50
_S, _A = ClassStatus, ClassAction
_TABS = (_S.FILED, _S.SENT_BACK, _S.APPROVED, _S.RUNNING, _S.FINISHED, _S.CLOSED, _S.DENIED)
TONES = {
    _S.FILED: "amber",
    _S.SENT_BACK: "amber",
    **dict.fromkeys((_S.APPROVED, _S.RUNNING), "blue"),
    **dict.fromkeys((_S.FINISHED, _S.CLOSED), "green"),
    _S.DENIED: "red",
}
_DECIDES = (_A.APPROVE, _A.SEND_BACK, _A.DENY, _A.CLOSE)


async def waiting(said: Said) -> dict[str, Any]:
    """Classes in a status, those that begin first on top of a page, and whom two classes have at one time."""
    status = said.text("status") or str(_S.FILED)
    cursor, where = said.text("after") or None, {"status": status, "district": None}
    found = await views.classes_page(said.tx, said.me, **where, cursor=cursor, limit=_CLASSES_A_PAGE)
    return {
        "tabs": [(str(each), words(f"class_status.{each}")) for each in _TABS],
        "tab": status,
        "classes": sorted(found.classes, key=lambda each: (each.first, each.filed_on)),
        "next": found.next,
        "tones": TONES,
        "overlaps": (await overlaps(said.tx, said.me)).overlaps if not cursor else [],
        "districts": await district_names(said.tx),
    }


async def _one(said: Said) -> dict[str, Any]:
    """One class, and what its officer can do about it. NotFound `class.not_found`."""
    view = await views.class_view(said.tx, said.me, said.id, said.now)
    here = {str(view.id)}
    return {
        "of": view,
        "tones": TONES,
        "acts": _acts(said, view),
        "estimate_fen": await stored_estimate(said.tx, said.id) if view.money is None else None,
        "overlaps": [
            each for each in (await overlaps(said.tx, said.me)).overlaps if here & set(map(str, each.class_ids))
        ],
        "districts": await district_names(said.tx),
    }


def _acts(said: Said, view: ClassView) -> set[str]:
    if not said.me.holds(Post.INSTITUTION_OFFICER):
        return set()
    return {str(act) for act in _DECIDES if (ClassStatus(view.status), act) in CLASS_LIFECYCLE.moves}


async def _decide(said: Said) -> ClassView:
    tx, me, of, now = said.tx, said.me, said.id, said.now
    decision = said.text("decision")
    if decision == _A.APPROVE:
        return await deciding.approve_class(tx, me, of, now)
    if decision == _A.CLOSE:
        return await deciding.close_class(tx, me, of, now)
    reason = NewClassReason(said.text("reason"))
    if decision == _A.SEND_BACK:
        return await deciding.send_class_back(tx, me, of, reason, now)
    if decision == _A.DENY:
        return await deciding.deny_class(tx, me, of, reason, now)
    raise Invalid("value.missing", "form")


DECIDE = Act(
    "field/class.html",
    _one,
    _decide,
    ClassView,
    lambda said, _: f"/desk/classes/{said.id}",
    "class_decided",
    frozenset({"reason"}),
)
