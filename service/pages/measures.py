"""One measure of the board with the table behind it, told apart by district, month, list or level, and as a file."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from litestar.exceptions import NotFoundException

from domain.actor import Actor
from domain.claim import Channel
from domain.duration import Spread
from domain.fund_month import parse_month
from domain.level import LEVELS
from domain.period import Period
from domain.share import DEFINITION, Filed, percent_of
from service.access.queries import claimable_districts
from service.clock import SHANGHAI
from service.database import Tx
from service.gateways.account_books import Amount
from service.pages import charts
from service.pages.board import MANY, step_lines
from service.pages.board_months import Looked, last_of
from service.pages.figure_tables import Line, Share, Table
from service.pages.language import later
from service.pages.once_a_day import once_a_day
from service.statistics.queries import offers as became_of
from service.statistics.queries import returns as sent_back
from service.statistics.queries import steps as taken
from service.statistics.queries.drilled import Cells, Within, drilled, months_filed
from service.statistics.queries.share import LIST_NAMES, By, individual_share
from service.statistics.schemas import ShareRowView
from service.training.queries.coverage import coverage
from service.wording import words


@dataclass(frozen=True)
class Measure:
    """What it is called, how it is defined, and what its table can be told apart by."""

    name: str
    definition: str
    along: Mapping[str, str]


_ALONG = {"district": "区县", "month": "月份", "list": "目录", "level": "等级"}
MEASURES: Mapping[str, Measure] = {
    "share": Measure("个人申领占比", DEFINITION, {**_ALONG, "industry": "行业"}),
    "steps": Measure(
        "每一步用几个工作日",
        taken.DEFINITION,
        {"district": "区县", "list": "目录", "level": "等级", "channel": "提交人"},
    ),
    "returns": Measure(
        "银行退回",
        "退回或没发成的笔数÷已送银行的笔数，按编批的日子。改了收款卡再发的，算新的一笔。",
        {"district": "区县", "month": "月份", "list": "目录"},
    ),
    "coverage": Measure(
        "开班巡查覆盖", "这些日子里查过至少一次的班÷上过课的班。", {"district": "区县", "institution": "机构"}
    ),
    "offers": Measure("免申即享", "按发出的日子；确认、放弃、过期都是现在的状态。", {"month": "月份"}),
}


@dataclass(frozen=True)
class Question:
    """What a measure was asked: the table's lines, from which month to which, and within what."""

    along: str
    first: date
    last: date
    within: Within

    @property
    def days(self) -> Period:
        return Period(self.first, last_of(self.last))

    def link(self, **changes: str) -> str:
        """The same question with something else about it, as the query of an address."""
        asked = {
            "along": self.along,
            "from": f"{self.first:%Y-%m}",
            "to": f"{self.last:%Y-%m}",
            "district": self.within.district,
            "list": self.within.list_kind,
            "level": self.within.level,
        }
        return urlencode({name: value for name, value in (asked | changes).items() if value})


def measure_of(code: str) -> Measure:
    """NotFoundException where there is no such measure."""
    if code not in MEASURES:
        raise NotFoundException
    return MEASURES[code]


def question(measure: Measure, given: Mapping[str, str], filed: Sequence[date], today: date) -> Question:
    """From the query of an address: what is not said, or not among what can be asked, is the usual.

    Invalid `month.format`; `period.reversed` when it would end before it begins.
    """
    along = given.get("along", "")
    looked = Looked.at(given.get("to") or None, filed, today)
    first = parse_month(given["from"]) if given.get("from") else looked.year.first
    Period(first, looked.month)
    within = Within(given.get("district", "")[:20], given.get("list", "")[:30], given.get("level", "")[:20])
    return Question(along if along in measure.along else next(iter(measure.along)), first, looked.month, within)


@dataclass(frozen=True)
class _Reader:
    """Who asks, when, and what districts are called."""

    me: Actor
    now: datetime
    districts: Mapping[str, str]

    def names(self, along: str) -> Mapping[str, str]:
        match along:
            case "district":
                return self.districts
            case "list":
                return LIST_NAMES
            case "level":
                return {code: level.name for code, level in LEVELS.items()}
            case "channel":
                return {channel: words(f"channel.{channel}") for channel in Channel}
            case _:
                return {}

    def name(self, along: str, key: str) -> str:
        if along == "month":
            return f"{key[:4]}年{int(key[5:])}月"
        return self.names(along).get(key, key)


