"""巡查 (notice 二.4): sessions drawn at random by the weight of their institution, seen on site or live online.

A draw can be made again by anybody who has its seed and its candidates with their weights.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain.errors import Conflict, Invalid
from domain.training.inspection import OFFICERS_LEAST


class PatrolKind(StrEnum):
    ON_SITE = "on_site"
    LIVE_ONLINE = "live_online"


class PatrolResult(StrEnum):
    PASSED = "passed"
    FAILED = "failed"


#: Whoever goes there is never alone; to look at what is sent live takes one.
OFFICERS_OF = {PatrolKind.ON_SITE: OFFICERS_LEAST, PatrolKind.LIVE_ONLINE: 1}
#: An institution's weight: 1 where nothing is known against it.
WEIGHT_LEAST, WEIGHT_MOST = 1, 100
#: How far ahead a draw may look: what is drawn earlier gets about.
DAYS_AHEAD_MAX = 7


def draw(seed: bytes, weights: Sequence[int], count: int) -> list[int]:
    """The places of `count` different candidates, or of all, in the order in which they are drawn.

    Each round hits a point on a line along which every candidate that is left takes as much as its weight; the point
    is the SHA-256 of the seed and the round (from 0, in four bytes), modulo the length of that line.
    """
    left, chosen = list(range(len(weights))), []
    for turn in range(min(count, len(weights))):
        digest = hashlib.sha256(seed + turn.to_bytes(4, "big")).digest()
        point = int.from_bytes(digest, "big") % sum(weights[place] for place in left)
        for place in left:
            if point < weights[place]:
                break
            point -= weights[place]
        left.remove(place)
        chosen.append(place)
    return chosen


def must_be_ahead(day: date, today: date) -> None:
    """Invalid `patrol.day` (most): patrols are drawn for today or for one of the next days."""
    if not today <= day <= today + timedelta(days=DAYS_AHEAD_MAX):
        raise Invalid("patrol.day", "day", most=DAYS_AHEAD_MAX)


def must_have_begun(begins: datetime, now: datetime) -> None:
    """Conflict `patrol.not_yet`: nobody knows how a session is before it begins."""
    if now < begins:
        raise Conflict("patrol.not_yet")


def must_be_enough(kind: PatrolKind, officers: int) -> None:
    """Conflict `patrol.alone` (officers, least)."""
    if officers < OFFICERS_OF[kind]:
        raise Conflict("patrol.alone", officers=officers, least=OFFICERS_OF[kind])
