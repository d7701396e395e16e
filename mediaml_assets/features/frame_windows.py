"""Few frames of a title, several at a time, in one pass: what features that look only near a cut read."""

from collections.abc import Iterator, Sequence

from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.jasper.reading.media import Media


def windows(media: Media, wanted: Sequence[Sequence[int]]) -> Iterator[list[Frame]]:
    """The frames of each window, in the order given; every frame is decoded once.

    Windows are ascending frame indices and must be ordered by their first; they may overlap. Only the frames of the
    current window and what overlaps it are held.
    """
    stream = media.video.frames(sorted({index for window in wanted for index in window}))
    held: dict[int, Frame] = {}
    for window in wanted:
        held = {index: frame for index, frame in held.items() if index >= window[0]}
        while window[-1] not in held:
            frame = next(stream)
            held[frame.index] = frame
        yield [held[index] for index in window]


def end_windows(media: Media, shots: Shots, length: int) -> Iterator[tuple[bool, list[Frame]]]:
    """For each shot its first `length` usable frames and then (True) its last ones; fewer where it has fewer."""
    wanted = [window for shot in shots for window in (head(shot, length), tail(shot, length))]
    for place, frames in enumerate(windows(media, wanted)):
        yield place % 2 == 1, frames


def tail(shot: Shot, length: int) -> list[int]:
    """The last `length` usable frames of a shot, or all it has."""
    return list(range(max(shot.usable_start, shot.usable_end - length), shot.usable_end))


def head(shot: Shot, length: int) -> list[int]:
    """The first `length` usable frames of a shot, or all it has."""
    return list(range(shot.usable_start, min(shot.usable_end, shot.usable_start + length)))
