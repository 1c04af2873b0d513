"""One claim on one screen: who, what was claimed against what the registry says, the rules, what lies beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from domain.actor import Actor, Post
from domain.errors import Conflict
from service.audit.queries.story import story_of
from service.claims.commands.drawing import sampling_on
from service.claims.commands.holds import HOLDERS
from service.claims.commands.unmasking import UNMASKERS
from service.claims.queries.care import holds_of
from service.claims.queries.claimants import claimant_view
from service.claims.queries.money import money_for
from service.claims.queries.similar import similar_claims
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimMoney, ClaimView, OutcomeView
from service.database import Tx
from service.pages.desk import working_days_left
from service.pages.filing_form import banks
from service.pages.forms import Typed
from service.pages.stages import tone_of
from service.policies.queries import groups, parameters, work_calendar
from service.verification.queries.asking import asking_of
from service.verification.queries.manual import list_checks
from service.verification.queries.replies import compared
from service.verification.queries.versions import Version, version_of
from service.wording import wording, words
from service.work.commands.taking import LOOKS
from service.work.queries import beside, waiting
from service.work.queries.approvals import approvals_of
from service.work.queries.waiting import Chosen
from service.work.schemas import Kind

#: Rules and steps that are shown before one unfolds the rest; those that want a person are all shown.
_RULES_SHOWN, _STEPS_SHOWN = 7, 4
#: So many of the list are looked through for the claims before and after this one.
_NEIGHBOURS_MAX = 100
_GRAVITY = ("failed", "needs_human", "warned", "passed")
_WANTING = frozenset({"failed", "needs_human"})
_LOOKED_AT = {"verified": Kind.REVIEW, "in_review": Kind.REVIEW, "approved": Kind.SECOND_REVIEW}


@dataclass(frozen=True)
class RuleLine:
    """What one rule said; `wants_person`: an officer weighs it."""

    said: OutcomeView
    basis: str

    @property
    def wants_person(self) -> bool:
        return self.said.outcome in _WANTING


@dataclass(frozen=True)
class Place:
    """Where the claim stands in my list, and which are beside it."""

    number: int | None
    before: UUID | None
    after: UUID | None


async def case(
    tx: Tx, me: Actor, claim_id: UUID, today: date, now: datetime, typed: Typed | None = None
) -> dict[str, Any]:
    """NotFound `claim.not_found` for a claim that is not mine to see."""
    view, version = await claim_view(tx, me, claim_id), await version_of(tx, claim_id)
    typed, kind = typed or {}, _LOOKED_AT.get(view.status)
    policy, rules = await parameters(tx, today), _rules(view)
    due = work_calendar().add(view.filed_on, policy.get("review_working_days", 0)).on
    looks, reviews = me.holds(*LOOKS), me.holds(Post.REVIEWER)
    # who the claimant is, and what the registry told of them, is for those that the API tells it to
    near = me.holds(*UNMASKERS)
    claimant = await claimant_view(tx, me, claim_id, today, now) if near else None
    told = await compared(tx, me, claim_id) if near else None
    steps = (await story_of(tx, me, claim_id)).steps if looks else []
    wanting, warned = (sum(each.said.outcome in of for each in rules) for of in (_WANTING, {"warned"}))
    first = max(wanting + warned, _RULES_SHOWN)
    sees_approvals = me.holds(*LOOKS, Post.NOTICE_PUBLISHER)
    approvals = (await approvals_of(tx, me, claim_id)).approvals if sees_approvals else []
    return {
        "claim": view,
        "tone": tone_of(view.status),
        "channel": words(f"channel.{view.channel}"),
        "left": working_days_left(work_calendar(), today, due) if kind is Kind.REVIEW else None,
        "due_on": due,
        "claimant": claimant,
        "bank": banks().get(claimant.bank_code, "") if claimant else "",
        "group": groups()[claimant.group].name if claimant and claimant.group in groups() else "",
        "may_unmask": claimant is not None and claimant.in_clear_until is None,
        "unmask_reasons": reasons("unmask"),
        "compared": told,
        "asking": await asking_of(tx, me, claim_id, now) if near else None,
        "rules": rules[:first],
        "more_rules": rules[first:],
        "rule_count": len(rules),
        "wanting": wanting,
        "warned": warned,
        "steps": steps[-_STEPS_SHOWN:],
        "more_steps": steps[:-_STEPS_SHOWN],
        "holds": await holds_of(tx, claim_id),
        "similar": await similar_claims(tx, me, claim_id) if looks else [],
        "checks": (await list_checks(tx, me, claim_id)).checks if reviews else [],
        "approval": approvals[-1] if approvals else None,
        "money": await _money(tx, claim_id, today) if reviews else None,
        "notice_days": policy.get("notice_working_days"),
        "percent": (await sampling_on(tx, today)).percent,
        "mine_until": await beside.taken_until(tx, me, claim_id, now) if looks else None,
        "place": await _place(tx, me, kind, view, now),
        "acts": _acts(me, view, told is not None and told.settled, approvals),
        "seen": version,
        "read_before": _other_version(typed, version),
        "typed": typed,
        "once": uuid4(),
    }


async def _money(tx: Tx, claim_id: UUID, today: date) -> ClaimMoney | None:
    """None also in a city that has not said which fund pays."""
    try:
        return await money_for(tx, claim_id, today)
    except Conflict:
        return None


def _rules(view: ClaimView) -> list[RuleLine]:
    """Those that want a person first; said once where several say the same."""
    outcomes = {each.message: each for each in (view.decision.outcomes if view.decision else [])}.values()
    order = sorted(outcomes, key=lambda each: _GRAVITY.index(each.outcome))
    return [RuleLine(each, each.basis) for each in order]


async def _place(tx: Tx, me: Actor, kind: Kind | None, view: ClaimView, now: datetime) -> Place:
    if kind is None or not me.holds(Post.REVIEWER if kind is Kind.REVIEW else Post.SECOND_REVIEWER):
        return Place(None, None, None)
    status = view.status if kind is Kind.REVIEW else None
    found = await waiting.work(tx, me, Chosen(kind, None, status), None, _NEIGHBOURS_MAX, now)
    ids = [each.claim_id for each in found.work]
    if view.id not in ids:
        return Place(None, None, ids[0] if ids else None)
    at = ids.index(view.id)
    return Place(at + 1, ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)


def _acts(me: Actor, view: ClaimView, settled: bool, approvals: Sequence[Any]) -> set[str]:
    """What my posts let me do about a claim that stands where it does; whether the rules let me, they say then."""
    acts, status = set[str](), view.status
    if me.holds(Post.REVIEWER) and status in {"verified", "in_review"}:
        acts |= {"approve", "refuse"} | ({"send-back"} if view.kind == "training" else set())
    if me.holds(Post.REVIEWER) and view.kind == "training" and status in {"filed", "in_review"} and not settled:
        acts.add("check")
    if me.holds(Post.SECOND_REVIEWER) and status == "approved" and approvals:
        acts |= {"second-review"} if approvals[-1].why and approvals[-1].finding is None else set()
    if me.holds(*HOLDERS):
        acts.add("hold")
    if me.holds(*LOOKS) and status in _LOOKED_AT:
        acts |= {"take", "recuse"}
    return acts


def _other_version(typed: Typed, now: Version) -> Version | None:
    """How it stood when the decision was written that did not fit any more."""
    seen = Version.read(typed.get("seen", ""))
    return seen if seen is not None and seen != now else None


def reasons(kind: str, without: Sequence[str] = ()) -> list[tuple[str, str]]:
    """(code, name) of a list of reasons in the wording."""
    codes = [code.removeprefix(f"{kind}.") for code in wording() if code.startswith(f"{kind}.")]
    return [(code, words(f"{kind}.{code}")) for code in codes if code not in without]
