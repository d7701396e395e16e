"""The fingerprint of a function: its code, the helpers and constants it reads, its defaults.

Comments, layout, docstrings and the names of local variables do not count. Code of the function's own top-level
package is followed; other packages count by name only (declare `libs` to put a version in the key).
"""

import dis
import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from mediaml_assets.amber.keys import digest_of

_SILENT = frozenset({"RESUME", "NOP", "CACHE", "PRECALL", "EXTENDED_ARG", "COPY_FREE_VARS", "MAKE_CELL"})


def fingerprint(fn: Callable[..., Any]) -> str:
    """SHA-256 of everything first-party that the function's result can depend on, besides its arguments."""
    return digest_of(list(_closure(fn)))


def _closure(fn: Callable[..., Any]) -> Iterator[list[Any]]:
    """[name, content] of the function and of all it reads, each once, in the order of first use."""
    package = (fn.__module__ or "").partition(".")[0]
    seen: set[int] = set()
    todo: list[tuple[str, Any]] = [("", fn)]
    while todo:
        name, thing = todo.pop(0)
        if isinstance(thing, (ModuleType, type, *_FUNCTIONS)) or hasattr(thing, "fn"):
            if id(thing) in seen or not _first_party(thing, package):
                continue
            seen.add(id(thing))
        content, reads = _describe(thing)
        if content is not None:
            yield [name, content]
        todo.extend(reads)


_FUNCTIONS = (type(lambda: None), type(len))


def _first_party(thing: Any, package: str) -> bool:
    module = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", "")
    return str(module).partition(".")[0] == package


def _describe(thing: Any) -> tuple[Any, list[tuple[str, Any]]]:
    """What a thing contributes itself, and the named things that it reads."""
    thing = inspect.unwrap(thing) if callable(thing) and not isinstance(thing, type) else thing
    if hasattr(thing, "fn") and callable(thing.fn):
        thing = thing.fn
    if isinstance(thing, _FUNCTIONS[0]):
        cells = inspect.getclosurevars(thing).nonlocals
        defaults = [_plain(value) for value in (thing.__defaults__ or ())]
        keyword_defaults = {name: _plain(value) for name, value in (thing.__kwdefaults__ or {}).items()}
        return [_code(thing.__code__), defaults, keyword_defaults], [*cells.items(), *_globals(thing)]
    if isinstance(thing, type):
        members = [(name, member) for name, member in vars(thing).items() if not name.startswith("__")]
        functions = [(name, getattr(member, "__func__", getattr(member, "fget", member))) for name, member in members]
        return None, [(name, member) for name, member in functions if member is not None]
    if isinstance(thing, ModuleType):
        return None, []
    return _plain(thing), []


def _globals(fn: Any) -> Iterator[tuple[str, Any]]:
    """Every global that the function's code names, also as an attribute of a first-party module."""
    names = sorted(_names(fn.__code__))
    package = (fn.__module__ or "").partition(".")[0]
    for name in names:
        if name not in fn.__globals__:
            continue
        value = fn.__globals__[name]
        if isinstance(value, ModuleType) and _first_party(value, package):
            yield from (
                (f"{name}.{attribute}", vars(value)[attribute]) for attribute in names if attribute in vars(value)
            )
        else:
            yield name, value


def _names(code: CodeType) -> set[str]:
    inner = (_names(constant) for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*inner)


def _code(code: CodeType) -> list[Any]:
    """The instructions, with local variables by position and without line numbers."""
    instructions: list[Any] = []
    docstring = code.co_consts[0] if code.co_consts else None
    places = {at.offset: index for index, at in enumerate(_instructions(code))}
    for at in _instructions(code):
        argument: Any = at.argrepr
        if isinstance(at.argval, CodeType):
            argument = _code(at.argval)
        elif at.opcode in dis.haslocal or at.opcode in dis.hasfree:
            argument = at.arg
        elif at.opcode in dis.hasjrel or at.opcode in dis.hasjabs:
            argument = places.get(at.argval, -1)
        elif at.opcode in dis.hasconst:
            argument = "doc" if isinstance(at.argval, str) and at.argval is docstring else _plain(at.argval)
        instructions.append([at.opname, argument])
    return instructions


def _instructions(code: CodeType) -> list[dis.Instruction]:
    return [at for at in dis.get_instructions(code) if at.opname not in _SILENT]


def _plain(value: Any) -> Any:
    """A constant as a document; things without a stable form count by their type."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, complex, bytes)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(repr(one) for one in value)
    if isinstance(value, dict):
        return [[repr(name), _plain(one)] for name, one in value.items()]
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *([one.name, _plain(getattr(value, one.name))] for one in fields(value))]
    if isinstance(value, np.ndarray | np.generic):
        return [str(value.dtype), list(value.shape), value.tobytes().hex()]
    return getattr(value, "__qualname__", type(value).__qualname__)
