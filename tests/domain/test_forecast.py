"""Will it last: at which pace, until which day, and whether it pays for what was filed."""

from datetime import date

import pytest

from domain.forecast import Asked, Forecast, forecast

TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("free_fen", "asked", "found"),
    [
        # nothing was drawn: nobody knows how long it lasts
        (300, Asked(0, 30), Forecast(None, None, 0)),
        (300, Asked(-5, 30), Forecast(None, None, 0)),
        # ten a day
        (300, Asked(300, 30), Forecast(30, date(2026, 12, 26), 0)),
        (309, Asked(300, 30), Forecast(30, date(2026, 12, 26), 0)),
        (0, Asked(300, 30), Forecast(0, TODAY, 0)),
        (350, Asked(300, 30), Forecast(35, date(2026, 12, 31), 0)),
        # it lasts longer than the year does, however long
        (360, Asked(300, 30), Forecast(36, None, 0)),
        (10**15, Asked(1, 365), Forecast(365 * 10**15, None, 0)),
        # what was filed
        (300, Asked(0, 30, owed_fen=300), Forecast(None, None, 0)),
        (300, Asked(0, 30, owed_fen=301), Forecast(None, None, 1)),
        (300, Asked(0, 30, owed_fen=500, covered_fen=150), Forecast(None, None, 50)),
        (0, Asked(0, 30, owed_fen=500, covered_fen=500), Forecast(None, None, 0)),
    ],
)
def test_how_long_it_lasts(free_fen: int, asked: Asked, found: Forecast) -> None:
    assert forecast(free_fen, asked, TODAY, 2026) == found
