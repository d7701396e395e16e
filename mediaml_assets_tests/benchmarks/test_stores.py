"""The race of stores at a tiny size, without peers; and that its checks see what is lost, doubled or wrong."""

from math import isnan
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks import peers
from benchmarks.commits import race_figures
from benchmarks.stores import processes
from benchmarks.stores.race import Course, Lane, race
from benchmarks.stores.shots import SHOTS, TABLE, rows_of, with_title
from benchmarks.stores.worker import _check


@pytest.mark.slow
def test_the_feature_store_runs_the_whole_race_and_a_peer_that_is_not_there_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nowhere(peer: str) -> Path:
        raise peers.Unavailable(f"{peer} cannot be installed: no network")

    monkeypatch.setattr(processes.peers, "python", nowhere)
    ours, delta = race(Course(seed=5, titles=60, rewritten=8), ["amber", "deltalake"])
    assert ours.unavailable == "" and delta.unavailable == "deltalake cannot be installed: no network"
    found = race_figures([ours, delta])
    assert (found["lost"], found["duplicate"], found["lost_one_title"], found["as_of_right"]) == (0, 0, 0, 1)
    assert found["files"] > 120 and 1 < found["bytes_over_live"] < 1.3
    assert found["point_read_over_bare"] > 0.5
    assert isnan(found["deltalake_lost"]) and isnan(found["deltalake_bytes_over_live"])


def test_a_store_that_ends_early_says_its_last_words(tmp_path: Path) -> None:
    said = pytest.raises(peers.Unavailable, match="bare ended: KeyError: 'no such command'")
    with processes.started("bare", 1, tmp_path / "bare", 1, tmp_path / "bare") as (worker,), said:
        worker.ask("no such command")


def test_the_check_sees_what_is_lost_wrong_and_doubled() -> None:
    versions = [0, 1]
    right = pa.concat_tables([with_title(0, rows_of(7, 0, 0)), with_title(1, rows_of(7, 1, 1))])
    assert _check(right, 7, versions) == {"lost": 0, "duplicate": 0}
    assert _check(right.slice(3), 7, versions) == {"lost": 3, "duplicate": 0}
    assert _check(pa.concat_tables([right, right.slice(0, 2)]), 7, versions) == {"lost": 0, "duplicate": 2}
    stale = pa.concat_tables([with_title(0, rows_of(7, 0, 0)), with_title(1, rows_of(7, 1, 0))])
    assert _check(stale, 7, versions) == {"lost": SHOTS, "duplicate": 0}
    other = pa.concat_tables([right, with_title(2, rows_of(7, 2, 0))])
    assert _check(other, 7, versions) == {"lost": 0, "duplicate": SHOTS}
    assert _check(TABLE.empty_table(), 7, versions) == {"lost": 2 * SHOTS, "duplicate": 0}


def test_figures_of_a_store_carry_its_name() -> None:
    found = race_figures([Lane("amber", {"lost": 0}), Lane("lancedb", {"lost": 1})])
    assert (found["lost"], found["lancedb_lost"]) == (0, 1)
