"""What an edit makes run: one edit at a time of real module files, which are then imported anew.

The toy package measures the letters of a title: `measure`, with a helper that has a helper, a constant, a default
argument, a configuration, a model's file and a check; `below` reads its rows.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mediaml_assets.amber.evaluation import evaluate
from mediaml_assets.amber.feature import DRIFT
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import calls, letters

FEATURES = '''
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa

from editedpackage.helpers import weigh
from mediaml_assets.amber.feature import Check, amber_feature
from mediaml_assets_tests.amber.toy import Letters, called

LIMIT = 100
MEASURE = pa.schema([pa.field("n", pa.int64())])


@dataclass(frozen=True)
class Config:
    gain: int = 1
    model: str = "WEIGHTS"

    def key_parts(self) -> dict[str, str]:
        return {"model": Path(self.model).read_text()}


@dataclass(frozen=True)
class Measured:
    n: int
    columns: ClassVar[tuple[str, ...]] = ("n",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        return cls(view.row(["n"])["n"])


def small(rows: pa.Table) -> str | None:
    return "too large" if rows.column("n")[0].as_py() > 1000 else None


@amber_feature(version=VERSION, schema=MEASURE, checks=[Check("small", small, "Not too large.")])
def measure(letters: Letters, config: Config) -> pa.Table:
    """How much it is."""
    called("measure", letters.title)
    # a remark
    amount = weigh(letters.text) * config.gain + int(Path(config.model).read_text())
    return pa.table({"n": [min(amount, LIMIT)]}, schema=MEASURE)


@amber_feature(schema=pa.schema([("n", pa.int64())]))
def below(measure: Measured) -> pa.Table:
    called("below", "one")
    return pa.table({"n": [-measure.n]})
'''
HELPERS = """
from editedpackage.deeper import size


def weigh(text, times=2):
    return size(text) * times


def unused():
    return 1
"""
DEEPER = """
def size(text):
    return len(text)
