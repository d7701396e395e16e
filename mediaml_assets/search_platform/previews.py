"""A match cut as people judge it: the last moments of A, then the first of B, played as one cut."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.planes import picture_of
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.mp4 import Aac, Mp4Writer, sixteen_bits

SECONDS = Fraction(3, 2)  # of each shot, where the shot is that long
_SOUND_RATE = ML_360P.sound_rate
_PREVIEW_SOUND = Aac(_SOUND_RATE, "mono", 64_000)


@dataclass(frozen=True)
class Cut:
    """One row of the match cuts. Frame numbers are of each title's standard encode.

    flavour, rank: how the shots match, and the place in that flavour's list, from 1.
    title1, shot1: slug and shot index of A, whose tail is used; title2, shot2: of B, whose head is used.
    score: in [0, 1].
    start1, end1, start2, end2: frames of the shots, half-open [start, end).
    out_frame: the last usable frame of A, start1 <= out_frame < end1.
    in_frame: the first usable frame of B, start2 <= in_frame < end2.
    """

    flavour: str
    rank: int
    title1: str
    shot1: int
    title2: str
    shot2: int
    score: float
    start1: int
    end1: int
    start2: int
    end2: int
    out_frame: int
    in_frame: int

    @property
    def name(self) -> str:
        """A file name for what is made of this cut, without an ending: `frame-007`."""
        return f"{self.flavour}-{self.rank:03}"


def preview(cut: Cut, media1: Media, media2: Media, path: Path) -> None:
    """Write the cut as mp4: H.264 640x360 at A's rate, and the sound of both when either has any.

    A plays up to and with `out_frame`, B from `in_frame` on, each for SECONDS or as long as the shot is. B keeps its
    speed: at each moment the frame is shown that B itself shows then. The file appears when it is complete.
    """
    tail, head = tail_frames(cut, media1.rate), head_frames(cut, media2.rate, media1.rate)
    part = path.with_name(path.name + ".part")
    sound = _sound(cut, media1, media2, len(tail), len(head))
    size, x264 = (media1.width, media1.height), ML_360P.x264_options()
    with Mp4Writer(part, media1.rate, size, x264, None if sound is None else _PREVIEW_SOUND) as mp4:
        for at, frame in enumerate(_played(media1, tail, media2, head)):
            # B begins with a key frame
            mp4.show(picture_of(frame.y, frame.u, frame.v), key=at == len(tail))
        if sound is not None:
            mp4.hear(sixteen_bits(sound[:, None]))
    part.replace(path)


def tail_frames(cut: Cut, rate: Fraction) -> list[int]:
    """A's frames that a preview shows, at A's rate."""
    return list(range(max(cut.start1, cut.out_frame + 1 - round(SECONDS * rate)), cut.out_frame + 1))


def head_frames(cut: Cut, rate: Fraction, shown_at: Fraction) -> list[int]:
    """B's frames that a preview shows at another rate; the first is `in_frame`."""
    frames = (cut.in_frame + int(shown * rate / shown_at) for shown in range(round(SECONDS * shown_at)))
    return [frame for frame in frames if frame < cut.end2]


def _played(media1: Media, tail: list[int], media2: Media, head: list[int]) -> Iterator[Frame]:
    yield from media1.video.frames(tail)
    yield from media2.video.frames(head)


def _sound(cut: Cut, media1: Media, media2: Media, shown1: int, shown2: int) -> NDArray[np.float32] | None:
    """Mono sound under both parts, each as long as its pictures; silence where one has none, None where both have."""
    if media1.audio is None and media2.audio is None:
        return None
    boundary, end = (round(shown * _SOUND_RATE / media1.rate) for shown in (shown1, shown1 + shown2))
    stop = round((cut.out_frame + 1) * _SOUND_RATE / media1.rate)
    start = round(cut.in_frame * _SOUND_RATE / media2.rate)
    return np.concatenate([_heard(media1, stop - boundary, boundary), _heard(media2, start, end - boundary)])


def _heard(media: Media, start: int, count: int) -> NDArray[np.float32]:
    """`count` samples from `start` on; silence before the first, after the last and where there is no sound."""
    if media.audio is None:
        return np.zeros(count, np.float32)
    return media.audio.samples(Fraction(start, _SOUND_RATE), Fraction(start + count, _SOUND_RATE), _SOUND_RATE)
