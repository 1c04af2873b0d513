"""Geometry of the charts: numbers in, coordinates out; templates draw them as SVG with classes, never with styles.

Lengths are in viewBox units; one unit is one CSS pixel at the chart's own width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Chart = Mapping[str, Any]


@dataclass(frozen=True)
class Scale:
    """A straight line from values to coordinates; where all values are one, everything stands at `start`."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        return round(self.start + (value - self.low) / span * (self.stop - self.start), 1) if span else self.start


def axis(values: Sequence[float], most: float = 100) -> tuple[float, float, float]:
    """From where to where an axis runs that shows all `values`, and its step: few steps, of round numbers."""
    low, high = min(values), max(values)
    step = next(each for each in (1, 2, 5, 10, 20, 50, most) if (high - low) / each <= _STEPS_MAX - 1)
    start = low // step * step
    stop = min(max(-(-high // step) * step, start + step), max(most, start + step))
    return start, stop, step


_STEPS_MAX = 5


def trend(
    shares: Sequence[float | None],
    months: Sequence[str],
    goal: Sequence[float | None],
    *,
    width: int,
    height: int,
    low: float,
    high: float,
    step: float,
    every: int,
    unit: str = "%",
    digits: int = 1,
) -> Chart:
    """A line of values, one a month, against a stepped target line; without `goal` only the line.

    A month without a value leaves a gap; the first and the last have one. `goal` has one a month, or None where none
    was set. `every` thins the labels on the horizontal axis, counted back from the last month; `digits` stand
    after the point of a value.
    """
    left, right, top, bottom = 40, 62, 18, 26
    x = Scale(0, max(len(shares) - 1, 1), left, width - right)
    y = Scale(low, high, height - bottom, top)
    line, points = _drawn([None if value is None else (x(i), y(value)) for i, value in enumerate(shares)])
    half = (x(1) - x(0)) / 2
    aims = [(i, g) for i, g in enumerate(goal) if g is not None]
    starts = [(i, g) for i, g in aims if i == 0 or g != goal[i - 1]]
    joined = ["M" if i == 0 or goal[i - 1] is None else "L" for i, _ in aims]
    steps = [
        f"{piece}{round(x(i) - half, 1)} {y(g)}L{round(x(i) + half, 1)} {y(g)}"
        for piece, (i, g) in zip(joined, aims, strict=True)
    ]
    last = len(shares) - 1
    return {
        "w": width,
        "h": height,
        "left": left,
        "right": width - right,
        "ticks": [(y(tick), f"{tick:g}{unit}") for tick in _ticks(low, high, step)],
        "line": line,
        "area": f"{line}L{points[-1][0]} {height - bottom}L{left} {height - bottom}Z",
        "goal": "".join(steps),
        "goal_steps": [(round(x(i) - (half if i else 0), 1), y(g), f"{g:g}{unit}") for i, g in starts],
        "first": points[0],
        "first_value": f"{shares[0]:.{digits}f}{unit}",
        "last": points[-1],
        "last_value": f"{shares[-1]:.{digits}f}{unit}",
        "months": [(x(i), months[i]) for i in range(len(months)) if (last - i) % every == 0],
        "base": height - bottom,
    }


def _ticks(low: float, high: float, step: float) -> list[float]:
    return [low + step * i for i in range(int((high - low) / step + 1e-9) + 1)]


def spark(values: Sequence[float | None], *, width: int = 320, height: int = 56) -> Chart:
    """A small line without an axis, for a sentence that says its ends; the first and the last have a value.

    Little looks little: at least `_SPARK_SPAN` lies between its bottom and its top.
    """
    there = [value for value in values if value is not None]
    middle = (min(there) + max(there)) / 2
    reach = max(max(there) - min(there), _SPARK_SPAN) / 2
    x = Scale(0, max(len(values) - 1, 1), 6, width - 6)
    y = Scale(middle - reach, middle + reach, height - 8, 8)
    line, points = _drawn([None if value is None else (x(i), y(value)) for i, value in enumerate(values)])
    return {"w": width, "h": height, "line": line, "last": points[-1]}


_SPARK_SPAN = 10


def _drawn(places: Sequence[tuple[float, float] | None]) -> tuple[str, list[tuple[float, float]]]:
    """A path through the places, broken where there is none."""
    pieces = [
        f"{'M' if i == 0 or places[i - 1] is None else 'L'}{at[0]} {at[1]}" for i, at in enumerate(places) if at
    ]
    return "".join(pieces), [at for at in places if at]


def ranked(
    rows: Sequence[tuple[str, float, str]],
    *,
    width: int,
    high: float,
    goal: float | None = None,
    label: int = 78,
    gap: int = 26,
) -> Chart:
    """Horizontal bars, longest first: (name, value, text at the start of the bar)."""
    x = Scale(0, high, label, width - 8)
    head = 22 if goal is not None else 0
    ordered = sorted(rows, key=lambda row: -row[1])
    bars = [
        {
            "y": i * gap + head,
            "name": name,
            "len": round(x(value) - label, 1),
            "end": x(value),
            "text": text,
            "below": goal is not None and value < goal,
        }
        for i, (name, value, text) in enumerate(ordered)
    ]
    return {
        "w": width,
        "h": len(ordered) * gap + (head or 2),
        "x0": label,
        "rows": bars,
        "goal_x": x(goal) if goal is not None else None,
        "goal_value": f"{goal:g}%" if goal is not None else "",
        "thick": gap - 9,
    }


def stacked(rows: Sequence[tuple[str, Sequence[float]]], *, width: int, label: int = 78, gap: int = 30) -> Chart:
    """Bars of parts of a whole; parts are shares between 0 and 1, and have their text only where it fits."""
    span = width - label
    drawn = []
    for i, (name, parts) in enumerate(rows):
        at, boxes = float(label), []
        for k, part in enumerate(parts, start=1):
            wide = round(part * span, 1)
            boxes.append({"x": round(at, 1), "w": wide, "k": k, "text": f"{part * 100:.0f}%", "show": part > 0.09})
            at += part * span
        drawn.append({"y": i * gap, "name": name, "boxes": boxes})
    return {"w": width, "h": len(rows) * gap, "rows": drawn, "thick": gap - 9, "x0": label}


def change(rows: Sequence[tuple[str, float]], *, width: int, gap: int = 26, label: int = 64) -> Chart:
    """Bars left and right of zero: what each part added to a change (percentage points)."""
    reach = max((abs(value) for _, value in rows), default=0)
    least = min((0.0, *(value for _, value in rows)))
    x = Scale(least, reach, label + 46, width - 46)
    ordered = sorted(rows, key=lambda row: -row[1])
    bars = [
        {
            "y": i * gap,
            "name": name,
            "x": min(x(0), x(value)),
            "len": round(abs(x(value) - x(0)), 1),
            "neg": value < 0,
            "text": "0" if abs(value) < 0.005 else f"{value:+.2f}".replace("-", "−"),
            "tx": x(value) + (6 if value >= 0 else -6),
        }
        for i, (name, value) in enumerate(ordered)
    ]
    return {"w": width, "h": len(ordered) * gap, "zero": x(0), "x0": label, "thick": gap - 9, "rows": bars}


#: Column and row of a tile, counted from 1.
Place = tuple[int, int]


def placed(codes: Sequence[str], places: Mapping[str, Place]) -> dict[str, Place]:
    """Each code's place on the map of tiles: its own, or in rows below those that have one."""
    known = {code: places[code] for code in codes if code in places}
    columns = max((column for column, _ in known.values()), default=_COLUMNS)
    below = max((row for _, row in known.values()), default=0)
    others = [code for code in codes if code not in places]
    return known | {code: (1 + i % columns, below + 1 + i // columns) for i, code in enumerate(others)}


_COLUMNS = 5


def tiles(
    rows: Mapping[str, tuple[str, float | None]],
    places: Mapping[str, Place],
    *,
    size: int = 84,
    cuts: Sequence[float] = (30, 36, 42, 48),
) -> Chart:
    """A map made of squares, one a district by its code: name and share (per cent), shaded in five steps."""
    at = placed(list(rows), places)
    squares = [
        {
            "x": (column - 1) * size + 3,
            "y": (row - 1) * size + 3,
            "name": rows[code][0],
            "value": "—" if (share := rows[code][1]) is None else f"{share:.1f}%",
            "bin": 1 + sum((share or 0) >= cut for cut in cuts),
        }
        for code, (column, row) in at.items()
    ]
    columns, lines = (max((place[i] for place in at.values()), default=1) for i in (0, 1))
    return {"w": columns * size, "h": lines * size, "size": size - 6, "tiles": squares}
