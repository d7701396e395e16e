"""The `standard_encode` feature: the one quality-controlled derivative of a title that every algorithm reads."""

from pathlib import Path

import pyarrow as pa

from mediaml_assets.amber.columns import blob, column
from mediaml_assets.amber.feature import Check, amber_feature
from mediaml_assets.features.essence import Original
from mediaml_assets.jasper.recipe import ML_360P_V1
from mediaml_assets.jasper.standard.standardize import standardize

STANDARD_ENCODE = pa.schema(
    [
        column("recipe", pa.string(), "Name of what was made.", nullable=True),
        blob("video", "The film as mp4."),
        blob("sound", "Its sound, 16 kHz mono."),
        blob("tape", "Every frame at 64 x 36."),
        blob("frame_map", "Source frame and time of each frame."),
        *(column(name, pa.int32(), "Canvas, in pixels.", nullable=True) for name in ("width", "height")),
        column("frame_count", pa.int32(), "How many frames there are.", nullable=True),
        *(column(name, pa.int32(), "Frames a second, a fraction.", nullable=True) for name in ("rate_num", "rate_den")),
        *(column(f"active_{one}", pa.int32(), "Picture without bars, in pixels.", nullable=True) for one in "xywh"),
        *(
            column(name, pa.int64(), "Clock of the source.", nullable=True)
            for name in ("start_pts", "time_base_num", "time_base_den")
        ),
        column("source_frames", pa.int64(), "Frames of the source.", nullable=True),
        column("constant_rate", pa.bool_(), "Whether the source has one rate.", nullable=True),
        column("verdict", pa.string(), "ok, warn or quarantine.", nullable=True),
        column("reasons", pa.list_(pa.string()), "Why it is not ok.", nullable=True),
        column("decodable_share", pa.float64(), "Share that could be decoded, in [0, 1].", nullable=True),
        column("duration_drift", pa.float64(), "Picture found less what the file claims, in seconds.", nullable=True),
        *(
            column(f"{what}_share", pa.float64(), "Share that is so, in [0, 1].", nullable=True)
            for what in ("black", "frozen", "silence", "clipping")
        ),
        column("loudness", pa.float64(), "In LUFS.", nullable=True),
        column("sound_offset", pa.float64(), "Sound after picture at the start, in seconds.", nullable=True),
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
