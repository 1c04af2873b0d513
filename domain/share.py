"""The headline share: the one place that defines what is counted, how, and what it is called.

Counted are claims *filed* in the period, by their day of filing, whatever became of them later (paid, refused,
still open), except those withdrawn, which are taken out of the day they were filed on. A claim counts once: for
its channel, and under the list of the item it was filed under, so lists add up. A claim keyed in at a counter for
a person is individual. The share by amount uses the amount as filed. (Notice 三.8: the share of individual claims
must rise.)
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TypeVar

from domain.claim import Channel, ClaimStatus

#: Shown on every page that shows the share.
DEFINITION = (
    "个人申领占比 = 统计期内本人提交的申领 ÷ 同期提交的全部申领（本人、机构代领、企业）。"
    "按提交日统计，撤回的从其提交日剔除；窗口代为录入的算本人；每笔只计一次，计入其提交时所选的目录。"
    "金额占比按提交时的补贴金额计算。"
)

K = TypeVar("K", bound=Hashable)

_LIST_ORDER = ("shortage", "manufacturing", "general")


@dataclass(frozen=True)
class TallyKey:
    """Where one filed claim is counted. `level` is a code of `domain.level`."""

    filed_on: date
    district: str
    list_kind: str
    industry: str
    level: str
    channel: Channel


def is_counted(status: ClaimStatus) -> bool:
    """Whether a claim in this status counts as filed."""
    return status is not ClaimStatus.WITHDRAWN


def share_of(by_channel: Mapping[Channel, int]) -> Fraction | None:
    """What individuals filed, of all that was filed: give counts, or sums of fen. None when nothing was."""
    total = sum(by_channel.values())
    return Fraction(by_channel.get(Channel.INDIVIDUAL, 0), total) if total else None


def percent_of(share: Fraction | None) -> str:
    """43.7%, half up to one decimal; — when there is nothing to take a share of."""
    if share is None:
        return "—"
    tenths = int((share * 1000 + Fraction(1, 2)) // 1)
    return f"{tenths // 10}.{tenths % 10}%"


def points_of(change: Fraction | None) -> str:
    """+0.4, in percentage points with one decimal, half away from zero; 0.0 bears no sign; — for no change known."""
    if change is None:
        return "—"
    tenths = int((abs(change) * 1000 + Fraction(1, 2)) // 1)
    sign = "" if not tenths else "+" if change > 0 else "−"
    return f"{sign}{tenths // 10}.{tenths % 10}"


@dataclass(frozen=True)
class Filed:
    """Of `total` claims (or fen), how much was filed by individuals."""

    own: int = 0
    total: int = 0

    @property
    def share(self) -> Fraction | None:
        return Fraction(self.own, self.total) if self.total else None

    def __add__(self, other: "Filed") -> "Filed":
        return Filed(self.own + other.own, self.total + other.total)

    @classmethod
    def of(cls, by_channel: Mapping[str, int]) -> "Filed":
        """From figures by channel."""
        return cls(by_channel.get(Channel.INDIVIDUAL, 0), sum(by_channel.values()))


def why_it_moved(before: Mapping[K, Filed], now: Mapping[K, Filed]) -> dict[K, Fraction]:
    """What each part added to the change of the whole's share; exactly that change, when added up.

    A part counts for how far it stands above or below the former share of the whole, weighted by its size: so it
    adds by filing more by individuals, and by growing or shrinking as well. Empty where one of the two times has
    nothing to take a share of.
    """
    then, since = sum(before.values(), Filed()), sum(now.values(), Filed())
    if then.share is None or not since.total:
        return {}
    former = then.share

    def above(part: Filed, whole: int) -> Fraction:
        return (part.own - former * part.total) / whole

    keys = dict.fromkeys([*before, *now])
    return {
        key: above(now.get(key, Filed()), since.total) - above(before.get(key, Filed()), then.total) for key in keys
    }


def in_hundredths(parts: Mapping[K, Fraction]) -> dict[K, int]:
    """Parts of one as hundredths of a percentage point, rounded so that what is printed adds up as well, to the sum
    as it is rounded: all are rounded down, and whoever lost most by it is given back first."""
    scaled = {key: part * 10_000 for key, part in parts.items()}
    floors = {key: each.numerator // each.denominator for key, each in scaled.items()}
    left = (sum(scaled.values()) + Fraction(1, 2)) // 1 - sum(floors.values())
    lost_most = sorted(scaled, key=lambda key: floors[key] - scaled[key])
    return floors | {key: floors[key] + 1 for key in lost_most[:left]}


def list_filed_under(kinds: Iterable[str]) -> str:
    """The list a claim counts under when its occupation stands in several and the person does not choose:
    shortage, then manufacturing, then general. Other lists share no item with these. ValueError without any."""
    return min(kinds, key=lambda kind: (_LIST_ORDER.index(kind) if kind in _LIST_ORDER else len(_LIST_ORDER), kind))
