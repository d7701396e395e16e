"""The code of a feature in readable parts: what its fingerprint is the digest of, kept so that a change can be shown.

    code/<feature>/<digest>.json      python, parts {name: place, text, digest}, and the digest of all that

A part is a function, a class, a constant, or what the declaration adds (schema, checks). Two versions of a part are
the same when their digests are, so one in which only comments, layout or names of locals changed does not differ.
"""

import json
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from types import FunctionType
from typing import Any

from mediaml_assets.amber.code.fingerprint import Seen, closure
from mediaml_assets.amber.code.source_text import source_of
from mediaml_assets.amber.columns import declaration
from mediaml_assets.amber.feature import AmberFeature
from mediaml_assets.amber.keys import digest_of, to_json
from mediaml_assets.amber.names import code_name
from mediaml_assets.amber.objects import Objects
from mediaml_assets.errors import Damaged, NotStored

LONGEST = 500
"""Characters of a value that are kept."""


@dataclass(frozen=True)
class Part:
    """One part of a feature's code."""

    place: str
    """File and first line; empty for a constant, and where the source is not known."""
    text: str
    """Source, and below it the values that the source only names (defaults, cells, what other packages give)."""
    digest: str
    """Digest of the normalised code and of every value."""


@dataclass(frozen=True)
class Code:
    """The code of a feature at one time."""

    python: str
    """Version of the Python that compiled it."""
    parts: Mapping[str, Part]
    """Full name -> part, by name."""


_kept: set[tuple[str, str, str]] = set()
"""Store, feature and digest of what this process has kept, and a row of the ledger refers to."""


def keep(objects: Objects, feature: AmberFeature, referred: bool = False) -> None:
    """Keep the loaded code of a feature, before and after the first row of this process that refers to it is written.

    After it once more, as `gc` may have taken it away in between (see trash.py); from then on it stays.

    Args:
        objects: where it is kept.
        feature: whose code.
        referred: whether the row is written.
    """
    place = (objects.where, feature.name, feature.code)
    if place not in _kept:
        document = {**asdict(code_of(feature)), "digest": None}
        objects.create(code_name(feature.name, feature.code), to_json({**document, "digest": digest_of(document)}))
        if referred:
            _kept.add(place)


def kept(objects: Objects, feature: str, digest: str) -> Code | None:
    """The code that a fingerprint stands for; None when it was not kept; raises Damaged."""
    name = code_name(feature, digest)
    try:
        return code_from(objects.read(name))
    except NotStored:
        return None
    except (ValueError, KeyError, TypeError) as error:
        where = objects.url(name)
        raise Damaged(f"{where} is no code of {feature} ({error}); run `mediaml repair {feature}`") from error


def code_from(text: bytes) -> Code:
    """Code from its stored form; raises ValueError, KeyError or TypeError when that was changed."""
    document = json.loads(text)
    if to_json(document) != text or digest_of({**document, "digest": None}) != document["digest"]:
        raise ValueError("its content is not what its digest says")
    return Code(document["python"], {one: Part(**part) for one, part in document["parts"].items()})


def code_of(feature: AmberFeature) -> Code:
    """The loaded code of a feature, which `feature.code` is the fingerprint of."""
    checks = [f"{check.name}{' (blocking)' if check.blocking else ''}" for check in feature.checks]
    parts = {"schema": _declared(declaration(feature.schema)), **({"checks": _declared(checks)} if checks else {})}
    for name, function in (("", feature.fn), *((f"check {one.name}", one.failure) for one in feature.checks)):
        parts = {**parts_of(function, name), **parts}
    return Code(platform.python_version(), dict(sorted(parts.items())))


def parts_of(function: Callable[..., Any], name: str = "") -> dict[str, Part]:
    """The parts of all code that a function's result can depend on, by full name; see `closure`."""
    found: dict[str, list[Seen]] = {}
    for seen in closure(function, name):
        found.setdefault(seen.part, []).append(seen)
    return {name: _part(things) for name, things in found.items()}


def _declared(lines: list[str]) -> Part:
    return Part("", "\n".join(lines), digest_of(lines))


def _part(things: list[Seen]) -> Part:
    # a method may be reached before its class
    written = [seen.thing for seen in things if isinstance(seen.thing, (type, FunctionType)) and not seen.label]
    sources = [source_of(thing) for thing in sorted(written, key=lambda thing: isinstance(thing, FunctionType))]
    source = next((one for one in sources if one is not None), None)
    lines = dict.fromkeys([*([source.text] if source else []), *_values(things)])
    # how often and in which order the parts around it read it says nothing about it
    items = {to_json([seen.name, seen.content]).decode() for seen in things}
    return Part(source.place if source else "", "\n".join(lines), digest_of(sorted(items)))


def _values(things: list[Seen]) -> Iterator[str]:
    """A line for each value; a table of plain values is one line."""
    whole: list[str] = []
    for seen in things:
        if not seen.label or any(seen.label.startswith(f"{label}[") for label in whole):
            continue
        if isinstance(seen.thing, (list, tuple, dict)):
            if not seen.thing and seen.label in ("defaults", "keyword defaults"):
                continue
            if not _is_plain(seen.thing):
                yield f"{seen.label} = {type(seen.thing).__name__} of {len(seen.thing)}"
                continue
            whole.append(seen.label)
        elif isinstance(seen.thing, (FunctionType, property)):
            continue
        text = _shown(seen)
        yield f"{seen.label} = {text if len(text) <= LONGEST else f'{text[:LONGEST]}... ({len(text)} characters)'}"


def _is_plain(thing: Any) -> bool:
    if isinstance(thing, (list, tuple)):
        return all(map(_is_plain, thing))
    if isinstance(thing, dict):
        return all(map(_is_plain, thing.values()))
    return thing is None or isinstance(thing, (bool, int, float, complex, str, bytes))


def _shown(seen: Seen) -> str:
    """A value in one line; what has no stable form of its own is shown by what it contributes."""
    if _is_plain(seen.thing):
        return repr(seen.thing)
    if isinstance(seen.content, list) and hasattr(seen.thing, "tolist"):
        return f"{seen.thing.dtype} {list(seen.thing.shape)} {seen.thing.tolist()}"
    return seen.content if isinstance(seen.content, str) else repr(seen.content)
