"""The page of figures: what was met, what was missed, and where others are better."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from benchmarks.harness import Benchmark, Target, measure
from benchmarks.page import main, page_of

TARGETS: dict[str, Target] = {"lost": ("==", 0), "share": (">=", 0.8), "read_over_bare": ("<=", 2), "absent": ("<=", 1)}


def test_the_page_is_made_of_what_the_harness_writes(tmp_path: Path) -> None:
    ours = {"lost": 0, "share": 0.7, "read_over_bare": 1.5, "cold_read_over_bare": 1}
    figures = {**ours, "dagster_share": 0.9, "datachain_lost": 0, "lancedb_lost": float("nan")}
    measure(Benchmark("stores", lambda seed: figures, TARGETS), 7, Console(file=StringIO()), tmp_path)
    main(tmp_path, tmp_path / "page.md")
    lines = (tmp_path / "page.md").read_text().splitlines()
    assert "## stores" in lines
    assert "| `lost` | == 0 | 0 | yes | datachain 0, lancedb not measured |" in lines
    assert "| `share` | >= 0.8 | 0.7 | **no** | **dagster 0.9** |" in lines
    assert "| `read_over_bare` | <= 2 | 1.5 | yes |  |" in lines
    assert "| `absent` | <= 1 | not measured | **no** |  |" in lines


def test_a_lower_figure_of_a_peer_wins_where_low_is_good_and_load_is_told() -> None:
    report = {
        "name": "commits",
        "seed": 3,
        "load": [0.9, 7.5, 2],
        "targets": {"bytes_over_live": "<= 1.1"},
        "missed": [],
        "figures": {"bytes_over_live": 1.05, "deltalake_bytes_over_live": 1.01, "lancedb_bytes_over_live": 1.2},
    }
    page = page_of([report])
    assert "Seed 3, 2 CPUs, quiet: load 0.9 before and 7.5 after." in page
    assert "| **deltalake 1.01**, lancedb 1.2 |" in page
    assert "loaded" in page_of([{**report, "load": [1.1, 0, 2]}])
