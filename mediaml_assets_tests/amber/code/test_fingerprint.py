"""What counts as another function, and what does not: one edit at a time of a small package."""

import importlib
import itertools
import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mediaml_assets.amber.code.fingerprint import fingerprint

MAIN = '''
import functools
import math
import re
from dataclasses import dataclass, field
from enum import Enum

import PACKAGE.deep.tools
from PACKAGE import helpers
from PACKAGE.helpers import twice

LIMIT = 3
NAMES = ("a", "b")
TABLE = {"first": helpers.listed, "second": [helpers.other]}
WORD = re.compile("[a-z]+")
STEP = functools.partial(helpers.partly, 1)


class Mode(Enum):
    FAST = 1
    SLOW = 2


MODE = Mode.FAST


@dataclass(frozen=True)
class Settings:
    """What may be set."""

    gain: int = 1
    names: tuple[str, ...] = field(default_factory=lambda: ("x",))

    def __post_init__(self):
        self.check(1)

    def check(self, least):
        return self.gain >= least

    @property
    def double(self):
        return self.gain * 2

    @staticmethod
    def fixed():
        return 5


SETTINGS = Settings()


class Base:
    def inherited(self):
        return 1


class Reader(Base):
    @classmethod
    def from_value(cls, view):
        return cls()

    def __call__(self):
        return 2


READER = Reader()


def near(x):
    return x + LIMIT


@functools.cache
def recursive(n):
    return 1 if n < 2 else n * recursive(n - 1)


def feature(rows: Reader, scale=2, *, shift=1):
    """Says what it does."""
    total = 0
    for row in rows:
        # a remark
        total += near(row) * scale + twice(row) + shift
    kept = [name for name in NAMES if WORD.match(name)]
    labels = ["label" for name in kept]
    try:
        helpers.risky(total)
        total += 1
    except ValueError:
        total = -1
    while total > 100:
        total -= 100
        if total % 7 == 0:
            break
    order = sorted(kept, key=lambda name: (len(name), name))
    from PACKAGE.lazy import late
    return (
        total, kept, labels, order, helpers.module_level(total), PACKAGE.deep.tools.deep(total), math.sqrt(4),
        TABLE["first"](total), SETTINGS.double, MODE, STEP(), READER(), recursive(3), late(total), 0.5, "end"
    )


def made(amount):
    def inner(row):
        return row + amount

    return inner


three = made(3)
'''
FILES = {
    "__init__.py": "",
    "main.py": MAIN,
    "helpers.py": """
        FACTOR = 2

        def twice(x):
            return deeper(x) * FACTOR

        def deeper(x):
            return x

        def module_level(x):
            return x

        def risky(x):
            return x

        def listed(x):
            return x

        def other(x):
            return x

        def partly(a, b=1):
            return a

        def unused(x):
            return x
        """,
    "deep/__init__.py": "",
    "deep/tools.py": "def deep(x):\n    return x\n",
    "lazy.py": "def late(x):\n    return x\n",
}

