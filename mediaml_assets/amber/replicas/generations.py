"""Generations: how a replica of many files changes as one.

    manifests/00000007.json     generation 7: its files, and for each the titles it holds, with their digests and rows
    files/<id>.<ext>            written once, under a name that nobody else has

A file counts only once a manifest names it. A manifest is created only if absent, as newest + 1, so of two writers one
is told that it was late, and a writer that is killed leaves files that nobody knows. A reader takes the newest
manifest and sees one whole state.
"""

import json
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from mediaml_assets.amber.keys import to_json
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.replicas.replication import KEEP_SECONDS
from mediaml_assets.errors import NotStored

MANIFESTS = "manifests"
FILES = "files"

TIER = 8
"""Small parts of one class that are merged into one."""
TIERS = 4
"""Classes of small parts: so at most `TIERS` * (`TIER` - 1) of them stay."""


@dataclass(frozen=True)
class Span:
    """The rows of one title in a part: half-open, `[start, stop)`."""

    title: str
    digest: str
    """Digest of the value."""
    start: int
    stop: int

    @property
    def rows(self) -> int:
        """How many rows the title has."""
        return self.stop - self.start


@dataclass(frozen=True)
class Part:
    """One file of a generation (or a few that belong together), and the titles in it, sorted."""

    stem: str
    """Name below `files/`, without the ending."""
    bytes: int
    spans: tuple[Span, ...]
    kind: str = ""
    """What rows must have in common to share a part, beyond their schema."""

    @property
    def rows(self) -> int:
        """Rows of all its titles."""
        return self.spans[-1].stop if self.spans else 0


@dataclass(frozen=True)
class Generation:
    """One state of a replica; number 0 is the empty one before anything was written."""

    number: int = 0
    schema: str = ""
    """The feature's schema as text; files of another schema are not carried on."""
    parts: tuple[Part, ...] = field(default=())

    @cached_property
    def places(self) -> dict[str, tuple[Part, Span]]:
        """Title -> where its rows are, in the order of the titles."""
        found = {span.title: (part, span) for part in self.parts for span in part.spans}
        return dict(sorted(found.items()))


class Generations:
    """The generations of one replica, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / FILES

    def newest(self) -> Generation:
        """The state that readers see now."""
        while names := self._manifests():
            # removed at this moment only when it was replaced
            with suppress(NotStored):
                return self._read(names[-1])
        return Generation()

    def publish(self, generation: Generation) -> int:
        """Make a generation the newest; returns bytes written, 0 when another writer took its number."""
        document = to_json(asdict(generation))
        objects = FolderObjects(self.folder)
        created = objects.create(f"{MANIFESTS}/{_name(generation.number)}", document)
        # a writer that slept while older manifests were removed can create a number that is long gone
        return len(document) if created and self._manifests()[-1] == _name(generation.number) else 0

    def sweep(self, keep_seconds: float) -> None:
        """Remove generations that were replaced so long ago with their files, and files of writers that were killed."""
        # what another sweep has just taken away need not be taken away again
        with suppress(FileNotFoundError, NotStored):
            self._sweep(keep_seconds)

    def _sweep(self, keep_seconds: float) -> None:
        now = time.time()
        names = self._manifests()
        times = [(self.folder / MANIFESTS / name).stat().st_mtime for name in names]
        # a generation is old from the moment that the next one replaced it
        old = [name for name, replaced in zip(names, times[1:], strict=False) if replaced <= now - keep_seconds]
        replaced = self._stems(old)
        known = self._stems(name for name in names if name not in old)
        for file in self.files.glob("*"):
            stem = file.name.split(".")[0]
            # what no manifest names may be a file that is being written now
            if stem not in known and (stem in replaced or file.stat().st_mtime <= now - KEEP_SECONDS):
                file.unlink(missing_ok=True)
        # the last, so that a sweep that is killed is gone on with
        for name in old:
            (self.folder / MANIFESTS / name).unlink(missing_ok=True)

    def _stems(self, names: Iterable[str]) -> set[str]:
        return {part.stem for name in names for part in self._read(name).parts}

    def _manifests(self) -> list[str]:
        # reading makes no folders
        return FolderObjects(self.folder).names(MANIFESTS) if self.folder.is_dir() else []

    def _read(self, name: str) -> Generation:
        document = json.loads(FolderObjects(self.folder).read(f"{MANIFESTS}/{name}"))
        parts = [
            Part(part["stem"], part["bytes"], tuple(Span(**span) for span in part["spans"]), part["kind"])
            for part in document["parts"]
        ]
        return Generation(document["number"], document["schema"], tuple(parts))


def full_tier(parts: Sequence[Part], part_bytes: int) -> list[Part]:
    """Small parts of one kind and size class that should become one, when there are `TIER` of them; else none.

    Classes grow by the factor `TIER`, so a byte is copied once a class until its part is half full.
    """
    tiers: dict[tuple[int, str], list[Part]] = {}
    for part in parts:
        tier = next((tier for tier in range(TIERS) if part.bytes * TIER**tier >= part_bytes / 2), TIERS)
        if tier:
            tiers.setdefault((tier, part.kind), []).append(part)
    # the smallest first: what comes of it may fill the next one
    return next((tiers[tier] for tier in sorted(tiers, reverse=True) if len(tiers[tier]) >= TIER), [])


def _name(number: int) -> str:
    return f"{number:08d}.json"
