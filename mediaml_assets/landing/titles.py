"""Title slugs and catalogue facts: from where a file lies, or from a sidecar that a person wrote.

night_train.mp4               -> night_train
harbour/s01/e02.mkv           -> harbour-s01e02      show harbour, season 1, episode 2
any name.mp4 + sidecar        -> what the sidecar says: {"title": "...", "show": "...", "season": 1, "episode": 2}
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mediaml_assets.errors import TitleRefused

SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
"""What a title slug looks like; besides, it holds no `..`: slugs become folder names and command-line words."""

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


def title_of(path: str, sidecar: Path | None = None) -> Title:
    """The title of a landed file.

    Args:
        path: relative to the landing folder, with forward slashes.
        sidecar: a JSON file with the facts, read if it exists.

    Raises:
        TitleRefused: the path or the sidecar gives no valid slug.
    """
    if sidecar is not None and sidecar.is_file():
        return _from_sidecar(path, sidecar)
    stem = PurePosixPath(path).with_suffix("").as_posix()
    episode = _EPISODE.fullmatch(stem)
    if episode is None:
        return Title(_valid(stem.replace("/", "-"), path))
    show, season, number = _valid(episode["show"], path), int(episode["season"]), int(episode["episode"])
    return Title(_valid(f"{show}-s{season:02d}e{number:02d}", path), show, season, number)


def _valid(slug: str, path: str) -> str:
    if SLUG.fullmatch(slug) and ".." not in slug:
        return slug
    raise TitleRefused(
        f"{path!r} gives no title: a title is made of letters a-z, digits, '_', '-' and single '.', and begins with a "
        f"letter or digit. Rename it, for example to {_suggestion(path)!r}, or put the title into a sidecar "
        f'"{PurePosixPath(path).name}.title.json": {{"title": "{PurePosixPath(_suggestion(path)).stem}"}}'
    )


def _suggestion(path: str) -> str:
    """A name near to the given one that would be accepted."""
    stem = unicodedata.normalize("NFKD", PurePosixPath(path).stem).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", stem)
    return ("_".join(words) or "title") + PurePosixPath(path).suffix


def _from_sidecar(path: str, sidecar: Path) -> Title:
    try:
        facts = json.loads(sidecar.read_text())
        return Title(
            slug=_valid(str(facts["title"]), path),
            show=str(facts["show"]) if facts.get("show") is not None else None,
            season=int(facts["season"]) if facts.get("season") is not None else None,
            episode=int(facts["episode"]) if facts.get("episode") is not None else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TitleRefused(
            f'the sidecar of {path!r} cannot be used ({error}); it must be JSON like {{"title": "my_film", "show": '
            '"my_show", "season": 1, "episode": 2}, of which only "title" is needed'
        ) from error