DIFFERENT = {
    "helper": ("helpers.py", "return deeper(x) * FACTOR", "return deeper(x) / FACTOR"),
    "nested helper": ("helpers.py", "def deeper(x):\n            return x", "def deeper(x):\n            return x + 1"),
    "helper's constant": ("helpers.py", "FACTOR = 2", "FACTOR = 3"),
    "helper by module": (
        "helpers.py",
        "def module_level(x):\n            return x",
        "def module_level(x):\n            return -x",
    ),
    "helper by dotted module": ("deep/tools.py", "return x", "return -x"),
    "helper imported inside": ("lazy.py", "return x", "return -x"),
    "helper in a table": (
        "helpers.py",
        "def listed(x):\n            return x",
        "def listed(x):\n            return -x",
    ),
    "helper in a list in a table": (
        "helpers.py",
        "def other(x):\n            return x",
        "def other(x):\n            return -x",
    ),
    "helper in a partial": ("helpers.py", "return a", "return -a"),
    "argument of a partial": ("main.py", "helpers.partly, 1", "helpers.partly, 2"),
    "default of a helper": ("helpers.py", "b=1", "b=2"),
    "cached recursive helper": ("main.py", "1 if n < 2", "2 if n < 2"),
    "constant": ("main.py", "LIMIT = 3", "LIMIT = 4"),
    "constant's type": ("main.py", "LIMIT = 3", "LIMIT = 3.0"),
    "tuple": ("main.py", 'NAMES = ("a", "b")', 'NAMES = ("b", "a")'),
    "pattern": ("main.py", "[a-z]+", "[a-z]*"),
    "enum member": ("main.py", "MODE = Mode.FAST", "MODE = Mode.SLOW"),
    "default": ("main.py", "scale=2", "scale=3"),
    "keyword default": ("main.py", "shift=1", "shift=2"),
    "number in the code": ("main.py", "0.5", "0.25"),
    "text in the code": ("main.py", '"end"', '"fin"'),
    "text in a comprehension": ("main.py", '"label"', '"marked"'),
    "operator": ("main.py", "near(row) * scale", "near(row) + scale"),
    "lambda": ("main.py", "(len(name), name)", "(name, len(name))"),
    "what is tried": (
        "main.py",
        "helpers.risky(total)\n        total += 1",
        "helpers.risky(total)\n    except KeyError:\n        total += 1",
    ),
    "where a loop goes": ("main.py", "break", "continue"),
    "called function": ("main.py", "math.sqrt", "math.cbrt"),
    "where a called function comes from": ("main.py", "import math", "import cmath as math"),
    "field of an object": ("main.py", "SETTINGS = Settings()", "SETTINGS = Settings(2)"),
    "property of an object's class": ("main.py", "self.gain * 2", "self.gain * 3"),
    "method": ("main.py", "self.gain >= least", "self.gain > least"),
    "static method": ("main.py", "return 5", "return 6"),
    "dunder method": ("main.py", "return 2", "return 3"),
    "after init": ("main.py", "self.check(1)", "self.check(2)"),
    "field's default": ("main.py", "gain: int = 1", "gain: int = 2"),
    "field's default factory": ("main.py", '("x",)', '("y",)'),
    "method of a base class": ("main.py", "return 1\n\n\nclass Reader", "return 7\n\n\nclass Reader"),
    "reader of a parameter": ("main.py", "return cls()", "return cls"),
}

SAME = {
    "comment": ("main.py", "# a remark", "# another, much longer remark\n        # on two lines"),
    "docstring": ("main.py", "Says what it does.", "Says it better."),
    "no docstring": ("main.py", '    """Says what it does."""\n', ""),
    "class docstring": ("main.py", "What may be set.", "Whatever."),
    "layout": (
        "main.py",
        "total += near(row) * scale + twice(row) + shift",
        "total += (\n            near(row) * scale\n            + twice(row) + shift)",
    ),
    "lines moved": ("main.py", "LIMIT = 3", "\n\n# moved\n\nLIMIT = 3"),
    "renamed local": ("main.py", "row", "entry"),
    "type of a local": ("main.py", "total = 0", "total: int = 0"),
    "helper's docstring": ("helpers.py", "def deeper(x):", 'def deeper(x):\n            """Deep."""'),
    "unused helper": ("helpers.py", "def unused(x):\n            return x", "def unused(x):\n            return -x"),
    "unused import": ("main.py", "import math", "import json\nimport math"),
    "order of definitions": ("main.py", "MODE = Mode.FAST\n", "def new():\n    return 1\n\n\nMODE = Mode.FAST\n"),
}

PACKAGE = "toypackage"


