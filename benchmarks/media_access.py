"""Media access: frame-exact on any real file, at about the cost of decoding it.

Each part says at its own top what its figures mean: `media/reading.py` (frames as RGB beside PyAV and others),
`media/passes.py` (how often a title is decoded for the whole mesh), `media/exactness.py` (the hard files) and
`media/encoding.py` (standardising beside the ffmpeg command line).
"""

from typing import Any

from rich.table import Table

from benchmarks.harness import Measured, Target
from benchmarks.media import encoding, exactness, passes, reading

TARGETS: dict[str, Target] = {
    "sequential_over_pyav": ("<=", 1.2),
    "first_four_over_floor": ("<=", 2),
    "random_over_pyav": ("<=", 1.05),
    "decode_passes_per_title": ("<=", 2),
    "peak_rss_mb": ("<=", 1500),
    "standardize_over_ffmpeg": ("<=", 1.25),
    "wrong_frames": ("==", 0),
}
PARTS = (reading, passes, exactness, encoding)


def run(seed: int) -> Measured:
    """Every figure of every part, one after the other."""
    figures: dict[str, float] = {}
    tables: list[Table] = []
    details: dict[str, Any] = {}
    for part in PARTS:
        found = part.measure(seed)
        measured = found if isinstance(found, Measured) else Measured(found)
        figures |= measured.figures
        tables += measured.tables
        if measured.details is not None:
            details[part.__name__.rpartition(".")[2]] = measured.details
    return Measured(figures, tables, details)
