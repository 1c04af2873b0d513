"""Made-up people and numbers for the demo and the rehearsal: well formed, and nobody's.

Formats are written out here a second time, without `domain`, so that what drives the system from outside does not
share the mistakes of what it drives.
"""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
_GIVEN = "秀梅建国晓燕志强丽娟海涛玉兰文静春霞立军桂英鹏飞雪莲永刚慧敏振华红梅俊杰淑珍明亮彩云世杰婷婷家豪思远"
_PLACES = (
    *("370102", "370103", "370104", "370105", "370112", "370113"),
    *("370114", "370115", "370116", "370117", "370124", "370126"),
)
# Adult in 2023, the catalog's first year, and of working age for the years a demo plays.
_FIRST_BIRTH, _LAST_BIRTH = date(1980, 1, 1), date(2005, 1, 1)
# A six-digit card prefix no bank uses here, so that no made-up card is somebody's.
_CARD_PREFIX = "629999"
_BANKS = ("102", "103", "104", "105", "301", "308", "313", "403")
_JINAN_AT_THE_CLEARING_HOUSE = "4510"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SENIOR_PREFIXES = {"special": "ST", "chief": "SS"}


class MadeUpPerson(NamedTuple):
    """`id_number` 18 characters, `phone` 11 digits."""

    name: str
    id_number: str
    phone: str


class Maker:
    """The same seed makes the same things in the same order. No number is made twice by one Maker, nor by several
    that share what they have `made`."""

    def __init__(self, seed: int, made: set[str] | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311 (not for secrets: it must repeat)
        self._made: set[str] = set() if made is None else made

    def person(self) -> MadeUpPerson:
        """An adult of a district of Jinan."""
        given = self._random.choices(_GIVEN, k=self._random.choice((1, 2, 2)))
        name = self._random.choice(_SURNAMES) + "".join(given)
        return MadeUpPerson(name, self._once(self._id_number), self._once(self._phone))

    def certificate(self, level: str, year: int, body: str = "") -> str:
        """22 characters for a skill level (`5`…`1`, `special`, `chief`), issued by a body filed with the province,
        any or the one with these six digits; an opaque number for an engineer's grade, which has no national form."""
        if level in "54321":
            return self._once(lambda: f"S000037{body or self._digits(6)}{year % 100:02d}{level}{self._digits(6)}")
        prefix = _SENIOR_PREFIXES.get(level)
        if prefix:
            return self._once(lambda: f"{prefix}000037{body or self._digits(6)}{year % 100:02d}{self._digits(6)}")
        return self._once(lambda: f"ZJ37{year}{self._digits(8)}")

    def card(self) -> str:
        """19 digits that pass Luhn; never ending in 0000, which the stand-in bank bounces."""
        return self._once(self._card)

    def bank_code(self) -> str:
        """CNAPS, 12 digits, of a branch in Jinan; branches repeat, as they do."""
        body = self._random.choice(_BANKS) + _JINAN_AT_THE_CLEARING_HOUSE + f"{self._random.randrange(1, 300):04d}"
        return body + _mod_11_10(body)

    def credit_code(self) -> str:
        """18 characters of a legal person registered in Jinan."""
        return self._once(self._credit_code)

    def _once(self, make: Callable[[], str]) -> str:
        while (made := make()) in self._made:
            pass  # numbers are many: the next is new
        self._made.add(made)
        return made

    def _digits(self, count: int) -> str:
        return f"{self._random.randrange(10**count):0{count}d}"

    def _id_number(self) -> str:
        days = self._random.randrange((_LAST_BIRTH - _FIRST_BIRTH).days)
        birth = _FIRST_BIRTH + timedelta(days=days)
        body = f"{self._random.choice(_PLACES)}{birth:%Y%m%d}{self._random.randrange(1, 1000):03d}"
        # GB 11643 as printed: weights 2^(17-i) mod 11, then a table.
        total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(body))
        return body + "10X98765432"[total % 11]

    def _phone(self) -> str:
        return f"1{self._random.choice('356789')}{self._digits(9)}"

    def _card(self) -> str:
        while True:
            body = _CARD_PREFIX + self._digits(12)
            # from the right, every other digit counts double, and a double of two digits the sum of both
            total = sum(sum(divmod(int(d) * (2 - place % 2), 10)) for place, d in enumerate(reversed(body)))
            card = f"{body}{-total % 10}"
            if not card.endswith("0000"):
                return card

    def _credit_code(self) -> str:
        body = "91370100" + "MA" + "".join(self._random.choices(_CREDIT_ALPHABET, k=7))
        total = sum(_CREDIT_ALPHABET.index(each) * (3**place % 31) for place, each in enumerate(body))
        return body + _CREDIT_ALPHABET[(31 - total % 31) % 31]


def _mod_11_10(body: str) -> str:
    product = 10
    for digit in body:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)
