"""Will it last: every position of this year beside what it is asked for."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from domain.actor import Actor
from domain.forecast import Asked, forecast
from domain.money import format_yuan
from service.accounting.schemas import ForecastList, ForecastView
from service.database import Tx
from service.funds.queries import fund_names, fund_policy

# Claims that hold nothing yet, by the fund that will pay for their group. What is set aside for a class is for its
# claims only, and covers no more than they ask. FULL JOIN: a district that was given nothing is asked all the same.
_ASKED = text("""
    WITH owed AS (
      SELECT c.district, coalesce(g.fund, :fallback) AS fund, c.class_id, count(*) AS claims, sum(c.amount_fen) AS fen
        FROM claims c
        LEFT JOIN unnest(CAST(:groups AS text[]), CAST(:funds AS text[])) AS g (code, fund) ON g.code = c.group_code
       WHERE c.status IN ('filed', 'verified', 'in_review')
         AND (CAST(:district AS text) IS NULL OR c.district = :district)
       GROUP BY 1, 2, 3
    ), pipeline AS (
      SELECT o.district, o.fund, sum(o.claims) AS claims, sum(o.fen) AS fen,
             sum(least(o.fen, (SELECT coalesce(sum(k.left_fen), 0)
                                 FROM fund_class_pots k JOIN fund_positions p ON p.id = k.position_id
                                WHERE k.class_id = o.class_id AND (p.district, p.fund) = (o.district, o.fund))))
               AS covered
        FROM owed o GROUP BY 1, 2
    ), there AS (
      SELECT p.district, p.fund, p.free_fen,
             (SELECT coalesce(sum(CASE 'free' WHEN m.source THEN m.amount_fen WHEN m.target THEN -m.amount_fen ELSE 0
                                   END), 0)
                FROM fund_movements m
               WHERE m.position_id = p.id AND m.at >= :since AND m.claim_id IS NOT NULL) AS drawn
        FROM fund_positions p
       WHERE p.year = :year AND (CAST(:district AS text) IS NULL OR p.district = :district)
    )
    SELECT district, fund, coalesce(free_fen, 0) AS free_fen, coalesce(drawn, 0)::bigint AS drawn_fen,
           coalesce(claims, 0)::bigint AS claims, coalesce(fen, 0)::bigint AS owed_fen,
           coalesce(covered, 0)::bigint AS covered_fen
      FROM there FULL JOIN pipeline USING (district, fund)
     ORDER BY district, fund
""")


async def forecasts(tx: Tx, me: Actor, today: date, now: datetime, pace_days: int) -> ForecastList:
    """This year's positions of my district, of every district for whoever works for the city, at the pace of the
    last `pace_days`. Conflict `policy.missing`."""
    policy = await fund_policy(tx, today)
    asked = {
        "fallback": policy["default"],
        "groups": list(policy["groups"]),
        "funds": list(policy["groups"].values()),
        "district": me.district,
        "year": today.year,
        "since": now - timedelta(days=pace_days),
    }
    names = await fund_names(tx)
    rows = await tx.execute(_ASKED, asked)
    return ForecastList(today.year, pace_days, [_view(row, names[row.fund], today, pace_days) for row in rows])


def _view(row: Row[*tuple[Any, ...]], fund_name: str, today: date, pace_days: int) -> ForecastView:
    asked = Asked(row.drawn_fen, pace_days, row.owed_fen, row.covered_fen)
    found = forecast(row.free_fen, asked, today, today.year)
    return ForecastView(
        district=row.district,
        fund=row.fund,
        fund_name=fund_name,
        year=today.year,
        free_fen=row.free_fen,
        free=format_yuan(row.free_fen),
        drawn_fen=row.drawn_fen,
        drawn=format_yuan(row.drawn_fen),
        days_left=found.days_left,
        runs_out_on=found.runs_out_on,
        owed_claims=row.claims,
        owed_fen=row.owed_fen,
        owed=format_yuan(row.owed_fen),
        covered_fen=row.covered_fen,
        covered=format_yuan(row.covered_fen),
        shortfall_fen=found.shortfall_fen,
        shortfall=format_yuan(found.shortfall_fen),
    )
