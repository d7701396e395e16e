"""The picture that says why two shots match: both ends, with what the flavour compared.

Where they are laid over each other, what is A's, the shot that is left, is orange; what is B's, the shot that follows,
is blue. Positions are those in each title's active picture, so letterbox bars are left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mediaml_assets.features.measures.descriptor import reduced_bgr
from mediaml_assets.features.measures.heard import BELOW_PEAK, RATE, log_mel
from mediaml_assets.features.motion import camera_and_subject
from mediaml_assets.features.silhouette import unpacked
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.search_platform.previews import Cut

Picture = NDArray[np.uint8]

SIZE = (320, 180)
ORANGE, BLUE, WHITE = (249, 115, 22), (59, 130, 246), (255, 255, 255)
_ARROW_SECONDS = 0.2  # an arrow is as long as the picture moves in this time
_COLOURS = 8
_HEARD = Fraction(1, 2)  # seconds


@dataclass(frozen=True)
class Matched:
    """A cut, its titles' media, and the rows of the two shots in the flavour's feature."""

    cut: Cut
    media1: Media
    media2: Media
    row1: Mapping[str, Any]
    row2: Mapping[str, Any]

    def tail(self) -> Picture:
        """The last picture before the cut, uint8 [180, 320, 3], RGB."""
        return _active(self.media1, self.cut.out_frame)

    def head(self) -> Picture:
        """The first picture after it."""
        return _active(self.media2, self.cut.in_frame)


def why(matched: Matched) -> Image.Image | None:
    """The picture, 320x180; None for a flavour whose comparison cannot be drawn."""
    draw = _DRAWN.get(matched.cut.flavour)
    return None if draw is None else Image.fromarray(draw(matched))


def _outlines(matched: Matched) -> Picture:
    """Both silhouettes as outlines over both pictures; what they share is bright."""
    picture = _both(matched)
    masks = [
        cv2.resize(unpacked(packed).astype(np.float32), SIZE, interpolation=cv2.INTER_LINEAR) > 0.5
        for packed in (matched.row1["out_mask"], matched.row2["in_mask"])
    ]
    shared = masks[0] & masks[1]
    picture[shared] = picture[shared] // 2 + 100
    for mask, colour in zip(masks, (ORANGE, BLUE), strict=True):
        lines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, lines, -1, colour, 2)
    return picture


def _arrows(matched: Matched) -> Picture:
    """Both motions at the cut as arrows over both pictures."""
    picture = _both(matched)
    for place, vector in enumerate((matched.row1["out_vector"], matched.row2["in_vector"])):
        motion = np.add(*camera_and_subject(vector))
        rows, columns = motion.shape[:2]
        for row in range(1, rows, 2):
            for column in range(1, columns, 2):
                start = np.array([(column + 0.5) / columns, (row + 0.5) / rows]) * SIZE + (0, 6 * place - 3)
                end = start + motion[row, column] * SIZE[0] * _ARROW_SECONDS
                colour = (ORANGE, BLUE)[place]
                cv2.arrowedLine(picture, _point(start), _point(end), colour, 1, cv2.LINE_AA, tipLength=0.3)
    return picture


def _edges(matched: Matched) -> Picture:
    """The strong edges of both pictures; those that meet are white."""
    tail, head = (_strong_edges(picture) for picture in (matched.tail(), matched.head()))
    near = [cv2.dilate(edges, np.ones((5, 5), np.uint8)) > 0 for edges in (tail, head)]
    picture = np.full((SIZE[1], SIZE[0], 3), 20, np.uint8)
    picture[tail > 0], picture[head > 0] = ORANGE, BLUE
    picture[((tail > 0) & near[1]) | ((head > 0) & near[0])] = WHITE
    return picture


def _palettes(matched: Matched) -> Picture:
    """The colours of both pictures by lightness, as wide as they are common: A's above, B's below."""
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    half = SIZE[1] // 2
    picture[: half - 2] = _palette(matched.tail())
    picture[half + 2 :] = _palette(matched.head())
    return picture


def _spectra(matched: Matched) -> Picture:
    """What is heard for half a second on either side of the cut, low to high from below; a line where it is cut."""
    cut, half = matched.cut, SIZE[0] // 2
    stop, start = (cut.out_frame + 1) / matched.media1.rate, cut.in_frame / matched.media2.rate
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    picture[:, : half - 1] = _spectrum(matched.media1, stop - _HEARD, stop)
    picture[:, half + 1 :] = _spectrum(matched.media2, start, start + _HEARD)
    picture[:, half - 1 : half + 1] = WHITE
    return picture


SAYS: Mapping[str, str] = {
    "frame": "Outlines of what stands in front: orange before the cut, blue after it, bright where both are.",
    "motion": "Movement at the cut: orange before it, blue after it; what moves faster has longer arrows.",
    "composition": "Strong edges: orange before the cut, blue after it, white where they meet.",
    "colour": "Colours from dark to light, as wide as they are common; before the cut above, after it below.",
    "sound": "Half a second of sound on either side of the cut, low tones at the bottom; bright is loud.",
}
"""What a flavour's picture shows, in a sentence for those who look at it."""


