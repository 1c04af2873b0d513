"""Every rule, and the decision that they make. A rule that is added or changed raises RULES_VERSION.

A decision is computed again by the rules of its own version (promise 16), so none is ever edited in place: it ends
with the version before (`until`), and its successor begins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from domain.claim import ClaimKind
from domain.eligibility import (
    claimant,
    of_allowance,
    of_class,
    of_enterprise,
    of_project,
    payment,
    registers,
    training,
)
from domain.eligibility.facts import Facts
from domain.eligibility.outcome import Decision, Outcome, Said
from domain.eligibility.payment import amount_due

#: Raised when any rule comes, goes, or changes its meaning; stored with each decision.
RULES_VERSION = 8


@dataclass(frozen=True)
class Rule:
    """`version` counts the changes of this one rule; it is in force from RULES_VERSION `since` up to `until`.

    `at_door`: a claim that fails it cannot be stored, for the row would have no item, level or standard, or would
    stand beside a live claim that keeps it out. `kinds`: of which claims it is asked.
    """

    check: Callable[[Facts], Said]
    basis: str
    version: int = 1
    since: int = 1
    until: int | None = None
    at_door: bool = False
    kinds: frozenset[ClaimKind] = frozenset(ClaimKind)

    def holds_in(self, rules_version: int) -> bool:
        return self.since <= rules_version and (self.until is None or rules_version <= self.until)

    def outcome(self, facts: Facts) -> Outcome:
        said = self.check(facts)
        return Outcome(self.check.__name__, self.version, *said, self.basis, self.at_door)


#: A project has neither certificate nor class, and its contractor needs no mandate to be paid itself.
_TRAINING = frozenset({ClaimKind.TRAINING})
_PROJECT = frozenset({ClaimKind.PROJECT})
#: An allowance hangs on a class, and is no subsidy of those that are counted.
_ALLOWANCE = frozenset({ClaimKind.ALLOWANCE})
_OF_CLASS = _TRAINING | _ALLOWANCE
_COUNTED = _TRAINING | _PROJECT
_NOTICE = "济人社函〔2023〕28号"
_NUMBERS = "职业技能等级证书编码规则"
_KINDS = "职业技能等级、职业资格、专项职业能力证书编码规则"
_AGES = "劳动法第十五条；关于实施渐进式延迟法定退休年龄的决定（2025 年施行）"
_HIRED = f"{_NOTICE} 三.8 补贴直达企业；新录用人员"
_LIVING = "培训期间生活费补贴（政策参数 living_allowance）"
_PROCURED = f"{_NOTICE} 二（一）1 项目制；采购合同"
_EXCLUDED = "不属于补贴对象的人员，与名册核对（政策参数 excluding_registers）"

#: In the order in which a person reads them.
RULES: tuple[Rule, ...] = (
    Rule(training.in_catalog, f"{_NOTICE} 二", at_door=True, kinds=_OF_CLASS),
    Rule(training.level_fits, f"{_NOTICE} 二（一）3；国家职业分类大典", at_door=True, kinds=_TRAINING),
    Rule(training.standard_in_force, f"{_NOTICE} 三", at_door=True, kinds=_TRAINING),
    Rule(
        of_class.class_named,
        f"{_NOTICE} 二（四）；机构代领注明开班编号（政策参数 institution_claim_needs_class）",
        since=4,
        kinds=_TRAINING,
    ),
    Rule(of_class.class_held, f"{_NOTICE} 二（四）：开班前申报，经区县同意", since=4, kinds=_OF_CLASS),
    Rule(of_class.on_roster, "开班名册", since=4, kinds=_OF_CLASS),
    Rule(of_class.class_teaches, "申领的职业和等级是班级所教的", since=4, kinds=_TRAINING),
    Rule(of_class.class_started, "培训开始之日为开班首日", since=4, kinds=_TRAINING),
    Rule(
        of_class.attended,
        "实际学时不少于计划学时的一定比例（政策参数 attendance_share_least）",
        since=4,
        kinds=_OF_CLASS,
    ),
    Rule(training.training_before_certificate, "证书核发在培训之后", kinds=_TRAINING),
    Rule(training.in_time, "申领期限（政策参数 claim_window_months）"),
    Rule(training.certificate_fits, _NUMBERS, until=5, kinds=_TRAINING),
    Rule(training.certificate_agrees, f"{_NUMBERS}；与填报有出入的由人核对", since=6, kinds=_TRAINING),
    Rule(training.certificate_kind_fits, _KINDS, since=2, until=5, kinds=_TRAINING),
    Rule(training.certificate_kind_agrees, f"{_KINDS}；人社部发〔2020〕80号", since=6, kinds=_TRAINING),
    Rule(training.certificate_not_used, "一证一领", at_door=True, kinds=_TRAINING),
    Rule(
        claimant.only_once,
        f"{_NOTICE} 三；同一职业同一等级不重复享受（政策参数 once_in）",
        at_door=True,
    ),
    Rule(
        claimant.no_higher_level_before,
        "已享受高等级补贴的，不再享受同一职业低等级补贴（政策参数 lower_level_after_higher）",
        since=2,
        kinds=_COUNTED,
    ),
    Rule(
        claimant.within_limits,
        "鲁人社字〔2022〕72号：每人每年不超过三次（政策参数 counting_limits）",
        since=2,
        kinds=_COUNTED,
    ),
    Rule(claimant.of_age, _AGES, since=2, until=5),
    Rule(claimant.of_working_age, f"{_AGES}；是否已退休以名册为准，没有名册的由人核对", since=6),
    Rule(claimant.group_holds, "补贴对象：证明的有效日不晚于培训开始之日", since=2),
    Rule(
        claimant.linked_to_place,
        "户籍、参保或居住在本市（政策参数 place_link_required、place_links）",
        since=2,
    ),
    Rule(payment.holder_is_payee, f"{_NOTICE} 三.8 补贴直达个人"),
    Rule(payment.mandate_holds, f"{_NOTICE} 三.8 培训机构代领；代领协议", kinds=_TRAINING),
    Rule(payment.institution_listed, f"{_NOTICE} 二（二）", until=2),
    Rule(payment.institution_may_file, f"{_NOTICE} 二（二）、二（五）；机构的停业处理", since=3, kinds=_TRAINING),
    Rule(payment.fee_proved, "个人缴费凭票申领（政策参数 subsidy_capped_by_fee）", since=2, kinds=_COUNTED),
    Rule(payment.invoice_not_used, "一票一领", since=2, at_door=True),
    Rule(payment.nothing_odd, "填写核对"),
    Rule(registers.not_on_public_payroll, _EXCLUDED, since=5),
    Rule(registers.not_studying, f"{_EXCLUDED}；毕业年度除外（政策参数 graduating_students）", since=5),
    Rule(registers.not_a_pensioner, _EXCLUDED, since=5),
    Rule(registers.living, _EXCLUDED, since=5),
    Rule(registers.in_group_register, "补贴对象：人群以名册为准，名册有效日不晚于培训开始之日", since=5),
    Rule(
        registers.not_paid_by_sister_scheme, "失业保险技能提升补贴不重复享受（政策参数 sister_scheme_paid）", since=5
    ),
    Rule(of_enterprise.contract_holds, f"{_HIRED}：培训时劳动合同有效", since=7, kinds=_TRAINING),
    Rule(
        of_enterprise.contract_long_enough,
        f"{_HIRED}（政策参数 enterprise_contract_months）",
        since=7,
        kinds=_TRAINING,
    ),
    Rule(of_enterprise.newly_hired, f"{_HIRED}（政策参数 enterprise_hired_months）", since=7, kinds=_TRAINING),
    Rule(of_enterprise.payee_may_file, f"{_NOTICE} 二（五）；停止申领的处理", since=7, until=7),
    Rule(of_enterprise.payee_stands, f"{_NOTICE} 二（五）；停止申领、清退的处理", since=8),
    Rule(of_project.project_contracted, _PROCURED, since=7, at_door=True, kinds=_PROJECT),
    Rule(of_project.project_reached, f"{_PROCURED}：成果有佐证", since=7, at_door=True, kinds=_PROJECT),
    Rule(of_project.project_priced, f"{_NOTICE} 三；项目制补贴标准", since=7, at_door=True, kinds=_PROJECT),
    Rule(of_project.project_has_room, f"{_PROCURED}：不超人数和金额", since=7, at_door=True, kinds=_PROJECT),
    Rule(of_allowance.group_gets_allowance, _LIVING, since=7, at_door=True, kinds=_ALLOWANCE),
    Rule(of_allowance.class_is_over, _LIVING, since=7, at_door=True, kinds=_ALLOWANCE),
    Rule(of_allowance.days_attended, f"{_LIVING}；按出勤天数", since=7, at_door=True, kinds=_ALLOWANCE),
    Rule(of_allowance.beside_training_claim, _LIVING, since=7, at_door=True, kinds=_ALLOWANCE),
    Rule(of_enterprise.payee_has_account, f"{_NOTICE} 三.8；对公账户经两人确认", since=7, at_door=True),
)


@cache
def rules_in(rules_version: int, kind: ClaimKind) -> tuple[Rule, ...]:
    """The rules in force in a version for claims of a kind, in order."""
    return tuple(rule for rule in RULES if rule.holds_in(rules_version) and kind in rule.kinds)


def decide(facts: Facts, rules_version: int = RULES_VERSION) -> Decision:
    """Every rule's outcome over `facts`, and the amount in fen when none failed.

    A decision that was stored is computed again with the version it was stored under; ValueError for a version that
    there is none of.
    """
    if not 1 <= rules_version <= RULES_VERSION:
        raise ValueError(f"the rules have no version {rules_version}")
    outcomes = tuple([rule.outcome(facts) for rule in rules_in(rules_version, facts.kind)])
    decision = Decision(outcomes, None, rules_version)
    return Decision(outcomes, amount_due(facts), rules_version) if decision.eligible else decision
