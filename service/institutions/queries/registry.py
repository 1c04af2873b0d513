"""The registry: for everybody what the notice makes public; the rest for officers and an institution's own clerks."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, exists, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from domain.account import CorporateAccount, card_tail
from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.identity import Phone, mask_name
from domain.institution import Standing
from domain.level import LEVELS
from domain.text import half_width
from service.crypto import keyring
from service.database import Tx, period_of
from service.gateways.file_store import StoredFileRow
from service.gateways.publication_files import as_csv
from service.institutions.queries.standing import standings
from service.institutions.schemas import (
    AccountView,
    BranchView,
    ContactView,
    DatedScopeView,
    DocumentView,
    EvaluationView,
    GradeView,
    InstitutionsView,
    InstitutionView,
    ListingView,
    RecordView,
    SanctionView,
    ScopeView,
    TermView,
)
from service.institutions.tables import (
    AccountAnswerRow,
    AccountProposalRow,
    ApplicationDocumentRow,
    BranchRow,
    ContactRow,
    DocumentRow,
    EvaluationRow,
    GradeRow,
    InstitutionExitRow,
    InstitutionListingRow,
    InstitutionRow,
    InstitutionSanctionLiftRow,
    InstitutionSanctionRow,
    InstitutionScopeRow,
)
from service.wording import words

#: Institutions whose standing is derived at a time.
_CHUNK = 500
_HEADING = ("统一社会信用代码", "名称", "类别", "等次", "区县", "状态", "职业和等级")


@dataclass(frozen=True)
class Known:
    """An institution as far as whoever acts on it must know it."""

    id: UUID
    name: str
    kind: str
    district: str


async def institution_for(tx: Tx, me: Actor, institution_id: UUID) -> Known:
    """My own for a clerk; of my district for its staff; any for the city's. NotFound `institution.not_found`."""
    row = InstitutionRow
    asked = select(row.id, row.name, row.kind, row.district).where(row.id == institution_id)
    if me.institution_id is not None or me.holds(Post.CLERK):
        asked = asked.where(row.id == me.institution_id)
    elif me.district is not None:
        asked = asked.where(row.district == me.district)
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("institution.not_found")
    return Known(*found)


@dataclass(frozen=True)
class Sought:
    """What the public asks for; None: any. `occupations`: canonical ones, of which it teaches or assesses one."""

    on: date
    district: str | None = None
    kind: str | None = None
    standing: str | None = None
    grade: str | None = None
    kinds: Collection[str] | None = None
    occupations: Collection[str] | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """As far as rows say it; the standing is derived."""
        row, grade, scope = InstitutionRow, GradeRow, InstitutionScopeRow
        said = [_ever_listed()]
        said += [row.district == self.district] if self.district else []
        said += [row.kind == self.kind] if self.kind else []
        said += [row.kind.in_(self.kinds)] if self.kinds is not None else []
        if self.grade:
            graded = exists().where(grade.institution_id == row.id, grade.in_force.contains(self.on))
            said.append(graded.where(grade.grade == self.grade))
        if self.occupations is not None:
            may = exists().where(scope.institution_id == row.id, scope.in_force.contains(self.on))
            said.append(may.where(scope.occupation.in_(self.occupations)))
        return said


async def public_page(tx: Tx, sought: Sought, after: str, limit: int) -> InstitutionsView:
    """Those that were ever in the catalog by that day, in order of credit code, from the one after `after` on."""
    found = []
    async for each in _public(tx, sought, after):
        found.append(each)
        if len(found) > limit:
            break
    following = found[limit - 1].credit_code if len(found) > limit else None
    return InstitutionsView(sought.on, found[:limit], following)


async def public_counts(tx: Tx, sought: Sought) -> Mapping[str, int]:
    """District → how many of them there are, wherever in the city."""
    return Counter([each.district async for each in _public(tx, replace(sought, district=None), "")])


