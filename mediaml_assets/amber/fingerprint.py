"""The fingerprint of a function: its code, the helpers and constants it reads, its defaults, its parameters' types.

Comments, layout, docstrings and the names of local variables do not count. Code of the function's own top-level
package is followed, through tables, objects, base classes and imports inside functions; other packages count by name
only (declare `libs` to put a version in the key).
"""

import dis
import functools
import importlib
import importlib.util
import inspect
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, get_args

from mediaml_assets.amber.keys import digest_of

_SILENT = frozenset({"RESUME", "NOP", "CACHE", "PRECALL", "EXTENDED_ARG", "COPY_FREE_VARS", "MAKE_CELL"})
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]+")

Named = tuple[str, Any]
"""A name, and the thing that it stands for."""


def fingerprint(fn: Callable[..., Any]) -> str:
    """SHA-256 of everything first-party that the function's result can depend on, besides its arguments.

    First-party modules that its code imports inside functions are imported.
    """
    package = _package(inspect.unwrap(fn))
    seen: dict[int, Any] = {}
    found: list[list[Any]] = []
    todo: list[Named] = [("", fn)]
    while todo:
        name, thing = todo.pop(0)
        # only things with an identity of their own: equal constants may or may not be one object
        if id(thing) in seen and not isinstance(thing, (str, int, float, complex, bytes, tuple, frozenset)):
            continue
        seen[id(thing)] = thing
        content, reads = _describe(thing, package)
        found.append([name, content])
        todo.extend(reads)
    return digest_of(found)


def _package(thing: Any) -> str:
    """Top-level package that a function or class comes from, or that an object's class comes from."""
    module = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None)
    return str(module or "").partition(".")[0]


def _describe(thing: Any, package: str) -> tuple[Any, list[Named]]:
    """What a thing contributes itself, and the named things that it reads."""
    if isinstance(thing, (list, tuple)):
        return [type(thing).__name__, len(thing)], [(str(place), one) for place, one in enumerate(thing)]
    if isinstance(thing, dict):
        return [repr(key) for key in thing], [(repr(key), one) for key, one in thing.items()]
    if isinstance(thing, functools.partial):
        return "partial", [("", thing.func), ("args", thing.args), ("keywords", thing.keywords)]
    if isinstance(thing, property):
        return "property", [("get", thing.fget)]
    if isinstance(thing, functools.cached_property):
        return "property", [("get", thing.func)]
    if isinstance(thing, MethodType):
        return "method", [("self", thing.__self__), ("function", thing.__func__)]
    if hasattr(thing, "__wrapped__") and callable(thing):
        return type(thing).__name__, [("", inspect.unwrap(thing))]
    if _package(thing) != package or isinstance(thing, (ModuleType, BuiltinFunctionType)):
        return _plain(thing), []
    if isinstance(thing, FunctionType):
        return _code(thing.__code__), list(_read_by(thing, package))
    if isinstance(thing, type):
        return thing.__qualname__, [*_bases(thing), *_members(thing)]
    kept = {name for name, member in vars(type(thing)).items() if isinstance(member, functools.cached_property)}
    state = {name: value for name, value in getattr(thing, "__dict__", {}).items() if name not in kept}
    return _plain(thing) if not state else type(thing).__qualname__, [*state.items(), ("", type(thing))]


