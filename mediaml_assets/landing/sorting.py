"""What each file at the landing place is: the film of a title, its artwork or text, or nothing that can be taken."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from mediaml_assets.amber.staleness import say_damaged
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import Damaged, TitleRefused
from mediaml_assets.landing.chains import current_paths
from mediaml_assets.landing.companions import Companion, companion_of
from mediaml_assets.landing.files import LandedFile, Landing, is_film, sidecar_of
from mediaml_assets.landing.titles import Title, title_of


@dataclass(frozen=True)
class Sorted:
    """Path -> what a file is, of every file in one of the three."""

    films: dict[str, Title]
    companions: dict[str, Companion]
    quarantine: dict[str, str]
    """Reason why it cannot be taken; the path as it can be printed."""


def sort_out(landing: Landing, store: Store, source: str, files: Iterable[LandedFile], known: Container[str]) -> Sorted:
    """Sort the files of a landing place.

    Args:
        landing: where sidecars are read.
        store: where the titles' films are kept.
        source: name of those values.
        files: all that lie there.
        known: paths that were dealt with before.

    Raises:
        Unreachable: the bucket does not answer.
    """
    claims: dict[str, dict[str, Title]] = {}
    beside: dict[str, bytes | None] = {}
    quarantine: dict[str, str] = {}
    for file in files:
        try:
            sidecar = _sidecar(landing, file)
            if is_film(file.path):
                title = title_of(file.path, sidecar)
                claims.setdefault(title.slug, {})[file.path] = title
            else:
                beside[file.path] = sidecar
        except TitleRefused as refusal:
            quarantine[_printable(file.path)] = str(refusal)
    films: dict[str, Title] = {}
    for slug, claimed in claims.items():
        holder = _holder(store, source, slug, list(claimed), known)
        films[holder] = claimed.pop(holder)
        quarantine |= {loser: _taken(slug, holder, loser) for loser in claimed}
    stems = {PurePosixPath(path).with_suffix("").as_posix(): title.slug for path, title in films.items()}
    companions: dict[str, Companion] = {}
    for path, sidecar in beside.items():
        try:
            companions[path] = companion_of(path, stems, sidecar)
        except TitleRefused as refusal:
            quarantine[path] = str(refusal)
    return Sorted(films, companions, quarantine)


def _sidecar(landing: Landing, file: LandedFile) -> bytes | None:
    """What a person wrote beside a file that can be taken at all."""
    if not file.path.isprintable():
        raise TitleRefused(f"{file.path!r} has a name that is not printable text in UTF-8; rename it")
    if file.refusal:
        raise TitleRefused(f"{file.path!r} {file.refusal}")
    return landing.sidecar(file) if file.sidecar else None


def _holder(store: Store, source: str, slug: str, paths: list[str], known: Container[str]) -> str:
    """Of the films with one slug the one that was there before stays, else the first by name."""
    current: str | None = None
    try:
        if len(paths) > 1:
            current = next(iter(current_paths(store, source, slug)), None)
    except Damaged as damage:
        say_damaged(source, slug, damage)
        # of the others none was ever dealt with
        current = next((path for path in paths if path in known), None)
    return current if current in paths else paths[0]


def _taken(slug: str, holder: str, loser: str) -> str:
    return (
        f"{loser!r} and {holder!r} both give the title {slug!r}; {holder!r} keeps it. Rename or remove "
        f'{loser!r}, or give it a title of its own in a sidecar "{sidecar_of(PurePosixPath(loser).name)}"'
    )


def _printable(path: str) -> str:
    """A path that can be stored as text and shown on one line, whatever bytes the file's name is made of."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in path)
