"""What a subtitle says and when: `Cue`, and the `Cues` of a title by time."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Protocol, Self, overload

MOST_CUES = 100_000
"""Cues of one file or stream, at most: a film of twelve hours with two every second has fewer."""


@dataclass(frozen=True)
class Cue:
    """One subtitle: what is shown during [start, end), in seconds since the first picture of the film.

    Attributes:
        start: first moment it is shown, exactly; never below 0.
        end: first moment it is gone, exactly; above `start`.
        text: what is read, without any markup; lines are parted by a line feed.
        markup: the same as HTML of `<b>`, `<i>` and `<u>` only, escaped; empty when nothing is marked.
        speaker: who speaks, where the format says so.
        style: name of the style or class that the format gives it.
        language: BCP 47, where known.
    """

    start: Fraction
    end: Fraction
    text: str
    markup: str = ""
    speaker: str | None = None
    style: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Subtitles:
    """What was read of one file or stream: cues by start, then end, and what was left out.

    Attributes:
        cues: in the order they are shown.
        format: "srt", "vtt", "ttml" or "ass"; of a stream its codec.
        dropped: cues that are never shown, because they end before they begin, have no end, or say nothing.
        encoding: what the bytes were decoded as; empty for a stream.
    """

    cues: tuple[Cue, ...]
    format: str
    dropped: int = 0
    encoding: str = ""


def shown(cues: Iterable[Cue], format_name: str) -> Subtitles:
    """The cues that are shown at all, in order; one that begins before the film begins with it."""
    kept: list[Cue] = []
    dropped = 0
    for cue in cues:
        start = max(cue.start, Fraction(0))
        if cue.end <= start or not cue.text:
            dropped += 1
        else:
            kept.append(cue if start == cue.start else _moved(cue, start))
    return Subtitles(tuple(sorted(kept, key=lambda cue: (cue.start, cue.end))), format_name, dropped)


def _moved(cue: Cue, start: Fraction) -> Cue:
    return Cue(start, cue.end, cue.text, cue.markup, cue.speaker, cue.style, cue.language)


class TableView(Protocol):
    """A stored value as a reading type of many rows sees it."""

    def table(self, columns: Sequence[str] | None = None) -> Any:
        """The rows, as a table with `to_pylist`."""


@dataclass(frozen=True)
class StoredCue(Cue):
    """A cue of a title as it is stored, to the millisecond; `origin` says where it came from.

    Attributes:
        origin: `file <name>`, or `stream <n>` of the film.
        label: what the file's name says besides the language, as `forced` or `sdh`; empty when nothing.
    """

    origin: str = ""
    label: str = ""


class Cues(Sequence[StoredCue]):
    """The cues of a title, by start, then end."""

    columns: ClassVar[tuple[str, ...]] = (
        "start_ms", "end_ms", "text", "markup", "speaker", "style", "language", "label", "origin",
    )  # fmt: skip

    def __init__(self, cues: Iterable[StoredCue]) -> None:
        """Args: the cues, in any order."""
        self._cues = tuple(sorted(cues, key=lambda cue: (cue.start, cue.end)))
        self._starts = [cue.start for cue in self._cues]
        self._longest = max((cue.end - cue.start for cue in self._cues), default=Fraction(0))

    @classmethod
    def from_value(cls, view: TableView) -> Self:
        """Read a stored value of `subtitle_cues` or `embedded_cues`; files that were refused have no cues."""
        rows = view.table(cls.columns).to_pylist()
        return cls(_stored(row) for row in rows if row["text"] is not None)

    def __add__(self, other: "Cues") -> "Cues":
        """The cues of both, as of a title's files and of its film."""
        return Cues((*self._cues, *other._cues))

    def between(self, start: Fraction | float, end: Fraction | float) -> Iterator[StoredCue]:
        """The cues shown at any moment of [start, end), in seconds, by start."""
        first = bisect_left(self._starts, start - self._longest)
        last = bisect_left(self._starts, end)
        return (cue for cue in self._cues[first:last] if cue.end > start)

    def of(self, language: str) -> "Cues":
        """Those in a language; `pt` is also `pt-BR`."""
        low = language.lower()
        names = ((cue, (cue.language or "").lower()) for cue in self._cues)
        return Cues(cue for cue, name in names if name == low or name.startswith(f"{low}-"))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages there are, sorted; cues without one have none."""
        return tuple(sorted({cue.language for cue in self._cues if cue.language}))

    @overload
    def __getitem__(self, index: int) -> StoredCue: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[StoredCue, ...]: ...
    def __getitem__(self, index: int | slice) -> StoredCue | tuple[StoredCue, ...]:
        """A cue by its place, or several."""
        return self._cues[index]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._cues)


def _stored(row: dict[str, Any]) -> StoredCue:
    return StoredCue(
        start=Fraction(row["start_ms"], 1000),
        end=Fraction(row["end_ms"], 1000),
        **{name: row[name] for name in ("text", "markup", "speaker", "style", "language", "label", "origin")},
    )
