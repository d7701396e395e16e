"""The `script` feature: the lines of a title's scripts, each of a kind."""

from collections.abc import Iterator
from dataclasses import asdict

import pyarrow as pa

from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.errors import MediaRefused
from mediaml_assets.features.cue_rows import Row, indexed
from mediaml_assets.features.refusals import EVERY_FILE_USED, ORIGIN_COLUMN, REFUSED_COLUMN
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.texts.script import read_script
from mediaml_assets.landing.companions import SCRIPT
from mediaml_assets.landing.source_file import CompanionFile, TextFiles

SCRIPT_LINES = pa.schema(
    [
        column("index", pa.int32(), "Of the line."),
        column("kind", pa.string(), "scene, action, character, dialogue and so on.", nullable=True),
        column("text", pa.string(), "The line without its marks.", nullable=True),
        column("scene", pa.int32(), "Number of its scene, from 1; 0 before the first.", nullable=True),
        ORIGIN_COLUMN,
        REFUSED_COLUMN,
    ]
)
"""One row a line, one script after the other."""


@amber_feature(version="1", schema=SCRIPT_LINES, libs=["charset-normalizer"], kinds=["text"], checks=[EVERY_FILE_USED])
def script(text_files: TextFiles) -> pa.Table:
    """The scripts of a title, Fountain or plain text: scene headings, who speaks, and what is said or done."""
    return indexed((row for file in text_files if file.kind == SCRIPT for row in _rows(file)), SCRIPT_LINES)


def _rows(file: CompanionFile) -> Iterator[Row]:
    try:
        with file.opened() as content:
            lines = isolated(read_script, content, file.language)
    except MediaRefused as refusal:
        yield {"origin": file.source.path, "refused": str(refusal)}
        return
    for line in lines:
        said = asdict(line)
        del said["index"]
        yield {**said, "origin": file.source.path}
