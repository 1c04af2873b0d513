"""What became of a season: figures and promises as the service and the bank tell them, never the driver's own."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.local.rehearsal.calls import Desk
from service.local.rehearsal.classes import HeldClass
from service.local.rehearsal.filing import Filed
from service.local.rehearsal.kills import VIOLENCE
from service.local.rehearsal.officers import claims, read_today
from service.local.rehearsal.season import STAGES, Season, StageTime
from service.local.supervisor import ROOT

#: Nothing more happens to a claim in one of these by itself; a bounced one waits for its claimant's other account.
FINAL = ("paid", "bounced", "refused", "withdrawn", "lapsed", "recovered")
#: How often the audit looks, and how long what was owed meanwhile may take.
_LOOKS_MAX, _OWED_SECONDS_MAX = 3, 60
#: A look may take so long, and so much longer for every claim: it reads every row.
_AUDIT_SECONDS, _AUDIT_SECONDS_PER_CLAIM = 300, 0.02
#: A season's claims were filed at most this long before its last day.
_SHARE_DAYS = 366

_FIGURES = {
    "filed": "受理",
    "individual": "其中本人",
    "institution": "其中机构代领",
    "of_classes": "其中注明开班",
    "refused": "未通过",
    "withdrawn": "撤回",
    "paid": "已发放",
    "bounced": "退票",
    "open": "没有结果",
    "rejected": "受理前拒绝",
}


@dataclass(frozen=True)
class Held:
    """A promise: `detail` says what broke it, or what there is to know."""

    name: str
    held: bool
    detail: str


@dataclass(frozen=True)
class Report:
    """`claims`: counts of the whole stack; `share_individual`: 0 to 1, null where nothing was filed; `violence`: how
    often what was done to the stack, absent when nothing was."""

    claims: dict[str, int]
    share_individual: dict[str, float | None]
    promises: list[Held]
    stages: list[StageTime]
    violence: dict[str, int] | None = None

    @property
    def good(self) -> bool:
        """Whether every promise held and every claim ended."""
        return self.claims["open"] == 0 and all(each.held for each in self.promises)

    def as_json(self) -> str:
        told = {name: value for name, value in asdict(self).items() if value is not None}
        return json.dumps(told, ensure_ascii=False)


async def read_report(
    desk: Desk, environment: Mapping[str, str], filed: Filed, earlier: int, season: Season
) -> Report:
    """Ask the service for its figures, the audit for the promises, and the bank for its ledger."""
    complaints = season.complaints
    stored = [claim async for claim in claims(desk, "auditor")]
    promises = [
        *await _audited(desk, environment, season, _AUDIT_SECONDS + _AUDIT_SECONDS_PER_CLAIM * len(stored)),
        await _ledger_agrees(desk, stored),
        _acknowledged_is_stored({claim["id"] for claim in stored}, filed, earlier),
        await _classes_drawn_down(desk, stored, filed.classes),
        Held("answers_as_expected", not complaints, complaints[0] if complaints else "没有意外的答复"),
    ]
    return Report(await _figures(desk, stored), await _share(desk), promises, season.stages)


async def _figures(desk: Desk, stored: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    told = (await desk.ask("GET", "/api/claims/counts", login="auditor")).body
    by_status, channels = Counter(told["counts"]), Counter(told["channels"])
    filed = by_status.total()
    return {
        "filed": filed,
        "individual": channels["individual"],
        "institution": channels["institution"],
        "of_classes": sum(bool(claim["class_number"]) for claim in stored),
        **{status: by_status[status] for status in ("refused", "withdrawn", "paid", "bounced")},
        "open": filed - sum(by_status[status] for status in FINAL),
        "rejected": told["turned_away"],
    }


async def _share(desk: Desk) -> dict[str, float | None]:
    last: date = await read_today(desk)
    first = last - timedelta(days=_SHARE_DAYS)
    told = (await desk.ask("GET", f"/api/statistics/individual-share?from={first}&to={last}", login="auditor")).body
    share = told["total"]["share"]
    return {"count": share["count"], "amount": share["amount"]}


async def _audited(desk: Desk, environment: Mapping[str, str], season: Season, seconds: float) -> list[Held]:
    """Sweeps owe work at any moment, such as telling people: what they owed since the last look is waited for, and
    then everything is looked at again. Work that never ends is still there at the last look."""
    for _ in range(_LOOKS_MAX):
        found = await _audit(environment, seconds)
        if all(each.held for each in found if each.name == "jobs_end"):
            break
        with suppress(TimeoutError):
            async with asyncio.timeout(_OWED_SECONDS_MAX):
                await season.until(lambda: _nothing_owed(desk))
    return found


async def _nothing_owed(desk: Desk) -> bool:
    return (await _jobs(desk))["ready"] == 0


async def _audit(environment: Mapping[str, str], seconds: float) -> list[Held]:
    """`zhida audit verify --settled`, as anybody would run it."""
    command = (sys.executable, "-m", "service.cli", "audit", "verify", "--json", "--settled")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=dict(environment), stdout=pipe, stderr=pipe
    )
    try:
        out, complaint = await asyncio.wait_for(process.communicate(), seconds)
    except TimeoutError:
        process.kill()
        await process.wait()
        return [Held("audit", False, f"{seconds:.0f} 秒内没有核查完")]
    try:
        found: list[dict[str, Any]] = json.loads(out)["promises"]
    except ValueError:
        return [Held("audit", False, complaint.decode(errors="replace").strip()[-500:])]
    return [Held(each["name"], each["held"], each["detail"]) for each in found]


async def _ledger_agrees(desk: Desk, stored: Sequence[Mapping[str, Any]]) -> Held:
    """The bank's own book: no reference paid twice, and what stayed paid is the sum of the paid claims."""
    name = "bank_ledger_agrees"
    book = await desk.control("bank", "GET", "/control/ledger")
    twice = [row["reference"] for row in book if row["times"] != 1]
    if twice:
        return Held(name, False, f"银行重复付款：{twice[0]}")
    kept = [row["amount_fen"] for row in book if not row["returned"]]
    paid = [claim["amount_fen"] for claim in stored if claim["status"] == "paid"]
    detail = f"银行付出 {len(kept)} 笔 {sum(kept)} 分，已发放 {len(paid)} 笔 {sum(paid)} 分"
    return Held(name, sorted(kept) == sorted(paid), detail)


