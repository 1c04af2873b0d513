"""Risk signals: one question each over stored facts, which answers cases by institution with whom they are about."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Date, bindparam, column, text
from sqlalchemy.dialects.postgresql import JSONB

from domain.period import add_months
from domain.signal import MEASURES, Case, Finding, Signal, finding_of, policy_key
from domain.training import DEAD
from service.database import Tx
from service.oversight.queries.signals import certificates, classes, people
from service.policies.queries import parameters, required

QUESTIONS: Mapping[Signal, str] = {**certificates.QUESTIONS, **people.QUESTIONS, **classes.QUESTIONS}
_WINDOW = "signal_window_months"


_KEYS = (_WINDOW, *map(policy_key, Signal))


async def thresholds_on(tx: Tx, day: date) -> Mapping[str, Any]:
    """Every parameter of the signals on a day, by its key. Conflict `policy.missing`."""
    return dict(zip(_KEYS, await required(tx, day, *_KEYS), strict=True))


async def are_set(tx: Tx, day: date) -> bool:
    """Whether the city has set what the signals ask by."""
    return set(_KEYS) <= (await parameters(tx, day)).keys()


async def findings_of(tx: Tx, signal: Signal, today: date, parameters: Mapping[str, Any]) -> Mapping[UUID, Finding]:
    """Institution → what the signal says of it, over the months before today that are looked at."""
    thresholds = parameters[policy_key(signal)]
    given = {name: thresholds[name] for name in MEASURES[signal].thresholds}
    since = add_months(today, -parameters[_WINDOW])
    asked = text(QUESTIONS[signal]).columns(column("institution_id"), column("figures", JSONB), column("rows", JSONB))
    named = {"since": since, "until": today, "dead": [str(each) for each in DEAD], **given}
    wanted = {name: value for name, value in named.items() if f":{name}" in QUESTIONS[signal]}
    dated = [bindparam(name, type_=Date) for name in wanted if isinstance(wanted[name], date)]
    cases: defaultdict[UUID, list[Case]] = defaultdict(list)
    for institution_id, figures, rows in await tx.execute(asked.bindparams(*dated), wanted):
        cases[institution_id].append(Case(figures, rows))
    return _speaking(signal, cases, thresholds)


def _speaking(
    signal: Signal, cases: Mapping[UUID, Sequence[Case]], thresholds: Mapping[str, int]
) -> Mapping[UUID, Finding]:
    found = {institution_id: finding_of(signal, each, thresholds) for institution_id, each in cases.items()}
    return {institution_id: finding for institution_id, finding in found.items() if finding}
