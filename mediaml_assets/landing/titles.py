"""Title slugs and catalogue facts: from where a file lies, or from a sidecar that a person wrote.

night_train.mp4               -> night_train
harbour/s01/e02.mkv           -> harbour-s01e02      show harbour, season 1, episode 2
any name.mp4 + sidecar        -> what the sidecar says: {"title": "...", "show": "...", "season": 1, "episode": 2}
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from mediaml_assets.errors import TitleRefused

LONGEST = 100
"""Characters of a slug, at most."""

SLUG = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{LONGEST - 1}}}")
"""What a title slug looks like; besides, it holds no `..`: slugs become folder names and command-line words."""

_RULE = "letters a-z, digits, '_', '-' and single '.', beginning with a letter or digit, at most 100 of them"

_EPISODE = re.compile(
    r"(?P<show>[^/]+)/s(?:eason)?[ _-]?(?P<season>\d{1,3})/e(?:pisode)?[ _-]?(?P<episode>\d{1,4})", re.I
)


@dataclass(frozen=True)
class Title:
    """A title's slug and catalogue facts; a film has no show."""

    slug: str
    show: str | None = None
    season: int | None = None
    episode: int | None = None


def title_of(path: str, sidecar: bytes | None = None, stem: str | None = None) -> Title:
    """The title of a landed file.

    Args:
        path: relative to the landing place, with forward slashes.
        sidecar: JSON with the facts, if a person wrote any beside the file.
        stem: the part of the path that names the title; by default all but its suffix.

    Raises:
        TitleRefused: the path or the sidecar gives no valid slug.
    """
    if sidecar is not None:
        return _from_sidecar(path, sidecar)
    stem = PurePosixPath(path).with_suffix("").as_posix() if stem is None else stem
    episode = _EPISODE.fullmatch(stem)
    if episode is None:
        return Title(_valid(stem.replace("/", "-"), path, stem))
    show, season, number = _valid(episode["show"], path, stem), int(episode["season"]), int(episode["episode"])
    return Title(_valid(f"{show}-s{season:02d}e{number:02d}", path, stem), show, season, number)


def is_slug(text: str) -> bool:
    """Whether a text may name a title or a show."""
    return SLUG.fullmatch(text) is not None and ".." not in text


def _valid(slug: str, path: str, stem: str) -> str:
    if is_slug(slug):
        return slug
    name, whole = near_stem(stem), PurePosixPath(path)
    labels = whole.with_suffix("").as_posix()[len(stem) :]
    raise TitleRefused(
        f"{path!r} gives no title: a title is made of {_RULE}. Rename it, for example to "
        f"{name + labels + whole.suffix!r}, or put the title into a sidecar "
        f'"{PurePosixPath(path).name}.title.json": {{"title": "{name.replace("/", "-")}"}}'
    )


def near_stem(stem: str) -> str:
    """A part of a path near to the given one that gives a title; itself when it does."""
    if is_slug(stem.replace("/", "-")):
        return stem
    parts = [_near(part) for part in stem.split("/") if part]
    name = "/".join(parts)
    return name if len(name) <= LONGEST else parts[-1][:LONGEST]


def _near(part: str) -> str:
    plain = unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode()
    return "_".join(re.findall(r"[A-Za-z0-9]+", plain)) or "title"


def _from_sidecar(path: str, sidecar: bytes) -> Title:
    try:
        facts = json.loads(sidecar.decode("utf-8-sig"))
        return Title(
            slug=_slug(facts["title"]),
            show=_text(facts["show"]) if facts.get("show") is not None else None,
            season=_number(facts["season"]) if facts.get("season") is not None else None,
            episode=_number(facts["episode"]) if facts.get("episode") is not None else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise TitleRefused(
            f"the sidecar of {path!r} cannot be used ({type(error).__name__}: {error}); it must be JSON like "
            '{"title": "my_film", "show": "my_show", "season": 1, "episode": 2}, of which only "title" is needed; '
            f"a title is made of {_RULE}"
        ) from error


def _slug(fact: Any) -> str:
    if not isinstance(fact, str) or not is_slug(fact):
        raise ValueError(f"{str(fact)[:LONGEST]!r} is no title")
    return fact


def _text(fact: Any) -> str:
    text = str(fact)
    if not isinstance(fact, str | int) or not text.isprintable() or len(text) > LONGEST:
        raise ValueError(f"{text[:LONGEST]!r} is no name of a show")
    return text


def _number(fact: Any) -> int:
    number = int(fact)
    if not 0 <= number < 10_000 or isinstance(fact, bool) or (isinstance(fact, float) and number != fact):
        raise ValueError(f"{fact} is no season or episode")
    return number
