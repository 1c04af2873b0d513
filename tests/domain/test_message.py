"""Who is told of what: by case."""

import pytest

from domain.claim import Channel, ClaimAction
from domain.message import ACTIONS, TEMPLATES, template_of
from service.wording import wording

INDIVIDUAL, INSTITUTION = Channel.INDIVIDUAL, Channel.INSTITUTION


@pytest.mark.parametrize(
    ("action", "channel", "by_themself", "told"),
    [
        ("file", INDIVIDUAL, True, None),
        ("file", INDIVIDUAL, False, "file_at_counter"),
        ("file", INSTITUTION, False, "file"),
        ("file", Channel.ENTERPRISE, False, "file_to_another"),
        ("pay", Channel.ENTERPRISE, False, "pay_to_another"),
        ("bounce", Channel.ENTERPRISE, False, None),
        ("refuse", Channel.ENTERPRISE, False, "refuse"),
        ("withdraw", INDIVIDUAL, True, None),
        ("withdraw", INSTITUTION, False, "withdraw"),
        ("withdraw", INSTITUTION, True, None),
        ("send_back", INDIVIDUAL, False, "send_back"),
        ("refuse", INSTITUTION, False, "refuse"),
        ("pay", INDIVIDUAL, False, "pay"),
        ("bounce", INDIVIDUAL, False, "bounce"),
        ("verify", INDIVIDUAL, False, None),
        ("batch", INSTITUTION, False, None),
    ],
)
def test_who_is_told(action: str, channel: Channel, by_themself: bool, told: str | None) -> None:
    paid_to_another = channel is Channel.ENTERPRISE
    assert template_of(action, channel, by_themself=by_themself, paid_to_another=paid_to_another) == told


def test_every_template_has_words_and_every_action_is_one() -> None:
    assert {f"message.{each}" for each in TEMPLATES} <= wording().keys()
    assert set(ACTIONS) - {"file"} <= {str(each) for each in ClaimAction}
