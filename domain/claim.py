"""The life of a claim: its statuses, what may be done in each, and what keeps another claim out."""

from enum import StrEnum

from domain.lifecycle import Lifecycle


class Channel(StrEnum):
    """Who filed: the trainee, an institution on their behalf, or their enterprise (notice 三.8)."""

    INDIVIDUAL = "individual"
    INSTITUTION = "institution"
    ENTERPRISE = "enterprise"


class ClaimKind(StrEnum):
    """For what: a certificate that was gained, a place in a procured project (项目制), which has none, the cost of
    living while one was taught (生活费补贴), or what was paid too little on a claim of those (补发)."""

    TRAINING = "training"
    PROJECT = "project"
    ALLOWANCE = "allowance"
    SUPPLEMENT = "supplement"


class Via(StrEnum):
    """The way in (notice 三.8: 方便群众通过各种渠道进行申领). A claim keyed in at a counter is individual."""

    WEB = "web"
    COUNTER = "counter"
    PLATFORM = "platform"
    PUBLIC_ACCOUNT = "public_account"


class PlaceLink(StrEnum):
    """What ties a claimant to the city: 户籍, 参保, 居住. Declared; policy says which of them count."""

    HOUSEHOLD = "household"
    INSURANCE = "insurance"
    RESIDENCE = "residence"


class ClaimStatus(StrEnum):
    FILED = "filed"
    VERIFIED = "verified"
    IN_REVIEW = "in_review"
    SENT_BACK = "sent_back"
    APPROVED = "approved"
    NOTICED = "noticed"
    PAYABLE = "payable"
    BATCHED = "batched"
    PAID = "paid"
    BOUNCED = "bounced"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    RECOVERED = "recovered"


class ClaimAction(StrEnum):
    VERIFY = "verify"
    QUESTION = "question"
    SEND_BACK = "send_back"
    CORRECT = "correct"
    LAPSE = "lapse"
    APPROVE = "approve"
    REFUSE = "refuse"
    OVERTURN = "overturn"
    PUBLISH = "publish"
    OBJECT = "object"
    CLEAR = "clear"
    BATCH = "batch"
    UNBATCH = "unbatch"
    PAY = "pay"
    BOUNCE = "bounce"
    MEND = "mend"
    WITHDRAW = "withdraw"
    RECOVER = "recover"
    REINSTATE = "reinstate"
    GRANT = "grant"


_S, _A = ClaimStatus, ClaimAction

CLAIM_LIFECYCLE = Lifecycle(
    "claim",
    _S.FILED,
    {
        # the rules do not grant it, and the claimant insists on being refused in due form
        (_S.FILED, _A.REFUSE): _S.REFUSED,
        # the registry answers
        (_S.FILED, _A.VERIFY): _S.VERIFIED,
        (_S.FILED, _A.QUESTION): _S.IN_REVIEW,
        # an officer looks
        (_S.VERIFIED, _A.APPROVE): _S.APPROVED,
        (_S.VERIFIED, _A.REFUSE): _S.REFUSED,
        (_S.VERIFIED, _A.SEND_BACK): _S.SENT_BACK,
        (_S.VERIFIED, _A.QUESTION): _S.IN_REVIEW,
        (_S.IN_REVIEW, _A.APPROVE): _S.APPROVED,
        (_S.IN_REVIEW, _A.REFUSE): _S.REFUSED,
        (_S.IN_REVIEW, _A.SEND_BACK): _S.SENT_BACK,
        # a second officer does not agree with the first
        (_S.APPROVED, _A.OVERTURN): _S.IN_REVIEW,
        (_S.SENT_BACK, _A.CORRECT): _S.FILED,
        (_S.SENT_BACK, _A.LAPSE): _S.LAPSED,
        # the public looks
        (_S.APPROVED, _A.PUBLISH): _S.NOTICED,
        (_S.NOTICED, _A.OBJECT): _S.IN_REVIEW,
        (_S.NOTICED, _A.CLEAR): _S.PAYABLE,
        # the money
        (_S.PAYABLE, _A.QUESTION): _S.IN_REVIEW,
        # the certificate is revoked, or the registry knows it no more
        (_S.APPROVED, _A.QUESTION): _S.IN_REVIEW,
        (_S.NOTICED, _A.QUESTION): _S.IN_REVIEW,
        (_S.BOUNCED, _A.QUESTION): _S.IN_REVIEW,
        (_S.PAYABLE, _A.BATCH): _S.BATCHED,
        (_S.BATCHED, _A.UNBATCH): _S.PAYABLE,
        (_S.BATCHED, _A.PAY): _S.PAID,
        (_S.BATCHED, _A.BOUNCE): _S.BOUNCED,
        (_S.PAID, _A.BOUNCE): _S.BOUNCED,
        (_S.BOUNCED, _A.MEND): _S.PAYABLE,
        (_S.PAID, _A.RECOVER): _S.RECOVERED,
        # the claimant thinks again; a batched claim leaves its batch first
        (_S.FILED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.VERIFIED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.IN_REVIEW, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.SENT_BACK, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.APPROVED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.NOTICED, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.PAYABLE, _A.WITHDRAW): _S.WITHDRAWN,
        (_S.BOUNCED, _A.WITHDRAW): _S.WITHDRAWN,
        # an appeal that succeeds brings the same row back
        (_S.REFUSED, _A.REINSTATE): _S.IN_REVIEW,
        # a supplement: the decision that it is owed is its approval
        (_S.FILED, _A.GRANT): _S.PAYABLE,
    },
)

#: Where a supplement never stands: nobody verifies, reviews or publishes it.
NOT_OF_SUPPLEMENTS = frozenset(
    {_S.VERIFIED, _S.IN_REVIEW, _S.SENT_BACK, _S.APPROVED, _S.NOTICED, _S.REFUSED, _S.LAPSED}
)

#: A claim in one of these no longer keeps another for the same person, occupation and level out (promise 2).
DEAD = frozenset({_S.REFUSED, _S.WITHDRAWN, _S.LAPSED, _S.RECOVERED})
