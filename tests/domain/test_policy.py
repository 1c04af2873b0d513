"""Which parameters there are and what they may be set to; limits; groups; invoices; remedies."""

import tomllib
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.agent_bank import UNSAID, BankFormat, BankTerms, BankWay, resend_until, terms_of
from domain.eligibility import Parameters
from domain.errors import Conflict, Forbidden, Invalid
from domain.group import Membership, groups_of
from domain.invoice import Invoice
from domain.policy import FORMS, Limit, check_value, must_be_another
from domain.remedy import RemedyKind, remedies

DATA = Path(__file__).parents[2] / "data"
GROUPS = groups_of(tomllib.loads((DATA / "groups.toml").read_text("utf-8"))["group"])
LIMIT = {"scope": "person", "window": "calendar_year", "count": 3, "from": "2022-01-01"}


def test_every_parameter_as_published_is_well_formed_and_named() -> None:
    published = tomllib.loads((DATA / "policies.toml").read_text("utf-8"))["policy"]
    for row in published:
        check_value(row["key"], row["value"])
        assert row["source"]
        assert row["basis"]
    assert {row["key"] for row in published} == set(FORMS)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("no_such_key", 1, "policy.unknown"),
        ("", 1, "policy.unknown"),
        *(
            ("claim_window_months", value, "policy.not_whole")
            for value in (0, -1, 121, 10**30, 12.0, "12", "NaN", True, None, [12])
        ),
        *(("once_in", value, "policy.not_an_option") for value in ("never", "EVER", 1, None, ["ever"], {})),
        *(("subsidy_capped_by_fee", value, "policy.not_yes_or_no") for value in (0, 1, "true", None, "是")),
        *(
            ("place_links", value, "policy.not_an_option")
            for value in ([], "household", ["household", "household"], ["elsewhere"], [["household"]], None)
        ),
        *(
            ("fund_of_group", value, "policy.not_funds")
            for value in (
                None,
                "employment_subsidy",
                {},
                {"default": "employment_subsidy"},
                {"default": "", "groups": {}},
                {"default": "employment_subsidy", "groups": []},
                {"default": "employment_subsidy", "groups": {"graduate": 1}},
                {"default": "employment_subsidy", "groups": {"": "employment_subsidy"}},
                {"default": "employment_subsidy", "groups": {}, "more": {}},
            )
        ),
        *(
            ("counting_limits", value, "policy.not_limits")
            for value in (
                None,
                LIMIT,
                [LIMIT] * 11,
                [{**LIMIT, "count": -1}],
                [{**LIMIT, "count": 0}],
                [{**LIMIT, "count": 101}],
                [{**LIMIT, "count": "NaN"}],
                [{**LIMIT, "count": True}],
                [{**LIMIT, "scope": "enterprise"}],
                [{**LIMIT, "window": "month"}],
                [{**LIMIT, "window": ["ever"]}],
                [{**LIMIT, "from": "2022-02-30"}],
                [{**LIMIT, "from": 20220101}],
                [{**LIMIT, "to": "2021-12-31"}],
                [{**LIMIT, "to": None}],
                [{**LIMIT, "until": "2030-01-01"}],
                [{name: value for name, value in LIMIT.items() if name != "from"}],
                [[LIMIT]],
            )
        ),
    ],
)
def test_values_that_are_refused(key: str, value: Any, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_value(key, value)
    assert refused.value.code == code
    assert refused.value.field == ("key" if code == "policy.unknown" else "value")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("claim_window_months", 120),
        ("once_in", "year"),
        ("place_links", ["residence"]),
        ("counting_limits", []),
        ("counting_limits", [LIMIT, {**LIMIT, "window": "ever", "to": "2022-01-01"}]),
    ],
)
def test_values_that_are_taken(key: str, value: Any) -> None:
    check_value(key, value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(LIMIT)), inner, max_size=5),
    max_leaves=6,
)


