"""After a repair a store verifies, what is current is right, and what nobody can make again is named."""

import random
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mediaml_assets.amber.repair import Repaired, repair
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.verify import verify
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.test_verify import is_witness, make_a_life, objects, root
from mediaml_assets_tests.amber.toy import film_mesh


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation with a history; copied before it is touched."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDIAML_HOME", str(home))
        patch.setenv("TOY_CALLS", str(home / "calls"))
        make_a_life(Installation(home))
    yield home


@pytest.fixture
def damaged(made: Path, home: Path) -> Installation:
    return copy(made, home)


def copy(made: Path, home: Path) -> Installation:
    shutil.copytree(made, home, dirs_exist_ok=True)
    here = Installation(home)
    here.mesh = film_mesh(version="2", factor=10)
    return here


def mend(here: Installation, *features: str) -> Repaired:
    def settle() -> Mapping[str, str]:
        here.known = {}
        here.land()
        here.settle()
        return {}

    return repair(here.store, here.mesh, settle, features)


def answers(store: Store) -> dict[str, object]:
    """What is current everywhere, by its rows."""
    found: dict[str, object] = {}
    for feature in ("source", "letters", "counts", "clip", "total"):
        for scope in store.ledger.scopes(feature):
            head = store.ledger.head(feature, scope)
            assert head is not None
            rows = store.read_rows(feature, head.current).to_pylist() if head.current else None
            found[f"{feature}/{scope}"] = (rows, head.withdrawn, head.refused)
    return found


def test_a_whole_store_is_left_alone(damaged: Installation) -> None:
    before = objects(damaged.store)
    done = mend(damaged)
    assert (done.found, done.moved, done.lost) == ([], [], {})
    assert objects(damaged.store) == before


def flip(file: Path, place: int) -> None:
    """Flip one bit."""
    content = bytearray(file.read_bytes())
    content[place // 8] ^= 1 << place % 8
    file.write_bytes(content)


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_every_object_flipped_or_removed_is_put_right(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    draw = random.Random(3)
    names = [name for name in objects(Installation(made).store) if not is_witness(name)]
    wanted = answers(Installation(made).store)
    for number, name in enumerate(names[::step]):
        home = tmp_path / str(number)
        monkeypatch.setenv("MEDIAML_HOME", str(home))
        here = copy(made, home)
        file = root(here.store) / name
        if number % 2:
            flip(file, draw.randrange(file.stat().st_size * 8))
        else:
            file.unlink()
        done = mend(here)
        assert [one.name for one in done.found] == [name]
        assert done.remaining == [] and done.failed == {}, name
        assert verify(here.store).findings == []
        assert answers(here.store) == wanted, name
        assert here.stale() == [] and here.ends() == []
        assert mend(here).found == []
        shutil.rmtree(home)
