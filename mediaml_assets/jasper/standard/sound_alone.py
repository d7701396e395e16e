"""The sound of a delivered file by a recipe of sound alone: no picture is decoded."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from mediaml_assets.jasper.delivered.probe import probe
from mediaml_assets.jasper.delivered.source import Sound, Source, scan
from mediaml_assets.jasper.delivered.timing import choose_rate
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.recipe import Recipe
from mediaml_assets.jasper.standard.sound import SoundClock
from mediaml_assets.jasper.standard.standardize import frame_count
from mediaml_assets.jasper.standard.writer import SOUND, SoundWriter


@dataclass(frozen=True)
class StandardSound:
    """A title's sound on the clock of its picture: sample n is heard n / rate seconds after the first picture.

    Attributes:
        recipe: what it was made by.
        sound: FLAC, in the recipe's rate and layout, as long as the picture; None of a film without sound.
        sample_count: samples of one channel; 0 without sound.
        seconds: length of the picture.
    """

    recipe: Recipe
    sound: Path | None
    sample_count: int
    seconds: Fraction

    def row(self) -> dict[str, Any]:
        """Plain values by column name, as the feature stores them."""
        return {
            "recipe": self.recipe.name, "recipe_version": self.recipe.version, "sound": self.sound,
            "sound_rate": self.recipe.sound_rate, "sound_layout": self.recipe.sound_layout,
            "sample_count": self.sample_count, "seconds": float(self.seconds),
        }  # fmt: skip


def standardize_sound(file: MediaFile, recipe: Recipe, folder: Path) -> StandardSound:
    """Write the sound of the film that `file` is into the existing `folder`.

    Raises:
        MediaRefused: the file is no film, is beyond the bounds, or the time stamps of its picture jump.
    """
    probed = probe(file)
    times, _ = scan(file, probed)
    rate = choose_rate(times, (probed.video.average_rate, probed.video.nominal_rate)).value
    source = Source(file, probed, times, rate, sound_alone=True)
    seconds = frame_count(file, times, rate, source.start_pts) / rate
    if probed.audio is None:
        return StandardSound(recipe, None, 0, seconds)
    with SoundWriter(folder / SOUND, recipe) as flac:
        clock = SoundClock(recipe.sound_rate, recipe.sound_layout, seconds, flac.write)
        for item in source:
            if isinstance(item, Sound):
                clock.push(item.frame, item.start)
        clock.finish()
    return StandardSound(recipe, folder / SOUND, clock.samples, seconds)
