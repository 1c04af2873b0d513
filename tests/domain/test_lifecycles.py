"""Every status × action of every lifecycle, against the moves written down here a second time."""

import random
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from domain.batch import (
    ATTEMPT_LIFECYCLE,
    BATCH_LIFECYCLE,
    LIVE_ATTEMPT,
    STOPPABLE,
    AttemptAction,
    AttemptStatus,
    BatchAction,
    BatchStatus,
    PaymentLine,
    Step,
    content_of,
    steps_of,
)
from domain.catalog.edition import EDITION_LIFECYCLE, EditionAction, EditionStatus
from domain.catalog.sources import PROPOSAL_LIFECYCLE, ProposalAction, ProposalStatus
from domain.claim import CLAIM_LIFECYCLE, DEAD, ClaimAction, ClaimStatus
from domain.clawback import CLAWBACK_LIFECYCLE, ClawbackAction, ClawbackStatus
from domain.errors import Conflict
from domain.lifecycle import Lifecycle
from domain.offer import OFFER_LIFECYCLE, OfferAction, OfferStatus
from domain.roster import ROSTER_LIFECYCLE, RosterAction, RosterStatus
from domain.selection import (
    APPLICATION_LIFECYCLE,
    ROUND_LIFECYCLE,
    ApplicationAction,
    ApplicationStatus,
    RoundAction,
    RoundStatus,
)

Life = Lifecycle[Any, Any]
Moves = dict[tuple[str, str], str]

# status: action → next, …
CLAIM_MOVES = """
filed: verify → verified, question → in_review, refuse → refused, withdraw → withdrawn, grant → payable
verified: approve → approved, refuse → refused, send_back → sent_back, question → in_review, withdraw → withdrawn
in_review: approve → approved, refuse → refused, send_back → sent_back, withdraw → withdrawn
sent_back: correct → filed, lapse → lapsed, withdraw → withdrawn
approved: publish → noticed, overturn → in_review, question → in_review, withdraw → withdrawn
noticed: object → in_review, question → in_review, clear → payable, withdraw → withdrawn
payable: question → in_review, batch → batched, withdraw → withdrawn
batched: unbatch → payable, pay → paid, bounce → bounced
paid: bounce → bounced, recover → recovered
bounced: mend → payable, question → in_review, withdraw → withdrawn
refused: reinstate → in_review
"""
ROSTER_MOVES = """
received: read → filing, reject → rejected
filing: finish → finished
"""
EDITION_MOVES = """
draft: consult → in_consultation, publish → published
in_consultation: reopen → draft, approve → approved
approved: reopen → draft, publish → published
published: supersede → superseded
"""
ROUND_MOVES = """
announced: publicise → in_publicity, drop → dropped
in_publicity: close → closed
"""
APPLICATION_MOVES = """
filed: nominate → nominated, turn_down → not_admitted, withdraw → withdrawn
nominated: admit → admitted, turn_down → not_admitted, withdraw → withdrawn
"""
PROPOSAL_MOVES = """
proposed: accept → accepted, decline → declined
"""
OFFER_MOVES = """
offered: confirm → confirmed, decline → declined, expire → expired
"""
CLAWBACK_MOVES = """
raised: demand → demanded, waive → waived
demanded: repay_part → part_repaid, repay → repaid, waive → waived, enforce → enforced
part_repaid: repay_part → part_repaid, repay → repaid, waive → waived, enforce → enforced
enforced: repay_part → enforced, repay → repaid
"""
BATCH_MOVES = """
opened: freeze → frozen, dissolve → dissolved
frozen: refreeze → frozen, submit → submitted, dissolve → dissolved
submitted: check_on → submitted, check → checked, dissolve → dissolved, reject → dissolved
checked: release → released, dissolve → dissolved, reject → dissolved
released: send → sent, miss → not_received, dissolve → dissolved
sent: settle → settled
"""
ATTEMPT_MOVES = """
prepared: void → void, intend → sending
sending: send → sent, lose_sight → unknown, fail → failed
sent: succeed → done, fail → failed, lose_sight → unknown, return → returned
unknown: send → sent, succeed → done, fail → failed, return → returned
done: return → returned
"""


def _moves(text: str) -> Moves:
    moves = {}
    for line in text.strip().splitlines():
        status, rest = line.split(": ")
        for move in rest.split(", "):
            action, after = move.split(" → ")
            moves[status, action] = after
    return moves


LIVES = [
    pytest.param(CLAIM_LIFECYCLE, ClaimStatus, ClaimAction, _moves(CLAIM_MOVES), id="claim"),
    pytest.param(EDITION_LIFECYCLE, EditionStatus, EditionAction, _moves(EDITION_MOVES), id="edition"),
    pytest.param(PROPOSAL_LIFECYCLE, ProposalStatus, ProposalAction, _moves(PROPOSAL_MOVES), id="proposal"),
    pytest.param(ROUND_LIFECYCLE, RoundStatus, RoundAction, _moves(ROUND_MOVES), id="round"),
    pytest.param(
        APPLICATION_LIFECYCLE, ApplicationStatus, ApplicationAction, _moves(APPLICATION_MOVES), id="application"
    ),
    pytest.param(OFFER_LIFECYCLE, OfferStatus, OfferAction, _moves(OFFER_MOVES), id="offer"),
    pytest.param(CLAWBACK_LIFECYCLE, ClawbackStatus, ClawbackAction, _moves(CLAWBACK_MOVES), id="clawback"),
    pytest.param(ROSTER_LIFECYCLE, RosterStatus, RosterAction, _moves(ROSTER_MOVES), id="roster"),
    pytest.param(BATCH_LIFECYCLE, BatchStatus, BatchAction, _moves(BATCH_MOVES), id="batch"),
    pytest.param(ATTEMPT_LIFECYCLE, AttemptStatus, AttemptAction, _moves(ATTEMPT_MOVES), id="attempt"),
]