async def listed_named(tx: Tx, said: str, most: int) -> list[tuple[str, str]]:
    """Credit code and name of whom `said` means among those that are or were in the catalog: by its code, by its
    whole name, else by a part of it; up to `most`."""
    row = InstitutionRow
    asked = select(row.credit_code, row.name).where(_ever_listed()).order_by(row.name, row.credit_code).limit(most)
    code = half_width(said).replace(" ", "").upper()
    for meant in (row.credit_code == code, row.name == said, row.name.contains(said, autoescape=True)):
        if found := (await tx.execute(asked.where(meant))).all():
            return [(each.credit_code, each.name) for each in found]
    return []


async def desk_page(tx: Tx, me: Actor, sought: str, on: date, after: str, limit: int) -> InstitutionsView:
    """Those of my district, also such as were never in the catalog, by credit code: whose name holds `sought`, or
    whose code it is, from the one after `after` on."""
    row = InstitutionRow
    where = [row.credit_code > after]
    where += [row.district == me.district] if me.district else []
    where += [or_(row.name.contains(sought, autoescape=True), row.credit_code == sought.upper())] if sought else []
    rows = (await tx.execute(_institutions(*where).order_by(row.credit_code).limit(limit + 1))).all()
    following = rows[limit - 1].credit_code if len(rows) > limit else None
    return InstitutionsView(on, await _views(tx, rows[:limit], on, None), following)


async def public_file(tx: Tx, sought: Sought) -> bytes:
    """All of them, as CSV."""
    rows = []
    async for each in _public(tx, sought, ""):
        scopes = "；".join(f"{it.occupation} {_levels(it)}" for it in each.scopes)
        about = (each.credit_code, each.name, each.kind_name, each.grade or "", each.district)
        rows.append([*about, each.standing_name, scopes])
    return as_csv(_HEADING, rows)


def _levels(scope: ScopeView) -> str:
    return "、".join(LEVELS[level].short for level in scope.levels)


async def public_view(tx: Tx, institution_id: UUID, on: date) -> InstitutionView:
    """NotFound `institution.not_found`, also for one that was never admitted."""
    found = (await tx.execute(_institutions(_ever_listed()).where(InstitutionRow.id == institution_id))).all()
    if not found:
        raise NotFound("institution.not_found")
    return (await _views(tx, found, on, None))[0]


async def _public(tx: Tx, sought: Sought, after: str) -> AsyncIterator[InstitutionView]:
    row, where = InstitutionRow, sought.where()
    while True:
        asked = _institutions(*where).where(row.credit_code > after).order_by(row.credit_code).limit(_CHUNK)
        chunk = (await tx.execute(asked)).all()
        for each in await _views(tx, chunk, sought.on, sought.standing):
            if each.standing != Standing.NEVER:
                yield each
        if len(chunk) < _CHUNK:
            return
        after = chunk[-1].credit_code


def _ever_listed() -> ColumnElement[bool]:
    row = InstitutionListingRow
    return select(row.id).where(row.institution_id == InstitutionRow.id).exists()


def _institutions(*where: ColumnElement[bool]) -> Any:
    row = InstitutionRow
    return select(row.id, row.name, row.credit_code, row.kind, row.district, row.sample).where(*where)


async def _views(tx: Tx, rows: Sequence[Row[Any]], on: date, standing: str | None) -> list[InstitutionView]:
    stood = await standings(tx, [each.id for each in rows], on)
    wanted = [each for each in rows if standing in (None, stood[each.id].standing)]
    ids = [each.id for each in wanted]
    grades, scopes = await _grades_on(tx, ids, on), await _scopes_on(tx, ids, on)
    return [
        InstitutionView(
            id=each.id,
            name=each.name,
            credit_code=each.credit_code,
            kind=each.kind,
            kind_name=words(f"institution_kind.{each.kind}"),
            grade=grades.get(each.id),
            district=each.district,
            on=on,
            standing=stood[each.id].standing,
            standing_name=words(f"standing.{stood[each.id].standing}"),
            scopes=scopes[each.id],
            sample=each.sample,
        )
        for each in wanted
    ]


