"""Precision and recall of pairs against a threshold, as numbers and as a drawing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Pair = tuple[float, bool]
"""A score, and whether the two are the same."""

COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#8e5ba6")
WIDTH, HEIGHT, LEFT, BOTTOM = 520, 300, 46, 34


@dataclass(frozen=True)
class Curve:
    """At each threshold, precision (1 where nothing is found) and recall in [0, 1]."""

    thresholds: Sequence[float]
    precision: Sequence[float]
    recall: Sequence[float]

    def at(self, threshold: float) -> tuple[float, float]:
        """Precision and recall at the nearest threshold."""
        place = int(np.argmin(np.abs(np.array(self.thresholds) - threshold)))
        return self.precision[place], self.recall[place]


def curve(pairs: Sequence[Pair], thresholds: Sequence[float]) -> Curve:
    """Precision and recall of "same" for every pair that scores at least the threshold."""
    scores, same = np.array([score for score, _ in pairs]), np.array([one for _, one in pairs], np.bool_)
    found = [(scores >= threshold) for threshold in thresholds]
    right = [int((one & same).sum()) for one in found]
    return Curve(
        list(thresholds),
        [hit / max(int(one.sum()), 1) if one.any() else 1.0 for hit, one in zip(right, found, strict=True)],
        [hit / max(int(same.sum()), 1) for hit in right],
    )


def draw(file: Path, curves: Mapping[str, Curve], chosen: float, label: str) -> None:
    """Write an SVG: for each curve precision (solid) and recall (dashed) over the threshold; `chosen` is marked."""
    first = next(iter(curves.values())).thresholds
    low, high = first[0], first[-1]

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - 10) * (value - low) / (high - low)

    def y(value: float) -> float:
        return 10 + (HEIGHT - BOTTOM - 10) * (1 - value)

    def line(values: Sequence[float], colour: str, dash: str) -> str:
        points = " ".join(f"{x(t):.1f},{y(v):.1f}" for t, v in zip(first, values, strict=True))
        return (
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8" stroke-dasharray="{dash}"/>'
        )

    def text(at_x: float, at_y: float, words: str, anchor: str = "start", colour: str = "#333") -> str:
        return f'<text x="{at_x:.0f}" y="{at_y:.0f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'

    parts = [
        f'<line x1="{LEFT}" y1="{y(v):.0f}" x2="{WIDTH - 10}" y2="{y(v):.0f}" stroke="#ddd"/>' for v in (0, 0.5, 1)
    ]
    parts += [text(LEFT - 6, y(v) + 4, f"{v:g}", "end") for v in (0, 0.5, 1)]
    parts += [text(x(t), HEIGHT - BOTTOM + 16, f"{t:.1f}", "middle") for t in np.arange(low, high + 0.01, 0.1)]
    parts.append(f'<line x1="{x(chosen):.1f}" y1="10" x2="{x(chosen):.1f}" y2="{y(0):.0f}" stroke="#888"/>')
    parts.append(text(WIDTH - 10, HEIGHT - 4, f"{label}; solid precision, dashed recall", "end"))
    for place, (name, one) in enumerate(curves.items()):
        colour = COLOURS[place % len(COLOURS)]
        parts += [line(one.precision, colour, "none"), line(one.recall, colour, "5 4")]
        parts.append(text(LEFT + 8, y(0) - 10 - 16 * place, name, colour=colour))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
    ground = 'font-size="12"><rect width="100%" height="100%" fill="white"/>'
    file.write_text(head + ground + "".join(parts) + "</svg>\n", encoding="utf-8")
