"""An account's statement (对账单): that it adds up and follows the one before, and whose each of its lines is."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.batch import AttemptStatus
from domain.errors import Invalid
from domain.money import Fen
from domain.reconciliation import AttemptFacts, ExceptionKind, ReturnLineFacts, Verdict, VerdictKind, match


class Side(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True)
class Span:
    """What a statement covers: its number in the account's sequence, its days (both included), and its balances."""

    sequence: int
    from_on: date
    to_on: date
    opening_fen: Fen
    closing_fen: Fen


class Block(StrEnum):
    """Why a statement does not follow the last one that was taken."""

    GAP = "gap"
    REPEATED_NUMBER = "repeated_number"
    OVERLAP = "overlap"
    OPENING_DIFFERS = "opening_differs"


def check_sums(span: Span, credits_fen: Fen, debits_fen: Fen) -> None:
    """Opening and credits, less debits, are the closing balance. Invalid `statement.days`, `statement.sum_differs`
    (stated, actual), field `header`."""
    if span.from_on > span.to_on:
        raise Invalid("statement.days", "header")
    actual = span.opening_fen + credits_fen - debits_fen
    if actual != span.closing_fen:
        raise Invalid("statement.sum_differs", "header", stated=span.closing_fen, actual=actual)


def obstacle(last: Span | None, new: Span) -> Block | None:
    """Why `new` may not be taken after `last` (None: it is the account's first); None where it may.

    Numbers follow each other, or begin again at 1 with the year. Days may be missing between two statements: the
    number and the balance show that nothing was booked on them.
    """
    if last is None:
        return None
    begins_again = new.sequence == 1 and new.from_on.year > last.to_on.year
    if new.sequence != last.sequence + 1 and not begins_again:
        return Block.GAP if new.sequence > last.sequence else Block.REPEATED_NUMBER
    if new.from_on <= last.to_on:
        return Block.OVERLAP
    return Block.OPENING_DIFFERS if new.opening_fen != last.closing_fen else None


class Owner(StrEnum):
    """What a line of a statement is."""

    BATCH = "batch"  # a whole file, debited in one sum
    PAYMENT = "payment"  # one payment, debited by itself
    RETURN = "return"  # 退票
    TREASURY = "treasury"  # 拨付
    REPAYMENT = "repayment"  # of a clawback
    CHARGE = "charge"  # the bank's own


#: What the bank writes for a reference where it charges for its service.
CHARGE = "CHARGE"


class Oddity(StrEnum):
    """Why a person must look at a line."""

    UNKNOWN_REFERENCE = "unknown_reference"
    OTHER_ACCOUNT = "other_account"
    AMOUNT_DIFFERS = "amount_differs"
    NOT_SENT = "not_sent"
    CONTRADICTS = "contradicts"
    COUNTED_TWICE = "counted_twice"
    REPAID_ALREADY = "repaid_already"  # money comes back of which the claimant has repaid a part
    NO_CLAWBACK = "no_clawback"
    NOT_OPEN = "not_open"  # the clawback is not demanded, or has ended
    OVERPAID = "overpaid"


@dataclass(frozen=True)
class Booked:
    """A line as far as owning it goes. `clawback`: whether it carries the number of a clawback."""

    side: Side
    amount_fen: Fen
    reference: str
    clawback: bool = False


@dataclass(frozen=True)
class Payment:
    """The attempt whose reference a line carries. `counted`: sides on which a line of it was counted before, by
    itself or with its file; `repaid`: the claimant has repaid a part."""

    status: AttemptStatus
    amount_fen: Fen
    same_account: bool = True
    counted: frozenset[Side] = frozenset()
    repaid: bool = False


@dataclass(frozen=True)
class Total:
    """A file, or a voucher of the treasury, that a line names: `sums_fen` are the sums that fit it, the first of them
    what a person is shown where none does."""

    owner: Owner
    sums_fen: tuple[Fen, ...]
    same_account: bool = True
    counted: bool = False


@dataclass(frozen=True)
class Owned:
    """Whose a line is, or why a person must look (`expected_fen`: the sum that would have fitted, else None).
    `verdict`: for a payment, what else the line does to its attempt."""

    owner: Owner | None = None
    oddity: Oddity | None = None
    expected_fen: Fen | None = None
    verdict: Verdict | None = None


_ODD = {
    ExceptionKind.UNKNOWN_REFERENCE: Oddity.UNKNOWN_REFERENCE,
    ExceptionKind.AMOUNT_DIFFERS: Oddity.AMOUNT_DIFFERS,
    ExceptionKind.UNKNOWN_CODE: Oddity.CONTRADICTS,
    ExceptionKind.CONTRADICTS: Oddity.CONTRADICTS,
    ExceptionKind.NOT_SENT: Oddity.NOT_SENT,
    ExceptionKind.REPAID_ALREADY: Oddity.REPAID_ALREADY,
}


def own(line: Booked, named: Payment | Total | None) -> Owned:
    """Whose `line` is, given what its reference names. Never raises: what does not fit exactly is for a person, and
    the other lines go on."""
    if line.reference == CHARGE and line.side is Side.DEBIT:
        return Owned(Owner.CHARGE)
    if named is None:
        repays = line.clawback and line.side is Side.CREDIT
        return Owned(Owner.REPAYMENT) if repays else Owned(oddity=Oddity.UNKNOWN_REFERENCE)
    if not named.same_account:
        return Owned(oddity=Oddity.OTHER_ACCOUNT)
    return _payment(line, named) if isinstance(named, Payment) else _total(line, named)


def _total(line: Booked, named: Total) -> Owned:
    side = Side.CREDIT if named.owner is Owner.TREASURY else Side.DEBIT
    if line.side is not side:
        return Owned(oddity=Oddity.CONTRADICTS)
    if named.counted:
        return Owned(oddity=Oddity.COUNTED_TWICE)
    if line.amount_fen not in named.sums_fen:
        return Owned(oddity=Oddity.AMOUNT_DIFFERS, expected_fen=named.sums_fen[0])
    return Owned(named.owner)


def _payment(line: Booked, named: Payment) -> Owned:
    if line.side in named.counted:
        return Owned(oddity=Oddity.COUNTED_TWICE)
    credit = line.side is Side.CREDIT
    facts = AttemptFacts(line.reference, named.amount_fen, named.status, named.repaid)
    verdict = match(facts, ReturnLineFacts(line.reference, line.amount_fen, "returned" if credit else "done"))
    if verdict.kind is not VerdictKind.EXCEPTION:
        return Owned(Owner.RETURN if credit else Owner.PAYMENT, verdict=verdict)
    assert verdict.exception is not None
    if not credit and named.status is AttemptStatus.RETURNED and verdict.exception is ExceptionKind.CONTRADICTS:
        return Owned(Owner.PAYMENT)  # it was debited before it came back
    differs = verdict.exception is ExceptionKind.AMOUNT_DIFFERS
    return Owned(oddity=_ODD[verdict.exception], expected_fen=named.amount_fen if differs else None)