async def _grades_on(tx: Tx, ids: Collection[UUID], on: date) -> Mapping[UUID, str]:
    row = GradeRow
    found = select(row.institution_id, row.grade).where(row.institution_id.in_(ids), row.in_force.contains(on))
    return dict((await tx.execute(found)).all())


async def _scopes_on(tx: Tx, ids: Collection[UUID], on: date) -> Mapping[UUID, list[ScopeView]]:
    row, scopes = InstitutionScopeRow, defaultdict(list)
    found = select(row.institution_id, row.occupation, row.levels).where(
        row.institution_id.in_(ids), row.in_force.contains(on)
    )
    for institution_id, occupation, levels in await tx.execute(found.order_by(row.occupation)):
        scopes[institution_id].append(ScopeView(occupation, levels))
    return scopes


async def record_of(tx: Tx, me: Actor, institution_id: UUID, on: date) -> RecordView:
    """Everything about an institution that I may see. NotFound `institution.not_found`."""
    known = await institution_for(tx, me, institution_id)
    found = (await tx.execute(_institutions(InstitutionRow.id == known.id))).all()
    return RecordView(
        institution=(await _views(tx, found, on, None))[0],
        stops=sorted((await standings(tx, [known.id], on))[known.id].stops),
        listings=[ListingView(*each) for each in await _dated(tx, InstitutionListingRow, known.id, "source")],
        exits=await _exits(tx, known.id),
        sanctions=await sanctions_of(tx, known.id),
        evaluations=await _evaluations(tx, known.id),
        grades=[GradeView(*each) for each in await _dated(tx, GradeRow, known.id, "id", "grade", "source")],
        scopes=[
            DatedScopeView(*each)
            for each in await _dated(tx, InstitutionScopeRow, known.id, "id", "occupation", "levels", "source")
        ],
        branches=[
            BranchView(*each) for each in await _dated(tx, BranchRow, known.id, "id", "name", "district", "address")
        ],
        contacts=await _contacts(tx, me, known.id),
        accounts=await _accounts(tx, me, known.id),
        documents=await documents_where(tx, DocumentRow.institution_id == known.id),
    )


def term_view(in_force: Any) -> TermView:
    days = period_of(in_force)
    return TermView(days.first, days.last)


async def _dated(tx: Tx, row: Any, institution_id: UUID, *columns: str) -> list[tuple[Any, ...]]:
    """Those columns of an institution's dated facts, and their days, in order of days."""
    asked = select(*(getattr(row, name) for name in columns), row.in_force)
    found = await tx.execute(asked.where(row.institution_id == institution_id).order_by(row.in_force, row.id))
    return [(*each[:-1], term_view(each[-1])) for each in found]


async def _exits(tx: Tx, institution_id: UUID) -> list[date]:
    row = InstitutionExitRow
    found = select(row.left_on).where(row.institution_id == institution_id).order_by(row.left_on)
    return list((await tx.execute(found)).scalars())


async def sanctions_of(tx: Tx, institution_id: UUID) -> list[SanctionView]:
    """All that were ever imposed on an institution whose record may be seen, in their order."""
    row, lift = InstitutionSanctionRow, InstitutionSanctionLiftRow
    found = (
        select(row.stops, row.reason, row.days, lift.lifted_on)
        .outerjoin(lift, lift.sanction_id == row.id)
        .where(row.institution_id == institution_id)
        .order_by(row.imposed_at, row.id)
    )
    return [SanctionView(stops, why, term_view(days), on) for stops, why, days, on in await tx.execute(found)]


