"""Every flavour there is."""

from collections.abc import Mapping

from mediaml_assets.matching.flavours.flavour import Flavour
from mediaml_assets.matching.flavours.frame import FRAME
from mediaml_assets.matching.flavours.motion import MOTION

FLAVOURS: Mapping[str, Flavour] = {flavour.name: flavour for flavour in (FRAME, MOTION)}
"""Every flavour by name."""
