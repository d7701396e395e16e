"""The `container_facts` feature: what only the container says, which decides nothing about the picture."""

import pyarrow as pa

from mediaml_assets.amber.checks import at_least
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.delivered.snapshot import said
from mediaml_assets.landing.source_file import SourceFile

CONTAINER_FACTS = pa.schema(
    [
        column("stream", pa.int32(), "Stream of the file; -1 is the container itself."),
        column("name", pa.string(), "What is said, in lower case."),
        column("value", pa.string(), "What it says."),
    ]
)
"""One row a fact; stream -1 is the container itself, names are lower case."""


@amber_feature(version="2", schema=CONTAINER_FACTS, kinds=["video"], checks=[at_least(1, blocking=False)])
def container_facts(source: SourceFile) -> pa.Table:
    """Everything that the title's file says of itself and of each stream: names, tags, timecode, languages, chapters.

    Keyed on the file and read by export only, so that it is fresh without any picture being decoded again.
    """
    source.check_unmoved()
    rows = [(-1, "file", source.file.name), *isolated(said, source.file)]
    source.check_unmoved()
    columns = [list(column) for column in zip(*rows, strict=True)]
    return pa.table(columns, schema=CONTAINER_FACTS)
