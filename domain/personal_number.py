"""Numbers that name a person, found inside other text: id numbers, mobile phones, bank cards.

What is looked for is exact, unlike `domain.text.must_hold_no_personal_number`, which keeps whatever could be such a
number out of free words: here a hash, an amount, an invoice or a certificate is no finding.
"""

import re
from datetime import date

from stdnum import luhn
from stdnum.iso7064 import mod_11_2

from domain.text import half_width

_D = "[0-9０-９]"
_NOT_WITHIN = "[0-9A-Za-z０-９]"

#: What could be one, in the common part of Python's and PostgreSQL's regular expressions; grouped as people group
#: them, in either width. No part of a UUID fits, although several of its groups together could be a card. The digits
#: of a certificate or a payment reference follow a letter; certificates of digits alone begin with the year.
CANDIDATE = (
    f"(?<!{_NOT_WITHIN})(?:"
    f"[1-8１-８]{_D}{{5}}[- ]?(?:[1１][9９]|[2２][0０]){_D}{{6}}[- ]?{_D}{{3}}[0-9０-９XxＸｘ]"
    f"|(?:[+＋]?[8８][6６][- ]?)?[1１][3-9３-９]{_D}[- ]?{_D}{{4}}[- ]?{_D}{{4}}"
    f"|(?<!{_NOT_WITHIN}-)(?:[3-6３-６]{_D}{{3}}|[9９][5５][5５][8８])(?:[- ]?{_D}{{4}}){{3}}"
    f"(?:[- ]?{_D}{{1,3}})?(?!-{_NOT_WITHIN})"
    f")(?!{_NOT_WITHIN})"
)
#: Eleven digits: every candidate holds them, and little else does.
RUN_OF_DIGITS = f"{_D}{{3}}[- ]?{_D}{{4}}[- ]?{_D}{{4}}"
_CANDIDATE = re.compile(CANDIDATE)
_MOBILE = re.compile(r"(?:\+?86)?1[3-9][0-9]{9}")
_CARD_LENGTHS = range(16, 20)
#: Whatever could be the number of an account, in words that a foreign system wrote.
_LONG = re.compile(r"\d[\d -]{6,}[\dXx]")


def without_numbers(said: str) -> str:
    """What a bank wrote, without anything that could be an account or an id number (promise 14)."""
    return _LONG.sub("***", said)


def personal_number(candidate: str) -> str | None:
    """`id`, `phone` or `card`, where what fits CANDIDATE also has the date and check digits of one."""
    plain = re.sub("[ -]", "", half_width(candidate)).upper()
    if len(plain) == 18 and mod_11_2.is_valid(plain) and _is_day(plain[6:14]):
        return "id"
    if _MOBILE.fullmatch(plain):
        return "phone"
    if len(plain) in _CARD_LENGTHS and luhn.is_valid(plain):
        return "card"
    return None


def holds_personal_number(text: str) -> bool:
    """Whether an id number, a mobile phone or a card number stands in `text`."""
    return any(personal_number(found.group()) for found in _CANDIDATE.finditer(text))


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
