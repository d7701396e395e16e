"""Types by name and version, how they may change, and those that other packages bring."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mediaml_assets.errors import SchemaRefused
from mediaml_assets.marken.schema import AnnotationType, Kind, Mode, Property
from mediaml_assets.marken.types import Types, evolves, with_installed
from mediaml_assets_tests.marken.every_kind import DECISION, EVERY_KIND

LABEL = Property("label", Kind.TEXT, "x")
COUNT = Property("count", Kind.INTEGER, "x")
FACE = AnnotationType("FACE", 1, "x", (LABEL,))


def test_a_type_is_found_by_name_and_version() -> None:
    newer = AnnotationType("FACE", 3, "x", (LABEL, COUNT))
    types = Types([newer, FACE, DECISION])
    assert list(types) == [DECISION, FACE, newer]
    assert types.names == ["DECISION", "FACE"]
    assert types.one("FACE") is newer and types.one("FACE@1") is FACE
    assert types.searched("FACE") == [newer] and types.searched("FACE@1") == [FACE]


def test_what_people_decided_under_an_old_version_is_still_searched() -> None:
    second = replace(DECISION, version=2)
    types = Types([DECISION, second])
    assert types.searched("DECISION") == [second, DECISION]
    assert types.searched("DECISION@1") == [DECISION]


@pytest.mark.parametrize(
    "name", ["SHOT", "", "@1", "face", "FACE@", "FACE@2", "FACE@01x", "FACE@-1", "FACE@1@1", "FACE@²"]
)
def test_what_is_not_there_is_refused_with_what_is(name: str) -> None:
    with pytest.raises(SchemaRefused, match=r"the types are DECISION, FACE|there is FACE@1"):
        Types([FACE, DECISION]).one(name)


def test_no_type_is_declared_twice() -> None:
    with pytest.raises(SchemaRefused, match="FACE@1 is declared twice; give the changed one a version of its own"):
        Types([FACE, AnnotationType("FACE", 1, "x", (COUNT,))])


def test_a_version_adds_and_removes_properties() -> None:
    later = AnnotationType("FACE", 2, "y", (COUNT, Property("more", Kind.NUMBER, "x", mandatory=True)))
    evolves(FACE, later)
    last = AnnotationType("FACE", 3, "z", (replace(LABEL, mandatory=True, language="de"),))
    assert len(list(Types([FACE, later, last]))) == 3


def test_a_property_keeps_its_kind_also_where_versions_between_had_it_not() -> None:
    changed = AnnotationType("FACE", 3, "x", (replace(LABEL, kind=Kind.STRING),))
    with pytest.raises(SchemaRefused, match="FACE@3: its property 'label' was text in FACE@1 and is string; give the"):
        Types([FACE, AnnotationType("FACE", 2, "x"), changed])


def test_a_type_keeps_its_mode() -> None:
    with pytest.raises(SchemaRefused, match="FACE@2: its mode was run in FACE@1 and is log; give it a name of its own"):
        Types([FACE, replace(FACE, version=2, mode=Mode.LOG, key=("by",))])


def test_a_vector_keeps_its_dimensions_and_a_log_its_key() -> None:
    before, after = (
        replace(EVERY_KIND, own=(Property("v", Kind.VECTOR, "x", dimensions=d),), version=d) for d in (3, 4)
    )
    with pytest.raises(
        SchemaRefused, match="'v' was vector of 3 dimensions in EVERY_KIND@3 and is vector of 4 dimensions"
    ):
        Types([after, before])
    with pytest.raises(SchemaRefused, match=r"DECISION@2: its key was \('entity_id', 'by'\) in DECISION@1 and is"):
        Types([DECISION, replace(DECISION, version=2, key=("entity_id",))])


Install = Callable[[str, str, str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a distribution of one module: its name, its code, and what of it the entry point names."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(distribution: str, code: str, value: str) -> None:
        monkeypatch.delitem(sys.modules, distribution, raising=False)
        (tmp_path / f"{distribution}.py").write_text(code)
        info = tmp_path / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[mediaml.annotation_types]\nthem = {distribution}:{value}\n")

    return made


SMILE = """
from mediaml_assets.marken.schema import ALGORITHM, TEMPORAL_SPATIAL, AnnotationType, Kind, Property
WIDTH = Property("width", Kind.NUMBER, "Share.")
SMILE = AnnotationType("SMILE", 1, "A smile.", (WIDTH,), (TEMPORAL_SPATIAL, ALGORITHM))
FACE = AnnotationType("FACE", 2, "A face.", (Property("label", Kind.{kind}, "x"),))
BOTH = (SMILE, FACE)
"""


def test_a_package_adds_types_and_versions(install: Install) -> None:
    install("our_smiles", SMILE.format(kind="TEXT"), "BOTH")
    types, left_out = with_installed([FACE])
    assert not left_out
    assert [str(kind) for kind in types] == ["FACE@1", "FACE@2", "SMILE@1"]
    assert "region" in types.one("SMILE").properties


def test_a_package_that_cannot_be_used_is_left_out_and_named(install: Install) -> None:
    install("our_smiles", SMILE.format(kind="TEXT"), "SMILE")
    install("other_smiles", SMILE.format(kind="TEXT").replace("Share", "Part"), "SMILE")
    install("breaking", SMILE.format(kind="NUMBER"), "FACE")
    install("broken", "raise RuntimeError('no such GPU')", "SMILE")
    install("exiting", "raise SystemExit(1)", "SMILE")
    install("lower", "from mediaml_assets.marken.schema import AnnotationType\nX = AnnotationType('x', 1, 'x')", "X")
    install("nothing", "X = 'SMILE'", "X")
    install("empty", "X = ()", "X")
    types, left_out = with_installed([FACE])
    # of two packages with one name the first by name keeps it
    assert [str(kind) for kind in types] == ["FACE@1", "SMILE@1"]
    assert types.one("SMILE").properties["width"].about == "Part."
    reasons = {one.distribution: str(one) for one in left_out}
    assert set(reasons) == {"our_smiles", "breaking", "broken", "exiting", "lower", "nothing", "empty"}
    assert "its annotation types 'them' are left out: SMILE@1 is declared twice" in reasons["our_smiles"]
    assert "'label' was text in FACE@1 and is number" in reasons["breaking"]
    assert "RuntimeError: no such GPU. Mend or uninstall it" in reasons["broken"]
    assert "write its name as" in reasons["lower"]
    assert "nothing:X is str and no annotation type" in reasons["nothing"]
    assert "empty:X is tuple and no annotation type" in reasons["empty"]


def test_types_are_declared_without_loading_what_reads_annotations() -> None:
    code = """
import sys
import mediaml_assets.marken
from mediaml_assets.marken import schema, types
assert not {"numpy", "pyarrow", "shapely", "snowballstemmer"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
