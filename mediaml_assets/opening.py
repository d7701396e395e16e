"""A title as a film to read: its standard encode, its cues and its artwork. What `jasper.open` does with a title."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from mediaml_assets.amber.demand import Demand
from mediaml_assets.amber.view import View
from mediaml_assets.errors import NotStored
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
    found = (Cues.from_value(view) for name in CUES for view in _stored(asked, name, title))
    return Texts(sum(found, Cues(())))


def _images(asked: Demand, title: str) -> Sequence[Any]:
    return next((Artwork.from_value(view) for view in _stored(asked, "artwork", title)), Artwork(()))


def _stored(asked: Demand, name: str, title: str) -> Iterator[View]:
    """The value of a feature, or none: a title to which no such file was delivered has none."""
    with suppress(NotStored):
        yield asked.value(name, title)
