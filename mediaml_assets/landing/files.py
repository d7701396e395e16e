"""The seam that landing stands on: which films, artwork and texts lie at a place, and how one of them is read.

A folder (`LandingFolder`) and a bucket (`LandingBucket`) are such places; what `look` makes of them is the same.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from mediaml_assets.errors import TitleRefused
from mediaml_assets.jasper.files import MediaFile

FILMS = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".ts", ".m2ts", ".mts", ".mxf", ".avi", ".ogv", ".mpg", ".mpeg", ".3gp"}
    | {".h264", ".h265"}
)
"""Suffixes of files that are taken for films."""

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"})
"""Suffixes of artwork."""

TEXTS = frozenset({".srt", ".vtt", ".ttml", ".dfxp", ".itt", ".ass", ".ssa", ".fountain"})
"""Suffixes of subtitles and scripts."""

SCRIPTS = (".script.txt", ".script.pdf")
"""Ends of names that are scripts too; other files of these kinds lie beside films for people to read."""

SIDECAR_BYTES = 64 * 1024
"""A sidecar holds four facts; what is larger is none."""


@dataclass(frozen=True)
class LandedFile:
    """A film, picture or text at the landing place, as a listing states it (or a folder that may not be listed)."""

    path: str
    """Relative to the landing place, with forward slashes."""
    size: int
    """Bytes."""
    stamp: str
    """Another one whenever the content may be another: the time of writing in a folder, the ETag on a bucket."""
    modified_ns: int
    """When it was written; only ever used to take the oldest first."""
    sidecar: str = ""
    """The stamp of its sidecar; empty when there is none."""
    refusal: str | None = None
    """Why it cannot be read at all."""


class Landing(Protocol):
    """A place where films, artwork and texts land."""

    @property
    def where(self) -> str:
        """The place, for people: a folder's path or s3://..."""

    def files(self) -> list[LandedFile]:
        """Every media file there, sorted by path; hidden files and folders are left out. Raises Unreachable."""

    def settled(self, files: list[LandedFile]) -> list[LandedFile]:
        """Those of the files that are whole: a copy that is under way is left for later."""

    def sidecar(self, file: LandedFile) -> bytes | None:
        """What a person wrote beside a file whose `sidecar` is set; None when it has gone meanwhile.

        Raises:
            TitleRefused: it is larger than 64 KiB or cannot be read.
            Unreachable: the bucket does not answer.
        """

    def is_there(self) -> bool:
        """Whether there is a place to look at: files are not gone because a disk is not mounted."""

    def now(self, path: str) -> tuple[int, str] | None:
        """Size and stamp of a file at this moment; None when it is gone."""

    def media(self, path: str, size: int, stamp: str) -> MediaFile:
        """The content of a file as it was when it had this size and stamp."""


def is_media(path: str) -> bool:
    """Whether a path is that of a film, artwork or a text: by how it ends, and nothing on the way is hidden."""
    known = PurePosixPath(path).suffix.lower() in FILMS | PICTURES | TEXTS or path.lower().endswith(SCRIPTS)
    return known and not is_hidden(path)


def is_film(path: str) -> bool:
    """Whether a media file is a film."""
    return PurePosixPath(path).suffix.lower() in FILMS


def is_picture(path: str) -> bool:
    """Whether a media file is artwork."""
    return PurePosixPath(path).suffix.lower() in PICTURES


def is_hidden(path: str) -> bool:
    """Whether a file or a folder on its way is hidden: its name begins with a dot."""
    return any(part.startswith(".") for part in PurePosixPath(path).parts)


def sidecar_of(path: str) -> str:
    """Where a person may write the catalogue facts of a file: `<file>.title.json` beside it."""
    return f"{path}.title.json"


def check_sidecar_size(path: str, size: int) -> None:
    """Raise TitleRefused for a sidecar beyond the bound."""
    if size > SIDECAR_BYTES:
        raise TitleRefused(
            f"the sidecar of {path!r} is larger than {SIDECAR_BYTES // 1024} KiB; it holds a title, a show, a season "
            f'and an episode and no more: write "{PurePosixPath(sidecar_of(path)).name}" anew'
        )
