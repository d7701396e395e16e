"""The features that recipes make: the quality-controlled derivatives of a title that algorithms read.

`standard_encode` is what every feature reads unless its parameter names another one. A recipe more is a line at the end
of this module, or of a plugin's.
"""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from mediaml_assets.amber.columns import blob, column, picture
from mediaml_assets.amber.feature import AmberFeature, amber_feature
from mediaml_assets.features.essence import Original
from mediaml_assets.features.quality import CHECKS
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.quality.measure import NUMBERS
from mediaml_assets.jasper.recipe import ML_360P, ML_720P, SOUND_48K, Recipe
from mediaml_assets.jasper.standard.sound_alone import StandardSound, standardize_sound
from mediaml_assets.jasper.standard.standardize import StandardEncode, standardize

RECIPE = (
    column("recipe", pa.string(), "Name of the recipe.", nullable=True),
    column("recipe_version", pa.string(), "Its version.", nullable=True),
)

_KINDS = {int: pa.int64(), float: pa.float64()}
_RANGES = pa.list_(pa.struct([(name, pa.int32()) for name in ("start", "end", *"xywh")]))
_STRETCHES = pa.list_(pa.struct([("concern", pa.string()), ("start", pa.float64()), ("end", pa.float64())]))
_FACTS = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))

STANDARD_ENCODE = pa.schema(
    [
        *RECIPE,
        blob("video", "The film as mp4."),
        blob("sound", "Its sound, mono."),
        blob("tape", "Every frame at 64 x 36."),
        blob("frame_map", "Source frame and time of each frame."),
        picture("strip", "Twelve of its pictures."),
        picture("waveform", "Its sound from beginning to end."),
        *(column(name, pa.int32(), "Canvas, in pixels.", nullable=True) for name in ("width", "height")),
        column("gop", pa.int32(), "Frames from one key frame to the next.", nullable=True),
        column("sound_rate", pa.int32(), "Samples a second of the sound.", nullable=True),
        column("frame_count", pa.int32(), "How many frames there are.", nullable=True),
        *(column(name, pa.int32(), "Frames a second, a fraction.", nullable=True) for name in ("rate_num", "rate_den")),
        *(column(f"active_{one}", pa.int32(), "Picture without bars, in pixels.", nullable=True) for one in "xywh"),
        *(
            column(name, pa.int64(), "Clock of the source.", nullable=True)
            for name in ("start_pts", "time_base_num", "time_base_den")
        ),
        column("source_frames", pa.int64(), "Frames of the source.", nullable=True),
        column("constant_rate", pa.bool_(), "Whether the source has one rate.", nullable=True),
        column("active_ranges", _RANGES, "Picture without bars of each part, where it changes.", nullable=True),
        *(column(name, _KINDS[kind], about, nullable=True) for name, (kind, about) in NUMBERS.items()),
        column("stretches", _STRETCHES, "Where it is black, frozen, flashing or silent, in seconds.", nullable=True),
        column("notes", pa.list_(pa.string()), "What was handled and deserves a look.", nullable=True),
        column("source_facts", _FACTS, "What the file said of the streams that were read.", nullable=True),
        column("tools", pa.list_(pa.string()), "What it was made with, and which version of it.", nullable=True),
    ]
)
"""One row: its files, the canvas, the constant rate, the active picture, the source's clock, and how good it is.

Shares are in [0, 1], durations in seconds; `active_*` are pixels of the canvas, and ranges and stretches are half-open.
"""

STANDARD_SOUND = pa.schema(
    [
        *RECIPE,
        blob("sound", "The sound, FLAC; none of a film without sound."),
        column("sound_rate", pa.int32(), "Samples a second."),
        column("sound_layout", pa.string(), "mono or stereo."),
        column("sample_count", pa.int64(), "Samples of one channel; 0 without sound."),
        column("seconds", pa.float64(), "Length of the picture, and so of the sound."),
    ]
)
"""One row. Sample n is heard n / sound_rate seconds after the film's first picture."""


def encoded_by(recipe: Recipe, name: str, automatic: bool = False) -> AmberFeature:
    """The feature that makes a title's standard encode by a recipe: read as `Media`, or as `Heard` without a picture.

    Args:
        recipe: how it is made; its version is the feature's.
        name: of the feature, and of the parameters that read it.
        automatic: whether it is made of every title, or only when asked for.
    """
    make: Callable[..., StandardEncode | StandardSound] = standardize if recipe.has_picture else standardize_sound
    schema = STANDARD_ENCODE if recipe.has_picture else STANDARD_SOUND

    def encode(essence: Original, scratch: Path) -> pa.Table:
        essence.source.check_unmoved()
        row = isolated(make, essence.source.file, recipe, scratch).row()
        essence.source.check_unmoved()
        plain = {one: str(value) if isinstance(value, Path) else value for one, value in row.items()}
        return pa.Table.from_pylist([plain], schema=schema)

    encode.__name__, encode.__doc__ = name, recipe.about
    declare = amber_feature(
        version=recipe.version, schema=schema, libs=["av"], checks=CHECKS if recipe.has_picture else [],
        kinds=["video" if recipe.has_picture else "audio"], automatic=automatic,
    )  # fmt: skip
    return declare(encode)


standard_encode = encoded_by(ML_360P, "standard_encode", automatic=True)
standard_encode_720p = encoded_by(ML_720P, "standard_encode_720p")
standard_sound = encoded_by(SOUND_48K, "standard_sound")
