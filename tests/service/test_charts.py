"""Charts: what a number becomes on paper, by tables of cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pages import charts


def test_a_scale_is_straight_and_stays_where_all_values_are_one() -> None:
    assert [charts.Scale(0, 10, 100, 0)(each) for each in (0, 5, 10)] == [100, 50, 0]
    assert charts.Scale(3, 3, 40, 90)(3) == 40


def test_a_trend_begins_at_the_left_and_ends_at_the_right() -> None:
    drawn = charts.trend(
        [30, 40, 45],
        ["2026-01", "2026-02", "2026-03"],
        [35, 35, 45],
        width=400,
        height=200,
        low=20,
        high=50,
        step=10,
        every=2,
    )
    assert (drawn["first"], drawn["last"]) == ((40, 122), (338, 44))
    assert [text for _, text in drawn["ticks"]] == ["20%", "30%", "40%", "50%"]
    assert [text for *_, text in drawn["goal_steps"]] == ["35%", "45%"]
    assert [month for _, month in drawn["months"]] == ["2026-01", "2026-03"]


def test_one_month_alone_is_a_point_and_no_goal_is_no_line() -> None:
    drawn = charts.trend([30], ["2026-01"], [], width=400, height=200, low=20, high=50, step=10, every=1)
    assert (drawn["first"], drawn["goal"]) == (drawn["last"], "")


@pytest.mark.parametrize(("goal", "below"), [(None, [False, False]), (40, [False, True])])
def test_ranked_bars_stand_longest_first(goal: float | None, below: list[bool]) -> None:
    drawn = charts.ranked([("历下", 30, "30%"), ("历城", 60, "60%")], width=400, high=60, goal=goal)
    assert [row["name"] for row in drawn["rows"]] == ["历城", "历下"]
    assert [row["below"] for row in drawn["rows"]] == below
    assert drawn["rows"][0]["end"] == 392


def test_the_parts_of_a_bar_fill_it_and_small_ones_have_no_text() -> None:
    boxes = charts.stacked([("五级", [0.5, 0.45, 0.05])], width=278)["rows"][0]["boxes"]
    assert sum(each["w"] for each in boxes) == 200
    assert [each["show"] for each in boxes] == [True, True, False]


def test_a_fall_lies_left_of_zero_and_a_rise_right() -> None:
    drawn = charts.change([("历下", -1.0), ("历城", 2.0), ("市中", 0.0)], width=400)
    rise, none, fall = drawn["rows"]
    assert fall["x"] + fall["len"] == pytest.approx(drawn["zero"]) == rise["x"]
    assert (rise["text"], none["text"], fall["text"]) == ("+2.00", "0", "−1.00")


def test_changes_that_are_all_nothing_are_drawn() -> None:
    assert charts.change([("历下", 0.0)], width=400)["rows"][0]["len"] == 0


def test_a_month_without_a_value_leaves_a_gap_and_a_goal_begins_where_it_was_set() -> None:
    drawn = charts.trend(
        [30, None, 40, 45],
        ["2026-01", "2026-02", "2026-03", "2026-04"],
        [None, 35, 35, None],
        width=402,
        height=200,
        low=20,
        high=50,
        step=10,
        every=1,
    )
    assert drawn["line"].count("M") == 2
    assert drawn["line"].count("L") == 1
    assert (drawn["first_value"], drawn["last_value"]) == ("30.0%", "45.0%")
    assert [text for *_, text in drawn["goal_steps"]] == ["35%"]
    assert drawn["goal"].count("M") == 1


@given(st.lists(st.floats(0, 100), min_size=1))
def test_an_axis_holds_all_values_in_few_steps(values: list[float]) -> None:
    low, high, step = charts.axis(values)
    assert low <= min(values) <= max(values) <= high
    assert 0 <= low < high <= 105
    assert (high - low) / step <= 6


def test_every_district_has_its_place_and_none_has_no_share() -> None:
    rows = {"A": ("历下", 50.0), "B": ("历城", 29.9), "C": ("商河", None), "D": ("新区", 42.0)}
    drawn = charts.tiles(rows, {"A": (3, 4), "B": (4, 4), "C": (4, 1), "Z": (9, 9)})
    by_name = {each["name"]: each for each in drawn["tiles"]}
    assert {name: each["bin"] for name, each in by_name.items()} == {"历下": 5, "历城": 1, "商河": 1, "新区": 4}
    assert by_name["商河"]["value"] == "—"
    assert by_name["新区"]["y"] > max(by_name[name]["y"] for name in ("历下", "历城", "商河"))
    assert (drawn["w"], drawn["h"]) == (4 * 84, 5 * 84)


@given(st.sets(st.sampled_from("ABCDEFGHIJ")), st.dictionaries(st.sampled_from("ABCDE"), st.just((1, 1)), max_size=1))
def test_no_two_tiles_stand_in_one_place(codes: set[str], known: dict[str, tuple[int, int]]) -> None:
    places = charts.placed(sorted(codes), known)
    assert places.keys() == codes
    assert len(set(places.values())) == len(codes)


def test_a_small_line_runs_from_side_to_side_and_breaks_where_nothing_is() -> None:
    drawn = charts.spark([30, None, 45, 40])
    assert drawn["line"] == "M6.0 48.0M211.3 8.0L314.0 21.3"
    assert drawn["last"] == (314, 21.3)
    assert charts.spark([7, 7])["line"] == "M6.0 28.0L314.0 28.0"
    assert charts.spark([30, 31])["line"] == "M6.0 30.0L314.0 26.0"