def _acknowledged_is_stored(stored: set[str], filed: Filed, earlier: int) -> Held:
    """Every 201, and every line that a roster says is filed, is a stored claim; no repetition made a second one."""
    name = "acknowledged_is_stored"
    lost = filed.claim_ids - stored
    if lost:
        return Held(name, False, f"答复了 201 却没有存下：{min(lost)}")
    made = len(stored) - earlier
    known = len(filed.claim_ids)
    fits = known <= made <= known + filed.unsure
    return Held(name, fits, f"答复受理 {known} 笔，存下 {made} 笔，没有得到答复 {filed.unsure} 笔")


async def _classes_drawn_down(desk: Desk, stored: Sequence[Mapping[str, Any]], classes: Sequence[HeldClass]) -> Held:
    """What was set aside for each class was drawn by just its claims, and the rest freed when it was closed; and
    somebody went to look at the classes."""
    name, details = "classes_drawn_down", []
    if not classes:
        return Held(name, False, "没有开成班")
    for each in classes:
        seen = (await desk.ask("GET", f"/api/classes/{each.id}", login="auditor")).body
        money = {part: seen["money"][f"{part}_fen"] for part in ("set_aside", "drawn", "left", "given_back")}
        claimed = [claim["amount_fen"] for claim in stored if claim["class_number"] == each.number]
        fits = money["drawn"] == sum(claimed) and money["set_aside"] == money["drawn"] + money["given_back"]
        told = (
            f"预留 {money['set_aside']} 分，{len(claimed)} 笔用去 {money['drawn']} 分，退回 {money['given_back']} 分"
        )
        if seen["status"] != "closed" or money["left"] or not fits:
            return Held(name, False, f"{each.number}：{told}，余 {money['left']} 分，{seen['status_name']}")
        details.append(told)
    first, last = (limit(each.course.first for each in classes) for limit in (min, max))
    covered = (await desk.ask("GET", f"/api/patrols/coverage?from={first}&to={last}", login="auditor")).body["all"]
    details.append(f"{covered['classes']} 个班巡查了 {covered['patrolled']} 个")
    return Held(name, covered["patrolled"] > 0, "；".join(details))


async def wait_for_jobs(desk: Desk, season: Season) -> None:
    """Until no owed work is left."""
    now = await _jobs(desk)
    async with season.stage("settle", sum(now.values())) as bar:

        async def all_done() -> bool:
            now = await _jobs(desk)
            bar.reach(bar.total - now["ready"])
            return now["ready"] == 0

        await season.until(all_done)


async def _jobs(desk: Desk) -> dict[str, int]:
    return dict((await desk.ask("GET", "/api/jobs/counts", login="auditor")).body)


#: What people call the promises that the rehearsal itself looks after.
_OWN_PROMISES = {
    "audit": "核查做完了",
    "bank_ledger_agrees": "银行的账与已发放的一致，没有重复付款",
    "acknowledged_is_stored": "答复了受理的都存下了，没有多出来的",
    "classes_drawn_down": "给各班预留的钱，申领用去的和退回的合起来正好；班有人去看",
    "answers_as_expected": "每次请求都得到应有的答复",
}


def show(report: Report, console: Console, titles: Mapping[str, str]) -> None:
    """The report as tables for people; `titles` are what they call the audit's promises."""
    figures = Table("申领", "笔数", title="彩排的结果（数字来自服务）")
    figures.columns[1].justify = "right"
    for name, title in _FIGURES.items():
        figures.add_row(title, f"{report.claims[name]:,}")
    for name, title in (("count", "个人申领占比（笔数）"), ("amount", "个人申领占比（金额）")):
        share = report.share_individual[name]
        figures.add_row(title, "—" if share is None else f"{share:.2%}")
    console.print(figures)
    called = {**titles, **_OWN_PROMISES}
    promises = Table("承诺", "结果", "说明")
    for each in report.promises:
        promises.add_row(
            called.get(each.name, each.name),
            "[green]守住[/]" if each.held else "[bold red]违背[/]",
            escape(each.detail),
        )
    console.print(promises)
    stages = Table("阶段", "件数", "秒")
    for stage in report.stages:
        stages.add_row(STAGES[stage.name], f"{stage.items:,}", f"{stage.seconds:.1f}")
    console.print(stages)
    if report.violence is not None:
        violence = Table("破坏", "次数")
        for name, times in sorted(report.violence.items()):
            violence.add_row(VIOLENCE[name], f"{times:,}")
        console.print(violence)
