"""Recipes: named, versioned descriptions of a standard encode. Every one that there is stands in this module.

A recipe becomes a feature in `features/standard_encodes.py`. Whoever changes a recipe raises its version: new values
are made then, and the old ones stay where they are.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How a title is turned into one derivative that algorithms read.

    Attributes:
        name: the recipe's name.
        version: raised with a change of any other field, and of the pass itself when that changes what comes out.
        width: canvas across, in pixels, even; 0 for a recipe of sound alone.
        height: canvas down, in pixels, even; 0 for a recipe of sound alone.
        gop: a key frame stands at every multiple of this many frames.
        crf: x264 constant rate factor.
        preset: x264 preset.
        sound_rate: samples a second of the sound that algorithms read.
        sound_layout: its channels, ``mono`` or ``stereo``; what has more is mixed down.
        play_rate: samples a second of the AAC sound beside the picture, for people.
        play_bits: bits a second of that AAC sound.
    """

    name: str
    version: str
    width: int = 640
    height: int = 360
    gop: int = 12
    crf: int = 20
    preset: str = "veryfast"
    sound_rate: int = 16_000
    sound_layout: str = "mono"
    play_rate: int = 48_000
    play_bits: int = 96_000

    @property
    def has_picture(self) -> bool:
        """Whether it makes more than sound."""
        return self.width > 0

    @property
    def about(self) -> str:
        """What it makes, in a sentence."""
        sound = f"{self.sound_rate // 1000} kHz {self.sound_layout} sound"
        if not self.has_picture:
            return f"The title's {sound} alone ({self.name})."
        return (
            f"The title at {self.width}x{self.height}, square pixels, constant rate, with {sound}, frame tape and "
            f"frame map ({self.name})."
        )

    def x264_options(self) -> dict[str, str]:
        """Options of libx264: no B frames, closed GOPs of fixed length, one thread, so that bytes never vary.

        Against the bare preset, sub-pixel refinement of one step and whole 16x16 inter blocks take two thirds of the
        time for 4 to 10 % more bytes at the same rate factor.
        """
        return {
            "preset": self.preset,
            "tune": "fastdecode",
            "crf": str(self.crf),
            "g": str(self.gop),
            "keyint_min": str(self.gop),
            "sc_threshold": "0",
            "bf": "0",
            "threads": "1",
            "a53cc": "0",
            "x264-params": "subme=1:partitions=i8x8,i4x4",
        }


ML_360P = Recipe("ml-360p", version="3")
"""What every algorithm reads: 640x360 canvas, H.264 yuv420p, a key frame every 12, sound 16 kHz mono."""

ML_720P = Recipe("ml-720p", version="2", width=1280, height=720)
"""The same with four times the pixels, for small things: faces far away, text, grain."""

SOUND_48K = Recipe("sound-48k", version="1", width=0, height=0, sound_rate=48_000, sound_layout="stereo")
"""The sound alone with all that is heard, 48 kHz stereo, for music and effects: no picture is decoded."""
