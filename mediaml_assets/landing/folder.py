"""The landing folder: which media files lie there, and since when."""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

from mediaml_assets.errors import TitleRefused
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.landing.files import SIDECAR_BYTES, LandedFile, check_sidecar_size, is_media, sidecar_of

CLOSED = "cannot be read: permission denied. Give the service read permission (chmod)"
OUTSIDE = (
    "is a link that leads outside of the landing folder; put the file itself there, or make the folder it lies in "
    "the landing folder"
)


class LandingFolder:
    """The landing folder of one installation.

    Args:
        root: the folder; it may be read-only and need not exist yet.
        settle_seconds: how long a file must stay the same before it counts as complete.
    """

    def __init__(self, root: Path, settle_seconds: float = 1.0) -> None:
        self.root = root
        self.settle_seconds = settle_seconds

    @property
    def where(self) -> str:
        """The folder's path."""
        return str(self.root)

    def files(self) -> list[LandedFile]:
        """Every media file below the folder, sorted by path; hidden files and folders are left out."""
        return sorted(self._walk(), key=lambda one: one.path)

    def settled(self, files: list[LandedFile]) -> list[LandedFile]:
        """Those of the files that did not change while we waited: a copy that is under way is left for later.

        Waits until the youngest is `settle_seconds` old, at least a moment and at most `settle_seconds`.
        """
        newest = max((one.modified_ns for one in files), default=0)
        age = time.time() - newest / 1e9
        # a clock that is ahead of ours, or a copy that keeps old time stamps, must not be trusted: look twice
        if files and self.settle_seconds > 0:
            time.sleep(min(self.settle_seconds, max(0.2, self.settle_seconds - age)))
        return [one for one in files if self.now(one.path) == (one.size, one.stamp)]

    def sidecar(self, file: LandedFile) -> bytes | None:
        """What a person wrote beside a file, at most 64 KiB; None when it has gone; raises TitleRefused."""
        path = self.root / sidecar_of(file.path)
        try:
            if self._leads_outside(path):
                raise TitleRefused(f"the sidecar of {file.path!r} {OUTSIDE}")
            with path.open("rb") as stream:
                text = stream.read(SIDECAR_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TitleRefused(
                f"the sidecar of {file.path!r} cannot be read ({error.strerror}); correct or remove it"
            ) from error
        check_sidecar_size(file.path, len(text))
        return text

    def is_there(self) -> bool:
        """Whether there is a folder to look at: files are not gone because a disk is not mounted."""
        return self.root.is_dir()

    def now(self, path: str) -> tuple[int, str] | None:
        """Size and time of writing of a file at this moment; None when it is gone or leads elsewhere."""
        try:
            stat = (self.root / path).stat()
            if self._leads_outside(self.root / path):
                return None
        except OSError:
            return None
        return stat.st_size, str(stat.st_mtime_ns)

    def media(self, path: str, size: int, stamp: str) -> MediaFile:
        """The file itself; whether it is still the same is asked before and after reading it."""
        return self.root / path

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
                yield self._refused(folder, None if error.errno == errno.ENAMETOOLONG else CLOSED)
                continue
            if not os.access(folder, os.X_OK):
                yield self._refused(folder, CLOSED)
                continue
            names = {entry.name for entry in entries}
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        folders.append(Path(entry.path))
                elif is_media(entry.name):
                    yield from self._file(Path(entry.path), sidecar_of(entry.name) in names)

    def _file(self, path: Path, has_sidecar: bool) -> Iterator[LandedFile]:
        """The file, if it is one: not what went away meanwhile, nor a link that leads nowhere or in a circle."""
        try:
            stat = path.stat()
            outside = path.is_symlink() and self._leads_outside(path)
        except PermissionError:
            yield self._refused(path, CLOSED)
        except OSError:
            return
        else:
            if not S_ISREG(stat.st_mode):
                return
            if outside:
                yield self._refused(path, OUTSIDE)
            elif not os.access(path, os.R_OK):
                yield self._refused(path, CLOSED)
            else:
                sidecar = self._sidecar_stamp(path) if has_sidecar else ""
                yield LandedFile(self._relative(path), stat.st_size, str(stat.st_mtime_ns), stat.st_mtime_ns, sidecar)

    def _refused(self, path: Path, why: str | None) -> LandedFile:
        return LandedFile(self._relative(path), 0, "", 0, refusal=why)

    def _sidecar_stamp(self, file: Path) -> str:
        try:
            stat = file.with_name(sidecar_of(file.name)).stat()
        except OSError:
            return ""
        return str(stat.st_mtime_ns) if S_ISREG(stat.st_mode) else ""

    def _leads_outside(self, path: Path) -> bool:
        """Whether a file really lies elsewhere: links within the landing folder are fine."""
        return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root))

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()
