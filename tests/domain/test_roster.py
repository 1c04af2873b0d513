"""What a roster's lines mean before anything is looked up: who stands there twice, levels as people write them."""

from datetime import date

import pytest

from domain.claim import Channel
from domain.eligibility import Facts, MandateFacts, Parameters, decide
from domain.errors import Invalid
from domain.faults import Faults
from domain.level import level_named
from domain.period import parse_date
from domain.roster import Reason, reasons_of, repeated

ONE, OTHER = "11010519491231002X", "440524188001010014"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ([ONE, OTHER], {}),
        ([ONE, OTHER, ONE, ONE], {4: 2, 5: 2}),
        (
            [ONE, "11010519491231002x", " 11010519491231002X\n", "１１０１０５１９４９１２３１００２Ｘ"],
            {3: 2, 4: 2, 5: 2},
        ),
        (["4.40305E+17", "4.40305E+17"], {}),  # anybody's
        (["", "", "123", "123"], {}),
    ],
)
def test_who_stands_in_an_earlier_line(typed: list[str], found: dict[int, int]) -> None:
    assert repeated(enumerate(typed, start=2)) == found


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        *((each, "4") for each in ("4", "四级", "四级/中级工", "中级工", " 四级 ", "４")),
        *((each, "1") for each in ("1", "一级", "高级技师")),
        ("技师", "2"),
        ("高级", "senior"),
        ("学徒工", "apprentice"),
        ("special", "special"),
    ],
)
def test_levels_as_people_write_them(typed: str, code: str) -> None:
    assert level_named(typed).code == code


@pytest.mark.parametrize("typed", ["", "四", "级", "0", "四级/高级工", "44"])
def test_what_is_no_level(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        level_named(typed, field="level")
    assert (refused.value.code, refused.value.field) == ("level.unknown", "level")


def test_all_faults_are_told_at_once() -> None:
    faults = Faults()
    assert faults.read(parse_date, "2026-03-02", "a") == date(2026, 3, 2)
    faults.read(parse_date, "2.3.26", "b")
    faults.read(parse_date, "2026-02-30", "c")
    assert [(each.field, each.code) for each in faults.found] == [("b", "date.format"), ("c", "date.no_such_day")]
    with pytest.raises(Invalid) as refused:
        faults.raise_first()
    assert refused.value.field == "b"


def test_every_rule_that_failed_is_a_reason_with_a_field_to_mend() -> None:
    day = date(2026, 3, 2)
    facts = Facts(
        today=day,
        channel=Channel.INSTITUTION,
        training_started_on=day,
        issued_on=date(2024, 3, 2),
        level="4",
        certificate_number="S000037000000265000001",
        subsidy_key="6-18-02-04",
        item=None,
        standard=None,
        earlier=(),
        certificate_used=True,
        holder_is_payee=False,
        mandate=MandateFacts(True, day, day, 0, listed=False),
        parameters=Parameters(12, "ever"),
    )
    assert [(reason.field, reason.code) for reason in reasons_of(decide(facts))] == [
        ("item_code", "item.not_in_catalog"),
        ("item_code", "standard.none"),
        ("training_started_on", "training.after_certificate"),
        ("certificate_issued_on", "window.over"),
        ("certificate_number", "certificate.level_differs"),
        ("certificate_number", "certificate.used"),
        ("trainee.id_number", "age.unknown"),
        ("account.holder", "account.holder_differs"),
        ("", "institution.not_listed"),
    ]


def test_a_fault_is_a_reason() -> None:
    assert Reason.of(Invalid("id.length", "trainee.id_number", length=3)) == Reason(
        "trainee.id_number", "id.length", {"length": 3}
    )
