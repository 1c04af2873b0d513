"""What becomes of a class, from its filing to its end."""

from enum import StrEnum

from domain.lifecycle import Lifecycle


class ClassStatus(StrEnum):
    """RUNNING from its first day, FINISHED after its last; CLOSED: what was set aside for it is free again."""

    FILED = "filed"
    SENT_BACK = "sent_back"
    APPROVED = "approved"
    RUNNING = "running"
    FINISHED = "finished"
    CLOSED = "closed"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


class ClassAction(StrEnum):
    """CHANGE leaves the class where it is: it moves what has not begun yet. REPLAN brings people or a site that
    nobody approved, so that the district decides again."""

    APPROVE = "approve"
    SEND_BACK = "send_back"
    DENY = "deny"
    REFILE = "refile"
    CHANGE = "change"
    REPLAN = "replan"
    WITHDRAW = "withdraw"
    START = "start"
    FINISH = "finish"
    CLOSE = "close"


_S, _A = ClassStatus, ClassAction

CLASS_LIFECYCLE = Lifecycle(
    "class",
    _S.FILED,
    {
        (_S.FILED, _A.APPROVE): _S.APPROVED,
        (_S.FILED, _A.SEND_BACK): _S.SENT_BACK,
        (_S.FILED, _A.DENY): _S.DENIED,
        (_S.FILED, _A.CHANGE): _S.FILED,
        (_S.FILED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.SENT_BACK, _A.REFILE): _S.FILED,
        (_S.SENT_BACK, _A.DENY): _S.DENIED,
        (_S.SENT_BACK, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.APPROVED, _A.CHANGE): _S.APPROVED,
        (_S.APPROVED, _A.REPLAN): _S.FILED,
        (_S.APPROVED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.APPROVED, _A.START): _S.RUNNING,
        (_S.RUNNING, _A.CHANGE): _S.RUNNING,
        (_S.RUNNING, _A.FINISH): _S.FINISHED,
        (_S.FINISHED, _A.CLOSE): _S.CLOSED,
    },
)

#: A class that was approved, and was not given up before it began.
HELD = frozenset({_S.APPROVED, _S.RUNNING, _S.FINISHED, _S.CLOSED})

#: A class that was never held: it takes nobody's time and no room.
DEAD = frozenset({_S.DENIED, _S.WITHDRAWN})