async def _evaluations(tx: Tx, institution_id: UUID) -> list[EvaluationView]:
    row = EvaluationRow
    latest = row.year, row.version.desc()
    found = select(row.year, row.passed, row.source).where(row.institution_id == institution_id)
    found = found.ext(distinct_on(row.year)).order_by(*latest)
    return [EvaluationView(*each) for each in await tx.execute(found)]


async def _contacts(tx: Tx, me: Actor, institution_id: UUID) -> list[ContactView]:
    found = await _dated(tx, ContactRow, institution_id, "id", "role", "name_sealed", "phone_sealed")
    keys, masked = keyring(), not _in_clear(me)
    views = []
    for contact_id, role, sealed_name, sealed_phone, days in found:
        name, phone = keys.open(sealed_name, contact_id), keys.open(sealed_phone, contact_id)
        shown = (mask_name(name), Phone(phone).masked()) if masked else (name, phone)
        views.append(ContactView(contact_id, role, *shown, days))
    return views


def _in_clear(me: Actor) -> bool:
    """Who works with the institution reads whom to call and where to pay; who audits needs neither."""
    return me.holds(Post.INSTITUTION_OFFICER, Post.CLERK)


async def _accounts(tx: Tx, me: Actor, institution_id: UUID) -> list[AccountView]:
    row, answer, keys = AccountProposalRow, AccountAnswerRow, keyring()
    asked = (
        select(row, answer.answer, answer.reason.label("answer_reason"))
        .outerjoin(answer, answer.proposal_id == row.id)
        .where(row.institution_id == institution_id)
        .order_by(row.proposed_at.desc(), row.id)
    )
    return [
        AccountView(
            id=each.id,
            holder=keys.open(each.holder_sealed, each.id),
            number=keys.open(each.number_sealed, each.id) if _in_clear(me) else card_tail(each.tail),
            bank_code=each.bank_code,
            first=each.first,
            reason=each.reason,
            mine=each.proposer_id == me.person_id,
            answer=each.answer,
            answer_reason=each.answer_reason or "",
        )
        for each in await tx.execute(asked)
    ]


async def account_on(tx: Tx, institution_id: UUID, on: date) -> tuple[UUID, CorporateAccount] | None:
    """The account an institution is paid to on a day, with the id of its proposal; None: no account was confirmed for
    it."""
    row, answer, keys = AccountProposalRow, AccountAnswerRow, keyring()
    asked = (
        select(row.id, row.number_sealed, row.holder_sealed, row.bank_code)
        .join(answer, answer.proposal_id == row.id)
        .where(row.institution_id == institution_id, row.first <= on, answer.answer == "confirmed")
        .order_by(row.first.desc(), answer.answered_at.desc())
        .limit(1)
    )
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        return None
    number, holder = keys.open(found.number_sealed, found.id), keys.open(found.holder_sealed, found.id)
    return found.id, CorporateAccount(number, holder, found.bank_code)


async def documents_where(tx: Tx, *where: ColumnElement[bool]) -> list[DocumentView]:
    """Documents, the oldest first."""
    return [_document(each) for each in await tx.execute(_documents().where(*where))]


async def documents_of_applications(tx: Tx, ids: Collection[UUID]) -> Mapping[UUID, list[DocumentView]]:
    """The documents of each application, the oldest first."""
    used, found = ApplicationDocumentRow, defaultdict(list)
    asked = _documents(used.application_id).join(used, used.document_id == DocumentRow.id)
    for each in await tx.execute(asked.where(used.application_id.in_(ids))):
        found[each.application_id].append(_document(each))
    return found


def _documents(*also: Any) -> Any:
    row, stored = DocumentRow, StoredFileRow
    return (
        select(row.id, row.name, row.media_type, stored.size, row.sha256, row.handed_in_at, *also)
        .join(stored, stored.sha256 == row.sha256)
        .order_by(row.handed_in_at, row.id)
    )


def _document(found: Row[Any]) -> DocumentView:
    return DocumentView(found.id, found.name, found.media_type, found.size, found.sha256.hex(), found.handed_in_at)
