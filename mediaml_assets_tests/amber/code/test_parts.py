"""Fingerprints kept in readable parts, and what is shown of a change."""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from mediaml_assets.amber.code.drift import as_text, changes, in_short
from mediaml_assets.amber.code.parts import Code, Part, code_of, keep, kept, parts_of
from mediaml_assets.amber.columns import column
from mediaml_assets.amber.feature import AmberFeature, Check, amber_feature
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import Damaged
from mediaml_assets_tests.amber.code.test_fingerprint import DIFFERENT, PACKAGE, SAME, Build
from mediaml_assets_tests.amber.toy import Letters, counts_version

CHANGED = {
    "helper": "helpers.twice",
    "nested helper": "helpers.deeper",
    "helper's constant": "helpers.FACTOR",
    "helper imported inside": "lazy.late",
    "helper in a partial": "helpers.partly",
    "argument of a partial": "main.STEP",
    "default of a helper": "helpers.partly",
    "cached recursive helper": "main.recursive",
    "constant": "main.LIMIT",
    "tuple": "main.NAMES",
    "pattern": "main.WORD",
    "enum member": "main.MODE",
    "default": "main.feature",
    "number in the code": "main.feature",
    "lambda": "main.feature",
    "field of an object": "main.SETTINGS",
    "method": "main.Settings",
    "field's default": "main.Settings",
    "method of a base class": "main.Base",
    "reader of a parameter": "main.Reader",
    "where a called function comes from": "main.feature",
}
"""Edit -> the part that it is an edit of."""

SHOWN = {
    "constant": ["-LIMIT = 3", "+LIMIT = 4"],
    "enum member": ["-MODE = Mode.FAST", "-MODE[value] = 1", "+MODE = Mode.SLOW", "+MODE[value] = 2"],
    "default of a helper": [
        " ",
        "-def partly(a, b=1):",
        "+def partly(a, b=2):",
        "-defaults = (1,)",
        "+defaults = (2,)",
    ],
    "field of an object": ["-SETTINGS[gain] = 1", "+SETTINGS[gain] = 2"],
    "argument of a partial": ["-STEP[args] = (1,)", "+STEP[args] = (2,)"],
    "where a called function comes from": ["-math = math", "+math = cmath"],
}
"""Edit -> lines of its diff, without the lines around them."""


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


def code(function: Callable[..., object], python: str = "3") -> Code:
    return Code(python, parts_of(function))


@pytest.mark.parametrize("edit", DIFFERENT)
def test_every_edit_that_counts_is_a_change_of_some_part(build: Build, edit: str) -> None:
    before, after = code(build.function()), code(build.function(DIFFERENT[edit]))
    found = changes(before, after)
    assert found
    if edit in CHANGED:
        assert f"{PACKAGE}.{CHANGED[edit]}" in [one.name for one in found if one.event == "changed"]
    if edit in SHOWN:
        lines = [line for line in found[0].diff.splitlines() if line[0] in "+-"]
        assert lines == [line for line in SHOWN[edit] if line != " "]


@pytest.mark.parametrize("edit", SAME)
def test_an_edit_that_does_not_count_changes_no_part(build: Build, edit: str) -> None:
    assert changes(code(build.function()), code(build.function(SAME[edit]))) == []


def test_a_change_is_shown_as_a_diff_of_its_source_with_its_place(build: Build) -> None:
    edit = ("helpers.py", "return deeper(x) * FACTOR", "# halved\n            return deeper(x) / FACTOR")
    (change,) = changes(code(build.function()), code(build.function(edit)))
    assert str(change) == f"{PACKAGE}.helpers.twice changed ({PACKAGE}/helpers.py:4)"
    assert change.diff.splitlines() == [
        " def twice(x):",
        "-    return deeper(x) * FACTOR",
        "+    # halved",
        "+    return deeper(x) / FACTOR",
    ]


def test_parts_that_come_and_go_are_named_after_those_that_changed(build: Build) -> None:
    edit = ("main.py", "return x + LIMIT", "return helpers.unused(x)")
    found = changes(code(build.function()), code(build.function(edit)))
    assert [(one.name.removeprefix(PACKAGE), one.event) for one in found] == [
        (".main.near", "changed"),
        (".helpers.unused", "added"),
        (".main.LIMIT", "removed"),
    ]


