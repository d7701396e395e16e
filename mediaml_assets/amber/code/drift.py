"""What changed between two versions of a feature's code, readably."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mediaml_assets.amber.code.parts import Code

LONGEST = 200
"""Lines of one change that are kept."""

NAMED = 5
"""Changes that are named in one line."""


@dataclass(frozen=True)
class Change:
    """One part of the code that is not what it was."""

    name: str
    """Full name of the function, class or constant."""
    event: Literal["changed", "added", "removed"]
    place: str
    """File and line, where known."""
    diff: str
    """Unified diff of the part's text, without its head; says why when the text is the same."""

    def __str__(self) -> str:
        """One line: what changed and where."""
        return f"{self.name} {self.event}{f' ({self.place})' if self.place else ''}"


def changes(before: Code, after: Code) -> list[Change]:
    """The parts that differ, changed ones first: what was added or removed follows from them."""
    found = []
    for name in sorted(before.parts.keys() | after.parts.keys()):
        old, new = before.parts.get(name), after.parts.get(name)
        if old is None and new is not None:
            found.append(Change(name, "added", new.place, _diff("", new.text)))
        elif old is not None and new is None:
            found.append(Change(name, "removed", old.place, _diff(old.text, "")))
        elif old is not None and new is not None and old.digest != new.digest:
            text = _diff(old.text, new.text) or _same_text(before, after)
            found.append(Change(name, "changed", new.place or old.place, text))
    return sorted(found, key=lambda change: change.event != "changed")


def in_short(found: Sequence[Change]) -> str:
    """The names of what changed, of a few."""
    more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return "; ".join(map(str, found[:NAMED])) + more


def as_text(found: Sequence[Change], longest: int) -> str:
    """All changes, each with its diff; at most `longest` characters, saying what was left out."""
    text = "\n\n".join(f"{change}\n{change.diff}" for change in found)
    if len(text) <= longest:
        return text
    kept = text[:longest].rpartition("\n")[0]
    return f"{kept}\n... ({text.count(chr(10)) - kept.count(chr(10))} more lines)"


def _diff(old: str, new: str) -> str:
    # without the names of files, and where the first of the differences is
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))[3:]
    left_out = [f"... ({len(lines) - LONGEST} more lines)"] if len(lines) > LONGEST else []
    return "\n".join([*lines[:LONGEST], *left_out])


def _same_text(before: Code, after: Code) -> str:
    if before.python != after.python:
        return f"the same source, compiled by Python {after.python} and not {before.python} as before"
    return "its source is the same or not known; its compiled code or a long value differs"
