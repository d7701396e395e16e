"""Which version an appended row is: the next one of its id, over all versions of its type."""

from collections.abc import Sequence

from mediaml_assets.amber.objects import Objects
from mediaml_assets.marken.embedded import files
from mediaml_assets.marken.embedded.state import Folded


class Numbering:
    """The newest version of each id of the types that were asked for, brought on with the chain.

    Args:
        objects: where files of rows are.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._newest: dict[str, tuple[int, dict[str, int]]] = {}

    def newest(self, state: Folded, name: str) -> dict[str, int]:
        """Id -> newest version, of one type."""
        seq, newest = self._newest.get(name, (0, {}))
        if seq < state.seq:
            for key, parts in state.parts.items():
                for part in parts.values() if key[0] == name else ():
                    if part.last > seq:
                        rows = files.read(self._objects, part, ["id", "version"])
                        for one, version in zip(rows["id"].to_pylist(), rows["version"].to_pylist(), strict=True):
                            newest[one] = max(version, newest.get(one, 0))
            self._newest[name] = state.seq, newest
        return newest

    def next(self, state: Folded, name: str, ids: Sequence[str]) -> list[int]:
        """The versions of rows that are appended to a state."""
        newest = self.newest(state, name)
        given: dict[str, int] = {}
        versions = []
        for one in ids:
            given[one] = 1 + given.get(one, newest.get(one, 0))
            versions.append(given[one])
        return versions
