"""Any delivered file as a film to read, without standardising it."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

from mediaml_assets.jasper.delivered.probe import Probe, probe
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.reading.audio import Audio
from mediaml_assets.jasper.reading.delivered_audio import DeliveredAudio
from mediaml_assets.jasper.reading.delivered_frames import DeliveredFrames
from mediaml_assets.jasper.reading.delivered_times import DeliveredTimes
from mediaml_assets.jasper.reading.texts import Texts
from mediaml_assets.jasper.reading.video import Video
from mediaml_assets.jasper.texts.cues import Cues, StoredCue
from mediaml_assets.jasper.texts.embedded import embedded_subtitles


class DeliveredFilm:
    """A delivered file: pictures as they are stored, turned upright, at the times of their stamps.

    Numbers and pictures need no reading of the whole file where its header lists them (MP4, QuickTime); times, rate
    and duration always take one scan of its packets, and so do numbers in other containers.

    Attributes:
        title: the file's name.
        video: its pictures.
        images: empty: a file has no artwork of its own.
    """

    images: Sequence[Any] = ()

    def __init__(self, file: MediaFile) -> None:
        """Open a file.

        Raises:
            MediaRefused: it is no film: missing, empty, not media, not allowed or without a picture.
        """
        self.title, self._file = file.name, file
        self._frames = DeliveredFrames(file)
        self._times = DeliveredTimes(self._frames)
        self.video = Video(self._frames, self._times, lambda: self._frames.pixel_aspect)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.video.close()
        self._frames.close()

    @cached_property
    def probe(self) -> Probe:
        """What the file holds, checked."""
        return probe(self._file)

    @cached_property
    def text(self) -> Texts:
        """The cues of its subtitle streams that are text; empty without. They are read in one pass over the file."""
        read = embedded_subtitles(self._file)
        return Texts(
            Cues(
                StoredCue(**vars(cue), origin=f"stream {one.stream}")
                for one in read
                if one.subtitles is not None
                for cue in one.subtitles.cues
            )
        )

    @cached_property
    def audio(self) -> Audio | None:
        """Its sound: the stream flagged default, else the one with the most channels; None without."""
        heard, seen = self.probe.audio, self.probe.video
        return None if heard is None else DeliveredAudio(self._file, heard, seen, self._times)
