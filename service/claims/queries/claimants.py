"""Who claims, as staff see them: masked, or for some minutes in clear for whoever said why."""

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from domain.actor import Actor
from domain.errors import NotFound
from domain.identity import NationalId, Phone, mask_name, same_name
from service.claims.queries.views import visible_to
from service.claims.schemas import ClaimantView
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.journal import JournalRow
from service.people.tables import AccountRow, PersonRow
from service.wording import words

#: For how long whoever gave a reason sees what is masked.
IN_CLEAR_FOR = timedelta(minutes=10)
UNMASKED = "claim_unmasking"


async def claimant_view(tx: Tx, me: Actor, claim_id: UUID, today: date, now: datetime) -> ClaimantView:
    """NotFound `claim.not_found` for a claim that is not `me`'s to see."""
    claim, person, account, keys = ClaimRow, PersonRow, AccountRow, keyring()
    asked = (
        select(
            *(person.id, person.name_sealed, person.id_number_sealed, person.phone_sealed, claim.group_code),
            *(account.id.label("account_id"), account.holder_sealed, account.tail, account.bank_code),
        )
        .join(person, person.id == claim.person_id)
        .join(account, account.id == claim.account_id)
        .where(claim.id == claim_id, visible_to(me))
    )
    row = (await tx.execute(asked)).one_or_none()
    if row is None:
        raise NotFound("claim.not_found")
    until = await in_clear_until(tx, me, claim_id, now)
    name, number = keys.open(row.name_sealed, row.id), NationalId(keys.open(row.id_number_sealed, row.id))
    phone = keys.open(row.phone_sealed, row.id) if row.phone_sealed else None
    return ClaimantView(
        name=name if until else mask_name(name),
        id_number=number.number if until else number.masked(),
        phone=phone if until or phone is None else Phone(phone).masked(),
        age=_age(number.birth_date, today),
        sex_name=words(f"sex.{number.sex}"),
        group=row.group_code,
        account_tail=row.tail,
        bank_code=row.bank_code,
        holder_agrees=same_name(keys.open(row.holder_sealed, row.account_id), name),
        in_clear_until=until,
    )


async def in_clear_until(tx: Tx, me: Actor, claim_id: UUID, now: datetime) -> datetime | None:
    """None: I see what is masked. The journal keeps when I gave a reason."""
    row = JournalRow
    mine = row.subject_kind == UNMASKED, row.subject_id == claim_id, row.actor_user_id == me.user_id
    at: datetime | None = (await tx.execute(select(func.max(row.at)).where(*mine))).scalar_one()
    return at + IN_CLEAR_FOR if at is not None and at + IN_CLEAR_FOR > now else None


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
