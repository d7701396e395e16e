"""Compiled code: in a form that comments, layout and names of locals do not change, and what it names."""

import dis
import functools
import importlib.util
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from types import CodeType
from typing import Any

from mediaml_assets.amber.code.plain import plain

_SILENT = frozenset({"RESUME", "NOP", "CACHE", "PRECALL", "EXTENDED_ARG", "COPY_FREE_VARS", "MAKE_CELL"})
_CHANGING = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "insert"}
    | {"pop", "popitem", "popleft", "remove", "setdefault", "update"}
)
"""Methods that change the table that they are called on."""

_POPPING = ("POP", "STORE", "DELETE", "JUMP", "KW_NAMES", "LIST", "SET", "MAP", "DICT", "SETUP", "RAISE", "RETURN")
"""Beginnings of the names of instructions that put nothing on the stack."""


def imported_inside(code: CodeType, package: str | None) -> Iterator[str]:
    """Absolute names of the modules that a function's code imports itself."""
    instructions = _instructions(code)
    for place, at in enumerate(instructions):
        if at.opname == "IMPORT_NAME":
            # two constants were pushed before: the level, and the names
            level = instructions[place - 2].argval
            yield importlib.util.resolve_name("." * level + at.argval, package) if level else at.argval
    for inner in inner_code(code):
        yield from imported_inside(inner, package)


def names_in(code: CodeType) -> set[str]:
    """Every global, attribute and module that the code names."""
    return set(code.co_names).union(*(names_in(inner) for inner in inner_code(code)))


def globals_in(code: CodeType) -> set[str]:
    """Every global that the code reads; an attribute may have the name of another one."""
    own = {at.argval for at in _instructions(code) if at.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*(globals_in(inner) for inner in inner_code(code)))


def inner_code(code: CodeType) -> Iterable[CodeType]:
    """The functions, classes and comprehensions right inside a code object."""
    return (constant for constant in code.co_consts if isinstance(constant, CodeType))


@functools.cache
def _instructions(code: CodeType) -> list[dis.Instruction]:
    return list(dis.get_instructions(code))


@functools.cache
def normalised(code: CodeType) -> list[Any]:
    """The instructions and what guards them, with local variables by position and without line numbers."""
    kept = [at for at in _instructions(code) if at.opname not in _SILENT]
    offsets = [at.offset for at in kept]

    def place(offset: int) -> int:
        return bisect_left(offsets, offset)

    instructions: list[Any] = [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags]
    for at in kept:
        argument: Any = at.argrepr
        if isinstance(at.argval, CodeType):
            argument = normalised(at.argval)
        elif at.opcode in dis.haslocal or at.opcode in dis.hasfree:
            argument = at.arg
        elif at.opcode in dis.hasjrel or at.opcode in dis.hasjabs:
            argument = place(at.argval)
        elif at.opcode in dis.hasconst:
            argument = plain(at.argval)
        instructions.append([at.opname, argument])
    guards = [
        [place(guard.start), place(guard.end), place(guard.target), guard.depth, guard.lasti]
        for guard in dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]
    ]
    return [*instructions, guards]


def changed_globals(code: CodeType) -> set[str]:
    """Names of globals that the code assigns, or changes in place: by item, or by a method of lists, dicts and sets."""
    instructions = _instructions(code)
    found = {at.argval for at in instructions if at.opname in ("STORE_GLOBAL", "DELETE_GLOBAL")}
    for at, stack in _stacks(instructions):
        if at.opname in ("STORE_SUBSCR", "DELETE_SUBSCR"):
            found.add(stack[-2])
        elif at.opname in ("LOAD_METHOD", "LOAD_ATTR") and at.argval in _CHANGING:
            found.add(stack[-1])
    return found.difference({None}).union(*(changed_globals(inner) for inner in inner_code(code)))


def assigned_attributes(code: CodeType) -> Iterator[str]:
    """The attributes that a method assigns of its own object."""
    own = code.co_varnames[0] if code.co_argcount else None
    for before, at in pairwise(_instructions(code)):
        if at.opname == "STORE_ATTR" and before.opname.startswith("LOAD_FAST") and before.argval == own:
            yield at.argval


def _stacks(instructions: Sequence[dis.Instruction]) -> Iterator[tuple[dis.Instruction, list[str | None]]]:
    """Each instruction with the stack before it: the name of a global, or None for anything else."""
    unknown: list[str | None] = [None] * 8  # below what a handler of exceptions finds
    stack, at_targets = list(unknown), dict[int, list[str | None]]()
    for at in instructions:
        stack = at_targets.pop(at.offset, stack)
        yield at, stack
        effect = dis.stack_effect(at.opcode, at.arg, jump=False)
        if at.opname == "SWAP":
            stack[-1], stack[-at.argval] = stack[-at.argval], stack[-1]
        elif at.opname == "COPY":
            stack.append(stack[-at.argval])
        elif effect > 0:
            stack += [None] * (effect - 1) + [at.argval if at.opname in ("LOAD_GLOBAL", "LOAD_NAME") else None]
        elif at.opname.startswith(_POPPING):
            stack = [*unknown, *stack[: len(stack) + effect]]
        elif at.opname not in _SILENT:
            stack = [*unknown, *stack[: len(stack) + effect - 1], None]
        if at.opcode in dis.hasjrel or at.opcode in dis.hasjabs:
            at_targets.setdefault(at.argval, list(stack))
