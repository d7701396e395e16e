"""The source of loaded functions and classes, as it was when they were loaded.

A file may have been edited since: its text is the source of a function only if it still compiles to the same code.
"""

import functools
import inspect
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

from mediaml_assets.amber.code.bytecode import inner_code, normalised


@dataclass(frozen=True)
class Source:
    """Where a function or class is written, and its text."""

    place: str
    """File, from the folder that holds its package, and first line from 1."""
    text: str
    """With its decorators and without indentation."""


def source_of(thing: FunctionType | type) -> Source | None:
    """The source of a function or class; None when it was made without one, or the file says something else by now."""
    functions = [thing] if isinstance(thing, FunctionType) else [*_methods(thing)]
    files = [function.__code__.co_filename for function in functions]
    module = sys.modules.get(thing.__module__)
    file = next((Path(one) for one in (*files, getattr(module, "__file__", None) or "") if one.endswith(".py")), None)
    if file is None or not file.is_file():
        return None
    for code in _codes(file, file.stat().st_mtime_ns):
        if code.co_qualname == written_name(thing) and all(_made_by(code, function) for function in functions):
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)[code.co_firstlineno - 1 :]
            text = textwrap.dedent("".join(inspect.getblock(lines))).rstrip()
            return Source(f"{_place(file, thing)}:{code.co_firstlineno}", text)
    return None


def written_name(thing: FunctionType | type) -> str:
    """Qualified name as it is written; a decorator gives its function the name of another one."""
    decorated = isinstance(thing, FunctionType) and hasattr(thing, "__wrapped__")
    return thing.__code__.co_qualname if decorated else thing.__qualname__  # type: ignore[union-attr]


def _methods(kind: type) -> Iterator[FunctionType]:
    """The functions written in a class body, without those that were made for it (by `dataclass`)."""
    for member in vars(kind).values():
        function = inspect.unwrap(getattr(member, "__func__", getattr(member, "fget", member)) or member)
        if isinstance(function, FunctionType) and function.__code__.co_qualname.startswith(f"{kind.__qualname__}."):
            yield function


def _made_by(code: CodeType, function: FunctionType) -> bool:
    """Whether a compiled function, or class body, is what the loaded function came from."""
    return any(normalised(one) == normalised(function.__code__) for one in (code, *inner_code(code)))


@functools.lru_cache(maxsize=256)
def _codes(file: Path, changed: int) -> list[CodeType]:
    """Every function and class body of a file; none when it can no longer be compiled."""
    try:
        todo = [compile(file.read_bytes(), str(file), "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        return []
    for code in todo:
        todo.extend(inner_code(code))
    return todo


def _place(file: Path, thing: FunctionType | type) -> str:
    """A file's path from the folder that holds its package."""
    depth = thing.__module__.count(".") + (1 if file.name != "__init__.py" else 2)
    return "/".join(file.parts[-depth:])