_DRAWN: Mapping[str, Callable[[Matched], Picture]] = {
    "frame": _outlines,
    "motion": _arrows,
    "composition": _edges,
    "colour": _palettes,
    "sound": _spectra,
}


def _active(media: Media, frame: int) -> Picture:
    """The active picture of a frame, RGB."""
    (found,) = media.video.frames([frame])
    return np.asarray(cv2.cvtColor(reduced_bgr(found, media.active, SIZE), cv2.COLOR_BGR2RGB), np.uint8)


def _both(matched: Matched) -> Picture:
    """Both pictures at once, grey and dim, so that colours drawn on them stand out."""
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint16) for picture in (matched.tail(), matched.head())]
    return np.asarray(cv2.cvtColor(((grey[0] + grey[1]) * 3 // 8).astype(np.uint8), cv2.COLOR_GRAY2RGB), np.uint8)


def _strong_edges(picture: Picture) -> Picture:
    """The quarter of a picture's edges that is strongest, 255 on an edge: uint8 [180, 320]."""
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 2)
    strength = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    high = max(float(np.percentile(strength, 95)), 1.0)
    return np.asarray(cv2.Canny(grey, high / 2, high), np.uint8)


def _palette(picture: Picture) -> Picture:
    """A line of the picture's colours, dark to light: uint8 [320, 3]."""
    pixels = np.float32(cv2.resize(picture, (64, 36), interpolation=cv2.INTER_AREA).reshape(-1, 3))
    cv2.setRNGSeed(1)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
    _, labels, centres = cv2.kmeans(pixels, _COLOURS, None, criteria, 1, cv2.KMEANS_PP_CENTERS)
    by_light = np.argsort(centres @ (0.299, 0.587, 0.114))
    counts = np.bincount(labels.ravel(), minlength=_COLOURS)[by_light]
    edges = np.concatenate([[0], np.cumsum(counts)]) * SIZE[0] // counts.sum()
    return np.repeat(centres[by_light].round().astype(np.uint8), np.diff(edges), axis=0)


def _spectrum(media: Media, start: Fraction, end: Fraction) -> Picture:
    """A log-mel spectrogram, uint8 [180, 159, 3], RGB; black where a title has no sound."""
    size = SIZE[0] // 2 - 1, SIZE[1]
    if media.audio is None:
        return np.zeros((size[1], size[0], 3), np.uint8)
    mel = log_mel(media.audio.samples(start, end, RATE))
    level = np.clip(255 * (1 + (mel - mel.max()) / -np.log(BELOW_PEAK)), 0, 255).astype(np.uint8)
    large = cv2.resize(level.T[::-1], size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(large, cv2.COLORMAP_MAGMA), cv2.COLOR_BGR2RGB), np.uint8)


def _point(place: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))
