"""The headline share: the one place that defines what is counted, how, and what it is called.

Counted are claims *filed* in the period, by their day of filing, whatever became of them later (paid, refused,
still open), except those withdrawn, which are taken out of the day they were filed on. A claim counts once: for
its channel, and under the list of the item it was filed under, so lists add up. A claim keyed in at a counter for
a person is individual. The share by amount uses the amount as filed. (Notice 三.8: the share of individual claims
must rise.)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from domain.claim import Channel, ClaimStatus

#: Shown on every page that shows the share.
DEFINITION = (
    "个人申领占比 = 统计期内本人提交的申领 ÷ 同期提交的全部申领（本人、机构代领、企业）。"
    "按提交日统计，撤回的从其提交日剔除；窗口代为录入的算本人；每笔只计一次，计入其提交时所选的目录。"
    "金额占比按提交时的补贴金额计算。"
)

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


def list_filed_under(kinds: Iterable[str]) -> str:
    """The list a claim counts under when its occupation stands in several and the person does not choose:
    shortage, then manufacturing, then general. Other lists share no item with these. ValueError without any."""
    return min(kinds, key=lambda kind: (_LIST_ORDER.index(kind) if kind in _LIST_ORDER else len(_LIST_ORDER), kind))
