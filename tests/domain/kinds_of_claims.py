"""What the table of decisions says beside of claims that are not a person's own: its words → the facts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from domain.claim import Channel
from domain.eligibility import (
    AllowanceFacts,
    ClassFacts,
    ContractFacts,
    Facts,
    GroupFacts,
    InstitutionFacts,
    ItemFacts,
    ProjectFacts,
)
from domain.institution import Standing
from domain.period import Period
from tests.facts import CONTRACT, NO_SCHOOL, WELDER


def _contract(**changed: date | bool | None) -> Callable[[Facts], Facts]:
    contract: ContractFacts = replace(CONTRACT, **changed)  # type: ignore[arg-type]  # dates and flags by name
    return lambda facts: replace(facts, contract=contract)


#: For ten, of whom three are claimed at 4,500 yuan each; reached on the day where a certificate has its own.
PROJECT = ProjectFacts(
    *("project", True, date(2026, 3, 2), date(2026, 6, 30)),
    *(10, 3, 4_500_000, 1_350_000, "result", 450_000),
)


def of_project(facts: Facts) -> Facts:
    """A place in a project, claimed by its contractor."""
    item = ItemFacts("item", "edition", None, "project", "现代服务业")
    asked = replace(facts, channel=Channel.INSTITUTION, item=item, subsidy_key="project:示例", level="project")
    return replace(asked, certificate_number="", standard=None, institution=NO_SCHOOL, project=PROJECT)


def of_allowance(facts: Facts) -> Facts:
    """Twelve days attended of a class that is over, by somebody who finds work hardly."""
    held = ClassFacts("class", "finished", WELDER, "4", date(2026, 2, 10), date(2026, 3, 2), True, None, 90)
    asked = replace(facts, certificate_number="", standard=None, class_number="370102-2026-0001", of_class=held)
    group = GroupFacts("hard_to_employ", "hardship_finding", date(2026, 1, 1))
    return replace(asked, subsidy_key=f"allowance:{WELDER}", group=group, allowance=AllowanceFacts(12, True))


def _allowance(days: int = 12, *, claimed: bool = True) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, allowance=AllowanceFacts(days, claimed))


def _class(**changed: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, of_class=facts.of_class and replace(facts.of_class, **changed))


def _project(**changed: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, project=replace(PROJECT, **changed))


_STOPPED = InstitutionFacts(Standing.NEVER, Standing.NEVER, Period(date(2026, 11, 1), date(2026, 12, 31)))

_LATE = GroupFacts("hard_to_employ", "hardship_finding", date(2026, 3, 3))

BESIDE: dict[str, Callable[[Facts], Facts]] = {
    "没有合同": lambda facts: replace(facts, contract=None),
    "合同是别的企业的": _contract(same_enterprise=False),
    "合同差一天满一年": _contract(last=date(2027, 2, 14)),
    "合同刚满一年": _contract(last=date(2027, 2, 15)),
    "合同无固定期限": _contract(last=None),
    "合同一年前同日签": _contract(signed_on=date(2025, 3, 2), first=date(2025, 3, 2)),
    "合同早一天签": _contract(signed_on=date(2025, 3, 1), first=date(2025, 3, 1)),
    "培训后签合同": _contract(signed_on=date(2026, 3, 3), first=date(2026, 3, 3)),
    "合同先起后签": _contract(signed_on=date(2026, 3, 3)),
    "合同培训前到期": _contract(first=date(2024, 1, 1), last=date(2026, 3, 1)),
    "以前签过": _contract(employed_before=True),
    "没有对公账户": lambda facts: replace(facts, payee_has_account=False),
    "出勤四十天": _allowance(40),
    "没有出勤": _allowance(0),
    "还没申领培训补贴": _allowance(claimed=False),
    "班还没结束": _class(status="running"),
    "不在班的名册上": _class(on_roster=False),
    "出勤不到八成": _class(attended_percent=79),
    "没有写人群": lambda facts: replace(facts, group=None),
    "毕业生": lambda facts: replace(facts, group=GroupFacts("graduate", "diploma", date(2026, 1, 1))),
    "证明晚于开班": lambda facts: replace(
        facts, group=facts.group and replace(facts.group, valid_from=date(2026, 3, 3))
    ),
    "合同未确认": _project(confirmed=False),
    "成果未登记": _project(result_id=None, price_fen=None),
    "成果早于合同": _project(first=date(2026, 5, 9)),
    "成果晚于合同": _project(last=date(2026, 5, 7)),
    "成果为零": _project(price_fen=0),
    "没有项目标准": _project(price_fen=None),
    "剩最后一个名额": _project(taken=9, drawn_fen=4_050_000),
    "名额已满": _project(taken=10, drawn_fen=4_000_000),
    "金额差一分": _project(drawn_fen=4_050_001),
    "被清退": lambda facts: replace(facts, institution=replace(NO_SCHOOL, left=date(2026, 5, 1))),
    "企业停止申领": lambda facts: replace(facts, institution=_STOPPED),
}
