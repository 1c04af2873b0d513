"""Where a claim's money is: against the whole lifecycle; and a position that neither makes nor loses a fen."""

from contextlib import nullcontext
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from domain.claim import CLAIM_LIFECYCLE, ClaimAction, ClaimStatus
from domain.errors import Conflict, Forbidden, Invalid
from domain.fund import (
    EFFECTS,
    HELD_IN,
    WAYS,
    Asking,
    ClassPot,
    Movement,
    Position,
    PositionKey,
    Pot,
    check_transfer,
    check_transfer_scope,
    check_two_persons,
    days_left,
    effects_of,
    fund_of,
    ways_into,
    while_it_lasts,
)

_S, _P = ClaimStatus, Pot

#: Written down a second time: status: where its money may be.
HELD = {
    _S.APPROVED: {_P.RESERVED},
    _S.NOTICED: {_P.RESERVED},
    _S.PAYABLE: {_P.RESERVED},
    _S.BATCHED: {_P.RESERVED, _P.IN_FLIGHT},
    _S.BOUNCED: {_P.RESERVED},
    _S.PAID: {_P.PAID},
}

MOVES = sorted({(before, after) for (before, _), after in CLAIM_LIFECYCLE.moves.items()})


@pytest.mark.parametrize("status", ClaimStatus)
def test_a_claims_money_is_held_from_approval_to_its_end(status: ClaimStatus) -> None:
    assert HELD_IN[status] == HELD.get(status, {_P.FREE})


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_every_move_that_touches_money_says_where_it_goes(before: ClaimStatus, after: ClaimStatus) -> None:
    """A move has an effect exactly when the money may be where it must not be afterwards, and leads where it may."""
    if HELD_IN[before] <= HELD_IN[after]:
        assert (before, after) not in EFFECTS
    else:
        assert EFFECTS[before, after] in HELD_IN[after]


@pytest.mark.parametrize(("before", "after"), EFFECTS)
def test_every_effect_belongs_to_a_move_and_has_a_way(before: ClaimStatus, after: ClaimStatus) -> None:
    assert (before, after) in MOVES
    target = EFFECTS[before, after]
    if HELD_IN[before] == {_P.FREE}:
        assert target == WAYS[Movement.RESERVE][1]
    elif (before, after) == (_S.BATCHED, _S.PAID):
        assert ways_into(target) == {_P.IN_FLIGHT: Movement.PAY}  # what was not sent is not paid
    else:
        assert HELD_IN[before] - {target} <= set(ways_into(target))


def test_effects_of_an_action_are_those_of_its_moves() -> None:
    assert effects_of(ClaimAction.APPROVE) == {_S.VERIFIED: _P.RESERVED, _S.IN_REVIEW: _P.RESERVED}
    before_the_money = (_S.APPROVED, _S.NOTICED, _S.PAYABLE, _S.BOUNCED)
    assert effects_of(ClaimAction.QUESTION) == dict.fromkeys(before_the_money, _P.FREE)
    assert effects_of(ClaimAction.BOUNCE) == {_S.BATCHED: _P.RESERVED, _S.PAID: _P.RESERVED}
    assert effects_of(ClaimAction.RECOVER) == {_S.PAID: _P.FREE}
    for action in (ClaimAction.PUBLISH, ClaimAction.CLEAR, ClaimAction.BATCH, ClaimAction.MEND, ClaimAction.REFUSE):
        assert effects_of(action) == {}


def test_ways_lead_from_one_pot_into_another_and_are_all_different() -> None:
    assert set(WAYS) == set(Movement)
    assert all(source != target for source, target in WAYS.values())
    between = [way for way in WAYS.values() if _P.TREASURY not in way]
    # what is set aside for a class is free for a claim of it, or for others; what was paid comes back, also in parts
    twice = [way for way in between if between.count(way) > 1]
    assert twice == [(_P.SET_ASIDE, _P.FREE)] * 2 + [(_P.PAID, _P.FREE)] * 2
    assert ways_into(_P.FREE)[_P.PAID] is Movement.RECOVER  # parts name their repayment, not the claim
    # nothing is given back unseen
    given_back = [movement for movement, (_, target) in WAYS.items() if target is _P.TREASURY]
    assert given_back == [Movement.LOWER, Movement.TRANSFER_OUT]
    # what one leg of a transfer takes, the other brings
    assert WAYS[Movement.TRANSFER_IN] == tuple(reversed(WAYS[Movement.TRANSFER_OUT]))


_HELD = (_P.SET_ASIDE, _P.RESERVED, _P.IN_FLIGHT, _P.PAID)
EMPTY = Position("就业补助资金", 2026)


