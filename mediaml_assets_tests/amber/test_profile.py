"""What is measured of values: against the same by hand, and what it costs."""

import threading
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.amber.keys import to_json
from mediaml_assets.amber.profile import cost, profile

VECTOR = pa.list_(pa.float32(), 2)


def test_ranges_of_numbers_and_lengths_of_vectors() -> None:
    rows = pa.table(
        {
            "index": pa.array([3, 1, 2], pa.int32()),
            "score": pa.array([0.5, None, -1.25], pa.float32()),
            "vector": pa.array([[3, 4], [0, 0], [1, 0]], VECTOR),
            "name": ["a", None, "c"],
        }
    )
    assert profile(rows) == {
        "rows": 3,
        "nulls": 2,
        "index.min": 1,
        "index.max": 3,
        "score.nulls": 1,
        "score.min": -1.25,
        "score.max": 0.5,
        "vector.norm_min": 0,
        "vector.norm_mean": 2,
        "vector.norm_max": 5,
        "name.nulls": 1,
    }


def test_what_is_not_finite_is_counted_and_no_end_of_a_range() -> None:
    rows = pa.table({"a": [1.0, float("nan"), float("inf"), -2.0], "b": [float("nan")] * 4})
    found = profile(rows)
    assert (found["nans"], found["infinities"], found["a.nans"], found["a.infinities"], found["b.nans"]) == (
        5,
        1,
        1,
        1,
        4,
    )
    assert (found["a.min"], found["a.max"]) == (-2, 1) and "b.min" not in found
    vectors = pa.table({"v": pa.array([[1, 2], [float("nan"), 0]], VECTOR)})
    assert profile(vectors) == {"rows": 2, "nans": 1, "v.nans": 1}
    assert to_json(found)


def test_infinities_that_cancel_out_are_seen() -> None:
    assert profile(pa.table({"a": [float("inf"), float("-inf")]}))["infinities"] == 2


def test_a_single_row_and_many_columns_have_totals_only() -> None:
    assert profile(pa.table({"a": [1.0], "v": pa.array([[1, 2]], VECTOR)})) == {"rows": 1}
    wide = pa.table({f"c{n}": [float(n), float("nan")] for n in range(9)})
    assert profile(wide) == {"rows": 2, "nans": 9}
    assert profile(pa.table({"a": pa.array([], pa.float32()), "v": pa.array([], VECTOR)})) == {"rows": 0}


def test_lengths_beyond_all_floats_and_vectors_with_holes_have_no_range() -> None:
    huge = pa.table({"v": pa.array([[1e200, 1e200], [0, 0]], pa.list_(pa.float64(), 2)), "n": [1e308, 1e308]})
    assert profile(huge) == {"rows": 2, "n.min": 1e308, "n.max": 1e308} and to_json(profile(huge))
    holes = pa.table({"v": pa.array([[1, None], [float("nan"), 2]], VECTOR)})
    assert profile(holes) == {"rows": 2, "nans": 1, "v.nans": 1}


def test_large_numbers_are_exact_where_they_count_something() -> None:
    assert profile(pa.table({"pts": [0, 123_456_789_012]}))["pts.max"] == 123_456_789_012


finite = st.floats(-1e6, 1e6, width=32)
vectors = st.lists(st.none() | st.lists(finite, max_size=4), min_size=2, max_size=8)


@given(vectors, st.integers(0, 3))
def test_lengths_of_vectors_are_those_by_hand(drawn: list[list[float] | None], start: int) -> None:
    array = pa.chunked_array([pa.array(drawn, pa.list_(pa.float32())), pa.array([[1.0]], pa.list_(pa.float32()))])
    sliced = array.slice(min(start, len(drawn) - 1))
    by_hand = [float(np.linalg.norm(np.array(one, np.float64))) for one in sliced.to_pylist() if one is not None]
    found = profile(pa.table({"v": sliced}))
    assert found["v.norm_max"] == pytest.approx(max(by_hand), rel=1e-5, abs=1e-12)
    assert found["v.norm_mean"] == pytest.approx(np.mean(by_hand), rel=1e-5, abs=1e-12)
    assert found.get("nulls", 0) == sliced.null_count


def test_a_usual_profile_is_small() -> None:
    vectors = np.random.default_rng(1).standard_normal((50, 8), dtype=np.float32)
    rows = pa.table({"index": np.arange(50), "start": np.arange(50), "v": list(vectors), "w": list(vectors)})
    assert len(to_json(profile(rows))) < 300


def test_a_wide_table_costs_little() -> None:
    draw = np.random.default_rng(1).standard_normal((2000, 128), dtype=np.float32)
    rows = pa.table({f"c{n}": draw[:, n].copy() for n in range(128)})
    best = min(_seconds(rows) for _ in range(20))
    # 0.7 ms on a quiet machine
    assert best < 0.003


def _seconds(rows: pa.Table) -> float:
    started = time.thread_time()
    profile(rows)
    return time.thread_time() - started


def test_memory_is_the_peak_of_this_computation_and_not_of_an_earlier_one() -> None:
    np.ones(8_000_000).sum()
    large: dict[str, float] = {}
    small: dict[str, float] = {}
    with cost(large):
        np.ones(4_000_000).sum()
    with cost(small):
        np.ones(1000).sum()
    assert 30e6 < large["memory_bytes"] < 40e6
    assert small["memory_bytes"] < 2e6


def test_cpu_seconds_are_those_of_all_threads() -> None:
    def work() -> None:
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            pass

    spent: dict[str, float] = {}
    with cost(spent):
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert spent["cpu_seconds"] >= 0.2
    with cost(spent):
        time.sleep(0.05)
    assert spent["seconds"] >= 0.05 > spent["cpu_seconds"]


def test_where_the_kernel_does_not_tell_there_is_no_figure(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr("mediaml_assets.amber.profile._PROCESS", tmp_path)
    spent: dict[str, float] = {}
    with cost(spent):
        pass
    assert spent.keys() == {"seconds", "cpu_seconds"}
