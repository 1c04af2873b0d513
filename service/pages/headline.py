"""The share of individual claims, and what was paid this year, as the first page says it."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from domain.claim import Channel
from domain.share import percent_of, share_of
from domain.suppression import FEW, SHOWN_MIN
from service.pages.charts import Chart, spark
from service.pages.language import said
from service.pages.names import figure, month_told
from service.statistics.schemas import IndividualShareView, PaidCount

_LINE_MONTHS_MIN = 2


@dataclass(frozen=True)
class Headline:
    """How many claims were filed up to `last`, how many by individuals, and the shares as people read them."""

    last: date
    filed: int
    by_individuals: int
    by_count: str
    by_amount: str
    definition: str
    sample: bool
    #: The share of each month in per cent, for a small line; None where fewer than two months have one that is shown.
    spark: Chart | None
    said: str

    @classmethod
    def of(cls, view: IndividualShareView) -> "Headline":
        """From the exact figures, since the view's share is rounded already."""
        count = {channel: view.total.count[channel] for channel in Channel}
        amount_fen = {channel: view.total.amount_fen[channel] for channel in Channel}
        return cls(
            last=view.last,
            filed=sum(count.values()),
            by_individuals=count[Channel.INDIVIDUAL],
            by_count=percent_of(share_of(count)),
            by_amount=percent_of(share_of(amount_fen)),
            definition=view.definition,
            sample=view.sample,
            **_line(view),
        )


def _line(view: IndividualShareView) -> dict[str, Any]:
    """The months as a line and as a sentence; a month over few claims is left out, as it is not shown."""
    shares = {row.key: row.share.count for row in view.rows if row.share.count is not None}
    if len(shares) < _LINE_MONTHS_MIN:
        return {"spark": None, "said": ""}
    first, last = min(shares), max(shares)
    months = [f"{first[:4]}-{month:02d}" for month in range(int(first[5:]), int(last[5:]) + 1)]
    ends = {
        "first": month_told(int(first[5:])),
        "at_first": percent_of(Fraction(str(shares[first]))),
        "last": month_told(int(last[5:])),
        "at_last": percent_of(Fraction(str(shares[last]))),
    }
    values = [None if (share := shares.get(month)) is None else share * 100 for month in months]
    told = said("今年各月个人申领占比，从 %(first)s %(at_first)s 到 %(last)s %(at_last)s", **ends)
    return {"spark": spark(values), "said": told}


@dataclass(frozen=True)
class Paid:
    """What was paid this year as anybody may read it; None: too few are behind a figure, or nothing is."""

    counted_on: date
    persons: str
    paid_fen: int | None
    half_days: int | None
    month: int | None

    @classmethod
    def of(cls, count: PaidCount | None) -> "Paid | None":
        """None before anything was counted."""
        if count is None:
            return None
        enough = count.persons >= SHOWN_MIN or not count.persons
        looked_at = (count.month_claims or 0) >= SHOWN_MIN
        return cls(
            count.counted_on,
            f"{count.persons:,}" if enough else figure(FEW),
            count.paid_fen if enough else None,
            count.half_days if looked_at else None,
            count.month.month if looked_at and count.month else None,
        )
