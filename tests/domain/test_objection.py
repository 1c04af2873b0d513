"""Who may object to what: money that was paid to an institution's filing, under a mandate that does not stand."""

import pytest

from domain.claim import Channel, ClaimStatus
from domain.errors import Conflict
from domain.objection import Ground, check_may_object


@pytest.mark.parametrize("ground", Ground)
@pytest.mark.parametrize("status", ClaimStatus)
@pytest.mark.parametrize("channel", Channel)
def test_only_a_paid_claim_of_an_institution_is_objected_to(
    channel: Channel, status: ClaimStatus, ground: Ground
) -> None:
    if channel == Channel.INSTITUTION and status == ClaimStatus.PAID:
        check_may_object(channel, status, ground, revoked=True)
        return
    with pytest.raises(Conflict) as refused:
        check_may_object(channel, status, ground, revoked=True)
    own = channel != Channel.INSTITUTION
    assert refused.value.code == ("objection.own_filing" if own else "objection.not_paid")


def test_who_names_a_revocation_has_revoked() -> None:
    check_may_object(Channel.INSTITUTION, ClaimStatus.PAID, Ground.NEVER_GIVEN, revoked=False)
    with pytest.raises(Conflict, match=r"objection\.mandate_stands"):
        check_may_object(Channel.INSTITUTION, ClaimStatus.PAID, Ground.REVOKED, revoked=False)
