"""What `nearest` asks to be near to, as a vector."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mediaml_assets.errors import BadInput, QueryRefused
from mediaml_assets.marken.engine import Nearest, Selection, Snapshot
from mediaml_assets.marken.query.nodes import And, Column, Compare, IsNull, Not, Value
from mediaml_assets.marken.schema import AnnotationType, Kind, Property
from mediaml_assets.marken.search.envelope import Near
from mediaml_assets.marken.search.order import LAST

Vector = npt.NDArray[np.float32]
MOST_OF_ONE = 1_000
"""Vectors of one entity that its mean is taken of, the first by id."""
OPPOSED = 1e-6
"""Below this length a mean of unit vectors is what rounding left."""


class Encoder(Protocol):
    """Makes vectors that can be compared with those of a feature."""

    def vectors(self, to: Mapping[str, Any]) -> Vector:
        """[d] of {"text": str} or {"image": bytes of a picture file}; raises BadInput for what it cannot read."""
        ...


def nearest_of(
    asked: Near, types: Sequence[AnnotationType], snapshot: Snapshot, encoders: Mapping[str, Encoder], place: str
) -> Nearest:
    """What engines are asked for.

    Args:
        asked: as the search has it.
        types: that are searched.
        snapshot: where the vector of a shot is looked up.
        encoders: by the name that vector properties give.
        place: of `asked` in the search, for messages.

    Raises:
        QueryRefused: no type has such a vector property, the vector does not fit it, or there is none.
    """
    one = _property(asked.field, types, f"{place}.field")
    [(how, to)] = asked.to.model_dump(exclude_none=True).items()
    place = f"{place}.to.{how}"
    if how == "vector":
        return Nearest(one.name, _fitting(np.asarray(to, np.float64), one, place), asked.exact)
    if how == "shot":
        return Nearest(one.name, _stored(to, one, types, snapshot, place), asked.exact)
    return Nearest(one.name, _fitting(_encoded(how, to, one, encoders, place), one, place), asked.exact)


def _property(name: str, types: Sequence[AnnotationType], place: str) -> Property:
    """The vector property that types share."""
    found = [kind.properties[name] for kind in types if name in kind.properties]
    if not found or any(one.kind is not Kind.VECTOR for one in found):
        vectors = sorted({one.name for kind in types for one in kind.properties.values() if one.kind is Kind.VECTOR})
        told = f"there are {', '.join(vectors)}" if vectors else "these types have none"
        raise QueryRefused(f"{place}: {name!r} is no vector property: {told}", place)
    if len({(one.dimensions, one.encoder) for one in found}) > 1:
        raise QueryRefused(f"{place}: {name!r} differs between these types: search them one by one", place)
    return found[0]


def _stored(shot: str, one: Property, types: Sequence[AnnotationType], snapshot: Snapshot, place: str) -> Vector:
    """The vector that an entity has; of several the mean direction, so that none of them counts above another."""
    entity = Compare("=", Column("entity_id", Kind.STRING, "entity_id"), Value(shot))
    there = Not(IsNull(Column(one.name, one.kind, one.name)))
    holders = [kind for kind in types if one.name in kind.properties]
    rows = snapshot.select(Selection(holders, [one.name], And((entity, there)), order=LAST, limit=MOST_OF_ONE))
    if not rows.num_rows:
        raise QueryRefused(f"{place}: no annotation of {shot!r} has {one.name!r}: name another, or a vector", place)
    vectors = np.array(rows[one.name].to_pylist(), np.float64)
    mean = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(axis=0)
    if np.linalg.norm(mean) < OPPOSED:
        raise QueryRefused(f"{place}: the vectors of {shot!r} point in opposite directions: give one of them", place)
    return np.asarray(mean, np.float32)


def _encoded(how: str, to: str, one: Property, encoders: Mapping[str, Encoder], place: str) -> Vector:
    """The vector of a text or a picture."""
    if one.encoder not in encoders:
        told = f"its encoder {one.encoder!r} is not set up here" if one.encoder else "it has no encoder"
        raise QueryRefused(f"{place}: {one.name!r} cannot be searched by {how}, {told}: give a vector or a shot", place)
    try:
        given = base64.b64decode(to.encode(), validate=True) if how == "image" else to
        return encoders[one.encoder].vectors({how: given})
    except binascii.Error:
        raise QueryRefused(f"{place}: is no base64: give the bytes of a picture file in base64", place) from None
    except BadInput as wrong:
        raise QueryRefused(f"{place}: {wrong}", place) from wrong


def _fitting(vector: npt.NDArray[Any], one: Property, place: str) -> Vector:
    """As float32, checked against its property."""
    if vector.shape != (one.dimensions,):
        raise QueryRefused(f"{place}: has {vector.size} numbers; {one.name!r} has {one.dimensions}", place)
    with np.errstate(over="ignore"):
        single = vector.astype(np.float32)
    if not np.isfinite(single).all() or not single.any():
        raise QueryRefused(f"{place}: is all 0 or beyond float32: scale it", place)
    return single
