"""What is wrong with a draft, worked down one by one, or many at once that have the same answer."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response
from litestar.response import Redirect

from domain.catalog.deciding import SETTLED, FindingDecision
from domain.catalog.edition import EDITABLE
from domain.catalog.published import Severity
from domain.errors import NotFound
from service.catalog.commands import editing
from service.catalog.queries import editing as drafts
from service.catalog.schemas import (
    FINDINGS_AT_ONCE_MAX,
    FindingsDecidedView,
    FindingView,
    NewFindingDecision,
    NewFindingDecisions,
)
from service.idempotency import Once
from service.pages.catalog_desk import Visit, identifier, pick, told_at
from service.pages.edition_pages import at, frame_of
from service.pages.forms import Fault, Typed
from service.web import as_wanted
from service.wording import words

_Page = Response[Any]
_NONE: Typed = {}
_FINDINGS_A_PAGE = 25
#: Before the id of a finding in a form: the version in which it was shown.
_SEEN = "seen_"


async def findings(
    visit: Visit,
    edition_id: UUID,
    asked: Typed,
    typed: Typed = _NONE,
    faults: Sequence[Fault] = (),
) -> _Page:
    """Findings to work down on the left, the one at hand with its row on the right.

    `asked`: `show` (`all` of them, else those that are open), `kind`, `after` and `at` (ids of findings).
    """
    given = await frame_of(visit, edition_id)
    found = (await drafts.findings_of(visit.tx, edition_id)).findings
    needed = [each for each in found if each.severity != Severity.NOTE.value]  # a note asks for nothing
    stand = found if asked.get("show") == "all" else [each for each in needed if each.decision not in SETTLED]
    listed = [each for each in stand if asked.get("kind") in ("", None, each.kind)]
    first = 1 + next((n for n, each in enumerate(listed) if str(each.id) == asked.get("after")), -1)
    shown = listed[first : first + _FINDINGS_A_PAGE]
    at_hand = next((each for each in found if str(each.id) == asked.get("at")), None) or next(iter(shown), None)
    if asked.get("at") and (at_hand is None or str(at_hand.id) != asked["at"]):
        raise NotFound("finding.none")
    kinds = Counter(each.kind for each in stand)
    given |= {
        "shown": shown,
        "count": len(listed),
        "first": first,
        "after": shown[-1].id if first + len(shown) < len(listed) else None,
        "kinds": [(kind, words(f"finding_kind.{kind}"), count) for kind, count in sorted(kinds.items())],
        "kind_names": {each.kind: words(f"finding_kind.{each.kind}") for each in found},
        "decisions": {str(each): words(f"finding_decision.{each}") for each in FindingDecision},
        "severities": {str(each): words(f"severity.{each}") for each in Severity},
        "all": len(needed),
        "settled": sum(each.decision in SETTLED for each in needed),
        "at_hand": at_hand,
        "following": _following(listed, at_hand),
        "rows": await drafts.items_on_line(visit.tx, edition_id, at_hand.line) if at_hand and at_hand.line else [],
        "asked": {name: asked.get(name) or "" for name in ("show", "kind", "after")},
        "can_decide": given["may_edit"] and given["edition"].status in EDITABLE,
    }
    return visit.shown("findings", typed, faults, tab="findings", **given)


def _following(listed: Sequence[FindingView], at_hand: FindingView | None) -> str:
    """The id of the finding after the one at hand."""
    ids = [str(each.id) for each in listed]
    if at_hand is None or str(at_hand.id) not in ids:
        return ""
    return next(iter(ids[ids.index(str(at_hand.id)) + 1 :]), "")


def on_to_the_next(edition_id: UUID, typed: Typed, told: str) -> _Page:
    """Back to the list as it was filtered, at the next finding."""
    kept = {"show": typed.get("show"), "kind": typed.get("kind"), "at": typed.get("following")}
    return told_at(at(edition_id, "findings"), told, **kept)


async def decide(visit: Visit, edition_id: UUID, finding_id: UUID) -> _Page:
    """Let a finding stand as published, or note that the source was asked."""
    typed = await visit.typed()

    async def effect() -> None:
        new = as_wanted(pick(typed, "decision", "note"), NewFindingDecision)
        await editing.decide_finding(visit.tx, visit.me, edition_id, finding_id, new, visit.now)

    async def again(faults: Sequence[Fault]) -> _Page:
        placed = [("note" if field == "reason" else field, text) for field, text in faults]
        return await findings(visit, edition_id, {**typed, "at": str(finding_id)}, typed, placed)

    told = "asked" if typed.get("decision") == "ask" else "accepted"
    answer = await visit.does(effect, lambda: at(edition_id), told, again)
    return on_to_the_next(edition_id, typed, told) if answer.status_code == 303 else answer


# ---- many at once


async def many(visit: Visit, edition_id: UUID, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """Findings that shall have one answer: those that were ticked, all open ones of a kind, or what the answer before
    left because it had changed. NotFound `finding.none` for one that is not there."""
    given = await frame_of(visit, edition_id)
    found = (await drafts.findings_of(visit.tx, edition_id)).findings
    waiting = [each for each in found if each.severity != Severity.NOTE.value and each.decision not in SETTLED]
    asked, before = visit.request.query_params, await _before(visit, edition_id)
    kind = asked.get("kind", "")
    ids = _seen_in(typed) or ({each.id for each in before.changed} if before else _ticked(visit))
    if not ids and not before:
        ids = {each.id for each in waiting if each.kind == kind}
    chosen = [each for each in found if each.id in ids]
    if len(chosen) < len(ids):
        raise NotFound("finding.none")
    open_ones = [each for each in chosen if each.decision != FindingDecision.CORRECT.value]
    shown = open_ones[:FINDINGS_AT_ONCE_MAX]
    kinds, of_kinds = Counter(each.kind for each in waiting), Counter(each.kind for each in shown)
    given |= {
        "shown": shown,
        "of": len(open_ones),
        "corrected": [each for each in chosen if each.decision == FindingDecision.CORRECT.value],
        "before": before,
        "asked_kind": kind,
        "kinds": [(each, words(f"finding_kind.{each}"), count) for each, count in sorted(kinds.items())],
        "of_kinds": [(words(f"finding_kind.{each}"), count) for each, count in of_kinds.most_common()],
        "of_severities": Counter(each.severity for each in shown),
        "kind_names": {each.kind: words(f"finding_kind.{each.kind}") for each in chosen},
        "decisions": {str(each): words(f"finding_decision.{each}") for each in FindingDecision},
        "severities": {str(each): words(f"severity.{each}") for each in Severity},
        "can_decide": given["may_edit"] and given["edition"].status in EDITABLE,
        "seen": _SEEN,
    }
    return visit.shown("findings_set", typed, faults, tab="findings", **given)


def _ticked(visit: Visit) -> Collection[UUID]:
    """The findings that the address names; NotFound `finding.none` for what names none."""
    ids = {identifier(each) for each in visit.request.query_params.getall("f", [])[:FINDINGS_AT_ONCE_MAX]}
    if not all(isinstance(each, UUID) for each in ids):
        raise NotFound("finding.none")
    return {each for each in ids if isinstance(each, UUID)}


def _seen_in(typed: Typed) -> dict[UUID, str]:
    """Finding → the version in which the form showed it."""
    told = {identifier(name.removeprefix(_SEEN)): text for name, text in typed.items() if name.startswith(_SEEN)}
    return {each: text for each, text in told.items() if isinstance(each, UUID)}


async def _before(visit: Visit, edition_id: UUID) -> FindingsDecidedView | None:
    """What came of the answer that was given before, by the key of its form; NotFound `finding.none` for no such."""
    key = visit.request.query_params.get("done", "")
    if not key:
        return None
    once = Once(visit.me.user_id, f"POST {at(edition_id, 'findings/set')}", key[:100], b"")
    if (told := await once.told(visit.tx, FindingsDecidedView)) is None:
        raise NotFound("finding.none")
    return told


async def decide_many(visit: Visit, edition_id: UUID) -> _Page:
    """Give them one answer; to the list, or to those that had changed and were not answered."""
    typed, made = await visit.typed(), list[FindingsDecidedView]()

    async def effect() -> None:
        seen = [{"id": str(each), "version": version} for each, version in _seen_in(typed).items()]
        new = as_wanted({**pick(typed, "decision", "note"), "findings": seen}, NewFindingDecisions)
        once, decide = visit.once(typed), editing.decide_findings
        view = FindingsDecidedView
        answer = await once(visit.tx, view, lambda: decide(visit.tx, visit.me, edition_id, new, visit.now))
        made.append(answer.view)

    async def again(faults: Sequence[Fault]) -> _Page:
        placed = [("note" if field == "reason" else field, text) for field, text in faults]
        return await many(visit, edition_id, typed, placed)

    told = "asked_many" if typed.get("decision") == "ask" else "accepted_many"
    answer = await visit.does(effect, lambda: at(edition_id, "findings"), told, again)
    if answer.status_code != 303 or not made[0].changed:
        return answer
    return Redirect(f"{at(edition_id, 'findings/set')}?{urlencode({'done': typed['once']})}", status_code=303)
