import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import film_mesh
from mediaml_assets_tests.amber.upkeep.test_verify import make_a_life


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation with a history; copied before it is touched."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDIAML_HOME", str(home))
        patch.setenv("TOY_CALLS", str(home / "calls"))
        make_a_life(Installation(home))
    yield home


def copy(made: Path, home: Path) -> Installation:
    shutil.copytree(made, home, dirs_exist_ok=True)
    here = Installation(home)
    here.mesh = film_mesh(version="2", factor=10)
    return here
