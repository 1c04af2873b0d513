"""What keeps a claim out that an appeal would bring back, and until when one may appeal."""

from dataclasses import replace
from datetime import date

import pytest

from domain.appeal import check_in_time, in_the_way
from domain.eligibility import StandingClaim, decide
from domain.errors import Conflict
from tests.facts import eligible

DAY = date(2026, 8, 31)


def test_only_other_claims_stand_in_the_way() -> None:
    fine = eligible()
    assert in_the_way(decide(fine)) == []
    refused_for_itself = replace(fine, holder_is_payee=False)
    assert not decide(refused_for_itself).eligible
    assert in_the_way(decide(refused_for_itself)) == []
    assert in_the_way(decide(replace(fine, certificate_used=True))) == ["certificate_not_used"]
    higher = StandingClaim(fine.subsidy_key, "1", "paid", fine.today)
    assert in_the_way(decide(replace(fine, level="4", standing=(higher,)))) == ["no_higher_level_before"]


def test_the_last_day_is_a_day() -> None:
    check_in_time(DAY, DAY)
    with pytest.raises(Conflict, match=r"appeal\.too_late"):
        check_in_time(DAY, date(2026, 9, 1))
