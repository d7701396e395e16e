"""The `artwork` feature: a title's posters, stills and other pictures, made into standard ones."""

from pathlib import Path

import pyarrow as pa

from mediaml_assets.amber.checks import increasing
from mediaml_assets.amber.columns import blob, column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.errors import MediaRefused
from mediaml_assets.features.cue_rows import Row, indexed
from mediaml_assets.features.refusals import EVERY_FILE_USED, ORIGIN_COLUMN, REFUSED_COLUMN
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.pictures.standardize import write_picture
from mediaml_assets.landing.source_file import ArtworkFiles, CompanionFile

ARTWORK = pa.schema(
    [
        column("index", pa.int32(), "Of the file, among the title's artwork by path."),
        column("kind", pa.string(), "poster, still, artwork and so on, by its name."),
        column("label", pa.string(), "What else its name says, as 01."),
        column("language", pa.string(), "BCP 47, where its name says it.", nullable=True),
        blob("picture", "Upright, sRGB, no alpha, longer side at most 2048 pixels: a PNG."),
        column("width", pa.int32(), "Of the PNG, in pixels.", nullable=True),
        column("height", pa.int32(), "Of the PNG, in pixels.", nullable=True),
        column("source_format", pa.string(), "jpeg, png, webp or tiff.", nullable=True),
        column("source_mode", pa.string(), "Pixels as delivered, as RGB, CMYK or I;16.", nullable=True),
        column("source_width", pa.int32(), "Pixels across, as stored.", nullable=True),
        column("source_height", pa.int32(), "Pixels down, as stored.", nullable=True),
        column("source_orientation", pa.int32(), "By EXIF, 1 to 8; 1 is upright.", nullable=True),
        column("source_profile", pa.string(), "Name of its ICC profile, if it has one.", nullable=True),
        column("source_frames", pa.int32(), "Pictures in the file; the first is taken.", nullable=True),
        column("notes", pa.list_(pa.string()), "What could not be taken at its word.", nullable=True),
        ORIGIN_COLUMN,
        REFUSED_COLUMN,
    ]
)
"""One row a delivered picture."""


@amber_feature(
    version="1",
    schema=ARTWORK,
    libs=["pillow"],
    kinds=["image"],
    checks=[increasing("index", blocking=False), EVERY_FILE_USED],
)
def artwork(artwork_files: ArtworkFiles, scratch: Path) -> pa.Table:
    """Each picture of a title upright, in sRGB, without alpha, its longer side at most 2048 pixels.

    Equal pixels give equal files, so what reads them stops at a poster that was only touched or tagged anew.
    """
    return indexed((_row(file, scratch / f"{place:05d}.png") for place, file in enumerate(artwork_files)), ARTWORK)


def _row(file: CompanionFile, target: Path) -> Row:
    named = {"kind": file.kind, "label": file.label, "language": file.language, "origin": file.source.path}
    try:
        with file.opened() as content:
            made = isolated(write_picture, content, target)
    except MediaRefused as refusal:
        return {**named, "refused": str(refusal)}
    facts = made.facts
    return {
        **named,
        "picture": str(target),
        "width": made.width,
        "height": made.height,
        "source_format": facts.format,
        "source_mode": facts.mode,
        "source_width": facts.width,
        "source_height": facts.height,
        "source_orientation": facts.orientation,
        "source_profile": facts.profile,
        "source_frames": facts.frames,
        "notes": list(made.notes),
    }
