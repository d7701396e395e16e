"""The vocabulary of a script: what a sample title shows, frame by frame, before anything is drawn.

Everything here is frozen plain data, so a plan can be compared, pickled to a rendering process and printed.

Units. Screen positions are in picture widths from the middle of the picture (x right, y down). Speeds are of the
picture content, in picture widths a second; zoom is the rate of growth per second (0.5: the picture grows by e^0.5 in a
second); roll is in radians a second, clockwise. Frames are frames of the nominal constant rate of the title.
"""

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Move:
    """A steady movement of the picture content."""

    dx: float = 0.0
    dy: float = 0.0
    zoom: float = 0.0
    roll: float = 0.0

    def times(self, factor: float) -> "Move":
        """The same movement `factor` times as fast; a negative factor reverses it."""
        return Move(self.dx * factor, self.dy * factor, self.zoom * factor, self.roll * factor)

    @property
    def speed(self) -> float:
        """How fast it is, as the speed of a point half a picture width off the middle for zoom and roll."""
        return math.hypot(self.dx, self.dy) + 0.5 * abs(self.zoom) + 0.5 * abs(self.roll)

    def angle_to(self, other: "Move") -> float:
        """Degrees in [0, 180] between the two movements as vectors (dx, dy, zoom / 2, roll / 2)."""
        a = (self.dx, self.dy, self.zoom / 2, self.roll / 2)
        b = (other.dx, other.dy, other.zoom / 2, other.roll / 2)
        norm = math.hypot(*a) * math.hypot(*b)
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return math.degrees(math.acos(max(-1.0, min(1.0, dot / norm)))) if norm else 90.0


STILL = Move()


@dataclass(frozen=True)
class Span:
    """A stretch of a shot in seconds from its first visible frame, half-open; empty when end <= start."""

    start: float
    end: float

    @property
    def length(self) -> float:
        """Seconds from start to end."""
        return self.end - self.start


@dataclass(frozen=True)
class Camera:
    """How the view moves over the background: steady at both ends, freely in the middle.

    `head` holds for the first `STEADY` seconds and then eases out, `tail` eases in and holds for the last; `middle` is
    the peak of a bell-shaped move over `middle_span`; the shake is `shake` picture widths at its strongest within
    `shake_span`. `place` is where the middle of the path lies on the background and `size` how large the background
    appears there.
    """

    head: Move
    tail: Move
    middle: Move
    middle_span: Span
    shake: float
    shake_span: Span
    place: tuple[float, float]
    size: float
    seed: int


@dataclass(frozen=True)
class Shape:
    """A silhouette: one of the kinds of `shapes.KINDS` and its eight free values in [0, 1)."""

    kind: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Place:
    """Where a figure stands: middle (x, y) in picture widths, height in picture heights, lean in radians."""

    x: float
    y: float
    height: float
    lean: float = 0.0


@dataclass(frozen=True)
class Look:
    """How a figure is painted: two colours (B, G, R), the pattern's name and its seed."""

    colours: tuple[tuple[int, int, int], tuple[int, int, int]]
    pattern: str
    seed: int


@dataclass(frozen=True)
class Figure:
    """A foreground figure: where it is at the head and the tail of the shot (None: out of sight) and how it sways.

    It stays at `head` for `hold[0]` seconds, travels, and is at `tail` for the last `hold[1]` seconds. The sway passes
    through zero on the first and the last frame of the shot, at its fastest there.
    """

    shape: Shape
    look: Look
    head: Place | None
    tail: Place | None
    hold: tuple[float, float]
    sway: float
    sway_hertz: float
    phase: float


@dataclass(frozen=True)
class Picture:
    """A background: the family of scenery, its seed and five colours (B, G, R) from dark to light."""

    family: str
    seed: int
    palette: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Light:
    """Exposure at the head and at the tail (1: as painted), the ramp between them, and the strength of the grain."""

    head: float
    tail: float
    ramp: Span
    grain: float


@dataclass(frozen=True)
class Flash:
    """A burst of light over the frames [start, end) of the title, blending `strength` in (0, 1) of white in."""

    start: int
    end: int
    strength: float


@dataclass(frozen=True)
class ShotPlan:
    """One shot: the frames [start, end) it owns and [first, last) in which it can be seen (more in a dissolve)."""

    index: int
    start: int
    end: int
    first: int
    last: int
    camera: Camera
    picture: Picture
    figure: Figure | None
    light: Light
    take_of: int | None

    @property
    def visible(self) -> int:
        """Number of frames in which the shot can be seen."""
        return self.last - self.first


@dataclass(frozen=True)
class Join:
    """How two shots meet: kind `cut`, `dissolve` or `fade`, and the frames [start, end) it touches.

    A cut touches the first frame of the new shot; a gradual one has its boundary on its middle frame.
    """

    kind: str
    start: int
    end: int

    @property
    def boundary(self) -> int:
        """The first frame that belongs to the new shot."""
        return self.start if self.kind == "cut" else (self.start + self.end) // 2


@dataclass(frozen=True)
class Geometry:
    """How the picture lies in the file.

    The display picture is `width` x `height` pixels as stored before rotation, of which bars of `bar` pixels at the top
    and the bottom are black. `sample_aspect` is the shape of a pixel. `rotation` is the clockwise turn, in degrees,
    that the stored pixels need for display: the file holds them turned the other way.
    """

    width: int
    height: int
    sample_aspect: Fraction = Fraction(1)
    bar: int = 0
    rotation: int = 0

    @property
    def active_height(self) -> int:
        """Rows of picture between the bars."""
        return self.height - 2 * self.bar

    @property
    def aspect(self) -> float:
        """Height of the active picture over its width, as displayed."""
        return self.active_height / (self.width * float(self.sample_aspect))

    @property
    def share(self) -> float:
        """Share of a 16:9 canvas that the active picture covers when the whole picture is fitted into it."""
        wide, high = self.width * float(self.sample_aspect), float(self.height)
        scale = min(16 / wide, 9 / high)
        return wide * scale * high * scale / 144 * self.active_height / self.height


@dataclass(frozen=True)
class Plant:
    """A match cut put there on purpose: tail of (title1, shot1), head of (title2, shot2).

    `code` says what the two have in common, for people who look for the reason of a miss.
    """

    flavour: str
    title1: str
    shot1: int
    title2: str
    shot2: int
    code: str


@dataclass(frozen=True)
class Decoy:
    """A look-alike that is no match: which end of which shot, what it resembles and in what it differs."""

    flavour: str
    title: str
    shot: int
    end: str
    differs: str
    code: str


@dataclass(frozen=True)
class TitlePlan:
    """Everything that one file shows and plays."""

    seed: int
    title: str
    file: str
    rate: Fraction
    frame_count: int
    geometry: Geometry
    preset: str
    sample_rate: int
    channels: int
    left_out: tuple[int, ...]
    shots: tuple[ShotPlan, ...]
    joins: tuple[Join, ...]
    flashes: tuple[Flash, ...]
    plants: tuple[Plant, ...]
    decoys: tuple[Decoy, ...]


@dataclass(frozen=True)
class Catalogue:
    """All titles of a seed."""

    seed: int
    titles: tuple[TitlePlan, ...]
