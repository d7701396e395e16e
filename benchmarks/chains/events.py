"""What happens in the life of a catalogue: a workspace, and the events that change films or code in it."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import chains, peers
from benchmarks.chains.films import remux, render

CHAINS = Path(chains.__file__).parent
TITLES = {"one": 3, "two": 5, "three": 7, "four": 9}
"""Title -> shots; apart enough that no edit gives two titles equal rows, which a memo would compute once for both."""
FEATURES = ("levels", "cuts", "label")
RUN_SECONDS = 240


class Workspace:
    """A folder with films, the user's code and a system's state."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.seed = seed
        self.film = root / "landing" / "one.mp4"
        self.edits: list[tuple[str, str, str]] = []

    def create(self, system: str) -> None:
        """The first four films, and the code of one system."""
        for folder in ("landing", "code/chain", "state"):
            (self.root / folder).mkdir(parents=True)
        for title, shots in TITLES.items():
            render(self.root / "landing" / f"{title}.mp4", self.seed, shots)
        self.write_code(system)

    def write_code(self, system: str) -> None:
        """The code of one system, not edited yet."""
        package = self.root / "code" / "chain"
        (package / "__init__.py").touch()
        shutil.copyfile(CHAINS / "helpers.py", package / "helpers.py")
        shutil.copyfile(CHAINS / f"{system}_features.py", package / "features.py")

    def edit(self, file: str, before: str, after: str) -> None:
        """Edit the user's code, in this system's words and in the truth's."""
        self.edits.append((file, before, after))
        self.replace(file, before, after)

    def replace(self, file: str, before: str, after: str) -> None:
        """Replace a piece of a file of code that occurs there once."""
        path = self.root / "code" / "chain" / file
        parts = path.read_text().split(before)
        assert len(parts) == 2, f"{before!r} occurs {len(parts) - 1} times in {file}"
        path.write_text(after.join(parts))

    def truth(self) -> Mapping[str, Mapping[str, Any]]:
        """What should be served: all films computed anew, by plain functions with the same edits."""
        with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as folder:
            plain = Workspace(Path(folder), self.seed)
            shutil.copytree(self.root / "landing", plain.root / "landing")
            (plain.root / "code" / "chain").mkdir(parents=True)
            plain.write_code("plain")
            for edit in self.edits:
                plain.edit(*edit)
            return plain.run(Path(sys.executable), "plain").served

    def run(self, interpreter: Path, script: str, *arguments: str) -> "Run":
        """One run of a routine in a new process, and how often it called each feature."""
        calls = self.root / "calls"
        calls.unlink(missing_ok=True)
        environment = {
            "PYTHONPATH": os.pathsep.join([str(CHAINS.parent.parent), str(self.root / "code")]),
            "PYTHONDONTWRITEBYTECODE": "1",  # an edit within one clock tick must not meet the bytecode from before
            "CHAIN_CALLS": str(calls),
            "MEDIAML_HOME": str(self.root),
            "PIXELTABLE_HOME": str(self.root / "state"),
            "DATACHAIN_ROOT_DIR": str(self.root / "state"),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        command: list[str | Path] = [interpreter, CHAINS / f"run_{script}.py", *arguments]
        answer = peers.answer(command, RUN_SECONDS, environment, self.root)
        made = calls.read_text().split() if calls.exists() else []
        return Run({name: made.count(name) for name in FEATURES}, answer["served"], answer.get("files_read", 0))


@dataclass(frozen=True)
class Run:
    """What one run of a routine called, and serves."""

    calls: Mapping[str, int]
    served: Mapping[str, Mapping[str, Any]]
    files_read: int = 0


Change = Callable[[Workspace], None]


@dataclass(frozen=True)
class Event:
    """Something that happens; where there are several changes, the routine runs after each and the last run counts."""

    name: str
    ideal: int
    """Calls of a function that are needed."""
    changes: Sequence[Change]
    by_hand: str = ""
    """What a person could say: the feature whose code changed, or the film that was replaced."""


def _new_title(work: Workspace) -> None:
    render(work.film.with_name("five.mp4"), work.seed, 11)


def _touch(work: Workspace) -> None:
    os.utime(work.film, ns=(time.time_ns(), time.time_ns()))


def _copy(work: Workspace) -> None:
    shutil.copyfile(work.film, work.film.with_name("copy_of_one.mp4"))


def _rename(work: Workspace) -> None:
    work.film.rename(work.film.with_name("uno.mp4"))


def _remux(work: Workspace) -> None:
    remux(work.film, work.film.with_suffix(".mkv"))
    work.film.unlink()


def _retag(work: Workspace) -> None:
    tagged = work.root / "tagged.mp4"
    remux(work.film, tagged, title="Another name")
    tagged.replace(work.film)


def _replace(work: Workspace) -> None:
    render(work.film, work.seed, 13)


def _delete(work: Workspace) -> None:
    work.film.unlink()


def _edit_code(work: Workspace) -> None:
    work.edit("features.py", "count = changes(", "count = 1 + changes(")


def _edit_back(work: Workspace) -> None:
    work.edit("features.py", "count = 1 + changes(", "count = changes(")


def _edit_constant(work: Workspace) -> None:
    work.edit("helpers.py", "STEP = 8", "STEP = 2")


def _edit_without_effect(work: Workspace) -> None:
    work.edit("features.py", "count = changes(", "count = 0 + changes(")


EVENTS = (
    Event("nothing changed", 0, [lambda work: None]),
    Event("+1 title", 3, [_new_title]),
    Event("touch", 0, [_touch]),
    Event("copy: same bytes, another title", 0, [_copy]),
    Event("rename: another title", 0, [_rename]),
    Event("remux: mp4 to mkv", 0, [_remux]),
    Event("retag", 0, [_retag]),
    Event("new content, same path", 3, [_replace], by_hand="one.mp4"),
    Event("code edited", 8, [_edit_code], by_hand="cuts"),
    Event("constant edited", 8, [_edit_constant], by_hand="cuts"),
    Event("code A, B, back to A", 0, [_edit_code, _edit_back], by_hand="cuts"),
    Event("new code, equal rows", 4, [_edit_without_effect], by_hand="cuts"),
    Event("source deleted", 0, [_delete]),
)
