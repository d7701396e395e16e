"""The `standard_encode` feature: the one quality-controlled derivative of a title that every algorithm reads."""

from pathlib import Path

import pyarrow as pa

from mediaml_assets.amber.columns import blob
from mediaml_assets.amber.feature import Check, amber_feature
from mediaml_assets.features.essence import Original
from mediaml_assets.jasper.recipe import ML_360P_V1
from mediaml_assets.jasper.standardize import standardize

STANDARD_ENCODE = pa.schema(
    [
        ("recipe", pa.string()),
        blob("video"),
        blob("sound"),
        blob("tape"),
        blob("frame_map"),
        *((name, pa.int32()) for name in ("width", "height", "frame_count", "rate_num", "rate_den")),
        *((f"active_{name}", pa.int32()) for name in ("x", "y", "w", "h")),
        *((name, pa.int64()) for name in ("start_pts", "time_base_num", "time_base_den", "source_frames")),
        ("constant_rate", pa.bool_()),
        ("verdict", pa.string()),
        ("reasons", pa.list_(pa.string())),
        *((name, pa.float64()) for name in ("decodable_share", "duration_drift", "black_share", "frozen_share")),
        *((name, pa.float64()) for name in ("silence_share", "clipping_share", "loudness", "sound_offset")),
    ]
)
"""One row: four files, the canvas, the constant rate, the active picture, the source's clock and the quality numbers.

Shares are in [0, 1], durations in seconds, loudness in LUFS; `active_*` are pixels of the canvas.
"""


def quarantined(rows: pa.Table) -> str | None:
    """Why the title must not go on, or None: the verdict of quality control."""
    row = rows.select(["verdict", "reasons"]).to_pylist()[0]
    return "; ".join(row["reasons"]) or "quarantined" if row["verdict"] == "quarantine" else None


@amber_feature(
    version="1",
    schema=STANDARD_ENCODE,
    libs=["av"],
    checks=[Check("quality", quarantined, "Decodable, long enough, neither black nor frozen: fit to be described.")],
    kinds=["video"],
)
def standard_encode(essence: Original, scratch: Path) -> pa.Table:
    """The title at 640x360, square pixels, constant rate, with 16 kHz sound, frame tape and frame map (ml-360p-v1)."""
    essence.source.check_unmoved()
    encoded = standardize(essence.source.file, ML_360P_V1, scratch)
    essence.source.check_unmoved()
    return pa.Table.from_pylist([{**encoded.row(), **_paths(encoded.row())}], schema=STANDARD_ENCODE)


def _paths(row: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in row.items() if isinstance(value, Path)}
