"""What a claimant proves beside the certificate: their group, the fee they paid, their link to the city."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.claim import PlaceLink
from domain.eligibility import GroupFacts
from domain.group import Membership
from domain.identity import same_name
from domain.invoice import Invoice
from service.claims.schemas import NewClaim, NewGroup
from service.crypto import keyring
from service.policies.queries import groups


@dataclass(frozen=True)
class Proofs:
    """As they were given, parsed; None: not given."""

    membership: Membership | None
    invoice: Invoice | None
    place_link: PlaceLink | None

    def asked(self, payee: str) -> dict[str, Any]:
        """For `Asked`: the facts in them, and nothing personal."""
        found: dict[str, Any] = {"place_link": self.place_link}
        if self.membership:
            group = self.membership
            found["group"] = GroupFacts(group.group, group.proof_kind, group.valid_from)
        if self.invoice:
            found["invoice_number"], found["fee_fen"] = self.invoice.number, self.invoice.fee_fen
            found["payer_is_claimant"] = same_name(self.invoice.payer.text, payee)
        return found

    def columns(self, claim_id: UUID) -> dict[str, Any]:
        """For the claim's row; the number of a proof is sealed under the claim's id."""
        group = self.membership
        return {
            "group_code": group.group if group else "",
            "group_proof_sealed": keyring().seal(group.proof_number, claim_id) if group else None,
            "invoice_number": self.invoice.number if self.invoice else None,
        }


def read_group(group: NewGroup | None) -> Membership | None:
    """Parse the field `group`; Invalid names what is malformed."""
    if group is None:
        return None
    return Membership.parse(group.code, group.proof_kind, group.proof_number, group.valid_from, groups())


def read_proofs(new: NewClaim) -> Proofs:
    """Parse the fields `group`, `invoice` and `place_link`; Invalid names the first that is malformed."""
    invoice = new.invoice
    return Proofs(
        read_group(new.group),
        Invoice.parse(invoice.number, invoice.amount_fen, invoice.payer) if invoice else None,
        new.place_link,
    )
