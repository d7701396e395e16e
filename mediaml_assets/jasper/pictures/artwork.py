"""The standard pictures of a title, as features and people read them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mediaml_assets.jasper.files import MediaFile, open_binary


class PicturesView(Protocol):
    """A stored value as a reading type of pictures sees it."""

    def table(self, columns: Sequence[str] | None = None) -> Any:
        """The rows, as a table with `to_pylist`."""

    def blobs(self, column: str) -> Sequence[MediaFile | None]:
        """The stored file of each row."""


@dataclass(frozen=True)
class Picture:
    """One standard picture of a title: upright, sRGB, its longer side at most 2048 pixels.

    Attributes:
        index: among the artwork of the title; files that were refused have one too.
        file: a PNG.
        kind: "poster", "still", "artwork" and so on; as far as it was read.
        label: what else its name says, as "01"; empty when nothing.
        language: BCP 47, where its name says it.
        origin: the file that was delivered.
    """

    index: int
    file: MediaFile
    kind: str = ""
    label: str = ""
    language: str | None = None
    origin: str = ""

    def image(self) -> Image.Image:
        """The picture as Pillow holds it, mode RGB."""
        with open_binary(self.file) as stream, Image.open(stream, formats=["PNG"]) as image:
            return image.convert("RGB")

    def rgb(self) -> NDArray[np.uint8]:
        """Its pixels: uint8 [height, width, 3], sRGB, 0 to 255."""
        return np.asarray(self.image(), np.uint8)


class Pictures(Sequence[Picture]):
    """The pictures of a title, whatever they are called: what an algorithm reads that looks at pixels alone."""

    columns: ClassVar[tuple[str, ...]] = ("index", "picture")

    def __init__(self, pictures: Iterable[Picture]) -> None:
        """Args: the pictures, by index."""
        self._pictures = tuple(pictures)

    @classmethod
    def from_value(cls, view: PicturesView) -> Self:
        """Read a stored value of `artwork`; files that were refused are left out."""
        rows = view.table([name for name in cls.columns if name != "picture"]).to_pylist()
        files = zip(rows, view.blobs("picture"), strict=True)
        return cls(Picture(file=file, **row) for row, file in files if file is not None)

    def __getitem__(self, index: Any) -> Any:
        """A picture by its place, or several."""
        return self._pictures[index]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._pictures)


class Artwork(Pictures):
    """The pictures of a title, with what their names say."""

    columns: ClassVar[tuple[str, ...]] = ("index", "picture", "kind", "label", "language", "origin")

    def of(self, kind: str) -> tuple[Picture, ...]:
        """Those of a kind, as "poster" or "still"."""
        return tuple(one for one in self if one.kind == kind)
