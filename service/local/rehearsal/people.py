"""Who takes part in a rehearsed season: made-up trainees over real items, some with something wrong."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple

from service.local.made_up import MadeUpPerson, Maker

#: District → the clerk of the sample institution there.
CLERKS = {"370102": "clerk-a", "370112": "clerk-b"}
DISTRICTS = tuple(CLERKS)
#: The clerk of the body that assesses, and who inspects and patrols.
BODY_CLERK, INSPECTORS = "clerk-c", ("inspector-a", "inspector-b")

#: From this many claims on every trouble happens at least once.
_EVERY_TROUBLE_FROM = 12
#: Filed within the months a certificate may be claimed for, and long after them.
_ISSUED_DAYS_AGO = (5, 300)
_OVERDUE_DAYS_AGO = (740, 800)
_TRAINING_DAYS = (20, 60)
#: A mandate was signed before today, and ends after.
_MANDATE_DAYS = 30, 365
#: The part of the institutions' claims that goes in by rosters; the others a clerk files one by one.
_BY_ROSTER = 0.75


class Way(StrEnum):
    """How a claim comes in."""

    ALONE = "alone"
    CLERK = "clerk"
    ROSTER = "roster"


class Trouble(StrEnum):
    """What is wrong with a claim."""

    NONE = "none"
    REPEATED = "repeated"  # filed twice, or in the mended sheet once more: the second is refused at the door
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


class Mistake(StrEnum):
    """What a clerk mistypes in a roster, and mends when the sheet comes back."""

    NONE = "none"
    ID_NUMBER = "id_number"
    ITEM = "item"  # the code of an item that the catalog does not have
    DATE = "date"  # a day that no calendar has
    TWICE = "twice"  # the same line once more, further down


#: The part of a roster's lines that each mistake takes.
_MISTAKEN = 0.03


class Level(NamedTuple):
    """`code` as the API takes it, `name` as sheets say it."""

    code: str
    name: str


@dataclass(frozen=True)
class Offer:
    """An item of the published catalog, with the levels that have a standard."""

    item_code: str
    list_kind: str
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class Trainee:
    """`login`: of whoever files for themself; the others' institution of the district files for them."""

    person: MadeUpPerson
    way: Way
    login: str
    district: str
    offer: Offer
    level: Level
    certificate: str
    issued_on: date
    started_on: date
    card: str
    other_card: str  # of the same bank, for when money does not arrive
    bank_code: str
    trouble: Trouble
    mistake: Mistake
    class_number: str = ""  # of the class that taught them; empty: none

    @property
    def filer(self) -> str:
        """The login that files."""
        return self.login if self.way is Way.ALONE else CLERKS[self.district]

    def paper(self, today: date) -> dict[str, str]:
        """What stands on the mandate that they signed."""
        before, after = _MANDATE_DAYS
        signed_on = (today - timedelta(days=before)).isoformat()
        return {
            "signed_on": signed_on,
            "valid_from": signed_on,
            "valid_to": (today + timedelta(days=after)).isoformat(),
            "document_sha256": sha256(self.certificate.encode()).hexdigest(),
        }

    def claim(self, mandate_id: str | None) -> dict[str, Any]:
        """The body of the claim."""
        return {
            "item_code": self.offer.item_code,
            "list_kind": self.offer.list_kind,
            "level": self.level.code,
            "district": self.district if mandate_id is None else None,
            "certificate_number": self.certificate,
            "certificate_issued_on": self.issued_on.isoformat(),
            "training_started_on": self.started_on.isoformat(),
            "account": self.account(self.card),
            "mandate_id": mandate_id,
            "class_number": self.class_number or None,
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
            "level": self.level.code,
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
    ways = _ways(wish)
    chance.shuffle(ways)
    troubles = _troubles(ways, chance)
    overdue = _how_many(_PARTS[Trouble.OVERDUE], wish.claims)
    ways += chance.choices(ways, k=overdue)
    troubles += [Trouble.OVERDUE] * overdue
    mistakes = _mistakes(ways, troubles, chance)
    return [
        _make_one(chance, maker, chance.choice(offers), today, f"s{seed}n{n}", *how)
        for n, how in enumerate(zip(ways, troubles, mistakes, strict=True))
    ]


def _ways(wish: Wish) -> list[Way]:
    """A way for each claim that will be stored; where an institution files at all, it files one by one too."""
    alone = round(wish.claims * wish.individual_share)
    by_roster = int((wish.claims - alone) * _BY_ROSTER)
    return [Way.ALONE] * alone + [Way.ROSTER] * by_roster + [Way.CLERK] * (wish.claims - alone - by_roster)


def _how_many(part: float, claims: int) -> int:
    return max(round(claims * part), 1 if claims >= _EVERY_TROUBLE_FROM else 0)


def _troubles(ways: Sequence[Way], chance: random.Random) -> list[Trouble]:
    """A trouble for each claim that will be stored."""
    found = [Trouble.NONE] * len(ways)
    free = list(range(len(ways)))
    chance.shuffle(free)
    for trouble in (Trouble.WITHDRAWN, Trouble.REPEATED, Trouble.UNKNOWN, Trouble.OTHER_NAME, Trouble.DEAD_ACCOUNT):
        fitting = [at for at in free if trouble is not Trouble.WITHDRAWN or ways[at] is Way.ALONE]
        for at in fitting[: _how_many(_PARTS[trouble], len(ways))]:
            found[at] = trouble
            free.remove(at)
    return found


def _mistakes(ways: Sequence[Way], troubles: Sequence[Trouble], chance: random.Random) -> list[Mistake]:
    """A mistake for each; none in lines that are turned away for another reason, so that every line has one."""
    found = [Mistake.NONE] * len(ways)
    lines = [at for at, way in enumerate(ways) if way is Way.ROSTER]
    turned_away = {Trouble.REPEATED, Trouble.OVERDUE}
    free = [at for at in lines if troubles[at] not in turned_away]
    chance.shuffle(free)
    for mistake in (Mistake.ID_NUMBER, Mistake.ITEM, Mistake.DATE, Mistake.TWICE):
        for _ in range(min(len(free), max(round(len(lines) * _MISTAKEN), 1))):
            found[free.pop()] = mistake
    return found


def _make_one(
    chance: random.Random,
    maker: Maker,
    offer: Offer,
    today: date,
    login: str,
    way: Way,
    trouble: Trouble,
    mistake: Mistake,
) -> Trainee:
    ago = _OVERDUE_DAYS_AGO if trouble is Trouble.OVERDUE else _ISSUED_DAYS_AGO
    issued_on = today - timedelta(days=chance.randint(*ago))
    level, card = chance.choice(offer.levels), maker.card()
    return Trainee(
        person=maker.person(),
        way=way,
        login=login,
        district=chance.choice(DISTRICTS),
        offer=offer,
        level=level,
        certificate=maker.certificate(level.code, issued_on.year),
        issued_on=issued_on,
        started_on=issued_on - timedelta(days=chance.randint(*_TRAINING_DAYS)),
        # Mistyped: the stand-in bank knows no account that ends so.
        card=f"{card[:-4]}0000" if trouble is Trouble.DEAD_ACCOUNT else card,
        other_card=maker.card(),
        bank_code=maker.bank_code(),
        trouble=trouble,
        mistake=mistake,
    )
