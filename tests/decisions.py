"""The table of decisions (`tests/domain/decisions.csv`) as facts: what its words mean.

An empty cell is as in the first case. Several things in one cell stand apart by ；.
"""

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from domain.claim import Channel, ClaimStatus, PlaceLink
from domain.eligibility import (
    AgeFacts,
    ClassFacts,
    EarlierClaim,
    Facts,
    FeeFacts,
    GroupFacts,
    InstitutionFacts,
    ItemFacts,
    StandingClaim,
)
from domain.institution import Standing
from domain.level import LEVELS
from domain.money import parse_yuan
from domain.period import Period, whole_months
from domain.policy import Limit
from domain.register import FoundEntry, Looked, Register, register_of_group
from domain.retirement import RetirementTable
from service.wording import words
from tests.domain.kinds_of_claims import BESIDE, of_allowance, of_project
from tests.facts import CONTRACT, INSTITUTION, MANDATE, NO_SCHOOL, STARTED, TODAY, WELDER, eligible

ROOT = Path(__file__).parents[1]
AGES = RetirementTable.from_csv((ROOT / "data/retirement-ages.csv").read_text("utf-8").splitlines())
CASES = list(csv.DictReader((ROOT / "tests/domain/decisions.csv").read_text("utf-8").splitlines()))
OTHER = "4-04-05-01"
STOPPED = Period(date(2026, 11, 1), date(2026, 12, 31))

_LEVELS = {level.short: code for code, level in LEVELS.items()}
_STATUSES = {words(f"status.{status}"): str(status) for status in ClaimStatus}
LISTS = {words(f"list.{kind}"): kind for kind in ("shortage", "specific_skill", "project")}
_LINKS = {words(f"place_link.{link}"): link for link in PlaceLink}


def _limit(window: str) -> Callable[[str], dict[str, Any]]:
    return lambda count: {"counting_limits": (Limit("person", window, int(count), date(2022, 1, 1), None),)}


_POLICIES: dict[str, Callable[..., dict[str, Any]]] = {
    r"申领期(\d+)个月": lambda months: {"claim_window_months": int(months)},
    r"每年可再领": lambda: {"once_in": "year"},
    r"低等级也补": lambda: {"lower_level_after_higher": "granted"},
    r"每年(\d+)次": _limit("calendar_year"),
    r"不限次数": lambda: {"counting_limits": ()},
    r"(\d+)岁起": lambda years: {"age_from_years": int(years)},
    r"补贴不超过缴费": lambda: {"subsidy_capped_by_fee": True},
    r"须与本市有关联": lambda: {"place_link_required": True},
    r"只认户籍": lambda: {"place_links": ("household",)},
    r"只排除退休": lambda: {"excluding_registers": ("pensioners",)},
    r"毕业年度不补": lambda: {"graduating_students": "refused"},
    r"两项补贴都可领": lambda: {"sister_scheme_paid": "granted"},
    r"合同期不限": lambda: {"enterprise_contract_months": 0},
    r"不限新录用": lambda: {"enterprise_hired_months": 0},
    r"没有生活费补贴": lambda: {"living_allowance": {}},
    r"机构代领须注明班级": lambda: {"institution_claim_needs_class": True},
    r"出勤满(\d+)": lambda least: {"attendance_share_least": int(least)},
}

#: Registers as the table calls them; 人群 is that of the group which a case names.
REGISTERS = {
    "财政供养": Register.PUBLIC_PAYROLL,
    "在校学生": Register.STUDENTS,
    "退休": Register.PENSIONERS,
    "死亡": Register.DECEASED,
    "姊妹补贴": Register.SISTER_PAYMENTS,
    "人群": register_of_group("graduate"),
}
_LOOKED_INTO = re.compile(r"(\w+?)(?:（截至([\d-]+)）)? (.+)")
_ENTRY = re.compile(r"(?:(\d+)年毕业)?(?:自([\d-]+))?(?:至([\d-]+))?")

_HELD = ClassFacts("class", "finished", WELDER, "4", date(2026, 2, 20), STARTED, on_roster=True)
_CLASSES: dict[str, Callable[..., dict[str, Any]]] = {
    r"在册": dict,
    r"不在册": lambda: {"on_roster": False},
    r"进行中": lambda: {"status": "running"},
    r"未同意": lambda: {"status": "denied"},
    r"([\d-]+)申报": lambda day: {"filed_on": date.fromisoformat(day)},
    r"教别的职业": lambda: {"occupation": OTHER},
    r"教(.级)": lambda level: {"level": _LEVELS[level]},
    r"另填([\d-]+)": lambda day: {"typed_start": date.fromisoformat(day)},
    r"出勤(\d+)": lambda percent: {"attended_percent": int(percent)},
}

