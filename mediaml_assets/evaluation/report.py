"""What `mediaml evaluate` says of the titles in a store: counts a title, all together with intervals, planted cuts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from rich.table import Table

from mediaml_assets.evaluation.boundaries import Counts, Found, cut_counts, f1_interval, transition_counts
from mediaml_assets.evaluation.copies import FoundCopy
from mediaml_assets.evaluation.intervals import Interval, wilson
from mediaml_assets.evaluation.planted import NEAR, OURS, PlantedRanks
from mediaml_assets.evaluation.takes import TakeCounts, take_counts
from mediaml_assets.evaluation.truth import TitleTruth
from mediaml_assets.features.shots import Shots


@dataclass(frozen=True)
class TitleReport:
    """Of one title; None where its truth says nothing."""

    title: str
    cuts: Counts | None
    transitions: Counts | None
    takes: TakeCounts | None


@dataclass(frozen=True)
class Report:
    """Of all titles that have a truth.

    Attributes:
        titles: each by itself.
        cut_f1: F1 of hard cuts of all titles together, bootstrapped over titles.
        transition_f1: the same of all boundaries.
        takes_found: share of repeated takes that were dropped (Wilson).
        dropped: share of shots of their own that were dropped (Wilson).
        copies: of each two shots of two titles that show the same footage, whether they share a group.
        planted: ranks of planted match cuts, by flavour and system.
        left_out: title to why it was not scored.
    """

    titles: Sequence[TitleReport]
    cut_f1: Interval
    transition_f1: Interval
    takes_found: Interval
    dropped: Interval
    copies: Sequence[FoundCopy]
    planted: Sequence[PlantedRanks]
    left_out: Mapping[str, str]


def found_boundaries(shots: pa.Table) -> list[Found]:
    """The boundaries in the rows of `shots`; the beginning of the title is none."""
    rows = zip(shots.column("start").to_pylist(), shots.column("transition").to_pylist(), strict=True)
    return [Found(start, kind) for start, kind in rows if kind != "start"]


def title_report(title: str, truth: TitleTruth, found: Sequence[Found], shots: Shots, kept: Shots) -> TitleReport:
    """Compare what was found in a title with its truth.

    Args:
        title: its slug.
        truth: in frames of its standard encode.
        found: boundaries, the beginning of the title left out.
        shots: all that were found.
        kept: those of `unique_shots`.
    """
    takes = take_counts(shots, kept, truth.takes) if truth.takes else None
    if truth.boundaries is None:
        return TitleReport(title, None, None, takes)
    return TitleReport(title, cut_counts(found, truth.boundaries), transition_counts(found, truth.boundaries), takes)


def report(
    titles: Sequence[TitleReport],
    copies: Sequence[FoundCopy],
    planted: Sequence[PlantedRanks],
    left_out: Mapping[str, str],
    seed: int,
) -> Report:
    """All titles together; the seed draws the bootstraps."""
    takes = [one.takes for one in titles if one.takes]
    found, missed = sum(one.found for one in takes), sum(len(one.missed) for one in takes)
    return Report(
        titles,
        f1_interval([one.cuts for one in titles if one.cuts], seed),
        f1_interval([one.transitions for one in titles if one.transitions], seed),
        wilson(found, found + missed),
        wilson(sum(len(one.dropped) for one in takes), sum(one.alone for one in takes)),
        copies,
        planted,
        left_out,
    )


def tables(found: Report) -> list[Table]:
    """A table of titles, one of planted match cuts where there are any, and one of what was left out."""
    shown = [_titles(found)] if found.titles else []
    if found.copies:
        shown.append(_copies(found.copies))
    if found.planted:
        shown.append(_planted(found.planted))
    if found.left_out:
        shown.append(
            Table(
                "title",
                "not scored because",
                title="Titles whose shots and takes were not scored",
                title_justify="left",
            )
        )
        for title, reason in sorted(found.left_out.items()):
            shown[-1].add_row(title, reason)
    return shown


def _titles(found: Report) -> Table:
    table = Table(title="Shots and repeated takes", title_justify="left")
    table.add_column("title", no_wrap=True)
    for column in ("hard cuts", "F1", "all boundaries", "F1", "takes found", "wrongly dropped", "planted"):
        table.add_column(column, justify="right")
    for one in found.titles:
        takes = ("", "") if one.takes is None else (
            f"{one.takes.found} of {one.takes.found + len(one.takes.missed)}",
            f"{len(one.takes.dropped)} of {one.takes.alone}",
        )  # fmt: skip
        leaving = _planted_of(found.planted, one.title)
        table.add_row(one.title, *_counts(one.cuts), *_counts(one.transitions), *takes, leaving)
    table.add_section()
    cuts = sum((one.cuts for one in found.titles if one.cuts), Counts())
    transitions = sum((one.transitions for one in found.titles if one.transitions), Counts())
    table.add_row(
        "all [95 %]", _counts(cuts)[0], _interval(found.cut_f1), _counts(transitions)[0],
        _interval(found.transition_f1), _interval(found.takes_found), _interval(found.dropped), "",
    )  # fmt: skip
    table.caption = "Boundaries: right +wrong -missed. F1: bootstrap over titles, which without an error has no width."
    table.caption_justify = "left"
    return table


def _planted_of(planted: Sequence[PlantedRanks], title: str) -> str:
    """Of the planted cuts that leave a title, how many are found by ours."""
    counts = [one.leaving(title) for one in planted if one.system == OURS]
    return f"{sum(found for found, _ in counts)} of {sum(of for _, of in counts)}" if counts else ""


def _copies(copies: Sequence[FoundCopy]) -> Table:
    """How many share a group, and below it each that does not."""
    table = Table("copies over titles", title="Footage that several titles show", title_justify="left")
    for column in ("found", "share [95 %]"):
        table.add_column(column, justify="right")
    found = sum(one.found for one in copies)
    table.add_row("all", f"{found} of {len(copies)}", _interval(wilson(found, len(copies))))
    for one in (copy for copy in copies if not copy.found):
        table.add_row(f"{one.title1} frame {one.frame1} = {one.title2} frame {one.frame2}", "missed", "")
    return table


def _planted(planted: Sequence[PlantedRanks]) -> Table:
    title = f"Planted match cuts: found within the best {NEAR} x as many as were planted"
    table = Table("flavour", "system", title=title, title_justify="left")
    for column in ("found", "share [95 %]", "inside one title", "ranks (-: not near)"):
        table.add_column(column, justify="right")
    for one in planted:
        places = " ".join(str(rank) if rank else "-" for rank in one.ranks)
        table.add_row(
            one.flavour,
            one.system,
            f"{one.within} of {len(one.ranks)}",
            _interval(one.share),
            "{} of {}".format(*one.inside),
            places,
        )
    return table


def _counts(counts: Counts | None) -> tuple[str, str]:
    """Counts and F1 as cells."""
    if counts is None:
        return "", ""
    return f"{counts.right} +{counts.wrong} -{counts.missed}", _figure(counts.f1)


def _figure(value: float) -> str:
    return "" if value != value else f"{value:.3f}"


def _interval(one: Interval) -> str:
    bounds = "" if one.low != one.low else f" [{one.low:.3f}, {one.high:.3f}]"
    return _figure(one.value) + bounds
