"""What is known of titles beside the rows that become annotations: their clock, their shots, their delivered films."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View
from mediaml_assets.errors import NotKept
from mediaml_assets.features.essence import ESSENCE
from mediaml_assets.features.shots import Shots
from mediaml_assets.jasper.frame_map import FrameMap

ESSENCES = ("essence", tuple(ESSENCE.names))
CLOCK = ("standard_encode", ("rate_num", "rate_den"))
FILM = ("standard_encode", (*CLOCK[1], "frame_map"))
SHOT_RANGES = ("shots", ("index", "start", "end"))
"""Upstream features and the columns of them that are read here."""

Seconds = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Film:
    """A title's content now, and where its shots are in the film that was delivered.

    index: int64 [n], the numbers of its shots, ascending.
    start, end: int64 [n], their frames [start, end) of the standard encode.
    source_start, source_end: float64 [n], seconds [start, end) since the delivered film's first picture.
    """

    title: str
    essence: str
    """Identity of the content."""
    rate: Fraction
    """Frames a second of the standard encode."""
    index: Whole
    start: Whole
    end: Whole
    source_start: Seconds
    source_end: Seconds


class Facts:
    """Facts of any titles, each read once.

    Args:
        store: where they are.
        head: the newest commit of a feature and title; None when there is none.
    """

    def __init__(self, store: Store, head: Callable[[str, str], Commit | None]) -> None:
        self._store, self._head = store, head
        self._rates: dict[str, Fraction] = {}
        self._shots: dict[str, pa.Table] = {}
        self._films: dict[str, Film] = {}

    def view(self, feature: str, title: str) -> View:
        """The current value of a feature; raises NotKept when there is none."""
        commit = self._head(feature, title)
        if commit is None or commit.current is None:
            raise NotKept(f"{title} has no {feature} now; it is copied once that is computed again")
        return View(self._store, feature, title, commit)

    def rate(self, title: str) -> Fraction:
        """Frames a second of a title's standard encode."""
        if title not in self._rates:
            row = self.view(CLOCK[0], title).row(CLOCK[1])
            self._rates[title] = Fraction(row["rate_num"], row["rate_den"])
        return self._rates[title]

    def shots(self, title: str) -> pa.Table:
        """The shots of a title: `index`, `start` and `end`, in frames [start, end) of its standard encode."""
        if title not in self._shots:
            view = self.view(SHOT_RANGES[0], title)
            if not view.was_made_from(self.view(CLOCK[0], title)):
                raise NotKept(f"the shots of {title} are not those of its standard encode of now; they are made again")
            self._shots[title] = view.table(list(Shots.columns)).select(list(SHOT_RANGES[1]))
        return self._shots[title]

    def film(self, title: str) -> Film:
        """A title's content and its shots in the delivered film."""
        if title not in self._films:
            shots = self.shots(title)
            index, start, end = (np.asarray(column.cast(pa.int64()).to_numpy()) for column in shots.itercolumns())
            clock = _SourceClock(self.view("standard_encode", title), self.rate(title))
            essence = str(self.view("essence", title).row(ESSENCES[1])["digest"])
            self._films[title] = Film(title, essence, self.rate(title), index, start, end, *clock.ranges(start, end))
        return self._films[title]


class _SourceClock:
    """From frames of a standard encode to seconds of the delivered film, by its frame map."""

    def __init__(self, encode: View, rate: Fraction) -> None:
        self._encode, self._frame = encode, float(1 / rate)

    @cached_property
    def _times(self) -> Seconds:
        """Seconds from the film's first picture to the one that each frame shows, and to the end of the last."""
        frame_map = FrameMap.open(self._encode.blob("frame_map"))
        try:
            ticks = (frame_map.source_pts - frame_map.first_pts) * frame_map.time_base.numerator
            times = ticks / frame_map.time_base.denominator
        finally:
            frame_map.close()
        return np.append(times, times[-1:] + self._frame)

    def ranges(self, start: Whole, end: Whole) -> tuple[Seconds, Seconds]:
        """Frames [start, end) as seconds [start, end); a shot of one picture of the film is a frame long."""
        first = self._times[start]
        return first, np.maximum(self._times[end], first + self._frame)


def current_facts(store: Store) -> Facts:
    """Facts as they are now."""
    return Facts(store, store.ledger.head)


def present_films(store: Store, facts: Facts, titles: Sequence[str] | None = None) -> list[Film]:
    """The films of all titles that have shots now, or of some; sorted by title, without those being made again."""
    found = []
    for title in sorted(store.ledger.scopes("shots") if titles is None else titles):
        try:
            found.append(facts.film(title))
        except NotKept:
            continue
    return found
