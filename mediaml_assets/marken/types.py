"""The types of annotations that an installation knows, by name and version, and the rules by which they evolve.

Other packages add types by an entry point, which names a type or several in a tuple:

    [project.entry-points."mediaml.annotation_types"]
    smiles = "our_smiles.annotations:SMILE"
"""

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import EntryPoint

from mediaml_assets.entry_points import LeftOut, added, why
from mediaml_assets.errors import SchemaRefused
from mediaml_assets.marken.schema import AnnotationType, Mode

ENTRY_POINTS = "mediaml.annotation_types"


class Types:
    """Types by name and version; every version keeps to what the versions before it promised."""

    def __init__(self, kinds: Iterable[AnnotationType]) -> None:
        """Raises SchemaRefused for two types of one name and version, and for one that breaks a rule (`evolves`)."""
        self._versions: dict[str, dict[int, AnnotationType]] = {}
        for kind in sorted(kinds, key=lambda kind: (kind.name, kind.version)):
            versions = self._versions.setdefault(kind.name, {})
            if kind.version in versions:
                raise SchemaRefused(f"{kind} is declared twice; give the changed one a version of its own")
            for earlier in versions.values():
                evolves(earlier, kind)
            versions[kind.version] = kind

    def __iter__(self) -> Iterator[AnnotationType]:
        return (kind for versions in self._versions.values() for kind in versions.values())

    @property
    def names(self) -> Sequence[str]:
        """Sorted."""
        return sorted(self._versions)

    def one(self, name: str) -> AnnotationType:
        """The type called `SHOT@1`, or the newest version of `SHOT`.

        Raises SchemaRefused where there is none.
        """
        versions, number = self._of(name)
        return versions[number if number else max(versions)]

    def searched(self, name: str) -> Sequence[AnnotationType]:
        """What a search for `SHOT` or `SHOT@1` reads, newest first.

        Without a version that is the newest one of a run type, and every version of a log type: what people decided
        under an old version still holds.
        """
        versions, number = self._of(name)
        if number:
            return [versions[number]]
        newest = sorted(versions.values(), key=lambda kind: -kind.version)
        return newest if newest[0].mode is Mode.LOG else newest[:1]

    def _of(self, name: str) -> tuple[dict[int, AnnotationType], int]:
        """The versions of a type, and the one that was asked for, 0 for none."""
        plain, at, number = name.partition("@")
        versions = self._versions.get(plain)
        if versions is None:
            raise SchemaRefused(f"there is no annotation type {plain!r}; the types are {', '.join(self.names)}")
        if not at:
            return versions, 0
        if not number.isdecimal() or int(number) not in versions:
            known = ", ".join(str(kind) for kind in versions.values())
            raise SchemaRefused(f"there is no annotation type {name!r}; there is {known}")
        return versions, int(number)


def evolves(earlier: AnnotationType, later: AnnotationType) -> None:
    """Refuse what a later version of a type may not change; it may add properties and remove them.

    A property never changes its kind or its dimensions, also when it was away for some versions; a type never changes
    its mode or its key.

    Raises:
        SchemaRefused: names type, version and property.
    """
    for what, was, now in (("mode", earlier.mode, later.mode), ("key", earlier.key, later.key)):
        if was != now:
            raise SchemaRefused(f"{later}: its {what} was {was} in {earlier} and is {now}; give it a name of its own")
    for name, own in later.properties.items():
        before = earlier.properties.get(name)
        if before is not None and (before.kind, before.dimensions) != (own.kind, own.dimensions):
            raise SchemaRefused(
                f"{later}: its property {name!r} was {before.holds} in {earlier} and is {own.holds}; give the new one "
                "another name"
            )


def with_installed(own: Iterable[AnnotationType]) -> tuple[Types, list[LeftOut]]:
    """Types, and those that installed packages add to them; what cannot be added is left out with its reason.

    A package may add types and further versions of types, as far as these keep the rules; it replaces nothing.
    """
    types = Types(own)
    found, left_out = added(ENTRY_POINTS, "annotation types", _types_of)
    for one in found:
        try:
            types = Types([*types, *one.value])
        except SchemaRefused as error:
            left_out.append(LeftOut(one.distribution, one.name, why(error), "annotation types"))
    return types, left_out


def _types_of(entry: EntryPoint) -> Sequence[AnnotationType]:
    loaded = entry.load()
    kinds = tuple(loaded) if isinstance(loaded, (tuple, list)) else (loaded,)
    if not kinds or not all(isinstance(kind, AnnotationType) for kind in kinds):
        raise SchemaRefused(
            f"{entry.value} is {type(loaded).__name__} and no annotation type; name an AnnotationType, or several in a "
            "tuple"
        )
    return kinds