_BESIDE: dict[str, Callable[[Facts], Facts]] = {
    "目录里没有": lambda facts: replace(facts, item=None),
    "没有编码": lambda facts: replace(facts, item=facts.item and replace(facts.item, code=None)),
    "没有标准": lambda facts: replace(facts, standard=None),
    "证书已被用": lambda facts: replace(facts, certificate_used=True),
    "没有协议": lambda facts: replace(facts, mandate=None),
    "协议收费": lambda facts: replace(facts, mandate=replace(MANDATE, fee_fen=10_000)),
    "别家的协议": lambda facts: replace(facts, mandate=replace(MANDATE, same_institution=False)),
    "机构不在目录": lambda facts: replace(facts, institution=replace(INSTITUTION, trained=Standing.NEVER)),
    "机构到期后才培训": lambda facts: replace(facts, institution=replace(INSTITUTION, trained=Standing.EXPIRED)),
    "机构培训后到期": lambda facts: replace(facts, institution=replace(INSTITUTION, files=Standing.EXPIRED)),
    "机构培训前退出": lambda facts: replace(facts, institution=InstitutionFacts(Standing.EXITED, Standing.EXITED)),
    "机构培训后退出": lambda facts: replace(facts, institution=replace(INSTITUTION, files=Standing.EXITED)),
    "机构只停开班": lambda facts: replace(facts, institution=replace(INSTITUTION, files=Standing.SUSPENDED)),
    "机构停代领": lambda facts: replace(facts, institution=replace(INSTITUTION, suspended=STOPPED)),
    "机构停代领未定期": lambda facts: replace(facts, institution=replace(INSTITUTION, suspended=Period(STARTED))),
    "户名不是本人": lambda facts: replace(facts, holder_is_payee=False),
    "卡号存疑": lambda facts: replace(facts, warnings=("account.luhn",)),
    **BESIDE,
}


_WAYS: dict[str, Callable[[Facts], Facts]] = {
    "": lambda facts: facts,
    "机构": lambda facts: replace(facts, channel=Channel.INSTITUTION, mandate=MANDATE, institution=INSTITUTION),
    "企业": lambda facts: replace(facts, channel=Channel.ENTERPRISE, contract=CONTRACT, institution=NO_SCHOOL),
    "项目": of_project,
    "生活费": of_allowance,
}


def facts_of(case: dict[str, str]) -> Facts:
    """The facts that a row describes."""
    facts, code = eligible(), case["职业"] or WELDER
    days = {"提交日": "today", "培训开始": "training_started_on", "发证日": "issued_on"}
    facts = replace(facts, **{name: date.fromisoformat(case[own]) for own, name in days.items() if case[own]})
    for said in filter(None, case["政策"].split("；")):
        facts = replace(facts, parameters=replace(facts.parameters, **_read(_POLICIES, said)))
    facts = replace(
        facts,
        item=ItemFacts("item", "edition", code, LISTS[case["目录"] or "急需紧缺"], "制造业"),
        subsidy_key=code,
        level=_LEVELS[case["等级"] or "四级"],
        certificate_number=case["证书编号"] or facts.certificate_number,
        age=_age(case["出生"] or "男 1993-01-15", facts.training_started_on),
    )
    facts = _WAYS[case["途径"]](facts)
    if case["人群有效日"]:
        facts = replace(facts, group=GroupFacts("graduate", "diploma", date.fromisoformat(case["人群有效日"])))
    if case["缴费"]:
        yuan, payer, *used = case["缴费"].split()
        facts = replace(facts, fee=FeeFacts(parse_yuan(yuan, cap_fen=10**8), payer == "本人", bool(used)))
    if case["关联"]:
        facts = replace(facts, place_link=_LINKS[case["关联"]])
    if case["班级"]:
        facts = replace(facts, class_number="KB370102-2026-0001", of_class=_class(case["班级"]))
    facts = replace(facts, registers=tuple(_looked(said) for said in filter(None, case["名册"].split("；"))))
    facts = with_earlier(facts, [_standing(said, code) for said in filter(None, case["已有申领"].split("；"))])
    return _BESIDE[case["其他"]](facts) if case["其他"] else facts


def _looked(said: str) -> Looked:
    """`退休 自2025-01-01`: in that register from that day on; `在` says no day, `无` that they are not in it.
    `（截至2026-01-31）`: the register is of that day, and not of the day of these tests."""
    read = _LOOKED_INTO.fullmatch(said)
    assert read is not None
    register, as_of, entry = read.groups()
    found = ()
    if entry != "无":
        match = _ENTRY.fullmatch(entry.removeprefix("在"))
        assert match is not None
        year, first, last = match.groups()
        days = (day and date.fromisoformat(day) for day in (first, last))
        found = (FoundEntry(1, *days, graduates=year and int(year)),)
    return Looked(REGISTERS[register], "snapshot", date.fromisoformat(as_of) if as_of else TODAY, found)


def _class(said: str) -> ClassFacts | None:
    """The class that a case names; `查无`: there is none under its number."""
    if said == "查无":
        return None
    return replace(
        _HELD, **{name: value for each in said.split("；") for name, value in _read(_CLASSES, each).items()}
    )


def with_earlier(facts: Facts, standing: list[StandingClaim]) -> Facts:
    """As the service reads them: those of the same occupation and level once more, with their span."""
    yearly = facts.parameters.once_in == "year"
    same = tuple(
        EarlierClaim("individual", each.status, each.filed_on, str(each.filed_on.year) if yearly else "ever")
        for each in standing
        if (each.subsidy_key, each.level) == (facts.subsidy_key, facts.level)
    )
    return replace(facts, standing=tuple(standing), earlier=same)


def _read(forms: dict[str, Callable[..., dict[str, Any]]], said: str) -> dict[str, Any]:
    """What the words change, by the first form that they have."""
    match, change = next((match, change) for form, change in forms.items() if (match := re.fullmatch(form, said)))
    return change(*match.groups())


def _age(said: str, day: date) -> AgeFacts:
    sex, born = said.split()
    birth = date.fromisoformat(born)
    retires = AGES.age_of({"男": "male", "女": "female"}[sex], birth)
    return AgeFacts(whole_months(birth, day), retires.earliest_months, retires.latest_months)


def _standing(said: str, code: str) -> StandingClaim:
    filed_on, occupation, level, status = said.split()
    key = {"同职业": code, "别的职业": OTHER}[occupation]
    return StandingClaim(key, _LEVELS[level], _STATUSES[status], date.fromisoformat(filed_on))
