"""A title as a film to read: its standard encode, its cues and its artwork. What `jasper.open` does with a title."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any, Self

from mediaml_assets.amber.demand import Demand
from mediaml_assets.amber.view import View
from mediaml_assets.errors import NotStored
from mediaml_assets.jasper.pictures.artwork import Artwork
from mediaml_assets.jasper.reading.media import Film, Media
from mediaml_assets.jasper.reading.texts import Texts
from mediaml_assets.jasper.reading.video import Video
from mediaml_assets.jasper.texts.cues import Cues
from mediaml_assets.landing.arrivals import ARTWORK_FILES, SOURCE, TEXT_FILES
from mediaml_assets.landing.chains import current_paths
from mediaml_assets.on_demand import demand

CUES = ("subtitle_cues", "embedded_cues")
"""The features that hold cues: of the files beside the film, and of its own streams."""


class Filmless:
    """A title of which no film lies there, or not yet: its cues and its artwork; a `Film` without pictures or sound.

    Attributes:
        title: its slug.
    """

    audio = None

    def __init__(self, title: str, text: Callable[[], Texts], images: Callable[[], Sequence[Any]]) -> None:
        """Args: the slug, and what reads its cues and its artwork when they are asked for."""
        self.title = title
        self._read_text, self._read_images = text, images

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    @property
    def video(self) -> Video:
        """Raises NotStored."""
        raise NotStored(f"{self.title} has no film, only artwork or texts; deliver it to have its pictures and sound")

    @cached_property
    def text(self) -> Texts:
        """Its cues."""
        return self._read_text()

    @cached_property
    def images(self) -> Sequence[Any]:
        """Its posters, stills and artwork."""
        return self._read_images()


def open_title(title: str) -> Film:
    """The stored values of a title, computed first if they must be; cues and artwork when they are asked for.

    Raises:
        NotStored: there is no such title, it was withdrawn, or a check holds its film back.
        BadInput: its film was refused.
        SettingsError: there is no installation where MEDIAML_HOME says.
    """
    asked = demand()
    text, images = partial(_texts, asked, title), partial(_images, asked, title)
    film, *others = (current_paths(asked.store, name, title) for name in (SOURCE, ARTWORK_FILES, TEXT_FILES))
    if not film and any(others):
        return Filmless(title, text, images)
    return Media.from_value(asked.value("standard_encode", title)).with_companions(text, images)


def _texts(asked: Demand, title: str) -> Texts:
    found = (Cues.from_value(view) for name in CUES for view in _stored(asked, name, title))
    return Texts(sum(found, Cues(())))


def _images(asked: Demand, title: str) -> Sequence[Any]:
    return next((Artwork.from_value(view) for view in _stored(asked, "artwork", title)), Artwork(()))


def _stored(asked: Demand, name: str, title: str) -> Iterator[View]:
    """The value of a feature, or none: a title to which no such file was delivered has none."""
    with suppress(NotStored):
        yield asked.value(name, title)