@pytest.mark.parametrize(("life", "statuses", "actions", "moves"), LIVES)
def test_every_status_and_action(life: Life, statuses: type[StrEnum], actions: type[StrEnum], moves: Moves) -> None:
    for status, action in product(statuses, actions):
        if (status, action) in moves:
            assert life.after(status, action) == moves[status, action]
            continue
        with pytest.raises(Conflict) as refused:
            life.after(status, action)
        assert refused.value.code == "wrong_status"
        assert refused.value.facts == {"noun": life.noun, "status": str(status), "action": str(action)}


@pytest.mark.parametrize(("life", "statuses", "actions", "moves"), LIVES)
def test_every_status_is_reached_and_every_action_used(
    life: Life, statuses: type[StrEnum], actions: type[StrEnum], moves: Moves
) -> None:
    reached, news = set(), {life.first}
    while news:
        reached |= news
        news = {after for (before, _), after in life.moves.items() if before in reached} - reached
    assert reached == set(statuses)
    assert {action for _, action in life.moves} == set(actions)


@pytest.mark.parametrize(("life", "statuses", "actions", "moves"), LIVES)
def test_sources_name_every_way_in(life: Life, statuses: type[StrEnum], actions: type[StrEnum], moves: Moves) -> None:
    for action in actions:
        assert life.sources(action) == {before: after for (before, done), after in moves.items() if done == action}


def test_nothing_leaves_a_final_status() -> None:
    assert CLAIM_LIFECYCLE.final() == {ClaimStatus.WITHDRAWN, ClaimStatus.LAPSED, ClaimStatus.RECOVERED}
    assert BATCH_LIFECYCLE.final() == {BatchStatus.SETTLED, BatchStatus.DISSOLVED, BatchStatus.NOT_RECEIVED}
    assert ATTEMPT_LIFECYCLE.final() == {AttemptStatus.FAILED, AttemptStatus.RETURNED, AttemptStatus.VOID}


def test_dead_claims_are_those_that_keep_nobody_out() -> None:
    assert set(ClaimStatus) & DEAD == {
        ClaimStatus.REFUSED,
        ClaimStatus.WITHDRAWN,
        ClaimStatus.LAPSED,
        ClaimStatus.RECOVERED,
    }


def test_an_attempt_is_live_until_the_money_is_surely_not_there() -> None:
    assert set(AttemptStatus) - LIVE_ATTEMPT == {AttemptStatus.FAILED, AttemptStatus.RETURNED, AttemptStatus.VOID}


def test_nothing_is_stopped_after_the_point_of_no_return() -> None:
    assert ATTEMPT_LIFECYCLE.sources(AttemptAction.VOID) == {AttemptStatus.PREPARED: AttemptStatus.VOID}
    assert {AttemptStatus.PREPARED, AttemptStatus.VOID} == STOPPABLE
    for giving_up in (BatchAction.DISSOLVE, BatchAction.REJECT):
        assert BatchStatus.SENT not in BATCH_LIFECYCLE.sources(giving_up)


LINES = [
    PaymentLine("LX26-000001", "张秀梅", "6299990000000001", "102451000012", 180000),
    PaymentLine("LX26-000002", "王*", "6299990000000002", "102451000012", 100000),
    PaymentLine("LX26-000003", 'a","b', "6299990000000003", "313451000012", 1),
]


def test_a_batch_has_one_content_in_any_order() -> None:
    shuffled = random.Random(3).sample(LINES, k=3)
    assert content_of(shuffled) == content_of(LINES)
    assert (content_of(LINES).line_count, content_of(LINES).sum_fen) == (3, 280001)


@pytest.mark.parametrize(
    "other",
    [
        PaymentLine("LX26-000009", "张秀梅", "6299990000000001", "102451000012", 180000),
        PaymentLine("LX26-000001", "张秀", "6299990000000001", "102451000012", 180000),
        PaymentLine("LX26-000001", "张秀梅", "6299990000000009", "102451000012", 180000),
        PaymentLine("LX26-000001", "张秀梅", "6299990000000001", "102451000013", 180000),
        PaymentLine("LX26-000001", "张秀梅", "6299990000000001", "102451000012", 180001),
    ],
)
def test_any_change_of_a_line_changes_the_hash(other: PaymentLine) -> None:
    assert content_of([other, *LINES[1:]]).content_hash != content_of(LINES).content_hash


def test_moving_text_between_fields_changes_the_hash() -> None:
    one = PaymentLine("LX26-000001", "张", "秀6299990000000001", "1", 1)
    other = PaymentLine("LX26-000001", "张秀", "6299990000000001", "1", 1)
    assert content_of([one]).content_hash != content_of([other]).content_hash


def test_payee_and_account_stay_out_of_what_is_printed() -> None:
    assert "张秀梅" not in repr(LINES[0])
    assert "6299990000000001" not in repr(LINES[0])


def test_signatures_come_in_order() -> None:
    assert steps_of(1) == (Step.ASSEMBLE, Step.CHECK, Step.RELEASE)
