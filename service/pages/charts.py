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


def trend(
    shares: Sequence[float],
    months: Sequence[str],
    goal: Sequence[float],
    *,
    width: int,
    height: int,
    low: float,
    high: float,
    step: float,
    every: int,
    unit: str = "%",
) -> Chart:
    """A line of values, one a month, against a stepped target line; without `goal` only the line.

    `goal` has one value a month. `every` thins the labels on the horizontal axis, counted back from the last month.
    """
    left, right, top, bottom = 40, 62, 18, 26
    x = Scale(0, max(len(shares) - 1, 1), left, width - right)
    y = Scale(low, high, height - bottom, top)
    points = [(x(i), y(value)) for i, value in enumerate(shares)]
    line = "M" + "L".join(f"{px} {py}" for px, py in points)
    half = (x(1) - x(0)) / 2
    steps = [f"{round(x(i) - half, 1)} {y(g)}L{round(x(i) + half, 1)} {y(g)}" for i, g in enumerate(goal)]
    last = len(shares) - 1
    starts = [i for i, g in enumerate(goal) if i == 0 or g != goal[i - 1]]
    return {
        "w": width,
        "h": height,
        "left": left,
        "right": width - right,
        "ticks": [(y(tick), f"{tick:g}{unit}") for tick in _ticks(low, high, step)],
        "line": line,
        "area": f"{line}L{points[-1][0]} {height - bottom}L{left} {height - bottom}Z",
        "goal": "M" + "L".join(steps) if steps else "",
        "goal_steps": [(round(x(i) - (half if i else 0), 1), y(goal[i]), f"{goal[i]:g}{unit}") for i in starts],
        "first": points[0],
        "first_value": f"{shares[0]:.1f}{unit}",
        "last": points[-1],
        "last_value": f"{shares[-1]:.1f}{unit}",
        "months": [(x(i), months[i]) for i in range(len(months)) if (last - i) % every == 0],
        "base": height - bottom,
    }


def _ticks(low: float, high: float, step: float) -> list[float]:
    return [low + step * i for i in range(int((high - low) / step + 1e-9) + 1)]


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


#: Column and row of each district where a person who knows the city looks for it.
PLACES: Mapping[str, tuple[int, int]] = {
    "商河": (4, 1),
    "起步区": (3, 2),
    "济阳": (4, 2),
    "槐荫": (2, 3),
    "天桥": (3, 3),
    "高新区": (4, 3),
    "章丘": (5, 3),
    "长清": (1, 4),
    "市中": (2, 4),
    "历下": (3, 4),
    "历城": (4, 4),
    "莱芜": (5, 4),
    "平阴": (1, 5),
    "南部山区": (3, 5),
    "钢城": (5, 5),
}


def tiles(shares: Mapping[str, float], *, size: int = 84, cuts: Sequence[float] = (30, 36, 42, 48)) -> Chart:
    """A map made of squares: one a district with a share (per cent), shaded in five steps."""
    squares = [
        {
            "x": (column - 1) * size + 3,
            "y": (row - 1) * size + 3,
            "name": name,
            "value": f"{shares[name]:.1f}%" if name in shares else "—",
            "bin": 1 + sum(shares.get(name, 0) >= cut for cut in cuts),
        }
        for name, (column, row) in PLACES.items()
    ]
    return {"w": 5 * size, "h": 5 * size, "size": size - 6, "tiles": squares}
