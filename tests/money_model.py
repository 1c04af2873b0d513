"""Money as the public would keep it by hand, in a few lines that share nothing with the service: who is owed what,
what the bank truly did, and where every fen is."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

#: What the bank has moved or may yet have moved: nobody is paid anew while one of these stands.
ON_ITS_WAY = {"sending", "sent", "unknown"}
OPEN = ON_ITS_WAY | {"prepared"}
LIVE = OPEN | {"done"}


@dataclass
class Line:
    """A payment. `truth`: what the bank did, whatever it says: nothing, paid, failed:…, or returned after it paid."""

    reference: str
    claim: "Owed"
    amount_fen: int
    status: str = "prepared"
    failure: str = ""
    truth: str = "nothing"
    proposal: tuple[str, int] | None = None  # what one of two persons said, and which of them

    @property
    def debited(self) -> int:
        """How often the claimant has the money of this line."""
        return int(self.truth == "paid")

    def hear(self, amount_fen: int, code: str) -> str:
        """What a line of a return does: settled, repeat or exception."""
        if self.status in {"prepared", "sending", "void"} or amount_fen != self.amount_fen:
            return "exception"
        said = "unknown" if code == "failed:unknown" else code.partition(":")[0]
        counted = {"done": "done", "failed": "failed", "returned": "returned", "unknown": "unknown"}.get(said)
        if code not in CODES or counted is None:
            return "exception"
        if self.status == counted:
            return "repeat"
        if said == "returned" and self.claim.repaid_fen:
            return "exception"  # the claimant has given back what the bank gives back
        hears = {"sent", "unknown"} | ({"done"} if said == "returned" else set())
        if self.status not in hears:
            return "exception"
        self.status, self.failure = counted, "" if said == "done" else code
        self.claim.learn("paid" if said == "done" else "bounced" if said in {"failed", "returned"} else None)
        return "settled"

    def says(self) -> str:
        """What an honest bank that knows tells about it."""
        return "done" if self.truth == "paid" else self.truth


CODES = {"done", "failed:permanent", "failed:temporary", "failed:unknown", "returned", "unknown"}


@dataclass
class Asked:
    """A clawback, what came back of it, and who of two proposed to waive it."""

    id: UUID
    cause: str
    amount_fen: int
    number: str = ""
    status: str = "raised"
    repaid_fen: int = 0
    proposed_by: int | None = None

    @property
    def left_fen(self) -> int:
        return self.amount_fen - self.repaid_fen

    @property
    def stands_fen(self) -> int:
        """What was waived had come back in part before."""
        return self.repaid_fen if self.status == "waived" else self.amount_fen


@dataclass
class Owed:
    """A claim that somebody is owed."""

    id: UUID
    trainee: Any
    fund: str
    amount_fen: int
    filed: int  # at which step
    status: str = "verified"
    held: bool = False
    lines: list[Line] = field(default_factory=list)
    asked_back: list[Asked] = field(default_factory=list)

    @property
    def line(self) -> Line | None:
        return self.lines[-1] if self.lines else None

    def learn(self, to: str | None) -> None:
        """The bank's word moves it only where it waits for one, or takes back what it said."""
        if to and (self.status == "batched" or (self.status == "paid" and to == "bounced")):
            self.status = to

    @property
    def pot(self) -> str:
        """Where its money is."""
        if self.status == "batched":
            assert self.line
            return "in_flight" if self.line.status in ON_ITS_WAY else "reserved"
        return {"approved": "reserved", "payable": "reserved", "bounced": "reserved", "paid": "paid"}.get(
            self.status, "free"
        )

    @property
    def left_to_ask(self) -> int:
        return self.amount_fen - sum(each.stands_fen for each in self.asked_back)

    @property
    def repaid_fen(self) -> int:
        return sum(each.repaid_fen for each in self.asked_back)

    def repay(self, asked: Asked, fen: int) -> bool:
        """Whether the money counts: it is asked for, was paid and not given back by the bank, and is not too much."""
        fits = asked.status in {"demanded", "part_repaid"} and self.status == "paid" and fen <= asked.left_fen
        if fits:
            asked.repaid_fen += fen
            asked.status = "part_repaid" if asked.left_fen else "repaid"
            self.status = "recovered" if self.repaid_fen == self.amount_fen else "paid"
        return fits