@given(st.sampled_from(sorted(FORMS)), _JSON)
def test_whatever_a_value_is_it_is_taken_or_refused(key: str, value: Any) -> None:
    with suppress(Invalid):
        check_value(key, value)


def test_a_limit_holds_from_its_first_to_its_last_day() -> None:
    limit = Limit.read({**LIMIT, "to": "2025-12-31"})
    assert [limit.holds_on(date(*day)) for day in ((2021, 12, 31), (2022, 1, 1), (2025, 12, 31), (2026, 1, 1))] == [
        False, True, True, False,
    ]  # fmt: skip
    assert [limit.counts(date(year, 12, 31), date(2025, 1, 1)) for year in (2024, 2025)] == [False, True]
    assert Limit.read({**LIMIT, "window": "ever"}).counts(date(2000, 1, 1), date(2025, 1, 1))


def test_whoever_proposed_does_not_confirm() -> None:
    one, other = uuid4(), uuid4()
    must_be_another(one, other)
    with pytest.raises(Forbidden, match=r"policy\.same_person"):
        must_be_another(one, one)


# ---- groups and their proofs


def test_six_groups_of_persons_and_employees() -> None:
    assert list(GROUPS) == [
        "poverty_monitored", "graduate", "school_leaver", "rural_migrant",
        "registered_unemployed", "hard_to_employ", "enterprise_employee",
    ]  # fmt: skip
    row = {"code": "a", "name": "甲", "name_en": "a", "proofs": [{"kind": "k", "name": "证", "name_en": "k"}]}
    for bad in ([row, row], [{**row, "proofs": []}]):
        with pytest.raises(ValueError, match="a group stands there once"):
            groups_of(bad)


