"""Certificate numbers: their kinds, what is printed in them, and whether that fits the claim."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Self

from domain.errors import Invalid
from domain.level import LEVELS, Scheme
from domain.remark import Remark
from domain.text import half_width, trimmed

NUMBER_LENGTH_MAX = 32
SHANDONG = "37"


class CertificateKind(StrEnum):
    """职业技能等级证书, 特级技师以上证书, 职业资格证书; 专项职业能力 and others, whose numbers say nothing."""

    SKILL_LEVEL = "skill_level"
    SENIOR = "senior"
    QUALIFICATION = "qualification"
    SPECIAL = "special"


# A letter O stands where a digit must often enough that it is read as a zero, and remarked on.
# Skill level comes first: SO000… is a zero mistyped far more often than a two-letter number.
_FORMS = (
    (CertificateKind.SKILL_LEVEL, re.compile(r"[YS][0-9O]{21}"), 1),
    (CertificateKind.SENIOR, re.compile(r"[A-Z]{2}[0-9O]{20}"), 2),
    (CertificateKind.QUALIFICATION, re.compile(r"[0-9O]{10}[1-5][0-9O]{5}"), 0),
)
# Y or S with about as many digits as a skill-level number has: one was dropped or typed twice.
_NEARLY_SKILL_LEVEL = re.compile(r"[YS][0-9O]{18,24}")
_SEPARATORS = " \u00a0-‐‑–—"


@dataclass(frozen=True)
class Certificate:
    """`number` is kept as typed, but upper case, half-width and without blanks and hyphens.

    What the number prints, where it prints it: `year`, `level` (a code of `domain.level`), `province` (two
    digits), `body` (the assessing body's digits). None where this kind of number does not say.
    """

    number: str
    kind: CertificateKind
    year: int | None = None
    level: str | None = None
    province: str | None = None
    body: str | None = None
    warnings: tuple[Remark, ...] = ()

    @classmethod
    @lru_cache(maxsize=2_048)  # a number is read where it was typed and once more by the rules
    def parse(cls, text: object, field: str = "certificate_number") -> Self:
        """Raises Invalid `certificate.not_text`, `certificate.empty`, `certificate.characters` (place, from 1, as
        typed) or `certificate.length` (length, expected). Warns `certificate.letter_o` (place) for each letter O
        where a digit must be, and `certificate.level_unreadable` when the place of the level holds no level."""
        number = _normalised(trimmed(text, field, "certificate"), field)
        for kind, form, letters in _FORMS:
            if form.fullmatch(number):
                digits = number[:letters] + number[letters:].replace("O", "0")
                warnings = tuple(
                    Remark("certificate.letter_o", {"place": place})
                    for place, (typed, read) in enumerate(zip(number, digits, strict=True), start=1)
                    if typed != read
                )
                return cls._read(number, kind, digits, warnings)
        if len(number) > NUMBER_LENGTH_MAX:
            raise Invalid("certificate.length", field, length=len(number), expected=NUMBER_LENGTH_MAX)
        if _NEARLY_SKILL_LEVEL.fullmatch(number):
            raise Invalid("certificate.length", field, length=len(number), expected=22)
        return cls(number, CertificateKind.SPECIAL)

    @classmethod
    def _read(cls, number: str, kind: CertificateKind, digits: str, warnings: tuple[Remark, ...]) -> Self:
        match kind:
            case CertificateKind.SKILL_LEVEL:
                # letter 1, body 2–5 (0000: filed with the province), province 6–7, its serial 8–13,
                # year 14–15, level 16, serial 17–22
                level = digits[15] if digits[15] in LEVELS else None
                if level is None:
                    warnings += (Remark("certificate.level_unreadable", {"place": 16}),)
                return cls(number, kind, _year(digits[13:15]), level, digits[5:7], digits[1:13], warnings)
            case CertificateKind.QUALIFICATION:
                # year 1–2, province 3–4, city 5–6, kind of body 7, body 8–10, level 11, serial 12–16
                return cls(number, kind, _year(digits[:2]), digits[10], digits[2:4], digits[4:10], warnings)
            case _:
                return cls(number, kind, warnings=warnings)


def _normalised(typed: str, field: str) -> str:
    if typed.isascii() and typed.isalnum():  # as most are: a roster has thousands
        return typed.upper()
    kept = []
    for place, character in enumerate(half_width(typed), start=1):
        if character in _SEPARATORS:
            continue
        # isascii first: ſ and ı have ASCII capitals
        if not (character.isascii() and character.isalnum()):
            raise Invalid("certificate.characters", field, place=place)
        kept.append(character.upper())
    if not kept:
        raise Invalid("certificate.empty", field)
    return "".join(kept)


def _year(two_digits: str) -> int:
    # Certificates of the 1980s and 1990s exist; none is from the 2080s.
    year = int(two_digits)
    return 1900 + year if year >= 80 else 2000 + year


def cross_check(certificate: Certificate, level_code: str | None, issued_on: date, today: date) -> list[Remark]:
    """What does not fit between the number, the level claimed (None: an item without levels) and the day of issue.

    Refusing: `certificate.future` (the day lies ahead), `certificate.level_differs` (printed, claimed).
    Warnings: `certificate.year_differs` (printed, issued: numbers are drawn in December for certificates dated in
    January, so the registry decides), `certificate.other_province` (printed), `certificate.no_level_printed` (a
    skill level is claimed with a number that cannot confirm it).
    """
    found: list[Remark] = []
    if issued_on > today:
        found.append(Remark("certificate.future", {"issued_on": issued_on}, refuses=True))
    if certificate.level is not None and certificate.level != level_code:
        facts = {"printed": certificate.level, "claimed": level_code}
        found.append(Remark("certificate.level_differs", facts, refuses=True))
    if certificate.kind is CertificateKind.SPECIAL and _is_skill(level_code):
        found.append(Remark("certificate.no_level_printed"))
    if certificate.year is not None and certificate.year != issued_on.year:
        found.append(Remark("certificate.year_differs", {"printed": certificate.year, "issued": issued_on.year}))
    if certificate.province is not None and certificate.province != SHANDONG:
        found.append(Remark("certificate.other_province", {"printed": certificate.province}))
    return found


def year_is_far(certificate: Certificate, issued_on: date) -> Remark | None:
    """`certificate.year_far` (printed, issued) where the number is not even of the December before."""
    if certificate.year is None or certificate.year in (issued_on.year - 1, issued_on.year):
        return None
    return Remark("certificate.year_far", {"printed": certificate.year, "issued": issued_on.year})


#: Since 2021 only the occupations one may not work in without (准入类) still have such certificates
#: (人社部发〔2020〕80号): a later year is a matter for the registry.
QUALIFICATION_LAST_YEAR = 2020
#: Lists whose certificates have no national form: 专项职业能力证书, 创业培训合格证书.
_LISTS_OF_OPAQUE_NUMBERS = frozenset({"specific_skill", "startup"})
_ABOVE_THE_FIVE = frozenset({"special", "chief"})


def kinds_for(level_code: str, list_kind: str) -> frozenset[CertificateKind]:
    """Which kinds of numbers fit a level claimed under a list. An opaque number may be anybody's, and fits all."""
    if list_kind in _LISTS_OF_OPAQUE_NUMBERS:
        return frozenset({CertificateKind.SPECIAL})
    if level_code in _ABOVE_THE_FIVE:
        return frozenset({CertificateKind.SENIOR, CertificateKind.SPECIAL})
    if _is_skill(level_code):
        return frozenset({CertificateKind.SKILL_LEVEL, CertificateKind.QUALIFICATION, CertificateKind.SPECIAL})
    # an engineer's number has no national form, and may look like 特级技师's by chance
    return frozenset({CertificateKind.SPECIAL, CertificateKind.SENIOR})


def check_kind(certificate: Certificate, level_code: str, list_kind: str) -> Remark | None:
    """What does not fit between the kind of number, the level and the list.

    Refusing: `certificate.kind_differs` (kind). Warning: `certificate.qualification_late` (printed).
    """
    if certificate.kind not in kinds_for(level_code, list_kind):
        return Remark("certificate.kind_differs", {"kind": f"certificate_kind.{certificate.kind}"}, refuses=True)
    late = certificate.year is not None and certificate.year > QUALIFICATION_LAST_YEAR
    if certificate.kind is CertificateKind.QUALIFICATION and late:
        return Remark("certificate.qualification_late", {"printed": certificate.year})
    return None


def _is_skill(level_code: str | None) -> bool:
    return level_code is not None and LEVELS[level_code].scheme is Scheme.SKILL
