"""免申即享: a certificate that nobody claimed for is offered to its holder, checked and priced; they alone file."""

from datetime import date, timedelta
from enum import StrEnum

from domain.lifecycle import Lifecycle
from domain.period import add_months


class OfferStatus(StrEnum):
    OFFERED = "offered"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    EXPIRED = "expired"


class OfferAction(StrEnum):
    CONFIRM = "confirm"
    DECLINE = "decline"
    EXPIRE = "expire"


class Ended(StrEnum):
    """Why an offer expired: its days are over, another claim names the certificate, the result was corrected."""

    OVER = "over"
    CLAIMED = "claimed"
    CORRECTED = "corrected"


_S, _A = OfferStatus, OfferAction

OFFER_LIFECYCLE = Lifecycle(
    "offer",
    _S.OFFERED,
    {
        (_S.OFFERED, _A.CONFIRM): _S.CONFIRMED,
        (_S.OFFERED, _A.DECLINE): _S.DECLINED,
        (_S.OFFERED, _A.EXPIRE): _S.EXPIRED,
    },
)


def last_day(made_on: date, offer_days: int, issued_on: date, claim_window_months: int) -> date:
    """Until when an offer can be confirmed: its own days, but never longer than one may claim at all."""
    return min(made_on + timedelta(days=offer_days), add_months(issued_on, claim_window_months))