async def measured(
    tx: Tx, me: Actor, code: str, given: Mapping[str, str], today: date, now: datetime
) -> dict[str, Any]:
    """A measure with its table. NotFoundException, and Invalid as `question` and `drilled`."""
    measure = measure_of(code)
    filed = await months_filed(tx)
    asked = question(measure, given, filed, today)
    reader = _Reader(me, now, dict(await claimable_districts(tx)))
    found = await _TABLES[code](tx, reader, asked)
    return {
        "code": code,
        "measure": measure,
        "measures": MEASURES,
        "asked": asked,
        "filed": filed[::-1],
        "districts": reader.districts,
        "lists": LIST_NAMES,
        "levels": {level: LEVELS[level].name for level in LEVELS},
        "table": found,
        "chart": _chart(found) if code == "returns" and asked.along != "month" else None,
        "mine": reader.districts.get(me.district or "", "") if code in _OF_DISTRICTS else "",
    }


def _chart(table: Table) -> dict[str, charts.Chart] | None:
    """The lines by their share, the largest first, in two widths; none where there is nothing to compare."""
    shares = [(each.name, cell.of) for each in table.lines for cell in each.cells if isinstance(cell, Share)]
    rows = [(name, float(share * 100), percent_of(share)) for name, share in shares if share is not None]
    most = max((value for _, value, _ in rows), default=0.0)
    if len(rows) < 2 or not most:
        return None
    return {
        name: charts.ranked(rows, width=width, high=most * 1.05, label=110)
        for name, width in (("large", 600), ("small", 300))
    }


#: What an officer of a district sees of that district alone; the share is everybody's.
_OF_DISTRICTS = ("steps", "returns", "coverage")

# ---- the tables

SHARE_HEADING = (
    later("占比"),
    later("合计"),
    later("本人"),
    later("机构代领"),
    later("企业"),
    later("金额占比"),
    later("金额合计（元）"),
    later("本人金额（元）"),
)


async def _share(tx: Tx, reader: _Reader, asked: Question) -> Table:
    cells = await _cells(tx, asked)
    lines = [
        Line(reader.name(asked.along, key), share_cells(by_channel), _further(asked, key))
        for key, by_channel in cells.items()
    ]
    every: dict[str, tuple[int, int]] = {}
    for by_channel in cells.values():
        for channel, (number, fen) in by_channel.items():
            before = every.get(channel, (0, 0))
            every[channel] = before[0] + number, before[1] + fen
    heading = (MEASURES["share"].along[asked.along], *SHARE_HEADING)
    return Table(heading, lines, Line("合计", share_cells(every)) if lines else None)


async def _cells(tx: Tx, asked: Question) -> Cells:
    """From the sums, however long; from the tally's cells only within something."""
    if asked.within:
        return await drilled(tx, asked.days, By(asked.along), asked.within)
    view = await individual_share(tx, asked.days, By(asked.along), public=False)
    return {row.key: by_channel_of(row) for row in view.rows}


def by_channel_of(row: ShareRowView) -> dict[str, tuple[int, int]]:
    """Claims and fen by channel; nothing for a line that is not shown."""
    count, fen = row.count or {}, row.amount_fen or {}
    return {channel: (count[channel], fen[channel]) for channel in count}


def share_cells(by_channel: Mapping[str, tuple[int, int]]) -> tuple[int | Amount | Share, ...]:
    """A line of the share's table (`SHARE_HEADING`), of (claims, fen) by channel."""
    count = {str(channel): by_channel.get(channel, (0, 0))[0] for channel in Channel}
    fen = {str(channel): by_channel.get(channel, (0, 0))[1] for channel in Channel}
    own, amount = Filed.of(count), Filed.of(fen)
    of_amounts = (Share(amount.share), Amount(amount.total), Amount(amount.own))
    return (Share(own.share), own.total, *count.values(), *of_amounts)


#: Into what a line of a breakdown leads.
_NEXT = {"district": "level", "list": "district", "level": "district"}


