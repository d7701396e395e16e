"""The harness publishes figures, and what missed its target."""

import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.table import Table

from benchmarks import __main__ as command
from benchmarks import harness
from benchmarks.harness import Benchmark, Measured, Target, measure, missed_targets

TARGETS: dict[str, Target] = {"share": (">=", 0.8), "memory_mb": ("<", 500), "identical": ("==", 1)}


def printed(run: dict[str, float], out: Path, targets: dict[str, Target] = TARGETS) -> str:
    text = StringIO()
    measure(Benchmark("speed", lambda seed: {"seed_seen": seed, **run}, targets), 7, Console(file=text, width=100), out)
    return text.getvalue()


def test_writes_figures_targets_and_what_was_missed(tmp_path: Path) -> None:
    text = printed({"share": 0.93, "memory_mb": 512.25, "identical": 1}, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "speed.json").read_text())
    before, after, cpus = report.pop("load")
    assert before >= 0 and after >= 0 and cpus >= 1
    assert report == {
        "name": "speed",
        "seed": 7,
        "figures": {"seed_seen": 7, "share": 0.93, "memory_mb": 512.25, "identical": 1},
        "targets": {"share": ">= 0.8", "memory_mb": "< 500", "identical": "== 1"},
        "missed": ["memory_mb"],
    }
    assert "missed: memory_mb" in text and "seed 7" in text


def test_nothing_missed_says_nothing(tmp_path: Path) -> None:
    assert "missed" not in printed({"share": 0.8, "memory_mb": 499.9, "identical": 1}, tmp_path)


@pytest.mark.parametrize(
    ("op", "met", "not_met"), [("<", 1, 2), ("<=", 2, 3), ("==", 2, 2.5), (">=", 2, 1), (">", 3, 2)]
)
def test_every_comparison(op: str, met: float, not_met: float) -> None:
    targets: dict[str, Target] = {"x": (op, 2)}  # type: ignore[dict-item]
    assert missed_targets({"x": met}, targets) == []
    assert missed_targets({"x": not_met}, targets) == ["x"]


def test_a_figure_that_is_absent_or_not_a_number_is_missed(tmp_path: Path) -> None:
    text = printed({"share": float("nan"), "identical": 1}, tmp_path)
    report = json.loads((tmp_path / "speed.json").read_text())
    assert report["missed"] == ["share", "memory_mb"]
    assert report["figures"]["share"] is None and "not measured" in text


def test_a_benchmark_may_show_what_its_figures_are_made_of(tmp_path: Path) -> None:
    table = Table("event", "calls")
    table.add_row("touch", "0")
    measured = Measured({"share": 0.9, "peer_share": float("nan")}, [table], {"peer": "no network"})
    text = StringIO()
    measure(Benchmark("matrix", lambda seed: measured, {}), 0, Console(file=text, width=100), tmp_path)
    report = json.loads((tmp_path / "matrix.json").read_text())
    assert report["details"] == {"peer": "no network"} and report["figures"]["peer_share"] is None
    assert "touch" in text.getvalue() and "not measured" in text.getvalue()


def test_the_command_lists_benchmarks_and_exits_0_when_a_target_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = CliRunner()
    assert "all_pairs" in runner.invoke(command.main, ["--help"]).output
    assert runner.invoke(command.main, ["no_such"]).exit_code == 2

    from benchmarks import all_pairs

    monkeypatch.setattr(all_pairs, "run", lambda seed: {"gemm_share": 0.1, "seed_seen": seed})
    monkeypatch.setattr(harness.measure, "__defaults__", (tmp_path,))
    result = runner.invoke(command.main, ["all_pairs", "--seed", "3"])
    assert result.exit_code == 0 and "missed: gemm_share" in result.output
    assert json.loads((tmp_path / "all_pairs.json").read_text())["figures"]["seed_seen"] == 3
