"""The fingerprint of a function: its code, the helpers and constants it reads, its defaults, its parameters' types.

Comments, layout, docstrings and the names of local variables do not count. Code of the function's own top-level
package is followed, through decorators, tables, objects, base classes and imports inside functions; other packages
count by name only (declare `libs` to put a version in the key). Where the package lies does not count.
"""

import functools
import importlib
import sys
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, NamedTuple, get_args

from mediaml_assets.amber.code.bytecode import changed_globals, globals_in, imported_inside, names_in, normalised
from mediaml_assets.amber.code.contents import attributes, contents, is_code, without_folder, wrapped
from mediaml_assets.amber.code.plain import package_of, plain
from mediaml_assets.amber.code.source_text import written_name
from mediaml_assets.amber.keys import digest_of


class Read(NamedTuple):
    """A thing that code reads."""

    name: str
    thing: Any
    place: str = ""
    """Full name of the global that holds it."""


class Seen(NamedTuple):
    """One thing in the closure of a function."""

    name: str
    """As its reader names it."""
    thing: Any
    content: Any
    """What it contributes itself, as a document."""
    part: str
    """The function, class or constant that it belongs to, by its full name."""
    label: str
    """What it is called within its part; empty for the function or class itself."""


def fingerprint(fn: Callable[..., Any]) -> str:
    """BLAKE3 of everything first-party that the function's result can depend on, besides its arguments.

    First-party modules that its code imports inside functions are imported.
    """
    return digest_of([[seen.name, seen.content] for seen in closure(fn)])


def closure(fn: Callable[..., Any], name: str = "") -> Iterator[Seen]:
    """Everything first-party that the function's result can depend on, besides its arguments.

    What is no function or class by itself (arguments that were given before) belongs to a part of the given name.

    Functions come before what globals hold: a global that one of them changes is the state of a process (a cache, a
    loaded model), so that it counts by name only.
    """
    package = package_of(_written(fn))
    folder = _folder(package)
    passed: dict[int, Any] = {}
    changing: set[str | int] = set()
    todo, later = deque([(Read("", fn), name, "")]), deque[tuple[Read, str, str]]()
    while todo or later:
        (name, thing, place), reader, label = (todo or later).popleft()
        if place in changing or id(thing) in changing:
            yield Seen(name, ..., "changes while it runs", place or reader, label)
            continue
        # only things with an identity of their own: equal constants may or may not be one object
        if id(thing) in passed and not isinstance(thing, (str, int, float, complex, bytes, tuple, frozenset)):
            continue
        passed[id(thing)] = thing
        own = _own_part(thing, package)
        # what other packages give is named by its reader
        is_value = package_of(thing) == package or isinstance(thing, functools.partial) or not is_code(thing)
        part = own or (place if is_value else "") or reader
        if own:
            # what another package wraps around it is said below its source
            label = "" if _is_written(thing, package) else "decorator"
        content, reads = _describe(without_folder(thing, folder), package)
        yield Seen(name, thing, content, part, label)
        for read in reads:
            # a function's globals; its own parts, and those of tables and objects, come at once
            queue = later if read.place and not _own_part(read.thing, package) else todo
            queue.append((read, part, f"{label}[{read.name}]" if label else read.name))
        if isinstance(thing, FunctionType):
            changing |= _changed_by(thing)


def _written(fn: Any) -> Any:
    """The function under decorators and given arguments."""
    while isinstance(fn, functools.partial) or hasattr(fn, "__wrapped__"):
        fn = fn.func if isinstance(fn, functools.partial) else fn.__wrapped__
    return fn


def _folder(package: str) -> str:
    """The folder that holds a package: where that lies does not count."""
    module = sys.modules.get(package)
    file = getattr(module, "__file__", None)
    if file is None:
        return ""
    return str(Path(file).parents[1 if hasattr(module, "__path__") else 0]).rstrip("/")


def _changed_by(fn: FunctionType) -> set[str | int]:
    """The globals that a function changes: by full name, and tables by identity too, whatever another module calls."""
    values = {name: fn.__globals__.get(name) for name in changed_globals(fn.__code__)}
    names = [name for name, value in values.items() if not isinstance(value, ModuleType)]
    tables = {id(value) for value in values.values() if isinstance(value, (list, dict, set))}
    return {f"{_module(fn)}.{name}" for name in names} | tables


