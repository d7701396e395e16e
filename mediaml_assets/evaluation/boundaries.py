"""Found shot boundaries against true ones: one-to-one matching, tolerances, stretches that are not scored, F1.

Each true boundary has a range of frames in which a found one counts, and each found one is used once. Pairs are made
so that as many true boundaries as possible are found: in order of the found frames, each takes the open range that
closes first (Glover 1967: this is a maximum matching of points and intervals), so that no order of rows in a file
decides a figure.

Two readings:

    cuts         hard cuts alone. A found boundary that no cut takes is left out, not wrong, where a gradual transition
                 or black lies: what a detector says there belongs to the other reading.
    transitions  all of them, of whatever kind. A second boundary within one gradual transition is wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mediaml_assets.evaluation.intervals import Interval, bootstrap

CUT_TOLERANCE = 1  # frames by which a found cut may be off
GRADUAL_TOLERANCE = 2  # and a found boundary beyond the range of a gradual transition

Range = tuple[int, int]


@dataclass(frozen=True)
class Counts:
    """Boundaries that are true and found, found but not true, and true but not found."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """Share of the found ones that are true; NaN when none was found."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else float("nan")

    @property
    def recall(self) -> float:
        """Share of the true ones that are found; NaN when there is none."""
        return self.right / (self.right + self.missed) if self.right + self.missed else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN when there is nothing true and nothing found."""
        every = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / every if every else float("nan")


@dataclass(frozen=True)
class Found:
    """A found boundary: first frame of the new shot, and how it begins; "" from a detector that does not say."""

    at: int
    kind: str = ""


@dataclass(frozen=True)
class TrueBoundaries:
    """What is true of one title, as ranges [start, end) of frames in which a found boundary counts.

    Attributes:
        cuts: one a hard cut.
        transitions: one a boundary of any kind, the cuts among them.
        gradual: where found boundaries that no cut takes are left out of the reading of cuts.
        ignored: where none is scored in either reading, unless a true boundary takes it.
    """

    cuts: Sequence[Range]
    transitions: Sequence[Range]
    gradual: Sequence[Range] = field(default=())
    ignored: Sequence[Range] = field(default=())


def cut_range(at: int) -> Range:
    """Where a found boundary counts for a hard cut whose new shot begins at a frame."""
    return at - CUT_TOLERANCE, at + CUT_TOLERANCE + 1


def gradual_range(start: int, end: int) -> Range:
    """Where one counts for a transition over the frames [start, end)."""
    return start - GRADUAL_TOLERANCE, end + GRADUAL_TOLERANCE


def cut_counts(found: Iterable[Found], truth: TrueBoundaries) -> Counts:
    """Counts of hard cuts: of what was found as a cut, or without saying how."""
    frames = [one.at for one in found if one.kind in ("cut", "")]
    return _counts(frames, truth.cuts, [*truth.gradual, *truth.ignored])


def transition_counts(found: Iterable[Found], truth: TrueBoundaries) -> Counts:
    """Counts of all boundaries, whatever they were found as."""
    return _counts([one.at for one in found], truth.transitions, truth.ignored)


def matched(frames: Iterable[int], ranges: Sequence[Range]) -> dict[int, int]:
    """Place of a found frame (in order of frames) -> place of the range [start, end) that it is matched with.

    As many as can be, each frame and each range once.
    """
    pairs: dict[int, int] = {}
    open_ = set(range(len(ranges)))
    for place, frame in enumerate(sorted(frames)):
        holding = [one for one in open_ if ranges[one][0] <= frame < ranges[one][1]]
        if holding:
            pairs[place] = min(holding, key=lambda one: (ranges[one][1], ranges[one][0], one))
            open_.remove(pairs[place])
    return pairs


def f1_interval(counts: Sequence[Counts], seed: int) -> Interval:
    """F1 of all titles together, and its interval over titles."""
    return bootstrap(counts, _pooled_f1, seed)


def _counts(frames: list[int], ranges: Sequence[Range], left_out: Sequence[Range]) -> Counts:
    pairs = matched(frames, ranges)
    rest = [frame for place, frame in enumerate(sorted(frames)) if place not in pairs]
    wrong = [frame for frame in rest if not any(start <= frame < end for start, end in left_out)]
    return Counts(len(pairs), len(wrong), len(ranges) - len(pairs))


def _pooled_f1(counts: Sequence[Counts]) -> float:
    return sum(counts, Counts()).f1
