"""What a registry's answers mean, as a table."""

from dataclasses import replace
from datetime import date

import pytest

from domain.level import level_told
from domain.verification import CheckResult, Outcome, Question, RegistryEntry, compare, rest_seconds

NUMBER = "S000037000001250300001"
ID = "11010519491231002X"
QUESTION = Question(NUMBER, "阿依古丽·买买提", ID, "6-18-01-01", "3", date(2025, 3, 1))
AGREES = RegistryEntry(NUMBER, "阿依古丽·买买提", ID, "6-18-01-01", "3", date(2025, 3, 1))

FOUND, MISMATCH, MANUAL, REVOKED = Outcome.FOUND, Outcome.MISMATCH, Outcome.MANUAL, Outcome.REVOKED


def mismatch(*fields: str) -> CheckResult:
    return CheckResult(MISMATCH, fields)


SINGLE = [
    ({}, CheckResult(FOUND)),
    ({"holder_name": "张三"}, mismatch("holder_name")),
    ({"id_number": "110105194912310038"}, mismatch("id_number")),
    ({"id_number": "11010519491231002x"}, CheckResult(FOUND)),
    ({"id_number": "１１０１０５１９４９１２３１００２Ｘ"}, CheckResult(FOUND)),
    ({"id_number": "110105********002X"}, CheckResult(FOUND)),
    ({"id_number": "1101****002X"}, CheckResult(FOUND)),
    ({"id_number": "002X"}, CheckResult(FOUND)),
    ({"id_number": "0038"}, mismatch("id_number")),
    ({"id_number": "110105********0038"}, mismatch("id_number")),
    ({"id_number": "370102********002X"}, mismatch("id_number")),
    ({"id_number": "3701****002X"}, mismatch("id_number")),
    ({"id_number": "11010519491231002"}, mismatch("id_number")),
    # a number that hides (nearly) everything says nothing
    ({"id_number": "***************02X"}, CheckResult(MANUAL, (), ("id_number",))),
    ({"occupation_code": "6-18-01-02"}, mismatch("occupation_code")),
    ({"level": "2"}, mismatch("level")),
    ({"level": " ３ "}, CheckResult(FOUND)),
    ({"level": "三级/高级工"}, CheckResult(FOUND)),
    ({"level": "高级工"}, CheckResult(FOUND)),
    # a grade of engineers, and what names two levels
    ({"level": "高级"}, mismatch("level")),
    ({"level": "三级/中级工"}, mismatch("level")),
    ({"issued_on": date(2025, 3, 2)}, mismatch("issued_on")),
    ({"level": "2", "holder_name": "张三"}, mismatch("holder_name", "level")),
    # silence is not a difference, but somebody must be named
    ({"level": None}, CheckResult(FOUND, (), ("level",))),
    ({"level": " "}, CheckResult(FOUND, (), ("level",))),
    (
        {"occupation_code": None, "level": None, "issued_on": None},
        CheckResult(FOUND, (), ("occupation_code", "level", "issued_on")),
    ),
    ({"holder_name": None}, CheckResult(MANUAL, (), ("holder_name",))),
    ({"id_number": None}, CheckResult(MANUAL, (), ("id_number",))),
    ({"id_number": None, "level": "2"}, CheckResult(MISMATCH, ("level",), ("id_number",))),
    # revoked, with or without its day, whatever else it says
    ({"revoked": True}, CheckResult(REVOKED)),
    ({"revoked_on": date(2025, 6, 1)}, CheckResult(REVOKED)),
    ({"revoked": True, "level": "2"}, CheckResult(REVOKED)),
    ({"revoked": True, "holder_name": None}, CheckResult(REVOKED, (), ("holder_name",))),
]


@pytest.mark.parametrize(("changes", "expected"), SINGLE)
def test_one_answer(changes: dict[str, object], expected: CheckResult) -> None:
    assert compare(QUESTION, [replace(AGREES, **changes)]) == expected  # type: ignore[arg-type]  # table of columns


SEVERAL = [
    ([], CheckResult(Outcome.NOT_FOUND)),
    ([{}, {}], CheckResult(FOUND)),
    # answers complete each other
    ([{"level": None}, {"id_number": None}], CheckResult(FOUND)),
    ([{"id_number": "002X"}, {}], CheckResult(FOUND)),
    ([{"id_number": "110105********002X"}, {"id_number": "1101051949********"}], CheckResult(FOUND)),
    # or exclude each other, and then none of them is taken
    ([{}, {"holder_name": "张三"}], mismatch("answers_differ")),
    ([{}, {"level": "2"}], mismatch("answers_differ")),
    ([{}, {"id_number": "0038"}], mismatch("answers_differ")),
    ([{"holder_name": "张三"}, {"holder_name": "张三"}], mismatch("holder_name")),
    ([{}, {"revoked": True}], CheckResult(REVOKED)),
    ([{}, {"revoked": True, "holder_name": "张三"}], mismatch("answers_differ")),
]


@pytest.mark.parametrize(("answers", "expected"), SEVERAL)
def test_several_answers(answers: list[dict[str, object]], expected: CheckResult) -> None:
    entries = [replace(AGREES, **changes) for changes in answers]  # type: ignore[arg-type]  # table of columns
    assert compare(QUESTION, entries) == expected
    assert compare(QUESTION, entries[::-1]) == expected


SPELLINGS = [
    "阿依古丽•买买提",
    "阿依古丽・买买提",
    "阿依古丽･买买提",
    "阿依古丽‧买买提",
    "阿依古丽.买买提",
    "阿依古丽．买买提",
    "阿依古丽买买提",
]


@pytest.mark.parametrize(
    "spelling",
    [
        *SPELLINGS,
        "阿依古丽 买买提",
        "阿依古丽\u3000·\u3000买买提",
        " 阿依古丽·买买提\n",
        "阿依\u200b古丽·买买提",
    ],
)
def test_spellings_of_one_name(spelling: str) -> None:
    assert compare(QUESTION, [replace(AGREES, holder_name=spelling)]).outcome is FOUND


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ｊｏｈｎ Ｓｍｉｔｈ", "john smith", True),
        ("葛\U000e0100城", "葛城", True),
        ("𠮷田", "吉田", False),  # a rare character is another character
        ("王五", "王伍", False),
        ("阿依古丽·买买提", "买买提·阿依古丽", False),
    ],
)
def test_names_that_are_or_are_not_one(one: str, other: str, same: bool) -> None:
    result = compare(replace(QUESTION, holder_name=one), [replace(AGREES, holder_name=other)])
    assert result == (CheckResult(FOUND) if same else mismatch("holder_name"))


def test_personal_data_is_not_printed() -> None:
    for printed in (repr(QUESTION), repr(AGREES)):
        assert "阿依古丽" not in printed
        assert ID not in printed


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("四级/中级工", "4"),
        ("中级工/四级", "4"),
        ("四级（中级工）", "4"),
        ("４", "4"),
        (" 中级工 ", "4"),
        ("中级", "intermediate"),
        ("高级技师", "1"),
        ("四级/高级工", "四级/高级工"),
        ("四级/不详", "四级/不详"),
        ("四", "四"),
    ],
)
def test_a_level_as_text_is_understood_where_it_means_one(written: str, code: str) -> None:
    assert level_told(written) == code


def test_a_silent_registry_is_left_alone_for_longer_each_time_up_to_ten_minutes() -> None:
    assert [rest_seconds(n) for n in (1, 2, 3, 6, 7, 8, 1_000)] == [10, 20, 40, 320, 600, 600, 600]
