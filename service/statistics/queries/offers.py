"""What became of offers (免申即享): how many were made, and how many became claims."""

from collections import Counter

from sqlalchemy import text

from domain.offer import OfferStatus
from domain.period import Period
from service.database import Tx
from service.statistics.schemas import OffersFigures, OffersMonthView, OffersStatisticsView

_FIGURES = text("""
    SELECT to_char(day.made_on, 'YYYY-MM') AS month, day.status, sum(day.number) AS number
      FROM (SELECT made_on, status, count(*) AS number FROM claim_offers
             WHERE made_on BETWEEN :first AND :last GROUP BY made_on, status) AS day
     GROUP BY month, day.status ORDER BY month
""")


async def offers(tx: Tx, span: Period) -> OffersStatisticsView:
    """By the month in which they were made, as they stand now."""
    assert span.last is not None
    months: dict[str, Counter[str]] = {}
    for month, status, number in await tx.execute(_FIGURES, {"first": span.first, "last": span.last}):
        months.setdefault(month, Counter())[status] = int(number)
    total = sum(months.values(), Counter())
    rows = [OffersMonthView(month, _figures(count)) for month, count in months.items()]
    return OffersStatisticsView(span.first, span.last, rows, _figures(total))


def _figures(count: Counter[str]) -> OffersFigures:
    made, by = count.total(), {status: count[status] for status in OfferStatus}
    share = round(by[OfferStatus.CONFIRMED] / made, 4) if made else None
    return OffersFigures(
        made,
        by[OfferStatus.OFFERED],
        by[OfferStatus.CONFIRMED],
        by[OfferStatus.DECLINED],
        by[OfferStatus.EXPIRED],
        share,
    )