def test_the_source_is_not_that_of_a_file_edited_after_it_was_loaded(build: Build) -> None:
    function = build.function()
    file = Path(sys.modules[f"{PACKAGE}.helpers"].__file__ or "")
    text = file.read_text()
    file.write_text("# lines\n# above\n" + text.replace("return deeper(x) * FACTOR", "return 0"))
    parts = parts_of(function)
    assert parts[f"{PACKAGE}.helpers.twice"].text == ""
    assert parts[f"{PACKAGE}.helpers.deeper"] == Part(
        f"{PACKAGE}/helpers.py:9", "def deeper(x):\n    return x", parts[f"{PACKAGE}.helpers.deeper"].digest
    )
    file.write_text("not python (")
    assert parts_of(function)[f"{PACKAGE}.helpers.deeper"].text == ""


def test_other_bytecode_of_the_same_source_names_python() -> None:
    before = Code("3.11.2", {"m.f": Part("m.py:1", "def f(): ...", "1")})
    after = Code("3.12.0", {"m.f": Part("m.py:1", "def f(): ...", "2")})
    (change,) = changes(before, after)
    assert change.diff == "the same source, compiled by Python 3.12.0 and not 3.11.2 as before"


def test_what_is_shown_is_bounded() -> None:
    old, new = ("\n".join(f"{word} {n}" for n in range(1000)) for word in ("old", "new"))
    parts = ({f"m.f{n}": Part("", text, text[:3]) for n in range(9)} for text in (old, new))
    found = changes(*(Code("3", one) for one in parts))
    assert found[0].diff.endswith("... (1800 more lines)")
    assert in_short(found).endswith("m.f4 changed; and 4 more")
    shown = as_text(found, 1000)
    assert len(shown) < 1050 and shown.startswith("m.f0 changed\n-old 0\n") and shown.endswith(" more lines)")


def measured(schema: pa.Schema, limit: int = 3) -> AmberFeature:
    def size(letters: Letters) -> pa.Table:
        return pa.table({"n": [limit]}, schema=schema)

    def few(rows: pa.Table) -> str | None:
        return "too many" if rows.num_rows > limit else None

    return amber_feature(version="1", schema=schema, checks=[Check("few", few, "Not many.")])(size)


def test_the_declaration_is_part_of_the_code_and_descriptions_are_not() -> None:
    plain, described = (pa.schema([column("n", pa.int64(), text)]) for text in ("", "How many."))
    assert measured(plain).code == measured(described).code
    assert changes(code_of(measured(plain)), code_of(measured(described))) == []
    wide = pa.schema([column("n", pa.int32())])
    found = changes(code_of(measured(plain)), code_of(measured(wide)))
    assert measured(plain).code != measured(wide).code
    assert "schema" in [one.name for one in found]
    assert {one.diff for one in found} >= {"-n: int64, no nulls\n+n: int32, no nulls"}


def test_code_is_kept_once_and_read_back(here_store: Store) -> None:
    feature = counts_version("1", "")
    keep(here_store.objects, feature)
    keep(here_store.objects, feature, referred=True)
    # once more after the row that refers to it, then never again
    for _ in range(3):
        keep(here_store.objects, feature)
        keep(here_store.objects, feature, referred=True)
    assert here_store.objects.operations["create"] == 2
    assert kept(here_store.objects, "counts", feature.code) == code_of(feature)
    assert kept(here_store.objects, "counts", "0" * 64) is None


def test_damaged_code_is_named(here_store: Store) -> None:
    feature = counts_version("1", "other")
    keep(here_store.objects, feature)
    file = Path(here_store.objects.url(f"code/counts/{feature.code}.json"))
    document = json.loads(file.read_text())
    document["python"] = "4"
    file.write_text(json.dumps(document))
    with pytest.raises(Damaged, match=r"is no code of counts .*`mediaml repair counts`"):
        kept(here_store.objects, "counts", feature.code)


@pytest.fixture
def here_store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_every_part_of_the_features_has_its_source() -> None:
    mesh = importlib.import_module("mediaml_assets.mesh").mesh()
    for feature in mesh.features.values():
        mute = [name for name, part in code_of(feature).parts.items() if not part.text]
        # what `dataclass` makes has no source of its own
        assert [name for name in mute if "__create_fn__" not in name] == []
