"""The cues of a film, by time."""

from collections.abc import Iterator, Sequence

from mediaml_assets.jasper.reading.timeline import Seconds
from mediaml_assets.jasper.texts.cues import Cue, Cues


class Texts:
    """The cues (subtitles) of a film; empty where there are none.

    Attributes:
        languages: the languages that its cues say they are in, BCP 47, sorted.
    """

    def __init__(self, cues: Cues | None = None) -> None:
        """Args: all of them."""
        self._cues = cues if cues is not None else Cues(())
        self.languages: Sequence[str] = self._cues.languages

    def __len__(self) -> int:
        """Number of cues."""
        return len(self._cues)

    def cues(self, start: Seconds = 0.0, end: Seconds | None = None, language: str | None = None) -> Iterator[Cue]:
        """The cues shown at any moment of [start, end), in seconds from the first picture, by when they appear.

        Args:
            start: where to begin.
            end: where to end; by default after the last.
            language: only those in this language; `pt` is also `pt-BR`.
        """
        cues = self._cues if language is None else self._cues.of(language)
        return cues.between(start, float("inf") if end is None else end)