class Build:
    """Writes the package, with edits, and imports it anew; gives one of its functions, or that one's fingerprint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *edits: tuple[str, str, str], name: str = "feature") -> str:
        return fingerprint(self.function(*edits, name=name))

    def function(self, *edits: tuple[str, str, str], name: str = "feature") -> Any:
        package = self.folder / str(next(NUMBERS)) / PACKAGE
        for file, text in edited(edits).items():
            (package / file).parent.mkdir(parents=True, exist_ok=True)
            (package / file).write_text(textwrap.dedent(text).replace("PACKAGE", PACKAGE))
        for module in [one for one in sys.modules if one.partition(".")[0] == PACKAGE]:
            del sys.modules[module]
        sys.path.insert(0, str(package.parent))
        try:
            function = getattr(importlib.import_module(f"{PACKAGE}.main"), name)
            # what it imports inside is imported now, while it can be found
            fingerprint(function)
            return function
        finally:
            sys.path.remove(str(package.parent))


NUMBERS = itertools.count()


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def edited(edits: tuple[tuple[str, str, str], ...]) -> Mapping[str, str]:
    files = dict(FILES)
    for name, before, after in edits:
        assert before in files[name], f"{before!r} is not in {name}"
        files[name] = files[name].replace(before, after)
    return files


def test_equal_code_has_one_fingerprint(build: Build) -> None:
    assert build() == build() != build(name="near")
    assert len(build()) == 64


@pytest.mark.parametrize("edit", DIFFERENT)
def test_what_the_result_can_depend_on_counts(build: Build, edit: str) -> None:
    assert build(DIFFERENT[edit]) != build()


@pytest.mark.parametrize("edit", SAME)
def test_what_it_cannot_depend_on_does_not_count(build: Build, edit: str) -> None:
    assert build(SAME[edit]) == build()


def test_a_closure_cell_counts(build: Build) -> None:
    edit = ("main.py", "three = made(3)", "three = made(4)")
    assert build(edit, name="three") != build(name="three") == build(name="three")


def test_other_packages_count_by_name_only(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    edits = ("main.py", "import math", "import toylibrary"), ("main.py", "math.sqrt", "toylibrary.sqrt")
    prints = []
    for body in ("x", "-x"):
        (tmp_path / "toylibrary.py").write_text(f"def sqrt(x):\n    return {body}\n")
        sys.modules.pop("toylibrary", None)
        prints.append(build(*edits))
    assert len(set(prints)) == 1


OF_THE_PROJECT = """
from mediaml_assets.amber.code.fingerprint import fingerprint
from mediaml_assets.mesh import mesh
print(*(fingerprint(one.fn) for one in mesh().features.values()))
"""


def test_features_of_the_project_have_one_each_in_every_process(tmp_path: Path) -> None:
    # sets in another order, modules compiled anew, another level of logging: nothing that the code says
    anew = "import logging, sys; sys.dont_write_bytecode = True; logging.getLogger('mediaml').setLevel(10)"
    seen = []
    for seed, before in (("1", ""), ("2", anew)):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        if before:
            environment["PYTHONPYCACHEPREFIX"] = str(tmp_path)
        command = [sys.executable, "-c", before + OF_THE_PROJECT]
        seen.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split())
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == len(seen[0]) > 5


STATES = """
import logging
import os
import threading
from fractions import Fraction
from pathlib import PurePath

log = logging.getLogger("toypackage")
lock = threading.Lock()
environment = os.environ
RATE = Fraction(24000, 1001)
PLACE = PurePath("here")


def feature():
    return log, lock, environment, RATE, PLACE
"""


CACHES = """
loaded = None
CACHE = {}
SEEN = set()
COUNTS = {"n": 0}
WEIGHTS = {"a": 1}


def load():
    global loaded
    loaded = loaded or object()
    return loaded


def feature(name):
    if name not in CACHE:
        CACHE[name if name else "none"] = load()
    SEEN.add(name)
    COUNTS["n"] += 1
    return CACHE[name], WEIGHTS
"""


def test_what_a_function_changes_itself_is_state_and_tables_that_stay_are_not() -> None:
    def built(text: str) -> Any:
        space: dict[str, Any] = {"__name__": "toypackage"}
        exec(text, space)
        return space["feature"]

    function = built(CACHES)
    before = fingerprint(function)
    function("x")
    assert fingerprint(function) == before == fingerprint(built(CACHES))
    assert fingerprint(built(CACHES.replace('"a": 1', '"a": 2'))) != before
    assert fingerprint(built(CACHES.replace("SEEN.add", "SEEN.discard"))) != before


def test_the_state_of_a_process_does_not_count_and_values_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def built(text: str) -> str:
        space: dict[str, Any] = {"__name__": "toypackage"}
        exec(text, space)
        return fingerprint(space["feature"])

    before = built(STATES)
    logging.getLogger("toypackage").setLevel(logging.DEBUG)
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    assert built(STATES) == before
    assert built(STATES.replace("1001", "1000")) != before
    assert built(STATES.replace("here", "there")) != before
