"""Artwork and texts of a title: which title a file belongs to, and what it is, by its name.

    <film without its suffix>[.<label>...].<suffix>

    night_train.en.srt               subtitles of night_train, English
    night_train.en.forced.srt        the same, label `forced`
    night_train.poster.jpg           its poster
    night_train.still-01.png         a still, label `01`
    night_train.script.fountain      its script
    harbour/s01/e02.de.vtt           German subtitles of harbour-s01e02
    any name.jpg + sidecar           of the title that the sidecar says

Titles may have dots in them, so the film with the longest name that fits is meant. Where there is none, the labels that
are known (kinds, languages, `forced` and the like) are taken off the end and what is left is the title: it has no film,
or not yet. A picture without a film must say by its name what it is, so that no holiday picture becomes a title.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from mediaml_assets.errors import TitleRefused
from mediaml_assets.jasper.texts.languages import known_language
from mediaml_assets.landing.files import is_picture
from mediaml_assets.landing.titles import near_stem, title_of

ARTWORK_KINDS = ("poster", "still", "artwork", "backdrop", "banner", "logo", "thumbnail")
_KIND = re.compile(rf"({'|'.join(ARTWORK_KINDS)})(?:[-_]?(\d{{1,6}}))?", re.I)
_TEXT_LABELS = frozenset({"forced", "sdh", "cc", "full", "signs", "commentary", "subtitles"})
SCRIPT = "script"
SUBTITLES = "subtitles"


@dataclass(frozen=True)
class Companion:
    """What the name of a file says.

    Attributes:
        title: slug of the title that it belongs to.
        kind: one of `ARTWORK_KINDS`, "subtitles" or "script".
        label: whatever else the name says, as "01" or "forced"; empty when nothing.
        language: BCP 47; None when the name does not say.
    """

    title: str
    kind: str
    label: str
    language: str | None


def companion_of(path: str, films: Mapping[str, str], sidecar: bytes | None = None) -> Companion:
    """What a file is, and of which title.

    Args:
        path: of an artwork or text file, relative to the landing place.
        films: path without suffix -> title, of every film that lies there.
        sidecar: JSON with the title, if a person wrote any beside the file.

    Raises:
        TitleRefused: neither its name nor its sidecar says of which title it is.
    """
    stem = PurePosixPath(path).with_suffix("").as_posix()
    film = _film(stem, films)
    own = _own_stem(stem, path) if film is None else film
    labels = [one for one in stem[len(own) :].split(".") if one]
    if sidecar is not None:
        return _described(path, title_of(path, sidecar).slug, labels)
    if film is not None:
        return _described(path, films[film], labels)
    if is_picture(path) and not any(_KIND.fullmatch(one) for one in labels):
        raise TitleRefused(
            f"{path!r} is a picture of no film that lies here; begin its name with that of its film, say what it is, "
            f'as in "{PurePosixPath(near_stem(own)).name}.poster{PurePosixPath(path).suffix}" '
            f'({", ".join(ARTWORK_KINDS)}), or put the title into a sidecar "{PurePosixPath(path).name}.title.json"'
        )
    return _described(path, title_of(path, stem=own).slug, labels)


def _film(stem: str, films: Mapping[str, str]) -> str | None:
    """The longest beginning of a name that is a film's, cut at its dots."""
    folder, slash, name = stem.rpartition("/")
    parts = name.split(".")
    candidates = (folder + slash + ".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((one for one in candidates if one in films), None)


def _own_stem(stem: str, path: str) -> str:
    """A name without the labels at its end that are known."""
    folder, slash, name = stem.rpartition("/")
    parts = name.split(".")
    while len(parts) > 1 and _is_label(parts[-1], path):
        parts.pop()
    return folder + slash + ".".join(parts)


def _is_label(part: str, path: str) -> bool:
    if known_language(part):
        return True
    return bool(_KIND.fullmatch(part)) if is_picture(path) else part.lower() in {*_TEXT_LABELS, SCRIPT}


def _described(path: str, title: str, labels: list[str]) -> Companion:
    """Kind, language and label of a file, of the labels in its name; the first that can be a language is it."""
    script = PurePosixPath(path).suffix.lower() == ".fountain"
    kind = "artwork" if is_picture(path) else SCRIPT if script else SUBTITLES
    language: str | None = None
    others = []
    for label in labels:
        named = _KIND.fullmatch(label) if is_picture(path) else None
        if named is not None:
            kind = named[1].lower()
            others.append(named[2] or "")
        elif not is_picture(path) and label.lower() == SCRIPT:
            kind = SCRIPT
        elif language is None and label.lower() not in _TEXT_LABELS and known_language(label):
            language = known_language(label)
        else:
            others.append(label)
    return Companion(title, kind, ".".join(one for one in others if one), language)
