"""What a feature that opens a title's file gets: where it lies, and whether it is still what landed."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from mediaml_assets.errors import InputMoved
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.landing.bucket import open_landing
from mediaml_assets.landing.files import Landing
from mediaml_assets.settings import home


@dataclass(frozen=True)
class SourceFile:
    """Where a title's file lies now; what a feature that opens it reads."""

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
