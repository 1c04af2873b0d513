"""Facts of a claim that is eligible, for tests to change one thing at a time."""

from dataclasses import replace
from datetime import date
from typing import Any

from domain.claim import Channel
from domain.eligibility import (
    AgeFacts,
    ContractFacts,
    Facts,
    InstitutionFacts,
    ItemFacts,
    MandateFacts,
    Parameters,
    StandardFacts,
)
from domain.institution import Standing
from domain.policy import Limit

TODAY, STARTED, ISSUED = date(2026, 11, 25), date(2026, 3, 2), date(2026, 5, 8)
WELDER = "6-18-02-04"
#: Printed: province 37, 2026, level 4.
CERTIFICATE = "S000037010023264000418"

#: `data/policies.toml` on that day.
PARAMETERS = Parameters(
    claim_window_months=12,
    once_in="ever",
    counting_limits=(
        Limit("person", "calendar_year", 3, date(2022, 1, 1), None),
        Limit("person", "ever", 3, date(2024, 1, 1), date(2025, 12, 31)),
    ),
    lower_level_after_higher="refused",
    age_from_years=16,
    subsidy_capped_by_fee=False,
    place_link_required=False,
    place_links=("household", "insurance", "residence"),
    institution_claim_needs_class=False,
    attendance_share_least=80,
    excluding_registers=("public_payroll", "students", "pensioners", "deceased"),
    graduating_students="granted",
    sister_scheme_paid="refused",
    enterprise_contract_months=12,
    enterprise_hired_months=12,
    living_allowance={
        "days_most": 30,
        "fen_a_day": {"poverty_monitored": 2000, "registered_unemployed": 2000, "hard_to_employ": 2000},
    },
)

_ELIGIBLE = Facts(
    today=TODAY,
    channel=Channel.INDIVIDUAL,
    training_started_on=STARTED,
    issued_on=ISSUED,
    level="4",
    certificate_number=CERTIFICATE,
    subsidy_key=WELDER,
    item=ItemFacts("item", "edition", WELDER, "shortage", "制造业"),
    standard=StandardFacts("standard", 120_000, sample=True),
    earlier=(),
    certificate_used=False,
    holder_is_payee=True,
    mandate=None,
    parameters=PARAMETERS,
    age=AgeFacts(months=400, retires_earliest_months=756, retires_latest_months=756),
)

MANDATE = MandateFacts(same_institution=True, first=date(2026, 1, 1), last=date(2026, 12, 31), fee_fen=0, listed=True)
#: The first with this enterprise, signed two weeks before training.
CONTRACT = ContractFacts(True, date(2026, 2, 16), date(2026, 2, 16), date(2029, 2, 15), employed_before=False)
#: An enterprise stands in no catalog of institutions.
NO_SCHOOL = InstitutionFacts(trained=Standing.NEVER, files=Standing.NEVER)
INSTITUTION = InstitutionFacts(trained=Standing.LISTED, files=Standing.LISTED)


def eligible(**changed: Any) -> Facts:
    """Eligible, but for what is given otherwise."""
    return replace(_ELIGIBLE, **changed)