def _own_part(thing: Any, package: str) -> str:
    """Full name of a first-party function or class; of a method, that of its class; empty for anything else."""
    while callable(thing) and hasattr(thing, "__wrapped__") and not _is_written(thing, package):
        thing = thing.__wrapped__
    if not _is_written(thing, package):
        return ""
    if isinstance(thing, type):
        return f"{thing.__module__}.{thing.__qualname__}"
    name = written_name(thing)
    if name.startswith("__create_fn__"):
        # `dataclass` made it, of the class that reads it
        return ""
    owner, _, _ = name.rpartition(".")
    return f"{_module(thing)}.{owner if owner and not owner.endswith('<locals>') else name}"


def _is_written(thing: Any, package: str) -> bool:
    """Whether a thing is a function or class with source of its own, of the package."""
    return isinstance(thing, (FunctionType, type)) and package_of(thing) == package


def _module(fn: FunctionType) -> str:
    """The module that a function is written in; a decorator gives it the name of another one."""
    return str(fn.__globals__.get("__name__", ""))


def _describe(thing: Any, package: str) -> tuple[Any, list[Read]]:
    """What a thing contributes itself, and the named things that it reads."""
    own_kind = package_of(type(thing)) == package
    if isinstance(thing, FunctionType) and package_of(thing) == package:
        return normalised(thing.__code__), list(_read_by(thing, package))
    found = wrapped(thing) or contents(thing)
    if found is not None:
        content, held = found
        return content, [*(Read(*one) for one in held), *([Read("", type(thing))] if own_kind else [])]
    if isinstance(thing, (ModuleType, BuiltinFunctionType)):
        return plain(thing), []
    if isinstance(thing, type) and package_of(thing) == package:
        return thing.__qualname__, [*_bases(thing), *_members(thing)]
    if not own_kind:
        # what another package keeps: of its state only the code that was given to it
        given = {} if isinstance(thing, (type, FunctionType)) else getattr(thing, "__dict__", {})
        return plain(thing), [Read(*one) for one in given.items() if is_code(one[1]) and package_of(one[1]) == package]
    if isinstance(thing, Enum):
        return f"{type(thing).__qualname__}.{thing.name}", [Read("value", thing.value), Read("", type(thing))]
    state = attributes(thing)
    return type(thing).__qualname__ if state else plain(thing), [*(Read(*one) for one in state), Read("", type(thing))]


def _bases(kind: type) -> Iterator[Read]:
    return (Read(f"base {place}", base) for place, base in enumerate(kind.__bases__))


def _members(kind: type) -> Iterator[Read]:
    """Attributes and methods of a class, and its metaclass, without what only Python or documentation reads."""
    if type(kind) is not type:
        yield Read("metaclass", type(kind))
    for name, member in sorted(vars(kind).items()):
        function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if isinstance(function, FunctionType) or not name.startswith("__"):
            yield Read(name, function)


def _read_by(fn: FunctionType, package: str) -> Iterator[Read]:
    """Defaults, closure cells, types of parameters, globals, and what is imported inside a function."""
    names = names_in(fn.__code__)
    yield Read("defaults", fn.__defaults__ or ())
    yield Read("keyword defaults", fn.__kwdefaults__ or {})
    for parameter, hint in fn.__annotations__.items():
        if parameter != "return":
            yield from (Read("parameter", one) for one in (hint, *get_args(hint)) if package_of(one) == package)
    yield from (Read(name, cell.cell_contents) for name, cell in _cells(fn))
    for name in sorted(globals_in(fn.__code__) & fn.__globals__.keys()):
        yield from _through_modules(Read(name, fn.__globals__[name], _module(fn)), names, package, set())
    for module in imported_inside(fn.__code__, fn.__globals__.get("__package__")):
        if module.partition(".")[0] == package:
            yield from _through_modules(Read(module, importlib.import_module(module), ""), names, package, set())


def _cells(fn: FunctionType) -> Iterator[tuple[str, Any]]:
    """Closure cells that hold something, by name."""
    for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True):
        try:
            cell.cell_contents  # noqa: B018, an empty cell raises
        except ValueError:
            continue
        yield name, cell


def _through_modules(read: Read, names: set[str], package: str, passed: set[int]) -> Iterator[Read]:
    """What a module holds under a name: a thing, or when it is itself a first-party module, what the code names of it.

    Args:
        read: the name, what it stands for, and the name of the module that holds it.
        names: every name in the code.
        package: the top-level package that is followed.
        passed: modules that were gone through before.
    """
    name, thing, module = read
    if not isinstance(thing, ModuleType) or package_of(thing) != package:
        yield Read(name, thing, f"{module}.{name.rpartition('.')[2]}" if module else "")
    elif id(thing) not in passed:
        passed.add(id(thing))
        for attribute in sorted(names & vars(thing).keys()):
            inner = Read(f"{name}.{attribute}", vars(thing)[attribute], thing.__name__)
            yield from _through_modules(inner, names, package, passed)
