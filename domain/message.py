"""What a person is told of their claim: once for each thing that happens to it, in words and never by number.

Whoever claims through an institution hears of it on the same day (代领协议: nobody is claimed for behind their back).
"""

from domain.claim import Channel, ClaimAction

#: What happened → what is said; every claim's holder hears it, whoever filed.
_TOLD = {
    str(action): str(action)
    for action in (
        ClaimAction.SEND_BACK,
        ClaimAction.APPROVE,
        ClaimAction.REFUSE,
        ClaimAction.LAPSE,
        ClaimAction.PAY,
        ClaimAction.BOUNCE,
        ClaimAction.RECOVER,
    )
}
_FILED, _WITHDRAWN = "file", str(ClaimAction.WITHDRAW)
#: An acceptor keyed the claim in.
_AT_COUNTER = "file_at_counter"
#: What is said otherwise where an enterprise or a contractor is paid in the person's place, and mends the claim.
_PAID_TO_ANOTHER = {
    _FILED: "file_to_another",
    str(ClaimAction.APPROVE): "approve_to_another",
    str(ClaimAction.PAY): "pay_to_another",
    str(ClaimAction.SEND_BACK): None,
    str(ClaimAction.BOUNCE): None,
}
#: A correction that is still missing when its day comes near.
REMINDER = "remind"
#: 免申即享: what one can have without asking; no claim yet.
OFFER = "offer"
#: 追回: what is to be paid back, and by which letter.
CLAWBACK = "clawback"

#: What is due in a district, to an officer on a working day.
DIGEST = "digest"
#: What went wrong with payments, to an operator on a working day.
ALARM = "alarm"
#: Nobody is told of their work in the night.
DIGEST_FROM_HOUR = 8

#: The journal's actions that may have to be told of.
ACTIONS = (_FILED, _WITHDRAWN, *_TOLD)
TEMPLATES = (
    *ACTIONS,
    _AT_COUNTER,
    *filter(None, _PAID_TO_ANOTHER.values()),
    REMINDER,
    OFFER,
    CLAWBACK,
    DIGEST,
    ALARM,
)


def template_of(action: str, channel: Channel, *, by_themself: bool, paid_to_another: bool = False) -> str | None:
    """The template by which the claim's holder is told; None where they did it themself, or need not hear."""
    if paid_to_another and action in _PAID_TO_ANOTHER:
        return _PAID_TO_ANOTHER[action]
    if action == _FILED and channel is Channel.INDIVIDUAL:
        return None if by_themself else _AT_COUNTER
    if action == _FILED:
        return _FILED
    if action == _WITHDRAWN:
        return None if by_themself else _WITHDRAWN
    return _TOLD.get(action)
