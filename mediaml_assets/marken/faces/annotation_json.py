"""Annotations of their JSON form; `Annotation.to_json` is the way back."""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from mediaml_assets.marken.annotation import Annotation, Entity, TimeRange


def read_annotation(form: Mapping[str, Any]) -> Annotation:
    """The annotation that `Annotation.to_json` wrote."""
    named = ("id", "version", "type", "type_version", "scope", "title", "by")
    return Annotation(
        **{name: form[name] for name in named},
        other_title=form.get("other_title"),
        entity=Entity(form["entity"]["kind"], form["entity"]["id"]),
        created=datetime.fromisoformat(form["created"]),
        properties={name: _value(value) for name, value in form["properties"].items()},
    )


def _value(value: Any) -> Any:
    """A property; only times are objects."""
    if not isinstance(value, Mapping):
        return value
    rate = value.get("rate")
    return TimeRange(
        value["start"],
        value["end"],
        value.get("start_frame"),
        value.get("end_frame"),
        None if rate is None else Fraction(rate),
    )
