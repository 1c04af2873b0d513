"""A claim and a mandate as they are typed."""

from datetime import date
from uuid import UUID

from msgspec import Struct

from domain.claim import PlaceLink, Via


class NewAccount(Struct, forbid_unknown_fields=True):
    number: str
    holder: str
    bank_code: str


class NewGroup(Struct, forbid_unknown_fields=True):
    """A group of `/api/groups` that the claimant belongs to, with a proof that holds from a day on."""

    code: str
    proof_kind: str
    proof_number: str
    valid_from: str


class NewInvoice(Struct, forbid_unknown_fields=True):
    """The invoice over the fee that the claimant paid; `payer` as printed."""

    number: str
    amount_fen: int
    payer: str


class NewClaim(Struct, forbid_unknown_fields=True):
    """`district` is asked of a person; a claim by an institution belongs to the institution's. `list_kind` chooses
    the list to be counted under. `class_number` (开班编号) names the class, on whose first day training started; with
    none, it started on `training_started_on`, else on the certificate's day. With `insist` a claim that the rules do
    not grant is stored and refused, so that one may appeal. An enterprise names the `contract_id` of somebody it
    hired, and no `account`: it is paid on the one that was confirmed."""

    item_code: str
    level: str
    certificate_number: str
    certificate_issued_on: str
    account: NewAccount | None = None
    district: str | None = None
    list_kind: str | None = None
    training_started_on: str | None = None
    mandate_id: UUID | None = None
    contract_id: UUID | None = None
    via: Via = Via.WEB
    group: NewGroup | None = None
    invoice: NewInvoice | None = None
    place_link: PlaceLink | None = None
    insist: bool = False
    class_number: str | None = None


class NewTrainee(Struct, forbid_unknown_fields=True):
    name: str
    id_number: str
    phone: str | None = None


class NewCounterClaim(NewClaim, kw_only=True, forbid_unknown_fields=True):
    """A claim as somebody at a counter tells it: `trainee` is who claims, and `district` the acceptor's own."""

    trainee: NewTrainee


class NewAllowance(Struct, forbid_unknown_fields=True):
    """生活费补贴 for the days of a class (开班编号) that I attended, as one of a group."""

    class_number: str
    group: NewGroup
    account: NewAccount
    place_link: PlaceLink | None = None


class NewPlace(Struct, forbid_unknown_fields=True):
    """Whose place in a project is claimed."""

    trainee: NewTrainee
    group: NewGroup | None = None
    place_link: PlaceLink | None = None


class NewMandate(Struct, forbid_unknown_fields=True):
    trainee: NewTrainee
    signed_on: str
    valid_from: str
    valid_to: str
    document_sha256: str
    fee_fen: int


class MandateView(Struct):
    """`trainee` is masked. `revoked_on`: from this day on the trainee has taken it back."""

    id: UUID
    trainee: str
    valid_from: date
    valid_to: date
    institution: str = ""
    revoked_on: date | None = None


class MandateList(Struct):
    """`next` is the cursor of the page that follows; null on the last."""

    mandates: list[MandateView]
    next: UUID | None
