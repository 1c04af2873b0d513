"""How many working days each step of a claim's way took, told of those that were paid.

Looked at are the claims that were paid from the batches of a month: each is looked up in half a dozen tables, so of
many lines only every n-th of each batch is, found by its place in the payment reference, the same ones each time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import text

from domain.actor import Actor
from domain.duration import Spread, spread_of
from domain.fund_month import month_after
from service.clock import midnight
from service.database import Tx
from service.policies.queries import parameters, work_calendar

#: About as many lines are looked at: enough for the middle and the slow tenth (docs/decisions/0054).
LOOKED_AT = 2_000
DEFINITION = (
    "看的是一个月里编批并且已到账的申领。审核从提交到审核通过，公示从审核通过到公示期满，发放从公示期满到到账；补正是等申领人改的日子，"
    "算在审核里。一个月超过 2,000 笔时，每批隔几笔看一笔。"
)


class PaidStep(StrEnum):
    """`correction` lies within `review`, and `whole` is all of it."""

    REVIEW = "review"
    CORRECTION = "correction"
    NOTICE = "notice"
    PAYMENT = "payment"
    WHOLE = "whole"


#: The steps for which a city has set how many working days they may take.
_LIMITS = {PaidStep.REVIEW: "review_working_days", PaidStep.PAYMENT: "payment_working_days"}


class Along(StrEnum):
    """What the days are told apart by."""

    DISTRICT = "district"
    LIST = "list"
    LEVEL = "level"
    CHANNEL = "channel"


@dataclass(frozen=True)
class Steps:
    """Of the month's lines every `every`-th was looked at. `whole` by step, `rows` by key and step; `limits`: how
    many working days a step may take, where that is set."""

    every: int
    whole: Mapping[PaidStep, Spread]
    rows: Mapping[str, Mapping[PaidStep, Spread]]
    limits: Mapping[PaidStep, int]


_LINES = text("""
    SELECT coalesce(sum(line_count), 0) FROM batches
     WHERE opened_at >= :begins AND opened_at < :ends AND status IN ('sent', 'settled')
       AND (CAST(:district AS text) IS NULL OR district = :district)
""")

# `LIMIT 1` keeps each a look-up: how many lines a batch has is guessed badly, and whole tables would be read.
_DAYS = text("""
    WITH looked_at AS MATERIALIZED (
        SELECT paid.claim_id
          FROM batches b
         CROSS JOIN LATERAL generate_series(1, b.line_count, CAST(:every AS integer)) AS line (place)
         CROSS JOIN LATERAL (
               SELECT a.claim_id FROM payment_attempts a
                WHERE a.reference = replace(b.number, '-', '') || lpad(CAST(line.place AS text), 6, '0')
                  AND a.status = 'done' LIMIT 1) AS paid
         WHERE b.opened_at >= :begins AND b.opened_at < :ends AND b.status IN ('sent', 'settled')
           AND (CAST(:district AS text) IS NULL OR b.district = :district)
    ), known AS (
        SELECT CASE CAST(:along AS text) WHEN 'district' THEN c.district WHEN 'list' THEN c.list_kind
               WHEN 'level' THEN c.level ELSE c.channel END AS key,
               c.filed_on, approved.on_day AS approved_on, shown.closes_on, paid.on_day AS paid_on,
               corrected.asked_on, corrected.corrected_on
          FROM looked_at
         CROSS JOIN LATERAL (
               SELECT claims.* FROM claims WHERE claims.id = looked_at.claim_id AND claims.kind <> 'supplement'
                LIMIT 1) AS c
          LEFT JOIN LATERAL (
               SELECT CAST(coalesce(a.found_at, a.approved_at) AT TIME ZONE 'Asia/Shanghai' AS date) AS on_day
                 FROM claim_approvals a WHERE a.claim_id = c.id ORDER BY a.id DESC LIMIT 1) AS approved ON true
          CROSS JOIN LATERAL (
               SELECT max(n.closes_on) AS closes_on
                 FROM notice_lines l JOIN public_notices n ON n.id = l.notice_id WHERE l.claim_id = c.id) AS shown
          LEFT JOIN LATERAL (
               SELECT CAST(m.at AT TIME ZONE 'Asia/Shanghai' AS date) AS on_day
                 FROM fund_movements m WHERE m.claim_id = c.id AND m.kind = 'pay' ORDER BY m.id DESC LIMIT 1) AS paid
               ON true
          LEFT JOIN LATERAL (
               SELECT CAST(r.asked_at AT TIME ZONE 'Asia/Shanghai' AS date) AS asked_on,
                      CAST(r.corrected_at AT TIME ZONE 'Asia/Shanghai' AS date) AS corrected_on
                 FROM claim_corrections r WHERE r.claim_id = c.id AND r.corrected_at IS NOT NULL
                ORDER BY r.asked_at DESC LIMIT 1) AS corrected ON true
    )
    SELECT known.key, each.step, each.since, each.until, count(*) AS number
      FROM known
     CROSS JOIN LATERAL (
           VALUES ('review', filed_on, approved_on), ('correction', asked_on, corrected_on),
                  ('notice', approved_on, closes_on), ('payment', closes_on, paid_on),
                  ('whole', filed_on, paid_on)) AS each (step, since, until)
     WHERE each.since IS NOT NULL AND each.until IS NOT NULL
     GROUP BY known.key, each.step, each.since, each.until
""")


async def steps(tx: Tx, me: Actor, month: date, along: Along) -> Steps:
    """As `steps_in`, of my district."""
    return await steps_in(tx, me.district, month, along)


async def steps_in(tx: Tx, district: str | None, month: date, along: Along) -> Steps:
    """Of the claims paid from the batches opened in the month that begins on `month`: a district's, or all."""
    every, days = await days_in(tx, district, month, along)
    policy = await parameters(tx, month)
    limits = {step: int(policy[key]) for step, key in _LIMITS.items() if key in policy}
    keys = sorted({key for key, _ in days})
    return Steps(
        every,
        _spreads(of_all(days), limits),
        {key: _spreads({step: days[key, step] for step in PaidStep}, limits) for key in keys},
        limits,
    )


#: Key and step → working days → claims.
Days = Mapping[tuple[str, PaidStep], Counter[int]]


async def days_in(tx: Tx, district: str | None, month: date, along: Along) -> tuple[int, Days]:
    """Of the same claims, of every how many-th line, by key and step."""
    begins, ends = (midnight(day) for day in (month, month_after(month)))
    asked = {"begins": begins, "ends": ends, "district": district}
    lines = int((await tx.execute(_LINES, asked)).scalar_one())
    every = max(1, -(-lines // LOOKED_AT))
    rows = await tx.execute(_DAYS, {**asked, "every": every, "along": str(along)})
    calendar, days = work_calendar(), defaultdict[tuple[str, PaidStep], Counter[int]](Counter)
    for key, step, since, until, number in rows:
        days[key, PaidStep(step)][calendar.passed(since, until)] += number
    return every, days


def of_all(days: Days) -> dict[PaidStep, Counter[int]]:
    """By step alone."""
    return {step: _sum(each for (_, at), each in days.items() if at is step) for step in PaidStep}


def _sum(counts: Iterable[Counter[int]]) -> Counter[int]:
    return sum(counts, Counter())


def _spreads(days: Mapping[PaidStep, Counter[int]], limits: Mapping[PaidStep, int]) -> dict[PaidStep, Spread]:
    found = {step: spread_of(each, limits.get(step)) for step, each in days.items()}
    return {step: spread for step, spread in found.items() if spread is not None}
