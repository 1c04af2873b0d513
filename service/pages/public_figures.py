"""The figures that anybody may see, by whole months and years, with few persons hidden; and every open file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.period import FIRST_YEAR, LAST_YEAR, Period, add_months
from domain.share import percent_of
from domain.suppression import FEW, SHOWN_MIN, hidden
from service.catalog.queries.editions import editions
from service.catalog.schemas import EditionView
from service.database import Tx
from service.pages import charts, names
from service.pages.board import Weighed, short
from service.pages.board_months import last_of, months_of
from service.pages.figure_tables import Cell, Line, Table
from service.pages.language import as_written, capital, gettext, later, said
from service.pages.measures import SHARE_HEADING, by_channel_of, share_cells
from service.statistics.queries.drilled import months_filed
from service.statistics.queries.share import By, individual_share
from service.statistics.queries.step_counts import years_counted
from service.statistics.schemas import IndividualShareView, ShareRowView

#: What the public's figures can be told apart by.
BY = {
    By.MONTH: later("月份"),
    By.DISTRICT: later("区县"),
    By.LIST: later("目录"),
    By.LEVEL: later("等级"),
    By.INDUSTRY: later("行业"),
}
#: How much of a drawing its names take; English ones are longer.
_LABEL, _LABEL_IN_ENGLISH = 110, 190
#: In the place of a figure of a line that is hidden so that another cannot be had by subtraction.
UNSHOWN = later("不列")


@dataclass(frozen=True)
class PublicQuestion:
    """A year, and what it is told apart by."""

    year: int
    by: By

    @classmethod
    def read(cls, given: Mapping[str, str], filed: Sequence[date], today: date) -> "PublicQuestion":
        """What is not said, or cannot be asked, is the latest year in which anything was filed, by month."""
        said, by = given.get("year", ""), given.get("by", "")
        latest = filed[-1].year if filed else today.year
        plain = said.isascii() and said.isdigit() and FIRST_YEAR <= int(said[:9]) <= LAST_YEAR
        return cls(int(said) if plain else latest, By(by) if by in list(By) else By.MONTH)

    def days(self, today: date) -> Period | None:
        """Months to today; anything else only by whole months, so that two days' files differ by no single claims.
        None where no such month has passed."""
        first, running = date(self.year, 1, 1), today.replace(day=1)
        last = min(date(self.year, 12, 31), today if self.by is By.MONTH else last_of(add_months(running, -1)))
        return Period(first, last) if first <= last else None


async def statistics(tx: Tx, given: Mapping[str, str], today: date) -> dict[str, Any]:
    """The share of a year with its table, or which years there are figures of."""
    filed = await months_filed(tx)
    asked = PublicQuestion.read(given, filed, today)
    days = asked.days(today)
    view = await individual_share(tx, days, asked.by, public=False) if days else None
    there = view is not None and view.rows
    return {
        "asked": asked,
        "ways": BY,
        "years": sorted({month.year for month in filed} | {asked.year}, reverse=True),
        "months": [each for each in filed if each.year == asked.year],
        "filed": filed,
        "view": view if there else None,
        "sample": bool(view and view.sample),
        "table": public_table(view) if view and there else Table(()),
        "names": {row.name: _called(asked.by, row) for row in view.rows} if view else {},
        "chart": _chart(view) if view and there else None,
        "few": SHOWN_MIN,
        "next_month": add_months(today.replace(day=1), 1),
    }


def _called(by: By, row: ShareRowView) -> Any:
    """What a line is called on the page; its file is in Chinese, whoever reads it."""
    match by:
        case By.MONTH:
            return names.month_of(row.key)
        case By.DISTRICT:
            return names.named(row.name)
        case By.LIST:
            return names.list_name(row.key)
        case By.LEVEL:
            return gettext(row.name)
        case By.INDUSTRY:
            return as_written(row.name)


def public_table(view: IndividualShareView) -> Table:
    """As shown to anybody: a line over few claims says so; others are left out where it could be computed."""
    sizes = {row.key: sum((row.count or {}).values()) for row in view.rows}
    few = hidden(sizes)
    lines = [Line(row.name, _unshown(sizes[row.key]) if row.key in few else _cells(row)) for row in view.rows]
    count, fen = view.total.count, view.total.amount_fen
    total = Line(later("合计"), share_cells({channel: (count[channel], fen[channel]) for channel in count}))
    return Table((BY[By(view.by)], *SHARE_HEADING), lines, total)


def _cells(row: ShareRowView) -> tuple[Cell, ...]:
    return share_cells(by_channel_of(row))


def _unshown(size: int) -> tuple[Cell, ...]:
    return (FEW if size < SHOWN_MIN else UNSHOWN,) * len(SHARE_HEADING)


def _chart(view: IndividualShareView) -> dict[str, Any] | None:
    """Of the lines that are shown: a line over months, bars otherwise; none where there is nothing to compare."""
    weighed, few = Weighed("count"), hidden({row.key: sum((row.count or {}).values()) for row in view.rows})
    shares = {
        row.key: (_drawn(view.by, row), share)
        for row in view.rows
        if row.key not in few and (share := weighed.filed(row).share) is not None
    }
    if len(shares) < 2:
        return None
    if view.by != By.MONTH:
        rows = [(name, float(share * 100), percent_of(share)) for name, share in shares.values()]
        high = max(*(value for _, value, _ in rows), 1.0) * 1.05
        label = _LABEL_IN_ENGLISH if names.english() and view.by in {By.LIST, By.LEVEL} else _LABEL
        return {"kind": "ranked", "drawn": charts.ranked(rows, width=400, high=high, label=label)}
    months = [f"{month:%Y-%m}" for month in months_of(Period(date.fromisoformat(f"{min(shares)}-01"), view.last))]
    months = [month for month in months if month <= max(shares)]
    values = [float(shares[month][1] * 100) if month in shares else None for month in months]
    low, high, step = charts.axis([each for each in values if each is not None])
    drawn = charts.trend(
        values, months, [], width=400, height=200, low=low, high=high, step=step, every=max(1, -(-len(months) // 3))
    )
    return {"kind": "trend", "drawn": drawn}


def _drawn(by: str, row: ShareRowView) -> Any:
    match by:
        case By.LIST:
            return names.list_name(row.key)
        case By.LEVEL:
            return capital(names.level_name(row.key))
        case _:
            return names.drawn(short(by, row))


# ---- open files


@dataclass(frozen=True)
class OpenFile:
    """A file that anybody may have: its formats with their addresses, and what its columns are."""

    name: str
    note: str
    formats: Sequence[tuple[str, str]]
    columns: Sequence[tuple[str, str]]


_TEXT = later("文本表格")
_FORMATS = (("csv", _TEXT), ("xlsx", later("电子表格")))
_CATALOG = (
    ("目录", later("急需紧缺、一般性、制造业等")),
    ("序号", later("发布文件里的序号")),
    ("编码", later("职业编码；项目没有编码")),
    ("名称", later("职业、工种或项目的名称，照发布的写")),
    ("标识", later("L 绿色职业，S 数字职业")),
    ("行业分类", later("照发布的写")),
)
_STANDARDS = (
    ("职业编码", later("同培训目录")),
    ("名称", later("职业的名称")),
    ("等级", later("五级到一级，或初级到高级")),
    ("补贴标准（元）", later("两位小数")),
    ("出处", later("标准依据的文件")),
    ("说明", later("不是本市公布的标准时写明是示例")),
)
_INSTITUTIONS = (
    ("统一社会信用代码", later("18 位")),
    ("名称", later("登记的名称")),
    ("类别", later("培训机构、评价机构或企业")),
    ("等次", later("A、B、C 三等，没有评的为空")),
    ("区县", later("区县编码")),
    ("状态", later("在目录、不开新班、暂停收款等，是取得当天的状态")),
    ("职业和等级", later("能教或能评的")),
)
_SHARE = (
    ("月份、区县、目录、等级或行业", later("按哪一样分，第一列就是哪一样")),
    ("占比", later("本人提交的笔数÷合计，0 到 1，四位小数；没有申领的为空")),
    ("合计、本人、机构代领、企业", later("提交的笔数，撤回的不算")),
    ("金额占比", later("本人提交的金额÷金额合计，0 到 1，四位小数")),
    ("金额合计、本人金额（元）", later("按提交时的金额，两位小数")),
    ("＜5、不列", later("不到 5 笔的不写数；为了不让人减出来，有时再有一行不列")),
)
_STEPS = (
    ("月份", later("编批的月份；最后是全年")),
    ("步骤", later("审核、补正、公示、公示后发放，和从提交到到账")),
    ("笔数", later("看了的申领")),
    ("一半不超过、九成不超过（工作日）", later("一半、九成的申领在这么多个工作日内走完这一步")),
    ("＜5、不列", later("不到 5 笔的不写数；为了不让人减出来，有时再有一个月不列")),
)


async def open_files(tx: Tx) -> dict[str, Any]:
    """Every file, the latest edition of the catalog first."""
    published = (await editions(tx, drafts=False)).editions
    filed, counted = await months_filed(tx), await years_counted(tx)
    files = [
        *(
            OpenFile(
                _edition_named(each),
                as_written(each.source_name),
                [(gettext(name), f"/api/catalog/editions/{each.id}/file?kind={kind}") for kind, name in _FORMATS],
                _CATALOG,
            )
            for each in published
        ),
        OpenFile(
            gettext("补贴标准"),
            gettext("今天有效的每个职业、每个等级的金额"),
            [(gettext(name), f"/api/standards/file?kind={kind}") for kind, name in _FORMATS],
            _STANDARDS,
        ),
        OpenFile(
            gettext("机构目录"),
            gettext("今天在目录里的机构"),
            [(gettext(_TEXT), "/api/institutions/file")],
            _INSTITUTIONS,
        ),
        *(
            OpenFile(
                said("%(year)s 年个人申领占比", year=year),
                gettext("按月份、区县、目录、等级、行业各一个文本表格"),
                [
                    (said("按%(way)s", way=gettext(name).lower()), f"/statistics/file?year={year}&by={by}")
                    for by, name in BY.items()
                ],
                _SHARE,
            )
            for year in sorted({month.year for month in filed}, reverse=True)
        ),
        *(
            OpenFile(
                said("%(year)s 年每一步用几个工作日", year=year),
                gettext("每个月和全年"),
                [(gettext(_TEXT), f"/statistics/steps/file?year={year}")],
                _STEPS,
            )
            for year in reversed(counted)
        ),
    ]
    return {"files": files}


def _edition_named(edition: EditionView) -> str:
    if edition.revision:
        return said("%(year)s 年培训目录（第 %(revision)s 次调整）", year=edition.year, revision=edition.revision)
    return said("%(year)s 年培训目录", year=edition.year)
