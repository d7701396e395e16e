"""Imports run downwards only, and the store's own half knows no orchestrator."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mediaml_assets
from mediaml_assets import amber, on_demand

ROOT = Path(mediaml_assets.__file__).parent
GROUND = {"compute", "elsewhere", "entry_points", "errors", "ranged"}
MAY_KNOW = {
    "jasper": GROUND,
    "amber": GROUND,
    "marken": {"amber", *GROUND},
    "landing": {"jasper", "amber", "settings", *GROUND},
    "features": {"jasper", "amber", "landing", *GROUND},
    "matching": {"jasper", "amber", "landing", "features", *GROUND},
    "annotations": {"jasper", "amber", "marken", "landing", "features", "matching", *GROUND},
    "evaluation": {"jasper", "amber", "landing", "features", "matching", "samples", *GROUND},
    "search_platform": {"jasper", "amber", "landing", "features", "matching", *GROUND},
}
"""Package -> what of the project it may import, beside itself."""


def imported(file: Path) -> Iterator[str]:
    """The parts of the project that a file imports when it runs, also inside functions."""
    tree = ast.parse(file.read_text())
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{one.name}" for one in node.names]
        yield from (one.split(".")[1] for one in names if one.startswith("mediaml_assets."))


@pytest.mark.parametrize("package", MAY_KNOW)
def test_imports_run_downwards(package: str) -> None:
    upwards = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in (ROOT / package).rglob("*.py")
        for name in imported(file)
        if name != package and name not in MAY_KNOW[package]
    }
    assert upwards == set()


def test_values_are_had_of_the_store_which_does_not_import_the_installation() -> None:
    assert (amber.value, amber.values) == (on_demand.value, on_demand.values)
    assert (amber.rows, amber.submit) == (on_demand.rows, on_demand.submit)
    with pytest.raises(AttributeError, match="no attribute 'valeu'"):
        _ = amber.valeu
    code = """
import sys
from mediaml_assets import amber
from mediaml_assets.amber import demand
from mediaml_assets.amber.orchestration import submission
assert not {"mediaml_assets.on_demand", "mediaml_assets.mesh"} & sys.modules.keys()
assert callable(amber.value) and "dagster" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_title_is_opened_by_the_media_library_which_does_not_import_the_installation(tmp_path: Path) -> None:
    code = f"""
import sys
from mediaml_assets import jasper
from mediaml_assets.errors import MediaRefused
try:
    jasper.open({str(tmp_path / "film.mp4")!r})
except MediaRefused:
    pass
assert not {{"mediaml_assets.opening", "mediaml_assets.on_demand", "mediaml_assets.mesh"}} & sys.modules.keys()
assert not {{"dagster", "torch", "pyarrow"}} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
