"""Writing one title as a media file: H.264 and AAC in mp4 or Matroska, with the geometry and the timing of its plan."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from mediaml_assets.samples.plan import Geometry, TitlePlan
from mediaml_assets.samples.scenes import BLACK, Planar
from mediaml_assets.samples.sound import Samples

AUDIO_FRAME = 1024  # samples an AAC frame holds


def mounted(picture: Planar, geometry: Geometry) -> Planar:
    """The picture as it is stored: with its bars, turned against the rotation that the file asks for."""
    if not geometry.bar and not geometry.rotation:
        return picture
    rows, width = len(picture) * 2 // 3, picture.shape[1]
    luma = np.full((geometry.height, width), BLACK, np.uint8)
    luma[geometry.bar : geometry.bar + rows] = picture[:rows]
    chroma = np.full((2, geometry.height // 2, width // 2), 128, np.uint8)
    chroma[:, geometry.bar // 2 : (geometry.bar + rows) // 2] = picture[rows:].reshape(2, rows // 2, width // 2)
    turn = {0: None, 90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}[
        geometry.rotation
    ]
    planes = [p if turn is None else cv2.rotate(p, turn) for p in (luma, *chroma)]
    stored_width = planes[0].shape[1]
    return np.concatenate([np.ascontiguousarray(p).reshape(-1, stored_width) for p in planes])


class Writer:
    """An open file for one title. Frames are given in order; sound goes in beside them."""

    def __init__(self, file: Path, plan: TitlePlan, sound: Samples) -> None:
        shape = plan.geometry
        turned = shape.rotation in (90, 270)
        self.plan, self.sound, self.played = plan, sound, 0
        self.container = av.open(str(file), "w")
        self.video = self.container.add_stream("libx264", rate=plan.rate)
        self.video.width, self.video.height = (shape.height, shape.width) if turned else (shape.width, shape.height)
        self.video.pix_fmt = "yuv420p"
        self.video.options = {"preset": plan.preset, "crf": "22", "threads": "1"}
        self.video.codec_context.sample_aspect_ratio = shape.sample_aspect
        self.video.codec_context.time_base = 1 / plan.rate
        if shape.rotation:
            self.video.set_display_rotation(-shape.rotation)
        layout = "mono" if plan.channels == 1 else "stereo"
        self.audio = self.container.add_stream("aac", rate=plan.sample_rate, layout=layout)
        self.audio.bit_rate = 96_000

    def picture(self, picture: Planar, number: int) -> None:
        """Write frame `number` and the sound up to it; the time stamp is its place on the nominal grid."""
        frame = av.VideoFrame.from_ndarray(mounted(picture, self.plan.geometry), format="yuv420p")
        frame.pts, frame.time_base = number, 1 / self.plan.rate
        self.container.mux(self.video.encode(frame))
        self._play(Fraction(number) / self.plan.rate)

    def close(self) -> None:
        """Write what is still held back and close the file."""
        self.container.mux(self.video.encode(None))
        self._play(None)
        self.container.mux(self.audio.encode(None))
        self.container.close()

    def _play(self, until: Fraction | None) -> None:
        """Write the sound up to a time in seconds, or all of it."""
        for part in self._parts(until):
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=self.audio.layout.name)
            frame.sample_rate, frame.pts = self.plan.sample_rate, self.played
            frame.time_base = Fraction(1, self.plan.sample_rate)
            self.played += part.shape[1]
            self.container.mux(self.audio.encode(frame))

    def _parts(self, until: Fraction | None) -> Iterator[Samples]:
        """Contiguous pieces of the sound from where it stands."""
        end = self.sound.shape[1] if until is None else min(self.sound.shape[1], int(until * self.plan.sample_rate))
        for start in range(self.played, end, AUDIO_FRAME):
            if until is None or start + AUDIO_FRAME <= end:
                yield np.ascontiguousarray(self.sound[:, start : start + AUDIO_FRAME])
