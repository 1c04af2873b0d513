"""What was typed for a claim, parsed: every value is well formed, or named."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.account import BankAccount
from domain.catalog.lists import LIST_KINDS
from domain.certificate import Certificate
from domain.claim import Via
from domain.errors import Invalid
from domain.faults import Faults
from domain.level import level_of
from domain.period import parse_date
from domain.training import read_class_number
from service.claims.commands.proofs import Proofs, read_proofs
from service.claims.schemas import NewAccount, NewClaim


@dataclass(frozen=True)
class Read:
    """A NewClaim whose every value is well formed. `account` None: who is paid is no person, and names none;
    `certificate` None: a place in a project is claimed, and `issued_on` is the day of its result."""

    item_code: str
    level: str
    list_kind: str | None
    certificate: Certificate | None
    issued_on: date
    training_started_on: date | None
    class_number: str | None
    account: BankAccount | None
    district: str | None
    mandate_id: UUID | None
    contract_id: UUID | None
    via: Via
    proofs: Proofs


def read_claim(new: NewClaim) -> Read:
    """Parse what was typed; Invalid names the first field that is malformed."""
    faults = Faults()
    read = read_all(new, faults)
    faults.raise_first()
    return read


def read_all(new: NewClaim, faults: Faults) -> Read:
    """Parse what was typed; what is malformed stands in `faults`."""
    started, of_class = new.training_started_on, new.class_number
    return Read(
        item_code=new.item_code.strip(),
        level=faults.read(lambda: level_of(new.level).code),
        list_kind=faults.read(_list_kind, new.list_kind),
        certificate=faults.read(Certificate.parse, new.certificate_number),
        issued_on=faults.read(parse_date, new.certificate_issued_on, "certificate_issued_on"),
        training_started_on=faults.read(parse_date, started, "training_started_on") if started else None,
        class_number=faults.read(read_class_number, of_class) if of_class else None,
        account=faults.read(_account, new.account, new.contract_id),
        district=new.district,
        mandate_id=new.mandate_id,
        contract_id=new.contract_id,
        via=new.via,
        proofs=faults.read(read_proofs, new),
    )


def _account(account: NewAccount | None, contract_id: UUID | None) -> BankAccount | None:
    if contract_id is not None:
        if account is not None:
            raise Invalid("account.of_enterprise", field="account")
        return None
    if account is None:
        raise Invalid("value.missing", field="account")
    return BankAccount.parse(account.number, account.holder, account.bank_code)


def _list_kind(kind: str | None) -> str | None:
    if kind is not None and kind not in LIST_KINDS:
        raise Invalid("list.unknown", field="list_kind")
    return kind
