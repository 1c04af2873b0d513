"""The share of individual claims as the first page says it."""

from dataclasses import dataclass
from datetime import date

from domain.claim import Channel
from domain.share import percent_of, share_of
from service.statistics.schemas import IndividualShareView


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
        )