def test_a_membership_is_read_and_hides_its_number() -> None:
    read = Membership.parse("hard_to_employ", "hardship_finding", " 济就困〔2026〕１２３号 ", "2026-01-01", GROUPS)
    assert (read.proof_number, read.valid_from) == ("济就困〔2026〕123号", date(2026, 1, 1))
    assert "济就困" not in repr(read)


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        (("veterans", "diploma", "1", "2026-01-01"), "group.unknown", "group.code"),
        (("", "diploma", "1", "2026-01-01"), "group.unknown", "group.code"),
        (("graduate", "labour_contract", "1", "2026-01-01"), "group.proof_unknown", "group.proof_kind"),
        (("graduate", "diploma", " ", "2026-01-01"), "proof.empty", "group.proof_number"),
        (("graduate", "diploma", 1, "2026-01-01"), "proof.not_text", "group.proof_number"),
        (("graduate", "diploma", "1" * 65, "2026-01-01"), "proof.too_long", "group.proof_number"),
        (("graduate", "diploma", "1\u200b2", "2026-01-01"), "proof.characters", "group.proof_number"),
        (("graduate", "diploma", "1\n2", "2026-01-01"), "proof.characters", "group.proof_number"),
        (("graduate", "diploma", "1", "2026-1-1"), "date.format", "group.valid_from"),
    ],
)
def test_memberships_that_are_none(given: tuple[Any, ...], code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Membership.parse(*given, GROUPS)
    assert (refused.value.code, refused.value.field) == (code, field)


# ---- invoices


def test_an_invoice_is_read() -> None:
    read = Invoice.parse(" 2637200000012345678９ ", 98_050, "王 秀梅")
    assert (read.number, read.fee_fen, read.payer.text) == ("26372000000123456789", 98_050, "王秀梅")
    assert "王" not in repr(read)


@pytest.mark.parametrize(
    ("number", "fee_fen", "payer", "code", "field"),
    [
        (12345678, 100, "王秀梅", "invoice.not_text", "invoice.number"),
        ("", 100, "王秀梅", "invoice.empty", "invoice.number"),
        ("1234567", 100, "王秀梅", "invoice.length", "invoice.number"),
        ("1" * 33, 100, "王秀梅", "invoice.length", "invoice.number"),
        ("1234-5678", 100, "王秀梅", "invoice.characters", "invoice.number"),
        ("发票12345678", 100, "王秀梅", "invoice.characters", "invoice.number"),
        *(("12345678", fen, "王秀梅", "invoice.amount", "invoice.amount_fen") for fen in (-1, 0, 99, 100_000_001)),
        ("12345678", 100, "", "name.empty", "invoice.payer"),
    ],
)
def test_invoices_that_are_none(number: Any, fee_fen: int, payer: str, code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Invoice.parse(number, fee_fen, payer)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_remedies_and_their_last_days() -> None:
    assert [(each.kind, each.last) for each in remedies(date(2026, 8, 31), 60, 60, 6)] == [
        (RemedyKind.REVIEW, date(2026, 10, 30)),
        (RemedyKind.RECONSIDERATION, date(2026, 10, 30)),
        (RemedyKind.LAWSUIT, date(2027, 2, 28)),
    ]
    assert remedies(date(2026, 8, 31), None, 60, 6)[0].last is None


def test_parameters_that_came_later_keep_nobody_out_until_a_city_sets_them() -> None:
    day = date(2026, 8, 31)
    policy = {"claim_window_months": 12, "once_in": "ever", "counting_limits": [], "place_links": []}
    policy |= {"lower_level_after_higher": "refused", "age_from_years": 16, "subsidy_capped_by_fee": False}
    with pytest.raises(Conflict, match=r"policy\.missing"):
        Parameters.of(policy, day)
    read = Parameters.of({**policy, "place_link_required": False}, day)
    assert (read.institution_claim_needs_class, read.attendance_share_least) == (False, 0)
    assert read.excluding_registers == ()
    assert (read.graduating_students, read.sister_scheme_paid) == ("granted", "granted")


TERMS = {
    "bank": "某行",
    "format": "neutral",
    "way": "files",
    "lines_max": 100,
    "cut_off": "16:30",
    "duplicate_minutes": 60,
}


def test_terms_of_a_bank_are_read_as_they_are_written():
    terms = terms_of({"default": TERMS, "funds": {"other": {**TERMS, "format": "iso20022"}}}, "employment_subsidy")
    assert terms_of(None, "other") is UNSAID
    assert BankTerms.read(UNSAID.written()) == UNSAID
    written = {**TERMS, "opens": "00:00", "every_day": False}  # said before these could be
    assert (terms.written(), terms.format, terms.closes_at) == (written, BankFormat.NEUTRAL, time(16, 30))
    assert terms_of({"default": TERMS, "funds": {"other": {**TERMS, "format": "iso20022"}}}, "other").format == (
        BankFormat.ISO20022
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"bank": ""},
        {"bank": "行" * 41},
        {"bank": None},
        {"format": "xml"},
        {"way": "fax"},
        {"way": ["http"]},
        {"lines_max": 0},
        {"format": "agent_gbk", "lines_max": 10_000},
        {"lines_max": True},
        {"cut_off": "24:00"},
        {"cut_off": "9:00"},
        {"cut_off": 900},
        {"duplicate_minutes": -1},
        {"opens": "17:00"},
        {"opens": 8},
        {"every_day": 1},
        {"duplicate_minutes": 10**6},
        {"more": 1},
    ],
)
def test_terms_that_are_none_are_refused(wrong: dict[str, object]):
    for value in (
        {"default": {**TERMS, **wrong}, "funds": {}},
        {"default": TERMS, "funds": {"a": {**TERMS, **wrong}}},
    ):
        with pytest.raises(Invalid, match=r"policy\.not_agent_bank"):
            check_value("agent_bank", value)
    check_value("agent_bank", {"default": TERMS, "funds": {"a": TERMS}})


def test_a_file_may_be_resent_until_a_little_before_the_window_ends() -> None:
    sent_at = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
    promised = replace(UNSAID, duplicate_minutes=60)
    assert resend_until(UNSAID, sent_at) is None
    assert resend_until(promised, sent_at) == sent_at + timedelta(minutes=57)
    assert resend_until(replace(promised, way=BankWay.FILES), sent_at) is None