@dataclass
class Parcel:
    """A batch. `received`: the bank has its file, whether or not it said so."""

    id: UUID
    number: str
    fund: str
    limit: int
    status: str = "opened"
    lines: list[Line] = field(default_factory=list)
    debit_account: str = ""
    received: bool = False
    refused: bool = False
    returns: list[bytes] = field(default_factory=list)

    @property
    def open_lines(self) -> list[Line]:
        return [each for each in self.lines if each.status in OPEN]

    @property
    def waiting(self) -> list[Line]:
        """Lines of which the bank has not told us yet that it took them."""
        return [each for each in self.lines if each.status in {"sending", "unknown"}]

    @property
    def stoppable(self) -> bool:
        return all(each.status in {"prepared", "void"} for each in self.lines)

    def give_up(self) -> None:
        self.status = "dissolved"
        for each in self.lines:
            each.status, each.claim.status = "void", "payable"

    def settle(self, *, settled: bool) -> None:
        """After the bank's word or two persons' about some of its lines."""
        if self.status == "released" and settled:
            self.status = "sent"
        if self.status == "sent" and not self.open_lines:
            self.status = "settled"

    def miss(self, why: str) -> None:
        """The bank will pay nothing of it."""
        for each in self.waiting:
            each.status, each.failure, each.claim.status = "failed", why, "payable"
        self.status = "not_received"


@dataclass
class Books:
    """All of it: appropriations by fund, claims, batches, clawbacks."""

    appropriated: Counter[str] = field(default_factory=Counter)
    owed: list[Owed] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)

    def pots(self, fund: str) -> dict[str, int]:
        """Where the money of a fund is; what nobody holds is free."""
        sums = Counter({"reserved": 0, "in_flight": 0, "paid": 0})
        for each in self.owed:
            if each.fund == fund and each.pot != "free":
                sums[each.pot] += each.amount_fen - (each.repaid_fen if each.pot == "paid" else 0)
        return {**sums, "free": self.appropriated[fund] - sum(sums.values())}

    def lasting(self, limit: int) -> list[Owed]:
        """Verified claims in order for which the money lasts; nobody is overtaken for whom it did not."""
        free = {fund: self.pots(fund)["free"] for fund in self.appropriated}
        out: set[str] = set()
        found = []
        waiting = [each for each in self.owed if each.status == "verified" and not each.held]
        waiting.sort(key=lambda each: each.id)  # all are filed on one day
        for each in waiting[:limit]:
            if each.fund in out or free.get(each.fund, 0) < each.amount_fen:
                out.add(each.fund)
                continue
            free[each.fund] -= each.amount_fen
            found.append(each)
        return found

    def due(self, parcel: Parcel) -> list[Owed]:
        """What a batch takes."""
        payable = [
            each for each in self.owed if (each.status, each.fund, each.held) == ("payable", parcel.fund, False)
        ]
        return sorted(payable, key=lambda each: (each.filed, each.id))[: parcel.limit]

    def check(self) -> None:
        """What must hold of the world, whatever the service believes."""
        for each in self.owed:
            had = sum(line.debited for line in each.lines)
            assert had <= 1, f"paid twice: {each.id}"
            assert sum(line.status in LIVE for line in each.lines) <= 1, f"two payments at once: {each.id}"
            if each.status == "payable":
                assert had == 0, f"would be paid again: {each.id}"
            assert 0 <= each.left_to_ask <= each.amount_fen
        for fund in self.appropriated:
            assert min(self.pots(fund).values()) >= 0, f"money from nowhere: {fund}"
