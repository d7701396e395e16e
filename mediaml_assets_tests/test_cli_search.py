"""`mediaml search`, `export` and `serve`, over the annotations of an installation."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from mediaml_assets.annotated import installed_marken
from mediaml_assets.cli import main
from mediaml_assets.marken.faces.client import MarkenClient
from mediaml_assets.marken.marken import Marken

from .marken.faces import attacks, served

LABELS = ["a red car", "James at the window", "drinking\nwine \x1b[2J[red]markup[/red]", "an empty hall"]


def shot(number: int) -> dict[str, Any]:
    time = {"start_frame": 24 * number, "end_frame": 24 * number + 12, "rate": "24000/1001"}
    return {
        "id": f"shot-{number}",
        "row": number,
        "entity": {"kind": "shot", "id": f"harbour-film/{number}"},
        "time": time if number % 2 else {"start": number * 61.25, "end": number * 61.25 + 1},
        "label": LABELS[number % 4],
        "confidence": number / 10,
    }


@pytest.fixture
def marken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Marken:
    home = tmp_path / "a" / "b" / "home"
    home.mkdir(parents=True)
    monkeypatch.setenv("MEDIAML_HOME", str(home))
    monkeypatch.setenv("DAGSTER_HOME", str(home / "dagster"))
    monkeypatch.chdir(home)
    for name in ("MEDIAML_LANDING", "MEDIAML_BUCKET", "MEDIAML_MARKEN", "MEDIAML_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    found = installed_marken()
    for title in ("harbour-film", "night-film"):
        with found.operation("SHOT", title, by="shot-detector") as load:
            load.upsert([shot(number) | {"id": f"{title}-{number}"} for number in range(6)])
    return found


def run(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(main, words)


def test_hits_are_a_table_with_timecodes(marken: Marken) -> None:
    answer = run("search", "SHOT", "--title", "harbour-film", "--sort", "start:desc", "--limit", "2")
    assert answer.exit_code == 0, answer.output
    assert "00:04:05.000" in answer.output and "00:02:02.500" in answer.output and "00:00:01:00" not in answer.output
    assert "There is more" in answer.output
    framed = run("search", "SHOT", "--filter", "MATCH(label, 'james')", "--title", "harbour-film", "--sort", "start")
    assert "00:00:01:00" in framed.output and "00:00:05:12" in framed.output and "(0.10)" in framed.output


def test_no_annotation_speaks_to_the_terminal(marken: Marken) -> None:
    answer = run("search", "SHOT", "--filter", "label LIKE 'drinking%'")
    assert "[red]markup[/red]" in answer.output and "\x1b" not in answer.output and "drinking wine" in answer.output


def test_groups_and_json_and_how_it_was_found(marken: Marken) -> None:
    grouped = run("search", "SHOT", "--group", "title", "--each", "2", "--sort", "confidence:desc", "--json")
    hits = json.loads(grouped.output)["hits"]
    assert [(one["group"], [inner["id"] for inner in one["inner_hits"]]) for one in hits] == [
        (title, [f"{title}-5", f"{title}-4"]) for title in ("harbour-film", "night-film")
    ]
    told = run("search", "SHOT", "--group", "title", "--each", "2", "--sort", "confidence:desc", "--explain")
    assert len([line for line in told.output.splitlines() if "harbour-film-" in line and line.startswith("│")]) == 2
    assert 'types: ["SHOT@1"]' in told.output


def test_the_table_says_what_tells_hits_apart_and_no_more(marken: Marken) -> None:
    alone = run("search", "SHOT", "--title", "harbour-film", "--group", "title").output
    assert "type" not in alone and "group" not in alone and "row=" not in alone
    marken.append("EDITOR_DECISION", [served.decision("accepted") | {"note": "lovely"}], by="kim")
    both = run("search", "SHOT", "EDITOR_DECISION", "--group", "type").output
    assert "type" in both and "group" not in both and "EDITOR_DECISION" in both and "essence" not in both
    assert "verdict=accepted" in both and "note=lovely" in both and "kim" in both
    assert "group" in run("search", "SHOT", "--group", "confidence").output


def test_a_pair_has_a_line_for_each_title(marken: Marken) -> None:
    pair = served.decision("accepted") | {
        "time": {"start": 1.5, "end": 4.25},
        "other_time": {"start_frame": 240, "end_frame": 300, "rate": "24/1"},
    }
    marken.append("EDITOR_DECISION", [pair], by="kim")
    lines = run("search", "EDITOR_DECISION").output.splitlines()
    [tail] = [place for place, line in enumerate(lines) if "harbour-film" in line and "00:00:01.500" in line]
    assert "night-film" in lines[tail + 1] and "00:00:10:00" in lines[tail + 1] and "00:00:12:12" in lines[tail + 1]


def test_as_it_was(marken: Marken) -> None:
    before = json.loads(run("search", "SHOT", "--json").output)["moment"]
    with marken.operation("SHOT", "harbour-film", by="again") as load:
        load.upsert([shot(0)])
    assert len(json.loads(run("search", "SHOT", "--json").output)["hits"]) == 7
    assert len(json.loads(run("search", "SHOT", "--json", "--as-of", before).output)["hits"]) == 12


def test_the_most_like_a_shot(marken: Marken) -> None:
    (kind,) = marken.types.searched("SHOT_EMBEDDING")
    width = kind.properties["vector"].dimensions
    with marken.operation("SHOT_EMBEDDING", "harbour-film", by="embedder") as load:
        rows = [[1.0 if place <= number else 0.0 for place in range(width)] for number in range(4)]
        entities = [{"kind": "shot", "id": f"harbour-film/{number}"} for number in range(4)]
        load.upsert([{"row": n, "entity": entities[n], "vector": rows[n]} for n in range(4)])
    answer = run("search", "SHOT_EMBEDDING", "--near-shot", "harbour-film/3", "--json")
    hits = json.loads(answer.output)["hits"]
    assert [one["entity"]["id"][-1] for one in hits] == ["3", "2", "1", "0"]
    assert "1.000" in run("search", "SHOT_EMBEDDING", "--near-shot", "harbour-film/3").output
    assert (
        "SHOT cannot be compared: vectors are in SHOT_EMBEDDING"
        in run("search", "SHOT", "--near-shot", "harbour-film/3").output
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--filter", "label = 'x' AND\nlable = 'y'"], ["filter:2:1", "lable", "\n", "^"]),
        (["--filter", "label = "], ["filter:1:", "^"]),
        (["--sort", "colour"], ["colour"]),
        (["--sort", "start:up"], ["write start:asc or start:desc"]),
        (["--group", "colour"], ["collapse.field"]),
        (["--as-of", "yesterday"], ["as_of"]),
        (["--near-image", "/no/such/file"], ["does not exist"]),
        (["--limit", "0"], ["0 is not in the range"]),
    ],
)
def test_a_mistake_is_told_with_its_place(words: list[str], says: list[str], marken: Marken) -> None:
    answer = run("search", "SHOT", *words)
    assert answer.exit_code != 0 and isinstance(answer.exception, SystemExit)
    assert [one for one in says if one not in answer.output] == [], answer.output


def test_the_caret_stands_under_the_place(marken: Marken) -> None:
    lines = run("search", "SHOT", "--filter", "start > 1 AND lable = 'x'").output.splitlines()
    (number,) = (number for number, line in enumerate(lines) if line.strip("| ") == "^")
    assert lines[number - 1].index("lable") == lines[number].index("^")


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet", "out.vtt", "out.jsonld"])
def test_an_export_is_a_whole_file(name: str, marken: Marken, tmp_path: Path) -> None:
    out = tmp_path / name
    answer = run("export", "SHOT", "--title", "harbour-film", "--out", str(out))
    assert answer.exit_code == 0 and "6 annotations" in answer.output, answer.output
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == [name]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--out", "out.csv"], "ends in none of .jsonl, .parquet, .vtt, .jsonld"),
        (["--out", "no/such/folder/out.vtt"], "there is no folder no/such/folder"),
        (["--out", "out.vtt"], "WebVTT is on the clock of one title"),
        (["--out", "out.jsonl", "--filter", "lable = 1"], "filter:1:1"),
    ],
)
def test_an_export_that_cannot_be_leaves_no_file(words: list[str], says: str, marken: Marken) -> None:
    answer = run("export", "SHOT", *words)
    assert answer.exit_code != 0 and says in answer.output
    assert [one for one in Path().iterdir() if one.is_file()] == []


def test_no_option_takes_an_attack(marken: Marken, tmp_path: Path) -> None:
    before = marken.engine.snapshot().moment
    for name in ("search", "export"):
        fixed = ["SHOT", *(["--out", "kept.jsonl"] if name == "export" else [])]
        options = [
            one.opts[0] for one in main.commands[name].params if isinstance(one, click.Option) and not one.is_flag
        ]
        for number, option in enumerate(options):
            for text in attacks.TEXTS[number % 6 :: 6]:
                answer = run(name, *fixed, option, text)
                assert answer.exception is None or isinstance(answer.exception, SystemExit), (
                    option,
                    text,
                    answer.exception,
                )
        for text in attacks.TEXTS[::3]:
            answer = run(name, *fixed[1:], "--", text)
            assert answer.exit_code != 0 and isinstance(answer.exception, SystemExit), (text, answer.output)
    assert marken.engine.snapshot().moment == before
    assert [one for one in tmp_path.rglob("*") if attacks.MARK in one.name] == []
    assert list(Path("/tmp").glob(f"*{attacks.MARK}*")) == []


def test_the_service_needs_a_token_for_others(marken: Marken, monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("0.0.0.0", "::", "10.0.0.1", "films.example"):
        answer = run("serve", "--host", host)
        assert answer.exit_code == 1 and "set MEDIAML_TOKEN" in answer.output
    monkeypatch.setenv("MEDIAML_TOKEN", "short")
    answer = run("serve")
    assert answer.exit_code == 1 and "at least 16 printable" in answer.output


def test_the_service_serves_the_installation(marken: Marken, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    token = "the-token-of-these-tests"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "MEDIAML_TOKEN": token, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", "from mediaml_assets.cli import main; main()", "serve", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        served = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        with MarkenClient(f"http://127.0.0.1:{port}", token) as client:
            _wait(served, tmp_path / "log")
            assert len(list(client.hits({"types": ["SHOT"], "limit": 5}))) == 12
            assert httpx.get(f"http://127.0.0.1:{port}/v1/types").status_code == 401
    finally:
        served.send_signal(signal.SIGINT)
        served.wait(20)
    assert b"Traceback" not in (tmp_path / "log").read_bytes()


def _wait(served: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while b"running on" not in log.read_bytes():
        assert served.poll() is None and time.monotonic() < until, log.read_text()
        time.sleep(0.05)
