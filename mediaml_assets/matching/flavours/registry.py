"""Every flavour there is."""

from collections.abc import Mapping

from mediaml_assets.matching.flavours.colour import COLOUR
from mediaml_assets.matching.flavours.composition import COMPOSITION
from mediaml_assets.matching.flavours.flavour import Flavour
from mediaml_assets.matching.flavours.frame import FRAME
from mediaml_assets.matching.flavours.learned import LEARNED
from mediaml_assets.matching.flavours.motion import MOTION
from mediaml_assets.matching.flavours.sound import SOUND

FLAVOURS: Mapping[str, Flavour] = {
    flavour.name: flavour for flavour in (FRAME, MOTION, COMPOSITION, COLOUR, SOUND, LEARNED)
}
"""Every flavour by name."""
