"""What other standards would have cost, as tables (`zhida standards simulate`)."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from domain.money import fen_display
from service.statistics.schemas import CostView, PositionCostView, SimulationView

_ALONG = {"by_district": "区县", "by_fund": "资金", "by_list": "目录", "by_level": "等级", "changes": "变化"}
_COSTS = ("申领", "现行（元）", "换标准后（元）", "相差（元）")


def show_simulation(found: SimulationView, console: Console) -> None:
    """Each breakdown with its total, what is appropriated beside what would be needed, and what was left out."""
    inputs, result = found.inputs, found.result
    console.print(f"{inputs.first} 至 {inputs.last} 提交的申领，按另一套标准计算；申领不改动。")
    for name, heading in _ALONG.items():
        table = Table(show_footer=True)
        table.add_column(heading, footer="合计", overflow="fold")
        for label, footer in zip(_COSTS, _cells(result.total), strict=True):
            table.add_column(label, footer=footer, justify="right")
        for row in getattr(result, name):
            table.add_row(escape(row.name), *_cells(row))
        console.print(table)
    positions = Table("区县", "资金", "年度", "下达（元）", "现行（元）", "换标准后（元）", "额度")
    for each in result.positions:
        positions.add_row(*_position(each))
    console.print(positions)
    left_out = "，".join(f"{each.name} {each.claims} 笔" for each in result.not_counted) or "无"
    console.print(f"没有计入：{left_out}。")
    if result.not_on_claims:
        console.print(f"申领上没有这些事实，按默认值计算：{'、'.join(result.not_on_claims)}。", style="yellow")
    if inputs.sample:
        console.print("现行金额按样例标准计算，不是实际发布的标准。", style="yellow")
    console.print(f"结果编号 {found.id}，输入指纹 {found.inputs_sha256}", highlight=False, soft_wrap=True)


def _cells(cost: CostView) -> list[str]:
    amounts = (cost.before_fen, cost.after_fen, cost.after_fen - cost.before_fen)
    return [f"{cost.claims:,}", *(fen_display(fen) for fen in amounts)]


def _position(each: PositionCostView) -> list[str]:
    said = f"不够，差 {fen_display(each.missing_fen)}" if each.exceeded else "够"
    appropriated = "没有下达" if each.appropriated_fen is None else fen_display(each.appropriated_fen)
    costs = fen_display(each.before_fen), fen_display(each.after_fen)
    return [escape(each.district_name), escape(each.fund_name), str(each.year), appropriated, *costs, said]
