"""What every check of a part of a filter needs: the searched types, the snapshot, and how to refuse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.engine import Snapshot
from mediaml_assets.marken.query.names import NoSuchName, column_of, having
from mediaml_assets.marken.query.nodes import Column
from mediaml_assets.marken.query.source import Path, Source
from mediaml_assets.marken.schema import AnnotationType


@dataclass(frozen=True)
class Asking:
    """A filter being checked. A part of it goes by its tree (CQL2 JSON) and its path."""

    source: Source
    types: Sequence[AnnotationType]
    snapshot: Snapshot

    def refusal(self, path: Path, message: str) -> QueryRefused:
        """To be raised."""
        return self.source.refusal(path, message)

    def operation(self, tree: Any, path: Path) -> tuple[str, Sequence[Any]]:
        """Operator in lower case, and arguments."""
        if not isinstance(tree, Mapping) or not isinstance(tree.get("op"), str):
            raise self.refusal(path, f"Here stands {_short(tree)} where a condition is wanted.")
        args = tree.get("args")
        if not isinstance(args, Sequence) or isinstance(args, str):
            raise self.refusal(path, f"{tree['op']!r} needs its arguments in a list, `args`.")
        return tree["op"].lower(), args

    def arguments(self, op: str, args: Sequence[Any], path: Path, *counts: int) -> None:
        """Refuse another number of arguments."""
        if len(args) not in counts:
            wanted = " or ".join(map(str, counts))
            raise self.refusal(path, f"{op.upper()} takes {wanted} arguments; here are {len(args)}.")

    def column(self, tree: Any, path: Path) -> Column | None:
        """The column of `{"property": ...}`; None when the tree is something else."""
        if not isinstance(tree, Mapping) or "property" not in tree:
            return None
        try:
            return column_of(str(tree["property"]), self.types)
        except NoSuchName as error:
            raise self.refusal(path, f"{error}") from None

    def having(self, column: Column) -> list[AnnotationType]:
        """The searched types that have a column's property."""
        return having(column.property, self.types)

    def string(self, tree: Any, path: Path, what: str) -> str:
        """A literal string."""
        if not isinstance(tree, str):
            raise self.refusal(path, f"{what} is a literal in single quotes; here stands {_short(tree)}.")
        if "\0" in tree or any(0xD800 <= ord(character) < 0xE000 for character in tree):
            raise self.refusal(path, "No annotation holds a zero character or half a surrogate pair.")
        return tree

    def number(self, tree: Any, path: Path, what: str) -> float:
        """A literal number; that it is exact was seen to before."""
        if isinstance(tree, bool) or not isinstance(tree, int | float):
            raise self.refusal(path, f"{what} is a number; here stands {_short(tree)}.")
        return float(tree)


def _short(tree: Any) -> str:
    if isinstance(tree, Mapping):
        for name in ("property", "op", "type"):
            if name in tree:
                return f"{name} {str(tree[name])[:40]!r}"
        return f"an object of {', '.join(sorted(map(str, tree)))[:60] or 'nothing'}"
    return "null" if tree is None else repr(tree)[:60]
