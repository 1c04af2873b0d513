"""What people see of claims, each only what they may."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, or_, select, tuple_

from domain.actor import Actor, Post
from domain.claim import ClaimStatus
from domain.eligibility import Decision
from domain.errors import NotFound
from domain.identity import mask_name
from domain.money import format_yuan
from service.assessments.queries.results import found_with
from service.catalog.tables import CatalogItemRow
from service.claims.queries.care import to_do
from service.claims.queries.decisions import decided_again
from service.claims.queries.refusals import refusal_of
from service.claims.schemas import ClaimsView, ClaimView, CountsView, DecisionView, FoundResultView
from service.claims.tables import ClaimRow, DoorRefusalRow
from service.crypto import keyring
from service.cursors import cursor_of, read_cursor
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.people.tables import AccountRow, PersonRow
from service.training.tables import ClassRow
from service.wording import words

_STAFF = (
    Post.ACCEPTOR,
    Post.REVIEWER,
    Post.SECOND_REVIEWER,
    Post.NOTICE_PUBLISHER,
    Post.MAKER,
    Post.CHECKER,
    Post.RELEASER,
    Post.AUDITOR,
)


def visible_to(me: Actor) -> ColumnElement[bool]:
    """Which claims `me` may see: one's own, one's institution's, one's district's (promise 15)."""
    allowed: list[ColumnElement[bool]] = [ClaimRow.person_id == me.person_id]
    if me.holds(Post.CLERK) and me.institution_id is not None:
        allowed.append(of_my_institution(me))
    if me.holds(*_STAFF):
        allowed.append(ClaimRow.district == me.district if me.district else ClaimRow.id.is_not(None))
    return or_(false(), *allowed)


def of_my_institution(me: Actor) -> ColumnElement[bool]:
    """Which claims a clerk's institution filed; none for anybody else.

    All of them are the clerk's to see: asked for by themselves, they are read in the order of their index.
    """
    mine = me.holds(Post.CLERK) and me.institution_id is not None
    return ClaimRow.institution_id == me.institution_id if mine else false()


def _shown() -> Select[*tuple[Any, ...]]:
    claim = ClaimRow
    return (
        select(
            claim.id,
            claim.kind,
            claim.supplement_of,
            claim.status,
            claim.channel,
            claim.district,
            CatalogItemRow.code.label("item_code"),
            CatalogItemRow.name.label("item_name"),
            claim.list_kind,
            claim.level,
            claim.amount_fen,
            claim.person_id,
            PersonRow.name_sealed,
            AccountRow.tail.label("account_tail"),
            claim.certificate_number,
            claim.certificate_issued_on,
            claim.filed_on,
            claim.filed_at,
            ClassRow.number.label("class_number"),
            InstitutionRow.name.label("payee"),
            claim.decision,
        )
        .join(CatalogItemRow, CatalogItemRow.id == claim.item_id)
        .join(PersonRow, PersonRow.id == claim.person_id)
        .join(AccountRow, AccountRow.id == claim.account_id)
        .outerjoin(ClassRow, ClassRow.id == claim.class_id)
        .outerjoin(InstitutionRow, InstitutionRow.id == claim.payee_institution_id)
    )


#: What is shown as it stands.
_AS_IT_IS = (
    *("id", "kind", "status", "channel", "district", "item_code", "item_name", "list_kind", "level", "amount_fen"),
    *("account_tail", "certificate_number", "certificate_issued_on", "filed_on", "class_number", "payee"),
)


def view_of(claim: Mapping[str, Any], claimant: str, decision: Decision | None = None) -> ClaimView:
    """A claim by the names of its columns, its item's and its account's; `claimant` is their name in clear."""
    return ClaimView(
        **{name: claim[name] for name in _AS_IT_IS},
        supplement_of=claim.get("supplement_of"),
        kind_name=words(f"claim_kind.{claim['kind']}"),
        status_name=words(f"status.{claim['status']}"),
        amount=format_yuan(claim["amount_fen"]),
        claimant=mask_name(claimant),
        decision=DecisionView.of(decision, filed=True) if decision else None,
    )


def _view(row: Any, decision: Decision | None = None) -> ClaimView:
    return view_of(row._mapping, keyring().open(row.name_sealed, row.person_id), decision)


async def claim_view(tx: Tx, me: Actor, claim_id: UUID) -> ClaimView:
    """One claim with its decision, its refusal and what its claimant is to do; NotFound when it is not there or not
    for `me` to see."""
    row = (await tx.execute(_shown().where(ClaimRow.id == claim_id, visible_to(me)))).one_or_none()
    if row is None:
        raise NotFound("claim.not_found")
    decision = decided_again(row.decision)
    view = _view(row, decision)
    if row.status == ClaimStatus.REFUSED:
        view.refusal = await refusal_of(tx, claim_id, decision)
    view.to_do = await to_do(tx, claim_id, row.status)
    view.assessed = await _assessed(tx, row)
    return view


async def _assessed(tx: Tx, row: Any) -> FoundResultView | None:
    """What an assessment body told of the claim's certificate. It decides nothing here: an officer reads it."""
    if row.certificate_number is None:
        return None
    found = await found_with(tx, row.certificate_number)
    if found is None:
        return None
    same = found.person_id == row.person_id
    said = words("certificate.assessed" if same else "certificate.assessed_of_another", {"body": found.body})
    return FoundResultView(found.class_number or "", found.body, found.assessed_on, same, said)


async def claims_page(
    tx: Tx,
    me: Actor,
    *,
    status: str | None,
    district: str | None,
    cursor: str | None,
    limit: int,
    of_institution: bool = False,
) -> ClaimsView:
    """A page of the claims `me` may see, oldest first; `cursor` as the page before gave it. `of_institution`: only
    those that my institution filed."""
    asked = _shown().where(of_my_institution(me) if of_institution else visible_to(me))
    if status:
        asked = asked.where(ClaimRow.status == status)
    if district:
        asked = asked.where(ClaimRow.district == district)
    if cursor:
        asked = asked.where(tuple_(ClaimRow.filed_at, ClaimRow.id) > tuple_(*read_cursor(cursor)))
    rows = (await tx.execute(asked.order_by(ClaimRow.filed_at, ClaimRow.id).limit(limit + 1))).all()
    following = cursor_of(rows[limit - 1].filed_at, rows[limit - 1].id) if len(rows) > limit else None
    return ClaimsView([_view(row) for row in rows[:limit]], following)


async def sums_of_institution(tx: Tx, me: Actor) -> Mapping[str, tuple[int, int]]:
    """Status → how many claims my institution filed that stand there, and what they come to in fen."""
    row = ClaimRow
    asked = select(row.status, func.count(), func.sum(row.amount_fen)).where(of_my_institution(me))
    return {status: (count, int(sum_fen)) for status, count, sum_fen in await tx.execute(asked.group_by(row.status))}


async def claim_counts(tx: Tx, me: Actor) -> CountsView:
    """Claims that `me` may see by status and channel; and how many were turned away at the door, in all."""
    rows = await tx.execute(
        select(ClaimRow.status, ClaimRow.channel, func.count())
        .where(visible_to(me))
        .group_by(ClaimRow.status, ClaimRow.channel)
    )
    counts: dict[str, int] = {}
    channels: dict[str, int] = {}
    for status, channel, number in rows:
        counts[status] = counts.get(status, 0) + number
        channels[channel] = channels.get(channel, 0) + number
    turned_away = (await tx.execute(select(func.count()).select_from(DoorRefusalRow))).scalar_one()
    return CountsView(counts, channels, turned_away)
