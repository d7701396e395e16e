"""What a filter may name: properties of the searched types, their parts, and what every annotation has."""

import difflib
from collections.abc import Sequence

import pyarrow as pa

from mediaml_assets.marken.query.nodes import Column
from mediaml_assets.marken.rows import FIXED
from mediaml_assets.marken.schema import AnnotationType, Kind


class NoSuchName(LookupError):
    """A name that cannot be asked for; the message says why, and what is near."""


def column_of(name: str, types: Sequence[AnnotationType]) -> Column:
    """The column that a name means.

    A time range gives the column of its name, which has no values: its parts are `<name>_start` and so on (`rows.py`).

    Args:
        name: of a property or a fixed column, `<range>_start`, `<range>_end`; `start` and `end` for those of `time`.
        types: the searched ones; one of them at least has it.

    Raises:
        NoSuchName: none has it, or it is of two kinds in two of them.
    """
    if name in FIXED.names:
        kind = Kind.INTEGER if pa.types.is_integer(FIXED.field(name).type) else Kind.STRING
        return Column(name, kind, name)
    if having(name, types):
        return Column(name, _kind(name, types), name)
    full = f"time_{name}" if name in ("start", "end") else name
    range, _, part = full.rpartition("_")
    if part in ("start", "end") and having(range, types) and _kind(range, types) is Kind.TIME_RANGE:
        return Column(full, Kind.NUMBER, range)
    name = name[:60]
    near = difflib.get_close_matches(name, known := names_of(types), 1, 0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
    raise NoSuchName(f"{written(types)} has no property {name!r}; {hint}")


def having(name: str, types: Sequence[AnnotationType]) -> list[AnnotationType]:
    """The types that have a property."""
    return [one for one in types if name in one.properties]


def names_of(types: Sequence[AnnotationType]) -> list[str]:
    """Every name that a filter may use, sorted; the properties' before the fixed ones."""
    own = {name: one.kind for kind in types for name, one in kind.properties.items()}
    parts = [f"{name}_{part}" for name, kind in own.items() if kind is Kind.TIME_RANGE for part in ("start", "end")]
    return [*sorted([*own, *parts]), *FIXED.names]


def written(types: Sequence[AnnotationType]) -> str:
    """Types, for people."""
    return ", ".join(f"{one.name}@{one.version}" for one in types)


def _kind(name: str, types: Sequence[AnnotationType]) -> Kind:
    kinds = {one.properties[name].kind: f"{one.name}@{one.version}" for one in having(name, types)}
    if len(kinds) > 1:
        (first, one), (second, other), *_ = kinds.items()
        raise NoSuchName(
            f"{name!r} is of kind {first} in {one} and {second} in {other}; search them one after the other"
        )
    return next(iter(kinds))
