"""What a fingerprint sees of things that hold code and values, one edit at a time of one module."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mediaml_assets.amber.code.fingerprint import fingerprint
from mediaml_assets.amber.code.parts import parts_of

MODULE = """
import functools
import operator
from collections import ChainMap, defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple

import numpy as np


def scaled(factor):
    def decorate(fn):
        @functools.wraps(fn)
        def wrapper(*given):
            return fn(*given) * factor + 101

        return wrapper

    return decorate


@scaled(102)
def decorated(x):
    return x + 103


@contextmanager
def opened(x):
    yield x + 104


@functools.singledispatch
def single(x):
    return x


@single.register
def _(x: int):
    return x + 105


class Point(NamedTuple):
    x: int = 1

    def moved(self):
        return self.x + 106


class Table(dict):
    def first(self):
        return self["a"] + 107


def key(x):
    return x + 108


def member(x):
    return x + 109


@dataclass(frozen=True, slots=True)
class Slotted:
    kind: object = None
    names: frozenset = frozenset()


class Meta(type):
    def __call__(cls):
        return 110


class Made(metaclass=Meta):
    added = functools.partialmethod(lambda self, y: y + 111, 112)

    @property
    def level(self):
        return self._level

    @level.setter
    def level(self, to):
        self._level = to + 113


class Lazy:
    def __init__(self, name, size):
        self.name, self.size, self._net = name, size, None

    def net(self):
        self._net = self._net or object()
        return self._net


def vectorized(x):
    return x + 114


def missing():
    return 115


POINT, TABLE = Point(3), Table(a=1)
HELD = [
    {key: 1},
    {member},
    frozenset({frozenset({"a", "b", "c"}), frozenset({"d", "e"})}),
    Slotted(member, frozenset({"p", "q", "r"})),
    MappingProxyType({"k": 116}),
    SimpleNamespace(v=117),
    deque([118]),
    defaultdict(missing),
    ChainMap({"a": 119}),
    slice(120),
    bytearray(b"121"),
    operator.itemgetter(122),
    np.vectorize(vectorized),
    np.array([123, "x", None], dtype=object),
    Path(__file__).parent / "weights-124.bin",
    str(Path(__file__).parent / "weights-125.bin"),
]
LAZY = Lazy("net", 126)


def feature(x):
    return decorated, opened, single, POINT.moved(), TABLE.first(), Made, HELD, LAZY.net(), __file__
"""
NUMBERS = [str(number) for number in range(101, 127)]


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "heldmodule", raising=False)


def loaded(text: str = MODULE) -> Any:
    space: dict[str, Any] = {"__name__": "heldmodule", "__file__": "/somewhere/heldmodule.py"}
    module = type(sys)("heldmodule")
    vars(module).update(space)
    sys.modules["heldmodule"] = module
    exec(compile(text, "heldmodule.py", "exec"), vars(module))
    return module


@pytest.mark.parametrize("number", NUMBERS)
def test_every_number_counts(number: str) -> None:
    assert MODULE.count(number) == 1
    edited = MODULE.replace(number, f"9{number}")
    before, after = parts_of(loaded().feature), parts_of(loaded(edited).feature)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed
    assert fingerprint(loaded(edited).feature) != fingerprint(loaded().feature)


def test_what_an_object_keeps_for_later_does_not_count() -> None:
    module = loaded()
    before = fingerprint(module.feature)
    module.LAZY.net()
    assert fingerprint(module.feature) == before
    module.LAZY.size = 7
    assert fingerprint(module.feature) != before


def test_a_decorator_of_our_own_is_a_part_with_its_own_name() -> None:
    parts = parts_of(loaded().feature)
    assert {"heldmodule.scaled.<locals>.decorate.<locals>.wrapper", "heldmodule.decorated"} <= parts.keys()


NAMES = """
import functools
from dataclasses import dataclass


def mean(x):
    return x


@functools.cache
def cached(x):
    return x


@dataclass(frozen=True)
class Made:
    n: int = 1


def feature(x):
    return x.mean(), cached(x), Made()
"""


def test_an_attribute_is_not_the_global_of_its_name() -> None:
    assert fingerprint(loaded(NAMES).feature) == fingerprint(
        loaded(NAMES.replace("return x\n\n\n@functools", "return -x\n\n\n@functools")).feature
    )


def test_parts_are_functions_and_classes_that_somebody_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "heldmodule.py").write_text(NAMES)
    monkeypatch.syspath_prepend(str(tmp_path))
    parts = parts_of(importlib.import_module("heldmodule").feature)
    assert parts.keys() == {"heldmodule.feature", "heldmodule.cached", "heldmodule.Made"}
    assert parts["heldmodule.cached"].text == "\n".join(
        ["@functools.cache", "def cached(x):", "    return x", "decorator = _lru_cache_wrapper"]
    )
    assert "dataclasses.py" not in "".join(one.place for one in parts.values())


PRINTED = """
import sys
sys.path.insert(0, sys.argv[1])
import heldmodule
from mediaml_assets.amber.code.fingerprint import fingerprint
print(fingerprint(heldmodule.feature))
"""


def test_neither_the_process_nor_the_place_of_a_checkout_counts(tmp_path: Path) -> None:
    seen = set()
    for seed, folder in (("1", tmp_path / "a"), ("2", tmp_path / "b" / "c")):
        folder.mkdir(parents=True)
        (folder / "heldmodule.py").write_text(MODULE)
        command = [sys.executable, "-c", PRINTED, str(folder)]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        seen.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(seen) == 1


DATA = {
    "an Arrow array": ("import pyarrow as pa", "pa.array([1.0, {}])"),
    "an Arrow table": ("import pyarrow as pa", "pa.table({{'a': [1, {}]}})"),
    "an array of numbers": ("import array", "array.array('d', [1.0, {}])"),
    "a view of memory": ("", "memoryview(bytes([1, {}]))"),
    "a large tensor": ("import torch", "torch.arange(5000) * (torch.arange(5000) != {})"),
    "a data frame": ("import pandas", "pandas.DataFrame({{'a': list(range(500)) + [{}]}})"),
}


@pytest.mark.parametrize("kind", DATA)
def test_data_of_any_library_counts_by_its_values(kind: str) -> None:
    imports, made = DATA[kind]

    def of(number: int) -> str:
        text = f"{imports}\nDATA = {made.format(number)}\n\n\ndef feature():\n    return DATA\n"
        return fingerprint(loaded(text).feature)

    assert of(7) == of(7) != of(8)
