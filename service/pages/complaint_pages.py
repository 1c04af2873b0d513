"""Complaints and opinions of anybody: the form, and what becomes of it."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor, Post
from domain.complaint import ComplaintKind
from domain.errors import Invalid, NotFound
from domain.text import trimmed
from service.database import Tx
from service.institutions.queries.registry import listed_named
from service.notices.queries import my_objections
from service.oversight.commands.complaining import complain
from service.oversight.queries.complaints import complaint_receipt, my_complaints
from service.oversight.schemas import NewComplaint
from service.pages import forms
from service.pages.catalog_pages import readable
from service.pages.forms import Fault, Typed
from service.pages.language import gettext
from service.pages.rendering import private
from service.policies.queries import parameters
from service.wording import words

#: Signs of a complaint as pages take it; how to reach somebody comes on top.
WORDS_MAX, _CONTACT_MAX = 1_800, 60
_NEAR_MAX, _MINE_MAX = 6, 100


async def form_shown(
    request: Request[Any, Any, Any], tx: Tx, today: date, typed: Typed, faults: Collection[Fault] = ()
) -> Response[bytes]:
    """The form for a complaint of any institution."""
    return private(
        request,
        "public/complain.html",
        today,
        status=422 if faults else 200,
        typed={"kind": str(ComplaintKind.COMPLAINT), **typed, "once": key_of(typed)},
        faults=list(faults),
        kinds=[(str(kind), words(f"complaint_kind.{kind}")) for kind in ComplaintKind],
        most=WORDS_MAX,
        policies=await parameters(tx, today),
        trainee=_trainee(request.user) is not None,
        back="/",
        back_text=gettext("首页"),
    )


async def filed(tx: Tx, me: Actor | None, typed: Typed, today: date, now: datetime) -> tuple[UUID, list[Fault]]:
    """Take what was typed, once however often it is sent: its number, or what is wrong with it. Who works here
    complains without a name, as anybody."""
    complaint_id = key_of(typed)
    if await complaint_receipt(tx, complaint_id):
        return complaint_id, []

    async def take() -> None:
        new = NewComplaint(
            institution=await _institution(tx, typed.get("institution", "")),
            words="\n".join(filter(None, (_said(typed), _contact(typed)))),
            kind=ComplaintKind(_kind(typed)),
            class_number=typed.get("class_number") or None,
        )
        try:
            await complain(tx, _trainee(me), new, today, now, complaint_id)
        except NotFound as refusal:  # its first day in the catalog is still to come
            raise Invalid("complaint.no_institution", field="institution") from refusal

    return complaint_id, await forms.refused(tx, take)


def _trainee(me: Actor | None) -> Actor | None:
    """Me, where I may see the answers to what I complain of."""
    return me if me and me.holds(Post.TRAINEE) else None


async def receipt(request: Request[Any, Any, Any], tx: Tx, today: date, known_by: str) -> Response[bytes]:
    """How far a complaint is, by its number or, as addresses were before there were numbers, by its id. NotFound
    `complaint.no_number`."""
    try:
        found = await complaint_receipt(tx, UUID(known_by))
    except ValueError:
        found = await complaint_receipt(tx, known_by)
    if found is None:
        raise NotFound("complaint.no_number")
    return private(request, "public/complaint.html", today, complaint=found, back="/", back_text=gettext("首页"))


async def mine(request: Request[Any, Any, Any], tx: Tx, me: Actor, today: date) -> Response[bytes]:
    """What I complained of and objected to, with the answers."""
    found = await my_complaints(tx, me, today, None, _MINE_MAX)
    objections = await my_objections(tx, me, today, _MINE_MAX)
    told: dict[str, Any] = {"complaints": found.complaints, "objections": objections}
    return private(request, "trainee/complaints.html", today, **told, back="/me", back_text=gettext("我的申领"))


def key_of(typed: Typed) -> UUID:
    """The number that the form was given; a new one for what is none."""
    try:
        return UUID(typed.get("once", ""))
    except ValueError:
        return uuid4()


async def _institution(tx: Tx, said: str) -> str:
    """The code of the institution that is meant. Invalid `value.missing`, `complaint.no_institution`, or
    `complaint.which_institution` (near)."""
    if not (plain := readable(said)):
        raise Invalid("value.missing", field="institution")
    found = await listed_named(tx, plain, _NEAR_MAX)
    if not found:
        raise Invalid("complaint.no_institution", field="institution")
    if len(found) > 1:
        near = [f"{name}（{code}）" for code, name in found]
        raise Invalid("complaint.which_institution", field="institution", near=near)
    return found[0][0]


def _said(typed: Typed) -> str:
    said = trimmed(typed.get("words", ""), "words", "words")
    if len(said) > WORDS_MAX:
        raise Invalid("words.too_long", field="words", limit=WORDS_MAX)
    return said


def _contact(typed: Typed) -> str:
    contact = typed.get("contact", "")
    if len(contact) > _CONTACT_MAX:
        raise Invalid("words.too_long", field="contact", limit=_CONTACT_MAX)
    return words("complaint.contact", {"contact": contact}) if contact else ""


def _kind(typed: Typed) -> str:
    kind = typed.get("kind", "") or str(ComplaintKind.COMPLAINT)
    if kind not in set(ComplaintKind):
        raise Invalid("value.form", field="kind")
    return kind
