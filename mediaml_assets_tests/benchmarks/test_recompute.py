"""The matrix on this project's own chain, event by event in real processes; and how outcomes become figures."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import pytest

from benchmarks import peers
from benchmarks.chains.events import EVENTS, Event, Run, Workspace
from benchmarks.recompute import SYSTEMS, Outcome, System, _stale, figures, observe

OURS = SYSTEMS[0]


def events(*names: str) -> list[Event]:
    return [event for event in EVENTS if event.name in names]


@pytest.mark.slow
def test_ours_is_ideal_after_a_rename_two_edits_and_a_deletion(tmp_path: Path) -> None:
    chosen = events("rename: another title", "code A, B, back to A", "new code, equal rows", "source deleted")
    outcome = observe(OURS, chosen, tmp_path, seed=3)
    assert outcome.unavailable == ""
    assert {name: (one["calls"], one["stale"]) for name, one in outcome.found.items()} == {
        "rename: another title": (0, 0),
        "code A, B, back to A": (0, 0),
        "new code, equal rows": (4, 0),
        "source deleted": (0, 0),
    }
    assert outcome.found["rename: another title"]["files_read"] == 1
    assert figures([outcome], chosen) == {"rows_not_ideal": 0, "stale_values": 0}


@pytest.mark.slow
def test_a_pinned_version_is_seen_to_serve_stale_values(tmp_path: Path) -> None:
    """The benchmark can fail: a feature whose version promises more than is true keeps what the older code made."""

    def pin(work: Workspace) -> None:
        work.replace("features.py", "@amber_feature(schema=CUTS)", '@amber_feature(schema=CUTS, version="1")')

    def edit(work: Workspace) -> None:
        work.edit("features.py", "count = changes(", "count = 1 + changes(")

    outcome = observe(OURS, [Event("edited under a version", 4, [pin, edit])], tmp_path, seed=3)
    found = outcome.found["edited under a version"]
    assert (found["calls"], found["stale"], found["is_ideal"]) == (0, 8, False)


def found(calls: int, ideal: int, stale: int = 0) -> dict[str, Any]:
    return {"calls": calls, "ideal": ideal, "stale": stale, "is_ideal": calls == ideal and not stale}


def test_a_peer_counts_by_its_better_way_of_each_event() -> None:
    chosen = [Event("a", 0, []), Event("b", 8, [], by_hand="cuts")]
    peer = System("peer", "peer", "alone", "peer")
    alone = Outcome(peer, {"a": found(3, 0), "b": found(0, 8, stale=8)})
    by_hand = Outcome(replace(peer, way="by hand"), {"b": found(8, 8)})
    assert figures([alone, by_hand], chosen) == {"peer_rows_not_ideal": 1, "peer_stale_values": 0}
    assert figures([alone], chosen) == {"peer_rows_not_ideal": 2, "peer_stale_values": 8}
    missing = figures([Outcome(peer, unavailable="no network")], chosen)
    assert isnan(missing["peer_rows_not_ideal"]) and isnan(missing["peer_stale_values"])


def test_missing_wrong_and_left_over_values_are_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = {
        "one": {"levels": [1, 2], "cuts": 1, "label": "1 cuts"},
        "two": {"levels": [], "cuts": 0, "label": "0 cuts"},
    }
    monkeypatch.setattr(Workspace, "truth", lambda work: truth)
    work = Workspace(tmp_path, 0)
    assert _stale(work, Run({}, truth)) == 0
    assert _stale(work, Run({}, {"one": {**truth["one"], "cuts": 2}, "two": truth["two"]})) == 1
    assert _stale(work, Run({}, {"one": truth["one"]})) == 3
    assert _stale(work, Run({}, {**truth, "gone": truth["one"]})) == 3


@pytest.mark.slow
def test_a_peer_that_cannot_be_installed_or_run_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "HERE", tmp_path)
    monkeypatch.setattr(peers, "ENVIRONMENTS", tmp_path / "environments")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "nothing.txt").write_text("mediaml-no-such-package==1\n")
    with pytest.raises(peers.Unavailable, match=r"nothing cannot be installed: .*mediaml-no-such-package"):
        peers.python("nothing")
    outcome = observe(System("nothing", "amber", peer="nothing"), [], tmp_path / "work", seed=0)
    assert "mediaml-no-such-package" in outcome.unavailable


def test_a_peer_that_is_asked_for_twice_at_once_is_installed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []

    def slowly(failure: str, command: Sequence[str | Path], seconds: float) -> str:
        ran.append(str(command[2]))
        time.sleep(0.05)
        Path(tmp_path, "peer").mkdir(exist_ok=True)
        return ""

    monkeypatch.setattr(peers, "HERE", tmp_path)
    monkeypatch.setattr(peers, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(peers, "_finish", slowly)
    (tmp_path / "peer.txt").write_text("some-package==1\n")
    with ThreadPoolExecutor(3) as pool:
        found = set(pool.map(peers.python, ["peer"] * 3))
    assert found == {tmp_path / "peer" / "bin" / "python"} and ran == ["venv", "pip"]


def test_the_answer_is_the_last_line_and_a_failure_its_last_words(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('a progress bar'); print('{\"n\": 1}')")
    python = Path(sys.executable)
    assert peers.answer([python, script], 20) == {"n": 1}
    script.write_text("raise SystemExit('no database here')")
    with pytest.raises(peers.Unavailable, match=r"script\.py failed: no database here"):
        peers.answer([python, script], 20)
    script.write_text("print('done')")
    with pytest.raises(peers.Unavailable, match="printed no answer"):
        peers.answer([python, script], 20)
    script.write_text("import time; time.sleep(9)")
    with pytest.raises(peers.Unavailable, match="timed out"):
        peers.answer([python, script], 0.2)
