"""The `subtitle_cues` feature: what the subtitle files beside a film say, and when."""

from collections.abc import Iterator

import pyarrow as pa

from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.errors import MediaRefused
from mediaml_assets.features.cue_rows import CUES, Row, cue_rows, indexed, refused_row
from mediaml_assets.features.refusals import EVERY_FILE_USED
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.texts.read import read_subtitles
from mediaml_assets.landing.companions import SUBTITLES
from mediaml_assets.landing.source_file import CompanionFile, TextFiles


@amber_feature(
    version="1",
    schema=CUES,
    libs=["charset-normalizer"],
    kinds=["text"],
    checks=[EVERY_FILE_USED],
    replicas=["marken"],
)
def subtitle_cues(text_files: TextFiles) -> pa.Table:
    """The cues of every subtitle file of a title (SRT, WebVTT, TTML, ASS), timed from the film's first picture.

    Keyed on those files alone: a new one runs nothing of the film. The film's own streams are in `embedded_cues`.
    """
    return indexed((row for file in text_files if file.kind == SUBTITLES for row in _rows(file)), CUES)


def _rows(file: CompanionFile) -> Iterator[Row]:
    try:
        with file.opened() as content:
            found = isolated(read_subtitles, content, file.language)
    except MediaRefused as refusal:
        yield refused_row(file.source.path, str(refusal), file.label, file.language)
    else:
        yield from cue_rows(found.cues, file.source.path, file.label, file.language)
