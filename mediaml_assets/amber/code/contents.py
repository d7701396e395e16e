"""What the containers and objects of Python hold, by name, for whoever follows what code can reach."""

import functools
import operator
from collections import ChainMap, defaultdict, deque
from collections.abc import Iterator, Mapping
from pathlib import PurePath, PurePosixPath
from types import FunctionType, MappingProxyType, MethodType, ModuleType, SimpleNamespace
from typing import Any

from mediaml_assets.amber.code.bytecode import assigned_attributes
from mediaml_assets.amber.code.plain import plain

_BEGINNINGS = frozenset({"__init__", "__new__", "__post_init__", "__setstate__"})
"""Methods that make an object what it is; what others assign is its state."""

Held = list[tuple[str, Any]]
"""Name within the holder, and the thing."""


def is_code(thing: Any) -> bool:
    """Whether a thing is followed as code, and is no value."""
    return callable(thing) or isinstance(thing, ModuleType)


def contents(thing: Any) -> tuple[Any, Held] | None:
    """What a container contributes itself, and what it holds; None for what is no container."""
    if isinstance(thing, (list, tuple, deque)):
        return [type(thing).__name__, len(thing)], [(str(place), one) for place, one in enumerate(thing)]
    if isinstance(thing, (dict, MappingProxyType)):
        named = [(key, repr(key) if isinstance(key, str) else str(plain(key))) for key in thing]
        keys = [(f"key {name}", key) for key, name in named if is_code(key)]
        missing = [("default", thing.default_factory)] if isinstance(thing, defaultdict) else []
        return [name for _, name in named], [*((name, thing[key]) for key, name in named), *keys, *missing]
    if isinstance(thing, (set, frozenset)):
        return plain(thing), [("item", one) for one in sorted(filter(is_code, thing), key=lambda one: str(plain(one)))]
    if isinstance(thing, ChainMap):
        return "chain", [("maps", thing.maps)]
    if isinstance(thing, SimpleNamespace):
        return "namespace", list(vars(thing).items())
    return None


def wrapped(thing: Any) -> tuple[str, Held] | None:
    """The functions and values under partials, properties, bound methods and other packages' decorators, or None."""
    if isinstance(thing, (functools.partial, functools.partialmethod)):
        return "partial", [("", thing.func), ("args", thing.args), ("keywords", thing.keywords)]
    if isinstance(thing, property):
        return "property", [("get", thing.fget), *([("set", thing.fset)] if thing.fset else [])]
    if isinstance(thing, functools.cached_property):
        return "property", [("get", thing.func)]
    if isinstance(thing, (operator.attrgetter, operator.itemgetter, operator.methodcaller)):
        return type(thing).__name__, [("args", thing.__reduce__()[1])]
    if isinstance(thing, MethodType):
        return "method", [("self", thing.__self__), ("function", thing.__func__)]
    if hasattr(thing, "__wrapped__") and callable(thing):
        # the functions of `singledispatch`, by the type of the first argument
        registry = getattr(thing, "registry", None)
        more = [("registry", registry)] if isinstance(registry, Mapping) else []
        return type(thing).__name__, [("", thing.__wrapped__), *more]
    return None


def attributes(thing: Any) -> Held:
    """The attributes of an object, with those in slots, without what its methods keep there for later."""
    kinds = [kind for kind in type(thing).__mro__ if kind is not object]
    names = [*getattr(thing, "__dict__", ()), *(slot for kind in kinds for slot in _slots(kind))]
    later = {name for kind in kinds for name in _assigned_later(kind)}
    return [(name, getattr(thing, name)) for name in names if name not in later and hasattr(thing, name)]


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    named = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in named if name not in ("__dict__", "__weakref__"))


def _assigned_later(kind: type) -> Iterator[str]:
    """Attributes that methods assign when the object is there already: a loaded model, a cached answer."""
    for name, member in vars(kind).items():
        if isinstance(member, functools.cached_property):
            yield name
        if isinstance(member, FunctionType) and name not in _BEGINNINGS:
            yield from assigned_attributes(member.__code__)


def without_folder(thing: Any, folder: str) -> Any:
    """A path, or a text that begins with one, from a folder on where it is below it; anything else as it is."""
    path = str(thing) if isinstance(thing, (str, PurePath)) else ""
    if not folder or not (path == folder or path.startswith(f"{folder}/")):
        return thing
    below = path[len(folder) :].lstrip("/")
    return below if isinstance(thing, str) else PurePosixPath(below)
