"""A title as a film to read: its standard encode, its cues and its artwork. What `jasper.open` does with a title."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from mediaml_assets.amber.demand import Demand
from mediaml_assets.jasper.pictures.artwork import Artwork
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.reading.texts import Texts
from mediaml_assets.jasper.texts.cues import Cues
from mediaml_assets.on_demand import demand

CUES = ("subtitle_cues", "embedded_cues")
"""The features that hold cues: of the files beside the film, and of its own streams."""


def open_title(title: str) -> Media:
    """The stored values of a title, computed first if they must be; cues and artwork when they are asked for.

    Raises:
        NotStored: there is no such title, it has no film, it was withdrawn, or a check holds its film back.
        BadInput: its film was refused.
        SettingsError: there is no installation where MEDIAML_HOME says.
    """
    asked = demand()
    media = Media.from_value(asked.value("standard_encode", title))
    return media.with_companions(partial(_texts, asked, title), partial(_images, asked, title))


def _texts(asked: Demand, title: str) -> Texts:
    return Texts(sum((Cues.from_value(asked.value(name, title)) for name in CUES), Cues(())))


def _images(asked: Demand, title: str) -> Sequence[Any]:
    return Artwork.from_value(asked.value("artwork", title))
