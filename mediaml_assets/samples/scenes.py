"""Drawing: one frame of a shot, and the frames of a title with its joins, flashes and grain.

A picture is handled as planar 4:2:0: uint8 [height * 3 / 2, width], luma on top, then U and V in half resolution each
way (BT.601, limited range), which is what the encoder takes. The same title can be drawn at any even size.
"""

import math
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.samples import camera, shapes, textures
from mediaml_assets.samples.plan import Flash, Light, ShotPlan, TitlePlan

Planar = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]

SHEET = 2.0  # a painted background is this many pictures wide and high
DETAIL = 0.9  # its pixels per picture pixel
GRAIN_SPARE = 64  # pixels by which the grain is larger than the picture, to be laid in as many places
BLACK_FRAMES = 3  # in the middle of every fade
WHITE = 235
BLACK = 16


class Stage:
    """One shot, painted at a size and ready to be filmed frame by frame.

    `width` and `height` are the active picture in stored pixels (even), `aspect` its displayed height over its width.
    """

    def __init__(self, shot: ShotPlan, width: int, height: int, aspect: float, rate: float) -> None:
        self.shot, self.width, self.height, self.aspect = shot, width, height, aspect
        self.view = camera.path(shot.camera, shot.visible, rate)
        self.exposure = _exposure(shot.light, shot.visible, rate)
        sheet = round(SHEET * DETAIL * width), round(SHEET * DETAIL * height)
        self.background = textures.paint(shot.picture, *sheet)
        self.to_pixels = shapes.pixels(width, height, aspect)
        self.to_sheet = np.array(
            [[sheet[0] / SHEET, 0, sheet[0] / 2], [0, sheet[1] / (SHEET * aspect), sheet[1] / 2], [0, 0, 1]], np.float64
        )
        if shot.figure is not None:
            self.track = camera.figure_path(shot.figure, aspect, shot.visible, rate)
            side = max(16, round(float(self.track[:, 2].max()) * height / aspect))
            self.outline = shapes.mask(shot.figure.shape, side)
            self.surface = textures.pattern(shot.figure.look, side)

    def colours(self, k: int) -> npt.NDArray[np.uint8]:
        """Frame `k` of the shot before light: uint8 [height, width, 3] (B, G, R)."""
        x, y, zoom, roll = self.view[k]
        c, s = math.cos(roll) / zoom, math.sin(roll) / zoom
        look = np.array([[c, s, x], [-s, c, y], [0, 0, 1]], np.float64)
        matrix = self.to_sheet @ look @ np.linalg.inv(self.to_pixels)
        image = cv2.warpAffine(
            self.background,
            matrix[:2],
            (self.width, self.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        if self.shot.figure is not None:
            self._add_figure(image, k)
        return np.asarray(image, np.uint8)

    def planar(self, k: int) -> Planar:
        """Frame `k` of the shot with its exposure, without grain: uint8 [height * 3 / 2, width]."""
        picture = np.asarray(cv2.cvtColor(self.colours(k), cv2.COLOR_BGR2YUV_I420), np.uint8)
        gain = float(self.exposure[k])
        return picture if abs(gain - 1) < 1e-3 else tone(picture, gain, 0.0)

    def figure_mask(self, k: int) -> npt.NDArray[np.uint8]:
        """Where the figure is in frame `k`: uint8 [height, width], 0 to 255; all zero without a figure."""
        whole = np.zeros((self.height, self.width), np.uint8)
        if self.shot.figure is None:
            return whole
        matrix = self._figure_matrix(k)
        return np.asarray(cv2.warpAffine(self.outline, matrix[:2], (self.width, self.height)), np.uint8)

    def _figure_matrix(self, k: int) -> Matrix:
        """From pixels of the outline to pixels of the picture."""
        return shapes.placing(self.track[k], len(self.outline), self.to_pixels)

    def _add_figure(self, image: npt.NDArray[np.uint8], k: int) -> None:
        """Blend the figure into the picture, touching only the rectangle it lies in."""
        matrix = self._figure_matrix(k)
        side = len(self.outline)
        corners = matrix[:2] @ np.array([[0, side, 0, side], [0, 0, side, side], [1, 1, 1, 1]], np.float64)
        x0, y0 = np.floor(np.maximum(corners.min(axis=1), 0)).astype(int)
        x1, y1 = np.ceil(np.minimum(corners.max(axis=1), (self.width, self.height))).astype(int)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        local = matrix[:2] - np.array([[0, 0, x0], [0, 0, y0]], np.float64)
        size = (int(x1 - x0), int(y1 - y0))
        surface = cv2.warpAffine(self.surface, local, size, borderMode=cv2.BORDER_REPLICATE)
        weight = cv2.warpAffine(self.outline, local, size).astype(np.float32) * np.float32(1 / 255)
        patch = image[y0:y1, x0:x1]
        patch[:] = cv2.blendLinear(surface, np.ascontiguousarray(patch), weight, 1 - weight)


def _exposure(light: Light, frames: int, rate: float) -> npt.NDArray[np.float64]:
    """The gain in each frame, float64 [frames]."""
    times = np.arange(frames) / rate
    way = camera.smooth((times - light.ramp.start) / max(light.ramp.length, 1 / rate))
    return np.asarray(light.head + (light.tail - light.head) * way)


def tone(picture: Planar, gain: float, white: float) -> Planar:
    """The planar picture with its light times `gain` and then `white` in [0, 1) of white blended in."""
    rows = len(picture) * 2 // 3
    keep = gain * (1 - white)
    out = np.empty_like(picture)
    cv2.convertScaleAbs(picture[:rows], out[:rows], keep, BLACK * (1 - keep) + (WHITE - BLACK) * white)
    cv2.convertScaleAbs(picture[rows:], out[rows:], keep, 128 * (1 - keep))
    return out


def boundary_light(title: TitlePlan, shot: ShotPlan, frame: int) -> float:
    """How much of a shot is seen in a frame of its title, in [0, 1]: 1, or on the way in or out of a gradual join."""
    shown = 1.0
    for join in title.joins[max(0, shot.index - 1) : shot.index + 1]:
        if join.kind == "cut" or not join.start <= frame < join.end:
            continue
        incoming = join.boundary == shot.start
        if join.kind == "dissolve":
            way = (frame - join.start + 1) / (join.end - join.start + 1)
        else:
            way = _fade(frame, join.start, join.end, incoming)
        shown = min(shown, way if incoming else 1 - way)
    return shown


def _fade(frame: int, start: int, end: int, incoming: bool) -> float:
    """Progress of one half of a fade through black, symmetrical about the black frames in its middle."""
    ramp = (end - start - BLACK_FRAMES) // 2
    if incoming:
        return max(0.0, (frame - (end - ramp) + 1) / (ramp + 1))
    return min(1.0, (frame - start + 1) / (ramp + 1))


class Projector:
    """Shows any frame of a title at a size: the active picture, uint8 [height * 3 / 2, width]; both sides even.

    Frames asked for in order cost one painting a shot; without `grain` the film is clean.
    """

    def __init__(self, title: TitlePlan, width: int, height: int, grain: bool = True) -> None:
        self.title, self.width, self.height = title, width, height
        self.stages: dict[int, Stage] = {}
        self.grain = _grain_sheet(title.seed, width, height) if grain else None
        self.lays = np.random.default_rng([title.seed, 4]).integers(0, GRAIN_SPARE, (title.frame_count, 2))

    def frame(self, number: int) -> Planar:
        """Frame `number` of the title."""
        seen = [s for s in self.title.shots if s.first <= number < s.last]
        self.stages = {i: stage for i, stage in self.stages.items() if any(s.index == i for s in seen)}
        picture = _mixed([(self._stage(s), boundary_light(self.title, s, number)) for s in seen], number)
        flash = next((f for f in self.title.flashes if f.start <= number < f.end), None)
        if flash is not None:
            picture = tone(picture, 1.0, flash_strength(flash, number))
        if self.grain is not None:
            self._add_grain(self.grain, picture, number, seen[0].light.grain)
        return picture

    def frames(self) -> Iterator[Planar]:
        """All frames in order."""
        return (self.frame(number) for number in range(self.title.frame_count))

    def _stage(self, shot: ShotPlan) -> Stage:
        """The painted shot, kept while it is seen."""
        if shot.index not in self.stages:
            title = self.title
            self.stages[shot.index] = Stage(shot, self.width, self.height, title.geometry.aspect, float(title.rate))
        return self.stages[shot.index]

    def _add_grain(self, sheet: Planar, picture: Planar, number: int, strength: float) -> None:
        """Lay grain over the luma, in place, elsewhere on every frame; `strength`: share of the sheet's contrast."""
        top, left = (int(n) for n in self.lays[number])
        luma = picture[: self.height]
        patch = sheet[top : top + self.height, left : left + self.width]
        cv2.addWeighted(luma, 1.0, patch, strength, -128 * strength, luma)


def _mixed(layers: list[tuple[Stage, float]], frame: int) -> Planar:
    """One shot, dimmed where it fades, or two shots blended where they dissolve."""
    pictures = [stage.planar(frame - stage.shot.first) for stage, _ in layers]
    if len(layers) == 2:
        return np.asarray(cv2.addWeighted(pictures[0], layers[0][1], pictures[1], layers[1][1], 0), np.uint8)
    shown = layers[0][1]
    return pictures[0] if shown >= 1 else tone(pictures[0], shown, 0.0)


def flash_strength(flash: Flash, frame: int) -> float:
    """How much white a flash blends in: full on its first frame, less on each after it."""
    return flash.strength * 0.8 ** (frame - flash.start)


def _grain_sheet(seed: int, width: int, height: int) -> Planar:
    """Film grain about 128: uint8 [height + GRAIN_SPARE, width + GRAIN_SPARE]."""
    rng = np.random.default_rng([seed, 5])
    sheet = rng.normal(128, 40, (height + GRAIN_SPARE, width + GRAIN_SPARE)).astype(np.float32)
    return np.asarray(np.clip(cv2.GaussianBlur(sheet, (0, 0), 0.6), 0, 255), np.uint8)