def _further(asked: Question, key: str) -> str:
    """Within this line, told apart by something else; a month becomes the only one."""
    if asked.along == "month":
        return asked.link(**{"along": "district", "from": key, "to": key})
    return asked.link(**{"along": _NEXT[asked.along], asked.along: key}) if asked.along in _NEXT else ""


async def _steps(tx: Tx, reader: _Reader, asked: Question) -> Table:
    me = replace(reader.me, district=reader.me.district or asked.within.district or None)
    found = await taken.steps(tx, me, asked.last, taken.Along(asked.along))
    lines = [
        line
        for key, spreads in found.rows.items()
        for line in _step_lines(reader.name(asked.along, key), spreads, found.limits)
    ]
    heading = (MEASURES["steps"].along[asked.along], "步骤", "笔数", "一半不超过", "九成不超过", "限期", "超期")
    return Table(heading, lines + _step_lines("合计", found.whole, found.limits))


def _step_lines(
    name: str, spreads: Mapping[taken.PaidStep, Spread], limits: Mapping[taken.PaidStep, int]
) -> list[Line]:
    counts = [spread.count for step in taken.PaidStep if (spread := spreads.get(step))]
    return [
        Line(name, (each.name, count, each.half, each.nine_tenths, each.limit, each.late))
        for each, count in zip(step_lines(spreads, limits), counts, strict=True)
    ]


async def _returns(tx: Tx, reader: _Reader, asked: Question) -> Table:
    me = replace(reader.me, district=reader.me.district or asked.within.district or None)
    along = sent_back.Along(asked.along)
    counted = await once_a_day(
        ("returns", along, me.district, asked.days),
        reader.now,
        lambda: sent_back.returns(tx, me, asked.days, along),
        lambda each: along is sent_back.Along.LIST and each.whole.sent > MANY,
    )
    found = counted.figures

    def line(name: str, each: sent_back.Returned) -> Line:
        return Line(name, (each.sent, each.back, Share(Filed(each.back, each.sent).share)))

    lines = [line(reader.name(asked.along, key), each) for key, each in found.rows.items()]
    heading = (MEASURES["returns"].along[asked.along], "已送银行", "退回或没发成", "退回率")
    return Table(
        heading, lines, line("合计", found.whole) if lines else None, _note(found.uncounted, counted.kept_at)
    )


def _note(uncounted: int, kept_at: datetime | None) -> str:
    """What of the figures is not of this moment."""
    left = f"还有 {uncounted} 批刚送银行，没有数清各在哪个目录，没有算进来。" if uncounted else ""
    return left + (
        f"按目录的一天算一次，这里是{kept_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}算的。" if kept_at else ""
    )


async def _coverage(tx: Tx, reader: _Reader, asked: Question) -> Table:
    me = replace(reader.me, district=reader.me.district or asked.within.district or None)
    found = await coverage(tx, me, asked.days, reader.now)

    def line(name: str, each: Any) -> Line:
        part = Share(Filed(each.patrolled, each.classes).share)
        return Line(name, (each.classes, each.patrolled, part, each.failed))

    if asked.along == "district":
        lines = [line(reader.districts.get(each.district, each.district), each) for each in found.districts]
    else:
        lines = [line(each.institution, each) for each in found.institutions]
    heading = (MEASURES["coverage"].along[asked.along], "上过课的班", "查过的班", "覆盖", "查出不合格（次）")
    return Table(heading, lines, line("合计", found.all) if lines else None)


async def _offers(tx: Tx, reader: _Reader, asked: Question) -> Table:
    found = await became_of.offers(tx, asked.days)

    def line(name: str, each: Any) -> Line:
        share = Share(Filed(each.confirmed, each.made).share)
        return Line(name, (each.made, each.open, each.confirmed, each.declined, each.expired, share))

    lines = [line(reader.name("month", each.month), each.figures) for each in found.months]
    heading = ("月份", "发出", "等确认", "已确认", "已放弃", "已过期", "确认的占")
    return Table(heading, lines, line("合计", found.total) if lines else None)


_TABLES: Mapping[str, Callable[[Tx, _Reader, Question], Awaitable[Table]]] = {
    "share": _share,
    "steps": _steps,
    "returns": _returns,
    "coverage": _coverage,
    "offers": _offers,
}
