"""The `container_facts` feature: what only the container says, which decides nothing about the picture."""

from collections.abc import Iterator

import pyarrow as pa

from mediaml_assets.amber.checks import at_least
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.delivered.probe import Probe, probe
from mediaml_assets.landing.source_file import SourceFile

CONTAINER_FACTS = pa.schema(
    [
        column("stream", pa.int32(), "Stream of the file; -1 is the container itself."),
        column("name", pa.string(), "What is said, in lower case."),
        column("value", pa.string(), "What it says."),
    ]
)
"""One row a fact; stream -1 is the container itself, names are lower case."""


@amber_feature(version="1", schema=CONTAINER_FACTS, kinds=["video"], checks=[at_least(1, blocking=False)])
def container_facts(source: SourceFile) -> pa.Table:
    """Name, tags, timecode and subtitle streams of the title's file: keyed on the file, read by export only."""
    source.check_unmoved()
    rows = [(-1, "file", source.file.name), *_facts(isolated(probe, source.file))]
    source.check_unmoved()
    columns = [list(column) for column in zip(*rows, strict=True)]
    return pa.table(columns, schema=CONTAINER_FACTS)


def _facts(found: Probe) -> Iterator[tuple[int, str, str]]:
    yield -1, "container", found.container
    if found.timecode is not None:
        yield -1, "timecode", str(found.timecode)
        yield -1, "timecode.rate", str(found.timecode.rate)
    yield from ((-1, f"tag.{name}", value) for name, value in sorted(found.tags.items()))
    for one in found.subtitles:
        yield one.index, "subtitle.codec", one.codec
        if one.language is not None:
            yield one.index, "subtitle.language", one.language
