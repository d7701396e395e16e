"""Our own detector, as others see it: from a film's frame tape."""

from mediaml_assets.features.detectors.boundary import Boundary
from mediaml_assets.features.detectors.fades import closing, opening
from mediaml_assets.features.detectors.shot_boundaries import boundaries
from mediaml_assets.features.detectors.tape_signals import active_tape, signals
from mediaml_assets.jasper.reading.media import Media


def from_tape(film: Media) -> list[Boundary]:
    """A film's boundaries, see `Detector`: no picture is decoded."""
    tape = active_tape(film.tape, film.active)
    found = signals(tape)
    inside, count = boundaries(tape, found), len(tape)
    # black that is a stretch of its own ends in a boundary that says which frames the fade touches
    lit, dark = opening(found), closing(found)
    if inside and inside[0].start < lit:
        lit = 0
    if inside and inside[-1].end > dark:
        dark = count
    return [Boundary("start", 0, 0, lit, 1.0), *inside, Boundary("end", count, dark, count, 1.0)]
