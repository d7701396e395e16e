"""The `embedded_cues` feature: what the subtitle streams inside a film say, and when."""

from collections.abc import Iterator

import pyarrow as pa

from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.cue_rows import CUES, Row, cue_rows, indexed, refused_row
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.texts.embedded import EmbeddedSubtitles, embedded_subtitles
from mediaml_assets.landing.source_file import SourceFile


@amber_feature(version="1", schema=CUES, libs=["av"], kinds=["text"], replicas=["marken"])
def embedded_cues(source: SourceFile) -> pa.Table:
    """The cues of the film's subtitle streams that are text, timed from its first picture.

    A stream that is pictures of text, or of an unknown format, is one row that says so: nothing is wrong with the film.
    """
    source.check_unmoved()
    found = isolated(embedded_subtitles, source.file)
    source.check_unmoved()
    return indexed((row for stream in found for row in _rows(stream, source.path)), CUES)


def _rows(stream: EmbeddedSubtitles, path: str) -> Iterator[Row]:
    origin = f"stream {stream.stream}"
    if stream.subtitles is None:
        yield refused_row(f"{path}, {origin} ({stream.codec})", stream.refused, language=stream.language)
    else:
        yield from cue_rows(stream.subtitles.cues, origin, language=stream.language)
