"""What the shot benchmark shows beside its figures: a table of scores by kind, and what became of each film."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from benchmarks.boundaries.films import Film
from benchmarks.boundaries.scoring import Counts, Score


def scores_table(name: str, films: Sequence[Film], rows: Sequence[tuple[str, Sequence[Score]]]) -> Table:
    """Precision, recall and F1 of all transitions and of cuts, and the recall of each kind, for each detector."""
    kinds = sorted({one.kind for film in films for one in film.labels.every})
    table = Table(title=f"{name}: {sum(len(film.tape) for film in films):,} frames", title_justify="left")
    table.add_column("detector")
    for column in ("F1", "P", "R", "cuts F1", *kinds):
        table.add_column(column, justify="right")
    for detector, scores in rows:
        every = sum((one.all for one in scores), Counts())
        cuts = sum((one.hard for one in scores), Counts())
        shares = (f"{100 * one:.1f}" for one in (every.f1, every.precision, every.recall, cuts.f1))
        recalls = [one.recalls() for one in scores]
        found = ([one.get(kind, (0, 0)) for one in recalls] for kind in kinds)
        table.add_row(detector, *shares, *(f"{sum(a for a, _ in one)}/{sum(b for _, b in one)}" for one in found))
    return table


def outcome(film: Film, one: Score) -> dict[str, Any]:
    """A film's counts, and what was missed and wrong in it."""
    return {
        "film": film.name,
        "frames": len(film.tape),
        "f1": one.all.f1,
        "cuts_f1": one.hard.f1,
        "missed": [(label.kind, label.start, label.end) for label in one.missed],
        "wrong": list(one.wrong),
    }