def _plain(value: Any) -> Any:
    """A constant as a document; things without a stable form count by their type."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(repr(one) for one in value)
    if isinstance(value, re.Pattern):
        return [_plain(value.pattern), value.flags]
    if hasattr(type(value), "tobytes") and hasattr(value, "dtype"):
        return [str(value.dtype), list(value.shape), value.tobytes().hex()]
    if isinstance(value, (type, ModuleType)) or callable(value):
        return getattr(value, "__qualname__", type(value).__qualname__)
    text = repr(value)
    # what is only equal to itself (a logger, a lock) has a state of the moment, and no value
    hashing: object = type(value).__hash__
    by_value = isinstance(value, Enum) or hashing not in (None, object.__hash__)
    return text if by_value and not _ADDRESS.search(text) else type(value).__qualname__


def _bases(kind: type) -> Iterator[Named]:
    return ((f"base {place}", base) for place, base in enumerate(kind.__bases__))


def _members(kind: type) -> Iterator[Named]:
    """Attributes and methods of a class, without what only Python or documentation reads."""
    for name, member in sorted(vars(kind).items()):
        function = member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        if isinstance(function, FunctionType) or not name.startswith("__"):
            yield name, function


def _read_by(fn: FunctionType, package: str) -> Iterator[Named]:
    """Defaults, closure cells, types of parameters, globals, and what is imported inside a function."""
    names = _names(fn.__code__)
    yield "defaults", fn.__defaults__ or ()
    yield "keyword defaults", fn.__kwdefaults__ or {}
    for parameter, hint in fn.__annotations__.items():
        if parameter != "return":
            yield from (("parameter", one) for one in (hint, *get_args(hint)) if _package(one) == package)
    yield from ((name, cell.cell_contents) for name, cell in _cells(fn))
    for name in sorted(names & fn.__globals__.keys()):
        yield from _through_modules(name, fn.__globals__[name], names, package, set())
    for module in _imported_inside(fn.__code__, fn.__globals__.get("__package__")):
        if module.partition(".")[0] == package:
            yield from _through_modules(module, importlib.import_module(module), names, package, set())


def _cells(fn: FunctionType) -> Iterator[tuple[str, Any]]:
    """Closure cells that hold something, by name."""
    for name, cell in zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True):
        try:
            cell.cell_contents  # noqa: B018, an empty cell raises
        except ValueError:
            continue
        yield name, cell


def _through_modules(name: str, thing: Any, names: set[str], package: str, passed: set[int]) -> Iterator[Named]:
    """A thing, or when it is a first-party module, those of its attributes that the code names."""
    if not isinstance(thing, ModuleType) or _package(thing) != package:
        yield name, thing
    elif id(thing) not in passed:
        passed.add(id(thing))
        for attribute in sorted(names & vars(thing).keys()):
            yield from _through_modules(f"{name}.{attribute}", vars(thing)[attribute], names, package, passed)


def _imported_inside(code: CodeType, package: str | None) -> Iterator[str]:
    """Absolute names of the modules that a function's code imports itself."""
    instructions = _instructions(code)
    for place, at in enumerate(instructions):
        if at.opname == "IMPORT_NAME":
            # two constants were pushed before: the level, and the names
            level = instructions[place - 2].argval
            yield importlib.util.resolve_name("." * level + at.argval, package) if level else at.argval
    for inner in _inner(code):
        yield from _imported_inside(inner, package)


def _names(code: CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(inner) for inner in _inner(code)))


def _inner(code: CodeType) -> Iterable[CodeType]:
    return (constant for constant in code.co_consts if isinstance(constant, CodeType))


@functools.cache
def _instructions(code: CodeType) -> list[dis.Instruction]:
    return list(dis.get_instructions(code))


@functools.cache
def _code(code: CodeType) -> list[Any]:
    """The instructions and what guards them, with local variables by position and without line numbers."""
    kept = [at for at in _instructions(code) if at.opname not in _SILENT]
    offsets = [at.offset for at in kept]

    def place(offset: int) -> int:
        return bisect_left(offsets, offset)

    instructions: list[Any] = [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags]
    for at in kept:
        argument: Any = at.argrepr
        if isinstance(at.argval, CodeType):
            argument = _code(at.argval)
        elif at.opcode in dis.haslocal or at.opcode in dis.hasfree:
            argument = at.arg
        elif at.opcode in dis.hasjrel or at.opcode in dis.hasjabs:
            argument = place(at.argval)
        elif at.opcode in dis.hasconst:
            argument = _plain(at.argval)
        instructions.append([at.opname, argument])
    guards = [
        [place(guard.start), place(guard.end), place(guard.target), guard.depth, guard.lasti]
        for guard in dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]
    ]
    return [*instructions, guards]
