"""Whether a title is fit for use: checks on its standard encode, and the `quality` feature that says why not.

Numbers are measured once, when the standard encode is made, and stored with it. Verdicts are given on them, here: a
threshold that changes decodes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

import pyarrow as pa

from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import Check, amber_feature
from mediaml_assets.jasper.quality.measure import NUMBERS
from mediaml_assets.jasper.quality.thresholds import CONCERNS, NOTES, RULES, judge, numbers_of, verdict

_JUDGED = ("notes", *NUMBERS)

QUALITY = pa.schema(
    [
        column("concern", pa.string(), "What it is about."),
        column("verdict", pa.string(), "On the concern: ok, warn or quarantine."),
        column("reasons", pa.list_(pa.string()), "Why it is not ok; empty when it is, and of a stretch."),
        column("start", pa.float64(), "Of a stretch in which it is so, in seconds; else none.", nullable=True),
        column("end", pa.float64(), "Where that ends, in seconds.", nullable=True),
    ]
)
"""One row a concern over the whole title, first one named ``all`` with the gravest verdict and every reason.

Then one a stretch ``[start, end)`` in which the picture is black, frozen or flashing, or the sound silent, whatever the
verdict.
"""


def quarantined(rows: pa.Table) -> str | None:
    """Why a title must not go on, or None."""
    return "; ".join(one.reason for one in _judged(rows) if one.verdict == "quarantine") or None


def not_as_it_should_be(concern: str, rows: pa.Table) -> str | None:
    """What is wrong with one concern, or None."""
    return "; ".join(one.reason for one in _judged(rows) if one.concern == concern) or None


def _judged(rows: pa.Table) -> list[Any]:
    return judge(rows.select(_JUDGED).to_pylist()[0])


CHECKS = (
    Check("quality", quarantined, "Decodable, long enough, neither black nor frozen: fit to be described."),
    *(
        Check(
            concern,
            partial(not_as_it_should_be, concern),
            "; ".join(f"{rule.number}: {rule.warn}" for rule in RULES if rule.concern == concern) + " is a warning.",
            blocking=False,
            columns=numbers_of(concern),
        )
        for concern in CONCERNS
    ),
    Check(
        NOTES,
        partial(not_as_it_should_be, NOTES),
        "Nothing about the file had to be handled in a way that deserves a look.",
        blocking=False,
        columns=("notes",),
    ),
)
"""One check holds a title back; each concern has one that warns."""


@dataclass(frozen=True)
class Numbers:
    """What was measured of a title, by name."""

    measured: Mapping[str, Any]

    columns: ClassVar[tuple[str, ...]] = (*_JUDGED, "stretches")

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Read a stored ``standard_encode``."""
        return cls(view.row(cls.columns))


@amber_feature(schema=QUALITY, replicas=["marken"])
def quality(standard_encode: Numbers) -> pa.Table:
    """The verdict on each concern of quality control, by the thresholds of now, and why; and where it is so."""
    findings = judge(standard_encode.measured)
    concerns = {
        "all": findings,
        **{name: [one for one in findings if one.concern == name] for name in (*CONCERNS, NOTES)},
    }
    rows = [
        # the same may have been handled twice
        {"concern": name, "verdict": verdict(found), "reasons": list(dict.fromkeys(one.reason for one in found))}
        for name, found in concerns.items()
    ]
    stretches = [
        {"verdict": verdict(concerns[one["concern"]]), "reasons": [], **one}
        for one in standard_encode.measured["stretches"]
    ]
    return pa.Table.from_pylist([*rows, *stretches], schema=QUALITY)
