"""Types of annotations as JSON and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mediaml_assets.marken.schema import AnnotationType, Kind, Mode, Property


def type_json(kind: AnnotationType) -> dict[str, Any]:
    """The JSON form; properties with inherited ones."""
    return {
        "name": kind.name,
        "version": kind.version,
        "about": kind.about,
        "mode": kind.mode.value,
        "key": list(kind.key),
        "bases": [base.name for base in kind.bases],
        "properties": [asdict(one) | {"kind": one.kind.value} for one in kind.properties.values()],
    }


def type_of(form: Mapping[str, Any]) -> AnnotationType:
    """The type that `type_json` wrote, with all of its properties as its own."""
    return AnnotationType(
        name=form["name"],
        version=form["version"],
        about=form["about"],
        own=tuple(Property(**{**one, "kind": Kind(one["kind"])}) for one in form["properties"]),
        mode=Mode(form["mode"]),
        key=tuple(form["key"]),
    )
