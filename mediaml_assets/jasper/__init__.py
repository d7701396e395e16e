"""Media access: pictures, sound, texts and images of any film, frame-exact.

    from mediaml_assets import jasper

    with jasper.open("film.mkv") as film:           # any file, as it was delivered; or a title: its stored values
        film.video.batch([0, 100, 7])               # uint8 [3, height, width, 3]
        film.audio.samples(1.0, 2.5, rate=16_000)   # float32 [24000], mono

A title belongs to the installation, which this library does not know: so what opens titles
(`mediaml_assets.opening`) is looked up when one is asked for, and importing jasper never imports it.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from mediaml_assets.jasper.files import RemoteFile
    from mediaml_assets.jasper.reading.frame import Rgb
    from mediaml_assets.jasper.reading.media import Film

__all__ = ["as_torch", "open"]

_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mxf", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".avi", ".ogv", ".ogg",
    ".3gp", ".h264", ".264", ".hevc", ".265", ".m2v",
}  # fmt: skip


def open(title_or_path: "str | Path | RemoteFile") -> "Film":
    """Open a film to read: `.video`, `.audio`, `.text` and `.images`; a context manager.

    Args:
        title_or_path: a file as it was delivered (a path, or a file elsewhere that is read in ranges): its own
            pictures, frame-exact, whatever its container. A `str` is a path when it holds a separator, ends like a
            film or names an existing file. Else it is a title: its standard encode, its cues and its artwork are
            read from the installation that the environment names, and computed first if they must be.

    Returns:
        The film. `.audio` is None when it has no sound; `.text` and `.images` are empty when it has none.

    Raises:
        MediaRefused: the file is no film that can be read.
        NotStored, BadInput, SettingsError: as `mediaml_assets.on_demand.value`, of a title.
    """
    if isinstance(title_or_path, str) and not _names_a_file(title_or_path):
        opened: Film = importlib.import_module("mediaml_assets.opening").open_title(title_or_path)
        return opened
    from mediaml_assets.jasper.reading.delivered_film import DeliveredFilm

    return DeliveredFilm(Path(title_or_path) if isinstance(title_or_path, str) else title_or_path)


def as_torch(batch: "Rgb") -> "torch.Tensor":
    """A batch as a torch tensor, uint8 [n, height, width, 3], that shares its memory. torch is imported only here."""
    import torch

    return torch.from_numpy(batch)


def _names_a_file(text: str) -> bool:
    path = Path(text)
    return len(path.parts) > 1 or path.suffix.lower() in _SUFFIXES or path.is_file()
