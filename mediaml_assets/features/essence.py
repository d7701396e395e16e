"""The `essence` feature: the identity of a title's content, whatever its container, name or time stamps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pyarrow as pa

from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.jasper.delivered.essence import essence as essence_of
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.landing.source_file import SourceFile

ESSENCE = pa.schema([column("digest", pa.string(), "Identity of what the file shows and sounds.")])


@amber_feature(version="2", schema=ESSENCE, kinds=["video"])
def essence(source: SourceFile) -> pa.Table:
    """What the title's file shows and sounds: a digest that a copy, rename, retag or remux does not change.

    The first feature of every title. Everything below depends on this digest and not on the file, so a delivery with
    the same content ends here.
    """
    source.check_unmoved()
    digest = isolated(essence_of, source.file).digest
    source.check_unmoved()
    return pa.table({"digest": [digest]}, schema=ESSENCE)


@dataclass(frozen=True)
class Original:
    """The file that a title's essence was read from, for features that decode it; only the digest is in their key."""

    digest: str
    source: SourceFile

    columns: ClassVar[Sequence[str]] = ("digest",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made from the `essence` of a title; raises InputMoved when another file has landed since it was read."""
        return cls(view.row(cls.columns)["digest"], SourceFile.from_value(view.origin("source")))
