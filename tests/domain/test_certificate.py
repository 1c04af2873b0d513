"""Certificate numbers and skill levels."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.certificate import Certificate, CertificateKind, check_kind, cross_check, kinds_for
from domain.errors import Invalid
from domain.level import LEVELS, Scheme, level_of, schemes_for
from domain.remark import Remark
from service.local.made_up import Maker

SKILL = "S000037010023253000418"  # printed: province 37, 2025, level 3
TODAY = date(2026, 3, 2)
ISSUED = date(2025, 10, 18)


@pytest.mark.parametrize(
    "typed",
    [
        SKILL,
        SKILL.lower(),
        f" {SKILL}\n",
        "S0000 3701 0023 2530 0041 8",
        "S0000-37-010023-25-3-000418",
        "Ｓ０００037010023253000418",
        "S000037010023253\u3000000418",
    ],
)
def test_one_number_however_typed(typed: str) -> None:
    assert Certificate.parse(typed) == Certificate(
        SKILL, CertificateKind.SKILL_LEVEL, year=2025, level="3", province="37", body="000037010023"
    )


@pytest.mark.parametrize(
    ("typed", "kind", "year", "level", "province"),
    [
        ("Y001237000000241000001", CertificateKind.SKILL_LEVEL, 2024, "1", "37"),
        ("ST" + "0" * 20, CertificateKind.SENIOR, None, None, None),
        ("1937010001300123", CertificateKind.QUALIFICATION, 2019, "3", "37"),
        ("9937010001500123", CertificateKind.QUALIFICATION, 1999, "5", "37"),
        ("1937010001600123", CertificateKind.SPECIAL, None, None, None),  # sixteen digits without a level
        ("ZX3701202500017", CertificateKind.SPECIAL, None, None, None),
        ("A" * 32, CertificateKind.SPECIAL, None, None, None),
    ],
)
def test_kinds(typed: str, kind: CertificateKind, year: int | None, level: str | None, province: str | None) -> None:
    read = Certificate.parse(typed)
    assert (read.number, read.kind, read.year, read.level, read.province) == (typed, kind, year, level, province)
    assert read.warnings == ()


@pytest.mark.parametrize(
    ("typed", "code", "facts"),
    [
        ("S00003701002325300041Х", "certificate.characters", {"place": 22}),  # Cyrillic
        ("S0000\u200b37010023253000418", "certificate.characters", {"place": 6}),
        ("S0000 37\u200b010023253000418", "certificate.characters", {"place": 9}),  # as typed, blank counted
        ("ſ000037010023253000418", "certificate.characters", {"place": 1}),  # its capital would be S
        ("S٠00037010023253000418", "certificate.characters", {"place": 2}),
        ("证书12345", "certificate.characters", {"place": 1}),
        ("S0000370100232530004\ud80018", "certificate.characters", {"place": 21}),
        ("A\x00", "certificate.characters", {"place": 2}),
        ("A_B", "certificate.characters", {"place": 2}),
        ("A%", "certificate.characters", {"place": 2}),
        (SKILL[:-1], "certificate.length", {"length": 21, "expected": 22}),
        (SKILL + "1", "certificate.length", {"length": 23, "expected": 22}),
        ("A" * 33, "certificate.length", {"length": 33, "expected": 32}),
        ("9" * 100_000, "certificate.length", {"length": 100_000, "expected": 32}),
        ("", "certificate.empty", {}),
        ("- -", "certificate.empty", {}),
        (19370100013001, "certificate.not_text", {}),
        (None, "certificate.not_text", {}),
    ],
)
def test_what_is_no_number(typed: object, code: str, facts: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refused:
        Certificate.parse(typed, "line 3")
    assert (refused.value.code, refused.value.facts, refused.value.field) == (code, facts, "line 3")


def test_a_letter_o_for_a_zero_is_kept_and_remarked_on() -> None:
    read = Certificate.parse("SOO0037010023253000418")
    assert read.number == "SOO0037010023253000418"
    assert read.warnings == tuple(Remark("certificate.letter_o", {"place": place}) for place in (2, 3))
    assert (read.kind, read.year, read.level, read.province) == (CertificateKind.SKILL_LEVEL, 2025, "3", "37")


def test_a_letter_o_where_letters_belong_is_nothing_special() -> None:
    assert Certificate.parse("OT" + "0" * 20).warnings == ()
    assert Certificate.parse("ZOO123").warnings == ()
    assert Certificate.parse("193701OO01300123").warnings == tuple(
        Remark("certificate.letter_o", {"place": place}) for place in (7, 8)
    )


def test_a_skill_level_number_without_a_level_is_remarked_on() -> None:
    read = Certificate.parse(SKILL[:15] + "7" + SKILL[16:])
    assert read.level is None
    assert read.warnings == (Remark("certificate.level_unreadable", {"place": 16}),)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32), st.sampled_from("54321"), st.integers(2019, 2026))
def test_what_is_printed_is_read(seed: int, level: str, year: int) -> None:
    number = Maker(seed).certificate(level, year)
    read = Certificate.parse(number)
    assert (read.number, read.kind, read.level, read.year) == (number, CertificateKind.SKILL_LEVEL, level, year)
    assert cross_check(read, level, date(year, 1, 1), TODAY) == []


@given(st.text(max_size=40) | st.from_regex(r"[YySsＳ][0-9Oo -]{18,25}", fullmatch=True))
def test_any_text_is_refused_or_has_one_form(text: str) -> None:
    try:
        read = Certificate.parse(text)
    except Invalid:
        return  # which codes, the table above says
    assert read.number.isascii()
    assert read.number.isalnum()
    assert read.number == read.number.upper()
    assert Certificate.parse(read.number) == read


@pytest.mark.parametrize(
    ("number", "level", "issued_on", "refusing", "warning"),
    [
        (SKILL, "3", ISSUED, [], []),
        (SKILL, "3", TODAY, [], ["certificate.year_differs"]),
        (SKILL, "3", date(2026, 3, 3), ["certificate.future"], ["certificate.year_differs"]),
        (SKILL, "2", ISSUED, ["certificate.level_differs"], []),
        (SKILL, None, ISSUED, ["certificate.level_differs"], []),
        (SKILL, "junior", ISSUED, ["certificate.level_differs"], []),
        (SKILL.replace("37", "11", 1), "3", ISSUED, [], ["certificate.other_province"]),
        ("ZX3701202500017", "3", ISSUED, [], ["certificate.no_level_printed"]),
        ("ZX3701202500017", "junior", ISSUED, [], []),
        ("ZX3701202500017", None, ISSUED, [], []),
        ("ST" + "0" * 20, "special", ISSUED, [], []),
    ],
)
def test_cross_check(
    number: str, level: str | None, issued_on: date, refusing: list[str], warning: list[str]
) -> None:
    found = cross_check(Certificate.parse(number), level, issued_on, TODAY)
    assert [each.code for each in found if each.refuses] == refusing
    assert [each.code for each in found if not each.refuses] == warning


def test_levels_rank_within_their_scheme() -> None:
    skill = [level.code for level in LEVELS.values() if level.scheme is Scheme.SKILL]
    assert skill == ["apprentice", "5", "4", "3", "2", "1", "special", "chief"]
    assert level_of("1").outranks(level_of("2"))
    assert not level_of("5").outranks(level_of("4"))
    assert not level_of("3").outranks(level_of("3"))
    assert level_of("senior").outranks(level_of("junior"))
    assert all(code == level.code for code, level in LEVELS.items())


def test_levels_of_two_schemes_do_not_compare() -> None:
    with pytest.raises(ValueError, match="do not compare"):
        level_of("senior").outranks(level_of("5"))


@pytest.mark.parametrize("code", ["0", "6", "五级", "", "３", 3, None, ["3"]])
def test_unknown_levels(code: object) -> None:
    with pytest.raises(Invalid, match=r"level\.unknown"):
        level_of(code)


def test_which_levels_an_occupation_has() -> None:
    assert schemes_for("2-02-38-01") == {Scheme.ENGINEER}
    assert schemes_for("2-02-10-09") == {Scheme.ENGINEER}
    assert schemes_for("6-18-02-04") == {Scheme.SKILL}
    assert schemes_for("4-12-02-02") == {Scheme.SKILL}
    assert schemes_for(None) == frozenset()


# ---- which kind is given for which level and list

SENIOR, QUALIFICATION, OPAQUE = "ST" + "0" * 20, "1937010001300123", "ZX3701202500017"


@pytest.mark.parametrize(
    ("level", "list_kind", "fitting"),
    [
        ("3", "shortage", {SKILL, QUALIFICATION, OPAQUE}),
        ("apprentice", "general", {SKILL, QUALIFICATION, OPAQUE}),
        ("special", "general", {SENIOR, OPAQUE}),
        ("chief", "manufacturing", {SENIOR, OPAQUE}),
        ("senior", "shortage", {OPAQUE, SENIOR}),
        ("5", "specific_skill", {OPAQUE}),
        ("5", "startup", {OPAQUE}),
    ],
)
def test_kinds_for_a_level_and_a_list(level: str, list_kind: str, fitting: set[str]) -> None:
    for number in (SKILL, SENIOR, QUALIFICATION, OPAQUE):
        said = check_kind(Certificate.parse(number), level, list_kind)
        assert (said is None) == (number in fitting)
        if said:
            assert (said.code, said.refuses) == ("certificate.kind_differs", True)


@pytest.mark.parametrize(("number", "late"), [("2037010001300123", False), ("2137010001300123", True)])
def test_qualification_certificates_are_rare_after_2020(number: str, late: bool) -> None:
    said = check_kind(Certificate.parse(number), "3", "general")
    assert said == (Remark("certificate.qualification_late", {"printed": 2021}) if late else None)


@pytest.mark.parametrize("level", LEVELS)
def test_an_opaque_number_fits_every_level(level: str) -> None:
    assert CertificateKind.SPECIAL in kinds_for(level, "general")
