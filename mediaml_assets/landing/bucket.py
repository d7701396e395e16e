"""The landing folder: which films lie there, and since when. A bucket stands behind the same seam later."""

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISREG

FILMS = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".ts", ".m2ts", ".mts", ".mxf", ".avi", ".ogv", ".mpg", ".mpeg", ".3gp"}
    | {".h264", ".h265"}
)
"""Suffixes of files that are taken for films; others (texts, labels, artwork) lie beside them."""


@dataclass(frozen=True)
class LandedFile:
    """A film in the landing folder, as the file system states it (or a folder that may not be listed)."""

    path: str
    """Relative to the landing folder, with forward slashes."""
    size: int
    """Bytes."""
    mtime_ns: int
    readable: bool = True


class LandingFolder:
    """The landing folder of one installation.

    Args:
        root: the folder; it may be read-only and need not exist yet.
        settle_seconds: how long a file must stay the same before it counts as complete.
    """

    def __init__(self, root: Path, settle_seconds: float = 1.0) -> None:
        self.root = root
        self.settle_seconds = settle_seconds

    def files(self) -> list[LandedFile]:
        """Every film below the folder, sorted by path; hidden files and folders are left out."""
        return sorted(self._walk(), key=lambda one: one.path)

    def settled(self, files: list[LandedFile]) -> list[LandedFile]:
        """Those of the files that did not change while we waited: a copy that is under way is left for later.

        Waits until the youngest is `settle_seconds` old, at least a moment and at most `settle_seconds`.
        """
        newest = max((one.mtime_ns for one in files), default=0)
        age = time.time() - newest / 1e9
        # a clock that is ahead of ours, or a copy that keeps old time stamps, must not be trusted: look twice
        if files and self.settle_seconds > 0:
            time.sleep(min(self.settle_seconds, max(0.2, self.settle_seconds - age)))
        return [one for one in files if self._stat(self.root / one.path) == (one.size, one.mtime_ns)]

    def sidecar(self, path: str) -> Path:
        """Where a person may write the catalogue facts of a film: `<file>.title.json` beside it."""
        return self.root / f"{path}.title.json"

    def sidecar_mtime_ns(self, path: str) -> int:
        """When the sidecar was written; 0 when there is none."""
        stamp = self._stat(self.sidecar(path))
        return stamp[1] if stamp else 0

    def is_there(self) -> bool:
        """Whether there is a folder to look at: files are not gone because a disk is not mounted."""
        return self.root.is_dir()

    def _walk(self) -> Iterator[LandedFile]:
        folders = [self.root]
        while folders:
            folder = folders.pop()
            try:
                entries = list(os.scandir(folder))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG):
                    raise
                # where the path is too long, so is every title that it could give: it is refused for that
                yield LandedFile(self._relative(folder), 0, 0, readable=error.errno == errno.ENAMETOOLONG)
                continue
            if not os.access(folder, os.X_OK):
                yield LandedFile(self._relative(folder), 0, 0, readable=False)
                continue
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif PurePosixPath(entry.name).suffix.lower() in FILMS:
                    yield from self._film(Path(entry.path))

    def _film(self, path: Path) -> Iterator[LandedFile]:
        """The file, if it is one: not what went away meanwhile, nor a link that leads nowhere or in a circle."""
        try:
            stat = path.stat()
        except PermissionError:
            yield LandedFile(self._relative(path), 0, 0, readable=False)
        except OSError:
            return
        else:
            if S_ISREG(stat.st_mode):
                yield LandedFile(self._relative(path), stat.st_size, stat.st_mtime_ns, os.access(path, os.R_OK))

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    @staticmethod
    def _stat(path: Path) -> tuple[int, int] | None:
        try:
            stat = path.stat()
        except OSError:
            return None
        return stat.st_size, stat.st_mtime_ns
