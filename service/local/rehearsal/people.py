"""Who takes part in a rehearsed season: made-up trainees over real items, some with something wrong."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from service.local.made_up import MadeUpPerson, Maker

#: District → the clerk of the sample institution there.
CLERKS = {"370102": "clerk-a", "370112": "clerk-b"}
DISTRICTS = tuple(CLERKS)

#: From this many claims on every trouble happens at least once.
_EVERY_TROUBLE_FROM = 12
#: Filed within the months a certificate may be claimed for, and long after them.
_ISSUED_DAYS_AGO = (5, 300)
_OVERDUE_DAYS_AGO = (740, 800)
_TRAINING_DAYS = (20, 60)


class Trouble(StrEnum):
    """What is wrong with a claim."""

    NONE = "none"
    REPEATED = "repeated"  # filed twice: the second is refused at the door
    UNKNOWN = "unknown"  # the registry does not know the certificate: a reviewer refuses
    OTHER_NAME = "other_name"  # the registry knows another holder: a reviewer refuses
    DEAD_ACCOUNT = "dead_account"  # the bank knows no such account: bounced, and mended with another card
    WITHDRAWN = "withdrawn"  # the trainee thinks again
    OVERDUE = "overdue"  # the certificate is too old: turned away, nothing stored


#: The part of all claims that each trouble takes: with the money that comes back (`mending.py`) a fifth. Overdue ones
#: come on top: they are not stored.
_PARTS = {
    Trouble.REPEATED: 0.04,
    Trouble.UNKNOWN: 0.03,
    Trouble.OTHER_NAME: 0.02,
    Trouble.DEAD_ACCOUNT: 0.05,
    Trouble.WITHDRAWN: 0.02,
    Trouble.OVERDUE: 0.02,
}


@dataclass(frozen=True)
class Offer:
    """An item of the published catalog, with the levels that have a standard."""

    item_code: str
    list_kind: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Trainee:
    """`login`: whoever files for themself; None when the district's institution files for them."""

    person: MadeUpPerson
    login: str | None
    district: str
    offer: Offer
    level: str
    certificate: str
    issued_on: date
    started_on: date
    card: str
    other_card: str  # of the same bank, for when money does not arrive
    bank_code: str
    trouble: Trouble

    @property
    def filer(self) -> str:
        """The login that files."""
        return self.login or CLERKS[self.district]

    def claim(self, mandate_id: str | None) -> dict[str, Any]:
        """The body of the claim."""
        return {
            "item_code": self.offer.item_code,
            "list_kind": self.offer.list_kind,
            "level": self.level,
            "district": self.district if mandate_id is None else None,
            "certificate_number": self.certificate,
            "certificate_issued_on": self.issued_on.isoformat(),
            "training_started_on": self.started_on.isoformat(),
            "account": self.account(self.card),
            "mandate_id": mandate_id,
        }

    def account(self, card: str) -> dict[str, str]:
        """An account of theirs, as a form asks for it."""
        return {"number": card, "holder": self.person.name, "bank_code": self.bank_code}

    def known_to_registry(self) -> dict[str, Any] | None:
        """What the registry is told of the certificate; None when it shall not know it."""
        if self.trouble is Trouble.UNKNOWN:
            return None
        return {
            "number": self.certificate,
            "holder_name": "路人乙" if self.trouble is Trouble.OTHER_NAME else self.person.name,
            "id_number": self.person.id_number,
            "occupation_code": self.offer.item_code,
            "level": self.level,
            "issued_on": self.issued_on.isoformat(),
        }


@dataclass(frozen=True)
class Wish:
    """How large a season, and whose. `earlier`: claims that the stack held before, so that people are new."""

    claims: int
    individual_share: float
    seed: int
    earlier: int = 0


def make_trainees(wish: Wish, offers: Sequence[Offer], today: date) -> list[Trainee]:
    """`wish.claims` trainees whose claims will be stored, and after them those that will be turned away.

    The same wish, offers and day give the same trainees. Only trainees who file for themselves withdraw.
    """
    seed = wish.seed + 1_000_003 * wish.earlier
    chance, maker = random.Random(seed), Maker(seed)  # noqa: S311 (not for secrets: it must repeat)
    alone = round(wish.claims * wish.individual_share)
    by_themselves = [True] * alone + [False] * (wish.claims - alone)
    chance.shuffle(by_themselves)
    troubles = _troubles(by_themselves, chance)
    overdue = _how_many(Trouble.OVERDUE, wish.claims)
    by_themselves += [chance.random() < wish.individual_share for _ in range(overdue)]
    troubles += [Trouble.OVERDUE] * overdue
    return [
        _make_one(chance, maker, chance.choice(offers), today, f"s{seed}n{n}" if own else None, trouble)
        for n, (own, trouble) in enumerate(zip(by_themselves, troubles, strict=True))
    ]


def _how_many(trouble: Trouble, claims: int) -> int:
    return max(round(claims * _PARTS[trouble]), 1 if claims >= _EVERY_TROUBLE_FROM else 0)


def _troubles(by_themselves: Sequence[bool], chance: random.Random) -> list[Trouble]:
    """A trouble for each claim that will be stored."""
    found = [Trouble.NONE] * len(by_themselves)
    free = list(range(len(by_themselves)))
    chance.shuffle(free)
    for trouble in (Trouble.WITHDRAWN, Trouble.REPEATED, Trouble.UNKNOWN, Trouble.OTHER_NAME, Trouble.DEAD_ACCOUNT):
        fitting = [at for at in free if by_themselves[at] or trouble is not Trouble.WITHDRAWN]
        for at in fitting[: _how_many(trouble, len(by_themselves))]:
            found[at] = trouble
            free.remove(at)
    return found


def _make_one(
    chance: random.Random, maker: Maker, offer: Offer, today: date, login: str | None, trouble: Trouble
) -> Trainee:
    ago = _OVERDUE_DAYS_AGO if trouble is Trouble.OVERDUE else _ISSUED_DAYS_AGO
    issued_on = today - timedelta(days=chance.randint(*ago))
    level, card = chance.choice(offer.levels), maker.card()
    return Trainee(
        person=maker.person(),
        login=login,
        district=chance.choice(DISTRICTS),
        offer=offer,
        level=level,
        certificate=maker.certificate(level, issued_on.year),
        issued_on=issued_on,
        started_on=issued_on - timedelta(days=chance.randint(*_TRAINING_DAYS)),
        # Mistyped: the stand-in bank knows no account that ends so.
        card=f"{card[:-4]}0000" if trouble is Trouble.DEAD_ACCOUNT else card,
        other_card=maker.card(),
        bank_code=maker.bank_code(),
        trouble=trouble,
    )
