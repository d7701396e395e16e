"""The optional `clips` feature: one mp4 file a shot, frame-exact, with its sound."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.amber.checks import increasing
from mediaml_assets.amber.columns import blob, column
from mediaml_assets.amber.feature import amber_feature
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.jasper.reading.frame import Frame
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.recipe import ML_360P

AAC_FRAME = 1024  # samples

CLIPS = pa.schema(
    [
        column("index", pa.int32(), "Of the shot, among those of `unique_shots`."),
        blob("clip", "The shot as an mp4 file."),
    ]
)
"""One row a shot: its index and its file, H.264 at the standard encode's size and rate, with AAC sound if any."""


@amber_feature(
    version="1",
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
    with av.open(str(path), "w", container_options={"fflags": "+bitexact"}) as file:
        video: Any = file.add_stream("libx264", rate=media.rate, options=ML_360P.x264_options())
        video.width, video.height, video.pix_fmt = media.width, media.height, "yuv420p"
        video.codec_context.thread_count = 1
        rate = media.audio.rate if media.audio is not None else 0
        audio: Any = file.add_stream("aac", rate=rate, layout="mono") if sound is not None else None
        for number, frame in enumerate(media.video.clip(shot)):
            picture = av.VideoFrame.from_ndarray(_planar(frame), format="yuv420p")
            picture.pts, picture.time_base = number, 1 / media.rate
            file.mux(video.encode(picture))
        file.mux(video.encode(None))
        if sound is not None:
            for start in range(0, len(sound), AAC_FRAME):
                file.mux(audio.encode(_samples(sound[start : start + AAC_FRAME], start, rate)))
            file.mux(audio.encode(None))


def _planar(frame: Frame) -> npt.NDArray[np.uint8]:
    """The planes of a frame one below the other, as PyAV reads yuv420p: uint8 [3/2 height, width]."""
    width = frame.y.shape[1]
    return np.concatenate([plane.reshape(-1, width) for plane in (frame.y, frame.u, frame.v)])


def _samples(values: npt.NDArray[np.float32], start: int, rate: int) -> Any:
    """A PyAV audio frame of mono samples that begins at sample `start`."""
    frame = av.AudioFrame.from_ndarray(values[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return frame
