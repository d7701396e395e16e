"""JSON from strangers: bounded in depth and numbers, and no text that a store cannot hold."""

import math
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from mediaml_assets.errors import RequestRefused

DEEPEST = 64
"""Lists and objects inside each other, at most."""
LARGEST = 2**63
"""Whole numbers lie in [-LARGEST, LARGEST)."""


def strict_json(body: bytes) -> Any:
    """What a JSON text says.

    The parser refuses NaN, Infinity, text that is not UTF-8, unpaired surrogates and depth beyond 200.

    Raises:
        RequestRefused: it is no JSON, too deep, holds a number outside doubles and 64-bit integers, or the character
            NUL; points at the place.
    """
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise RequestRefused(f"the body is no JSON that is taken: {error}", "body") from error
    _check(value)
    return value


def _check(value: Any) -> None:
    """Raise RequestRefused for what no annotation and no search can hold."""
    level: list[tuple[str, Any]] = [("", value)]
    for _ in range(DEEPEST):
        level = [inner for place, one in level for inner in _inside(place, one)]
        if not level:
            return
    raise RequestRefused(f"the body is deeper than {DEEPEST} lists and objects inside each other", level[0][0])


def _inside(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a list or object holds, with its place; nothing for anything else, once it was looked at."""
    if isinstance(value, dict):
        for key, inner in value.items():
            inner_place = f"{place}.{key}" if place else key
            if "\0" in key:
                raise RequestRefused("a name has the character NUL; leave it out", inner_place)
            yield inner_place, inner
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if type(inner) is not float or not math.isfinite(inner):  # vectors are most of a large body
                yield f"{place}[{index}]", inner
    elif isinstance(value, str) and "\0" in value:
        raise RequestRefused("a text has the character NUL; leave it out", place)
    elif isinstance(value, float) and not math.isfinite(value):
        raise RequestRefused("a number is larger than a double can be", place)
    elif type(value) is int and not -LARGEST <= value < LARGEST:
        raise RequestRefused("a whole number has more than 64 bits", place)
