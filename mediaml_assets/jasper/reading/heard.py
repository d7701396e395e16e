"""A title's sound by a recipe of sound alone, as a feature reads it: `standard_sound: Heard`."""

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Self

from mediaml_assets.jasper.reading.audio import StandardAudio
from mediaml_assets.jasper.reading.media import ValueView


@dataclass(frozen=True)
class Heard:
    """The sound of a title, on the clock of its picture.

    Attributes:
        title: the title's slug.
        audio: its sound, in windows and by channel; None of a film without sound.
    """

    title: str
    audio: StandardAudio | None

    columns: ClassVar[tuple[str, ...]] = ("sound", "sound_rate", "sample_count")

    @classmethod
    def from_value(cls, view: ValueView) -> Self:
        """Read a stored ``standard_sound``."""
        row = view.row()
        if row["sound"] is None:
            return cls(view.title, None)
        rate: int = row["sound_rate"]
        seconds = Fraction(row["sample_count"], rate)
        return cls(view.title, StandardAudio(view.title, view.blob("sound"), rate, seconds))
