"""The optional `clips` feature: one mp4 file a shot, frame-exact, with its sound."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.amber.checks import increasing
from mediaml_assets.amber.columns import blob, column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.jasper.planes import picture_of
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.mp4 import Aac, Mp4Writer, sixteen_bits

CLIPS = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `unique_shots`."),
        blob("clip", "The shot as an mp4 file."),
    ]
)
"""One row a shot: its index and its file, H.264 at the standard encode's size and rate, with AAC sound if any."""


@amber_feature(
    version="2",
    schema=CLIPS,
    libs=("av",),
    kinds=("ffmpeg",),
    checks=[increasing("index", blocking=False)],
    automatic=False,
)
def clips(standard_encode: Media, unique_shots: Shots, scratch: Path) -> pa.Table:
    """Write each shot as a film of its own: exactly the frames [start, end), encoded anew, one encoder thread."""
    paths = []
    for shot in unique_shots:
        path = scratch / f"{shot.index:05d}.mp4"
        write_clip(path, standard_encode, shot)
        paths.append(str(path))
    return pa.table([[shot.index for shot in unique_shots], paths], schema=CLIPS)


def shot_sound(media: Media, shot: Shot) -> npt.NDArray[np.float32] | None:
    """The samples [n] heard during a shot; None when the title has no sound."""
    if media.audio is None:
        return None
    return media.audio.samples(shot.start / media.rate, shot.end / media.rate)


def write_clip(path: Path, media: Media, shot: Shot) -> None:
    """Encode a shot and its mono samples into one mp4, at the media's size and rates; equal input gives equal bytes."""
    sound = shot_sound(media, shot)
    aac = None if media.audio is None else Aac(media.audio.rate, "mono", 64_000)
    with Mp4Writer(path, media.rate, (media.width, media.height), ML_360P.x264_options(), aac) as mp4:
        for frame in media.video.clip(shot):
            mp4.show(picture_of(frame.y, frame.u, frame.v))
        if sound is not None:
            mp4.hear(sixteen_bits(sound[:, None]))
