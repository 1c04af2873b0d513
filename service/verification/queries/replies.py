"""What the registry answered beside what the claim says, as an officer lays one against the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor
from domain.errors import NotFound
from domain.identity import NationalId, mask_name
from domain.level import LEVELS
from domain.verification import COMPARED, Outcome, RegistryEntry
from service.catalog.tables import CatalogItemRow
from service.claims.queries.views import visible_to
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.gateways.certificate_registry import entries_kept
from service.people.tables import PersonRow
from service.verification.schemas import ComparedField, ComparedView
from service.verification.tables import RegistryReplyRow
from service.wording import words

_NUMBER_LENGTH = 18


@dataclass(frozen=True)
class _Said:
    """What the claim says, as staff read it, by the names of `COMPARED`."""

    values: dict[str, str]
    number: str | None


async def compared(tx: Tx, me: Actor, claim_id: UUID) -> ComparedView:
    """`outcome` null while the registry has given no answer. NotFound `claim.not_found`."""
    said, row = await _said(tx, me, claim_id), RegistryReplyRow
    asked = (
        select(row.id, row.outcome, row.detail, row.received_at, row.raw_sealed)
        .where(row.claim_id == claim_id)
        .order_by(row.received_at.desc(), row.id)
        .limit(1)
    )
    reply = (await tx.execute(asked)).one_or_none()
    told = entries_kept(keyring().open_bytes(reply.raw_sealed, reply.id)) if reply else []
    differing, names = set(reply.detail["fields"]) if reply else set(), await _occupations(tx, told)
    return ComparedView(
        number=said.number,
        outcome=reply.outcome if reply else None,
        message=words(f"registry.{reply.outcome}" if reply else "registry.silent"),
        received_at=reply.received_at if reply else None,
        fields=[_field(name, said, told, names, name in differing, answered=reply is not None) for name in COMPARED],
        settled=reply is not None and reply.outcome == Outcome.FOUND,
    )


async def _said(tx: Tx, me: Actor, claim_id: UUID) -> _Said:
    claim, person, item = ClaimRow, PersonRow, CatalogItemRow
    asked = (
        select(claim.certificate_number, claim.level, claim.certificate_issued_on, item.name)
        .add_columns(person.id, person.name_sealed, person.id_number_sealed)
        .join(person, person.id == claim.person_id)
        .join(item, item.id == claim.item_id)
        .where(claim.id == claim_id, visible_to(me))
    )
    row = (await tx.execute(asked)).one_or_none()
    if row is None:
        raise NotFound("claim.not_found")
    keys = keyring()
    return _Said(
        {
            "holder_name": mask_name(keys.open(row.name_sealed, row.id)),
            "id_number": NationalId(keys.open(row.id_number_sealed, row.id)).masked(),
            "occupation_code": row.name,
            "level": LEVELS[row.level].short,
            "issued_on": row.certificate_issued_on.isoformat() if row.certificate_issued_on else "",
        },
        row.certificate_number,
    )


async def _occupations(tx: Tx, told: Sequence[RegistryEntry]) -> dict[str, str]:
    """Code → the name that a catalog of ours has for it."""
    item, codes = CatalogItemRow, {each.occupation_code for each in told if each.occupation_code}
    if not codes:
        return {}
    rows = await tx.execute(select(item.code, item.name).where(item.code.in_(codes)).order_by(item.id))
    return {str(row.code): row.name for row in rows}


def _field(
    name: str, said: _Said, told: Sequence[RegistryEntry], names: dict[str, str], differs: bool, *, answered: bool
) -> ComparedField:
    values = dict.fromkeys(
        _shown(name, getattr(entry, name), names) for entry in told if getattr(entry, name) is not None
    )
    return ComparedField(
        field=name,
        name=words(f"registry_field.{name}"),
        claimed=said.values[name],
        registered=list(values),
        differs=differs,
        silent=answered and not values,
    )


def _shown(name: str, value: object, names: dict[str, str]) -> str:
    """Masked like everything that staff read."""
    match name, str(value):
        case "holder_name", text:
            return mask_name(text)
        case "id_number", text:
            return NationalId(text).masked() if len(text) == _NUMBER_LENGTH and "*" not in text else text
        case "occupation_code", text:
            return names.get(text, text)
        case "level", text:
            return LEVELS[text].short if text in LEVELS else text
        case _, text:
            return text
