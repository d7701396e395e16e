"""What other packages add by entry points; one that cannot be used is left out with its reason and stops nothing."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mediaml_assets.errors import MediamlError

T = TypeVar("T")


@dataclass(frozen=True)
class Added(Generic[T]):
    """What one entry point of an installed distribution gave."""

    distribution: str
    name: str
    """Of the entry point."""
    value: T


@dataclass(frozen=True)
class LeftOut:
    """An entry point that cannot be used, and why."""

    distribution: str
    name: str
    reason: str
    what: str = "features"
    """What it was to add, in the plural."""

    def __str__(self) -> str:
        return (
            f"{self.distribution}: its {self.what} {self.name!r} are left out: {self.reason}. Mend or uninstall it; "
            "what they have stored is kept"
        )


def added(
    group: str, what: str, read: Callable[[importlib.metadata.EntryPoint], T]
) -> tuple[list[Added[T]], list[LeftOut]]:
    """What the entry points of a group give, by distribution and name, and those that cannot be used.

    Args:
        group: of the entry points.
        what: they add, in the plural, for messages.
        read: imports an entry point and gives what it adds; whatever it raises leaves that one out.
    """
    found, left_out = [], []
    entries = importlib.metadata.entry_points(group=group)
    for entry in sorted(entries, key=lambda entry: (_distribution(entry), entry.name)):
        try:
            found.append(Added(_distribution(entry), entry.name, read(entry)))
        # the code is not ours: whatever it does on import, even to exit, must not stop the others
        except (Exception, SystemExit) as error:
            left_out.append(LeftOut(_distribution(entry), entry.name, why(error), what))
    return found, left_out


def why(error: BaseException) -> str:
    """The reason of an error in a sentence; only our own need no type."""
    return str(error) if isinstance(error, MediamlError) else f"{type(error).__name__}: {error}"


def _distribution(entry: importlib.metadata.EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value.partition(":")[0]
