"""What comes with a film: its cues (subtitles) and its pictures (posters, stills), read like the film itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mediaml_assets.jasper.reading.timeline import Seconds


class TimedText(Protocol):
    """One cue as `Texts` needs it; what else it holds is its own."""

    @property
    def start(self) -> Any:
        """When it appears, in seconds from the first picture."""

    @property
    def end(self) -> Any:
        """When it goes."""


@dataclass(frozen=True)
class Texts:
    """The cues of a film in order of time; empty where there are none."""

    all_cues: Sequence[TimedText] = ()

    def __len__(self) -> int:
        return len(self.all_cues)

    def cues(self, start: Seconds = 0.0, end: Seconds | None = None) -> Iterator[TimedText]:
        """The cues on screen at some time of [start, end), in seconds from the first picture; all after it without."""
        return (cue for cue in self.all_cues if cue.end > start and (end is None or cue.start < end))
