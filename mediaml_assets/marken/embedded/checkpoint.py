"""A state as a checkpoint holds it: packed JSON without what goes without saying."""

import json
import zlib
from dataclasses import MISSING, fields
from typing import Any

from mediaml_assets.marken.embedded.state import Change, Folded, Load, Part


def encode(state: Folded) -> bytes:
    """A state as a checkpoint holds it."""
    document = {
        "seq": state.seq,
        "at": state.at,
        "loads": [_sparse(one) for one in state.all_loads()],
        "parts": [[*key, [_sparse(one) for one in parts.values()]] for key, parts in state.parts.items()],
        "changes": [list(vars(one).values()) for one in state.changes],
        "fresh": [[*key, count] for key, count in state.fresh.items()],
        "retired": state.retired,
    }
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 1)


def decode(encoded: bytes) -> Folded:
    """The state of a checkpoint."""
    document = json.loads(zlib.decompress(encoded))
    state = Folded(document["seq"], document["at"], retired=document["retired"])
    for one in document["loads"]:
        load = Load(**{**one, "batches": [(name, rows) for name, rows in one.get("batches", ())]})
        state.loads.setdefault((load.type, load.type_version), {}).setdefault(load.scope, []).append(load)
    for name, version, parts in document["parts"]:
        made = (Part(**{**one, "versions": tuple(one.get("versions", ()))}) for one in parts)
        state.parts[name, version] = {one.name: one for one in made}
    state.changes = [Change(*one) for one in document["changes"]]
    state.fresh = {(name, version): count for name, version, count in document["fresh"]}
    return state


def _sparse(one: Load | Part) -> dict[str, Any]:
    """The fields that are not at their defaults."""
    return {name: value for name, value in vars(one).items() if value != _DEFAULTS[type(one)][name]}


def _defaults(kind: type[Load | Part]) -> dict[str, Any]:
    return {one.name: one.default if one.default_factory is MISSING else one.default_factory() for one in fields(kind)}


_DEFAULTS = {kind: _defaults(kind) for kind in (Load, Part)}
