"""The same function on the same items: in this process, and on a Ray of two CPUs, to the last byte."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaml_assets import compute
from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.errors import SettingsError
from mediaml_assets.matching.blocks.merging import best
from mediaml_assets_tests.matching.blocks.catalogues import FLAVOURS, rows, titles


def given_cores(_: None, __: int) -> int:
    return compute.cores()


def scaled(factor: int, item: int) -> int:
    return factor * item


def test_here_items_are_answered_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDIAML_COMPUTE", raising=False)
    assert list(compute.over(scaled, 3, [("a", 1), ("b", 2)])) == [("a", 3), ("b", 6)]


def test_a_call_keeps_as_many_cores_busy_as_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert compute.cores() == len(os.sched_getaffinity(0))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert compute.cores() == 1


def test_ray_that_is_not_installed_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAML_COMPUTE", "ray")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingsError, match=r"Ray is not installed; pip install 'mediaml-assets\[ray\]'"):
        list(compute.over(scaled, 3, [("a", 1)]))


@pytest.fixture
def on_ray(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("MEDIAML_COMPUTE", "ray")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    )
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
    yield
    ray.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_on_ray_blocks_have_the_same_bytes(on_ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [rows(place, 60, 64) for place in range(6)]
    made = {}
    for where in ("ray", ""):
        monkeypatch.setenv("MEDIAML_COMPUTE", where)
        folder = tmp_path / (where or "here")
        for flavour in FLAVOURS[::2]:
            cache = Cache(FolderObjects(folder), "match_cuts")
            best(cache, flavour, titles(cache, flavour, tables), 200, cap=2)
            assert cache.counts["pairs_scored"] >= (6 * 60) ** 2
        made[where] = {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*.blocks")}
    assert len(made["ray"]) == 12 and made["ray"] == made[""]
    monkeypatch.setenv("MEDIAML_COMPUTE", "ray")
    assert sorted(compute.over(scaled, 3, [(n, n) for n in range(40)])) == [(n, 3 * n) for n in range(40)]
    assert list(compute.over(given_cores, None, [("", 0)])) == [("", 1)]