"""


class Edit(NamedTuple):
    file: str
    old: str
    new: str
    runs: str
    """The functions that run after it, when `measure` has no version."""
    drift: bool
    """Whether it is a failed check when `measure` has one."""


BOTH, FIRST, NONE = "measure below", "measure", ""
EDITS = {
    # what                            file           before                 after                    runs   drift
    "the function": Edit("features.py", "* config.gain", "+ config.gain", BOTH, True),
    "the function, same rows": Edit("features.py", "min(amount, LIMIT)", "min(LIMIT, amount)", FIRST, True),
    "a helper": Edit("helpers.py", "size(text) * times", "size(text) ** times", BOTH, True),
    "a helper's helper": Edit("deeper.py", "len(text)", "len(set(text))", BOTH, True),
    "a constant": Edit("features.py", "LIMIT = 100", "LIMIT = 5", BOTH, True),
    "a constant, same rows": Edit("features.py", "LIMIT = 100", "LIMIT = 99", FIRST, True),
    "a default argument": Edit("helpers.py", "times=2", "times=3", BOTH, True),
    "a configuration's default": Edit("features.py", "gain: int = 1", "gain: int = 3", BOTH, True),
    "a configuration value": Edit("mediaml.toml", "gain = 1", "gain = 3", BOTH, False),
    "a model's weights": Edit("weights", "7", "8", BOTH, False),
    "the schema": Edit("features.py", 'pa.field("n", pa.int64())', 'pa.field("n", pa.int32())', BOTH, True),
    "a check": Edit("features.py", "> 1000", "> 500", FIRST, True),
    "a comment": Edit("features.py", "# a remark", "# another remark\n    # on two lines", NONE, False),
    "layout": Edit(
        "features.py", "int(Path(config.model).read_text())", "int(\n Path(config.model).read_text())", "", False
    ),
    "a docstring": Edit("features.py", "How much it is.", "How little it is.", NONE, False),
    "the name of a local": Edit("features.py", "amount", "how_much", NONE, False),
    "a helper that is not used": Edit("helpers.py", "return 1", "return 2", NONE, False),
}


class Edited:
    """The package in a folder of its own, imported anew after each edit."""

    def __init__(self, here: Installation, version: str | None) -> None:
        self.here, self.folder = here, here.home / "editedpackage"
        self.folder.mkdir()
        features = FEATURES.replace("VERSION", repr(version)).replace("WEIGHTS", str(self.folder / "weights"))
        files = {"__init__.py": "", "features.py": features, "helpers.py": HELPERS, "deeper.py": DEEPER}
        for name, text in {**files, "weights": "7", "mediaml.toml": "gain = 1"}.items():
            (self.folder / name).write_text(text)
        self.load()

    def edit(self, one: Edit) -> None:
        file = self.folder / one.file
        assert one.old in file.read_text()
        file.write_text(file.read_text().replace(one.old, one.new))
        self.load()

    def load(self) -> None:
        for name in [one for one in sys.modules if one.partition(".")[0] == "editedpackage"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        features: Any = importlib.import_module("editedpackage.features")
        gain = int((self.folder / "mediaml.toml").read_text().partition("=")[2])
        configs: Mapping[str, Mapping[str, Any]] = {"measure": {"gain": gain}} if gain != 1 else {}
        self.here.mesh = Mesh([letters, features.measure, features.below], sources=["source"], configs=configs)


@pytest.fixture(autouse=True)
def importable(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(home))
    # a file written twice within a second must not be taken for its cached bytecode
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in [one for one in sys.modules if one.partition(".")[0] == "editedpackage"]:
        del sys.modules[name]


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_runs_what_it_can_change_and_nothing_else(here: Installation, what: str) -> None:
    edit = EDITS[what]
    edited = Edited(here, version=None)
    here.deliver(one="abba")
    here.settle()
    before = len(calls())
    edited.edit(edit)
    assert here.stale() == ([("measure", "one")] if edit.runs else [])
    here.settle()
    assert [call.partition("/")[0] for call in calls()[before:]] == edit.runs.split()


@pytest.mark.parametrize("what", EDITS)
def test_under_a_version_changed_code_runs_nothing_and_is_a_failed_check(here: Installation, what: str) -> None:
    edit = EDITS[what]
    edited = Edited(here, version="1")
    here.deliver(one="abba")
    here.settle()
    before = len(calls())
    edited.edit(edit)
    in_the_key = bool(edit.runs) and not edit.drift
    # a configuration's default is code, and a value of the key too
    in_the_key |= what == "a configuration's default"
    assert here.stale() == ([("measure", "one")] if in_the_key else [])
    outcome = evaluate(here.store, here.mesh.ask(here.store, "measure", ["one"]))
    outcome.abandon()
    assert len(calls()) - before == in_the_key
    assert (DRIFT in outcome.failed) == (edit.drift and not in_the_key)


def test_under_a_version_a_new_check_is_asked_of_the_value_that_is_there(here: Installation) -> None:
    edited = Edited(here, version="1")
    here.deliver(one="abba")
    here.settle()
    before = len(calls())
    edited.edit(Edit("features.py", "> 1000", "> 3", FIRST, True))
    outcome = evaluate(here.store, here.mesh.ask(here.store, "measure", ["one"]))
    assert outcome.failed.keys() == {"small", DRIFT} and outcome.failed["small"] == "too large"
    assert len(calls()) == before


def test_under_a_version_rows_of_other_columns_are_asked_nothing(here: Installation) -> None:
    edited = Edited(here, version="1")
    here.deliver(one="abba")
    here.settle()
    edited.edit(
        Edit(
            "features.py",
            'pa.schema([pa.field("n", pa.int64())])',
            'pa.schema([pa.field("m", pa.int64())])',
            FIRST,
            True,
        )
    )
    edited.edit(Edit("features.py", 'rows.column("n")', 'rows.column("m")', FIRST, True))
    outcome = evaluate(here.store, here.mesh.ask(here.store, "measure", ["one"]))
    assert outcome.failed.keys() == {DRIFT}


def test_drift_says_which_part_changed_and_shows_the_lines(here: Installation) -> None:
    edited = Edited(here, version="1")
    here.deliver(one="abba")
    here.settle()
    edited.edit(EDITS["a helper's helper"])
    outcome = evaluate(here.store, here.mesh.ask(here.store, "measure", ["one"]))
    assert outcome.failed[DRIFT] == (
        "the code of measure changed, but its version is still '1': this value was made by the older code. Raise the "
        "version to compute it again. editedpackage.deeper.size changed (editedpackage/deeper.py:2)"
    )
    assert [one.diff for one in outcome.drift] == [
        " def size(text):\n-    return len(text)\n+    return len(set(text))"
    ]
