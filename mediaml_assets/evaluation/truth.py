"""What is true of a title, in frames of its standard encode, wherever it was written down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mediaml_assets.evaluation.boundaries import GRADUAL_TOLERANCE, Range, TrueBoundaries, cut_range
from mediaml_assets.features.shots import Shots
from mediaml_assets.samples.truth import TrueTransition, Truth


@dataclass(frozen=True)
class TrueTakes:
    """Which shots repeat an earlier one of their title.

    Attributes:
        repeats: (shot, the earlier one), each as frames [start, end) that it holds.
        alone: shots that repeat none, and so must be kept.
    """

    repeats: Sequence[tuple[Range, Range]]
    alone: Sequence[Range]


@dataclass(frozen=True)
class PlantedCut:
    """A match cut that is known to be there: from the tail of one shot to the head of another, of a flavour."""

    flavour: str
    title1: str
    frames1: Range
    title2: str
    frames2: Range


@dataclass(frozen=True)
class TitleTruth:
    """What is known of one title; None where nobody wrote it down."""

    boundaries: TrueBoundaries | None
    takes: TrueTakes | None


def of_rendered(truth: Truth) -> TitleTruth:
    """The truth of a rendered title, which is exact: a gradual transition is to be found at its middle.

    A cut that is found inside a gradual transition is wrong among the cuts.
    """
    cuts = [cut_range(one.boundary) for one in truth.transitions if one.kind == "cut"]
    repeats = {take.shot: take.of for take in truth.takes}
    ranges = [(shot.start, shot.end) for shot in truth.shots]
    return TitleTruth(
        TrueBoundaries(cuts, [_range(one) for one in truth.transitions]),
        TrueTakes(
            [(ranges[shot], ranges[of]) for shot, of in repeats.items()],
            [ranges[shot.index] for shot in truth.shots if shot.index not in repeats],
        ),
    )


def planted_cuts(truths: Mapping[str, Truth]) -> list[PlantedCut]:
    """The match cuts planted in rendered titles, those of which both titles are among them."""
    ranges = {name: [(shot.start, shot.end) for shot in truth.shots] for name, truth in truths.items()}
    return [
        PlantedCut(one.flavour, one.title1, ranges[one.title1][one.shot1], one.title2, ranges[one.title2][one.shot2])
        for truth in truths.values()
        for one in truth.plants
        if one.title1 in ranges and one.title2 in ranges
    ]


def found_shot(shots: Shots, frames: Range) -> int:
    """Index of the found shot that shares most frames with [start, end), of equal ones the first."""
    start, end = frames
    return max(shots, key=lambda shot: min(shot.end, end) - max(shot.start, start)).index


def _range(one: TrueTransition) -> Range:
    if one.kind == "cut":
        return cut_range(one.boundary)
    return one.boundary - GRADUAL_TOLERANCE, one.boundary + GRADUAL_TOLERANCE + 1
