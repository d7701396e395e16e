"""What a feature that opens a title's files gets: where they lie, and whether they are still what landed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from mediaml_assets.errors import InputMoved
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.landing.bucket import open_landing
from mediaml_assets.landing.files import Landing
from mediaml_assets.settings import home


@dataclass(frozen=True)
class SourceFile:
    """Where a file of a title lies now; as a parameter, its film."""

    landing: Landing
    path: str
    """Relative to the landing place."""
    size: int
    """Bytes."""
    stamp: str
    title: str

    columns: ClassVar[tuple[str, ...]] = ("path", "size", "stamp")

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made from the `source` of a title."""
        row = view.row(cls.columns)
        return cls(open_landing(home().landing), row["path"], row["size"], row["stamp"], view.title)

    @property
    def file(self) -> MediaFile:
        """What to read: a path in a folder, ranges of an object on a bucket."""
        return self.landing.media(self.path, self.size, self.stamp)

    def check_unmoved(self) -> None:
        """Raise InputMoved when the file is not what landed: ask before and after reading it."""
        now = self.landing.now(self.path)
        if now is None:
            raise InputMoved(f"{self.path} of {self.title} went away while it was read; the next landing tick says so")
        if now != (self.size, self.stamp):
            raise InputMoved(
                f"{self.path} of {self.title} changed while it was read; the next landing tick takes it up"
            )


@dataclass(frozen=True)
class CompanionFile:
    """One file of a title's artwork or texts, and what its name says (see `companions`)."""

    source: SourceFile
    kind: str
    label: str
    language: str | None

    @contextmanager
    def opened(self) -> Iterator[MediaFile]:
        """What to read; raises InputMoved when it is not what landed, before or after it was read."""
        self.source.check_unmoved()
        yield self.source.file
        self.source.check_unmoved()


class CompanionFiles(Sequence[CompanionFile]):
    """Files of a title, by path."""

    columns: ClassVar[tuple[str, ...]] = ("path", "size", "stamp", "kind", "label", "language")

    def __init__(self, files: Sequence[CompanionFile]) -> None:
        """Args: the files."""
        self._files = tuple(files)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made from the `artwork_files` or `text_files` of a title."""
        landing = open_landing(home().landing)
        return cls([
            CompanionFile(
                SourceFile(landing, row["path"], row["size"], row["stamp"], view.title),
                row["kind"],
                row["label"],
                row["language"],
            )
            for row in view.table(cls.columns).to_pylist()
        ])  # fmt: skip

    def __getitem__(self, index: Any) -> Any:
        """A file by its place, or several."""
        return self._files[index]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._files)


class ArtworkFiles(CompanionFiles):
    """The artwork of a title."""


class TextFiles(CompanionFiles):
    """The subtitles and scripts of a title."""