class Conserved(RuleBasedStateMachine):
    """Claims of any amounts are approved, sent, paid, returned, freed in any order, with money coming in between."""

    reserved = Bundle("reserved")
    in_flight = Bundle("in_flight")
    paid = Bundle("paid")
    set_aside = Bundle("set_aside")

    def __init__(self) -> None:
        super().__init__()
        self.position = EMPTY
        self.granted_fen = 0
        self.claims: dict[Pot, list[int]] = {pot: [] for pot in _HELD}

    def move(self, movement: Movement, amount_fen: int) -> int:
        self.position = self.position.after(movement, amount_fen)
        source, target = WAYS[movement]
        if source in self.claims:
            self.claims[source].remove(amount_fen)
        if target in self.claims:
            self.claims[target].append(amount_fen)
        return amount_fen

    @rule(amount_fen=st.integers(1, 10**6))
    def appropriate(self, amount_fen: int) -> None:
        self.move(Movement.APPROPRIATE, amount_fen)
        self.granted_fen += amount_fen

    @rule(share=st.integers(1, 100))
    @precondition(lambda self: self.position.free_fen > 0)
    def lower(self, share: int) -> None:
        amount_fen = -(-self.position.free_fen * share // 100)
        assert self.position.lowered(amount_fen) == self.position.after(Movement.LOWER, amount_fen)
        self.move(Movement.LOWER, amount_fen)
        self.granted_fen -= amount_fen

    @rule(more_fen=st.integers(1, 10**6))
    def lower_too_much(self, more_fen: int) -> None:
        before = self.position
        with pytest.raises(Conflict) as refused:
            before.lowered(before.free_fen + more_fen)
        assert refused.value.code == "appropriation.not_free"
        assert refused.value.facts == {**vars(before), "lowered_fen": before.free_fen + more_fen}

    @rule(target=reserved, share=st.integers(1, 100))
    @precondition(lambda self: self.position.free_fen > 0)
    def reserve(self, share: int) -> int:
        return self.move(Movement.RESERVE, -(-self.position.free_fen * share // 100))

    @rule(more_fen=st.integers(1, 10**6))
    def reserve_too_much(self, more_fen: int) -> None:
        before = self.position
        with pytest.raises(Conflict) as refused:
            self.position.after(Movement.RESERVE, before.free_fen + more_fen)
        assert refused.value.code == "fund.insufficient"
        assert refused.value.facts["free_fen"] == before.free_fen
        assert refused.value.facts["missing_fen"] == more_fen

    @rule(target=set_aside, share=st.integers(1, 100))
    @precondition(lambda self: self.position.free_fen > 0)
    def set_aside_for_a_class(self, share: int) -> int:
        return self.move(Movement.SET_ASIDE, -(-self.position.free_fen * share // 100))

    @rule(target=reserved, amount_fen=consumes(set_aside))
    def draw(self, amount_fen: int) -> int:
        free_fen = self.position.free_fen
        self.move(Movement.DRAW, amount_fen)
        self.move(Movement.RESERVE, amount_fen)
        assert self.position.free_fen == free_fen
        return amount_fen

    @rule(amount_fen=consumes(set_aside))
    def give_back(self, amount_fen: int) -> None:
        self.move(Movement.GIVE_BACK, amount_fen)

    @rule(target=in_flight, amount_fen=consumes(reserved))
    def send(self, amount_fen: int) -> int:
        return self.move(Movement.SEND, amount_fen)

    @rule(target=paid, amount_fen=consumes(in_flight))
    def pay(self, amount_fen: int) -> int:
        return self.move(Movement.PAY, amount_fen)

    @rule(target=reserved, amount_fen=consumes(in_flight))
    def fail(self, amount_fen: int) -> int:
        return self.move(Movement.FAIL, amount_fen)

    @rule(target=reserved, amount_fen=consumes(paid))
    def bounce(self, amount_fen: int) -> int:
        return self.move(Movement.BOUNCE, amount_fen)

    @rule(amount_fen=consumes(reserved))
    def release(self, amount_fen: int) -> None:
        self.move(Movement.RELEASE, amount_fen)

    @rule(amount_fen=consumes(paid))
    def recover(self, amount_fen: int) -> None:
        self.move(Movement.RECOVER, amount_fen)

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        assert self.position.appropriated_fen == self.granted_fen
        assert self.position.free_fen >= 0
        held = {pot: getattr(self.position, f"{pot}_fen") for pot in self.claims}
        assert held == {pot: sum(amounts) for pot, amounts in self.claims.items()}


TestConserved = Conserved.TestCase
TestConserved.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


RICH, POOR = Position("甲", 2026, free_fen=10), Position("乙", 2026, free_fen=3)


@pytest.mark.parametrize(
    ("due", "lasts"),
    [
        ([], []),
        ([("a", 10)], [True]),
        ([("a", 11)], [False]),
        ([("a", 4), ("a", 4), ("a", 2)], [True, True, True]),
        # the third does not fit; whoever comes after it does not overtake it
        ([("a", 4), ("a", 4), ("a", 3), ("a", 2)], [True, True, False, False]),
        # positions do not stand in each other's way
        ([("b", 4), ("a", 4), ("b", 1)], [False, True, False]),
        # no position, no money
        ([("c", 1), ("a", 1)], [False, True]),
    ],
)
def test_the_oldest_are_served_while_the_money_lasts(due: list[tuple[str, int]], lasts: list[bool]) -> None:
    asking = [Asking(place, amount_fen) for place, amount_fen in due]
    given = while_it_lasts({"a": RICH, "b": POOR}, asking, {}, 2026)
    assert [each is not None for each in given] == lasts
    assert set(given) <= {0, None}


@pytest.mark.parametrize(
    ("left", "due", "given"),
    [
        ((2026, 8), [5, 5], [5, 3]),  # the second takes 2 of the 10 that are free
        ((2026, 8), [5, 14, 3], [5, None, 3]),  # 11 are not free; whom the pot pays wholly waits for nobody
        ((2026, 8), [5, 14, 4], [5, None, None]),
        ((2025, 8), [5, 5, 3], [5, 0, 3]),  # money of another year pays a claim wholly or not at all
        ((2026, 0), [10, 1], [0, None]),
    ],
)
def test_a_claim_draws_on_its_classs_pot_first(left: tuple[int, int], due: list[int], given: list[int]) -> None:
    asking = [Asking("a", amount_fen, "class") for amount_fen in due]
    assert while_it_lasts({"a": RICH}, asking, {"class": ClassPot(*left)}, 2026) == given
    without = while_it_lasts({}, asking, {"class": ClassPot(*left)}, 2026)
    assert [each for each in without if each is not None] == [
        each for each, amount_fen in zip(without, due, strict=True) if each == amount_fen
    ]


def test_the_fund_follows_from_the_group() -> None:
    policy = {"default": "employment_subsidy", "groups": {"enterprise_employee": "unemployment_insurance"}}
    assert fund_of(policy, "enterprise_employee") == "unemployment_insurance"
    assert fund_of(policy, "") == fund_of(policy, "a group nobody named") == "employment_subsidy"


@pytest.mark.parametrize(
    ("free_fen", "drawn_fen", "days"),
    [(300, 300, 30), (299, 300, 29), (0, 300, 0), (300, 1, 9000), (300, 0, None), (300, -1, None), (0, 0, None)],
)
def test_how_long_it_lasts(free_fen: int, drawn_fen: int, days: int | None) -> None:
    assert days_left(free_fen, drawn_fen, 30) == days


def test_two_persons() -> None:
    one, other = uuid4(), uuid4()
    check_two_persons("appropriation", one, other)
    for noun in ("appropriation", "fund_transfer"):
        with pytest.raises(Forbidden, match=rf"{noun}\.same_person"):
            check_two_persons(noun, one, one)


def _at(district: str = "370102", fund: str = "a", year: int = 2026) -> PositionKey:
    return PositionKey(district, fund, year)


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        (_at(), _at(year=2027), ""),  # 结转, before the year's end
        (_at(year=2025), _at(), ""),  # and after it
        (_at(year=2020), _at(), ""),  # what was freed long after its year
        (_at(), _at(fund="b"), ""),
        (_at(), _at("370112"), ""),
        (_at(), _at(), "fund_transfer.same"),
        (_at(), _at(year=2025), "fund_transfer.backwards"),
        (_at("370112", "b"), _at(year=2025), "fund_transfer.backwards"),
        (_at(year=2024), _at(year=2025), "fund.year"),
        (_at(), _at(year=2028), "fund.year"),
    ],
)
def test_where_money_may_go(source: PositionKey, target: PositionKey, code: str) -> None:
    said = ""
    try:
        check_transfer(source, target, 2026)
    except Invalid as refused:
        said = refused.code
    assert said == code


@pytest.mark.parametrize(
    ("source", "target", "district", "may"),
    [
        (_at(), _at("370112", "b"), None, True),  # the city may all
        (_at(), _at(year=2027), "370102", True),
        (_at(), _at(year=2027), "370112", False),
        (_at(), _at(fund="b"), "370102", False),
        (_at(), _at("370112"), "370102", False),
        (_at(), _at("370112"), "370112", False),
    ],
)
def test_who_may_move_it(source: PositionKey, target: PositionKey, district: str | None, may: bool) -> None:
    refuses = nullcontext() if may else pytest.raises(Forbidden, match=r"fund_transfer\.city_only")
    with refuses:
        check_transfer_scope(source, target, district)
