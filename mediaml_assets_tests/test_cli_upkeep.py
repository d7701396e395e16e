"""The commands that look after the store, as people type them."""

import os
import shutil
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mediaml_assets import runs
from mediaml_assets.cli import main
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import film_mesh


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Two titles, described by the toy mesh."""
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.delenv("MEDIAML_LANDING", raising=False)
    monkeypatch.setenv("TOY_CALLS", str(tmp_path / "calls"))
    here = Installation(tmp_path)
    here.mesh = film_mesh()
    here.deliver(one="abba", two="xyz")
    here.settle()
    return here


def run(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(main, words)


def test_verify_says_that_all_is_well(here: Installation) -> None:
    answer = run("verify")
    assert answer.exit_code == 0, answer.output
    assert "objects, 0.0 MB looked at" in answer.output and "DAMAGED" not in answer.output


def test_verify_names_what_is_damaged_and_fails(here: Installation) -> None:
    value = here.store.view("letters", "two").value
    name = f"values/letters/{value.digest[:2]}/{value.digest}.parquet"
    here.store.objects.remove(name)
    answer = run("verify")
    assert answer.exit_code == 1
    assert f"DAMAGED {name} (letters of two): this value was removed" in answer.output
    assert "damaged: 1. `mediaml repair` moves" in answer.output
    assert isinstance(answer.exception, SystemExit)
    assert run("verify", "counts").exit_code == 0
    assert run("verify", "counts", "letters").exit_code == 1


def test_repair_puts_a_value_back_and_verify_is_content(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def bring_up(watch: object) -> runs.Summary:
        here.known = {}
        here.land()
        here.settle()
        return runs.Summary()

    monkeypatch.setattr(runs, "bring_up_to_date", bring_up)
    monkeypatch.setattr("mediaml_assets.mesh.mesh", lambda: here.mesh)
    value = here.store.view("letters", "two").value
    name = f"values/letters/{value.digest[:2]}/{value.digest}.parquet"
    Path(here.store.objects.url(name)).write_bytes(b"no rows")
    answer = run("repair")
    assert answer.exit_code == 0, answer.output
    assert f"was damaged: {name} (letters of two): this value was changed" in answer.output
    assert "1 damaged, 2 moved away, 0 lost" in answer.output
    assert run("verify").exit_code == 0
    assert run("repair").output.strip().endswith("0 damaged, 0 moved away, 0 lost")


def test_repair_fails_while_damage_is_left(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "bring_up_to_date", lambda watch: runs.Summary(failed={"two": "no memory left"}))
    monkeypatch.setattr("mediaml_assets.mesh.mesh", lambda: here.mesh)
    value = here.store.view("letters", "two").value
    here.store.objects.remove(f"values/letters/{value.digest[:2]}/{value.digest}.parquet")
    answer = run("repair")
    assert answer.exit_code == 1
    assert "FAILED two: no memory left" in answer.output and "see to the failures above" in answer.output
    assert isinstance(answer.exception, SystemExit)


def test_a_sample_says_how_to_draw_it_again(here: Installation) -> None:
    assert "a sample drawn with --seed 7" in run("verify", "--sample", "2", "--seed", "7").output
    assert "a sample drawn with --seed " in run("verify", "--sample", "1").output


def test_an_unknown_feature_is_one_message(here: Installation) -> None:
    answer = run("verify", "leters")
    assert answer.exit_code == 2
    assert "nothing is stored of 'leters'; there are clip, counts, letters, source, total" in answer.output


def test_compact_folds_and_says_how_much(here: Installation) -> None:
    here.deliver(one="abbac")
    here.settle()
    chains = {one: here.store.ledger.chain("letters", one) for one in ("one", "two")}
    answer = run("compact", "letters")
    assert answer.exit_code == 0, answer.output
    assert answer.output.strip().endswith("1 features: 3 rows folded, 2 objects removed")
    assert {one: here.store.ledger.chain("letters", one) for one in ("one", "two")} == chains
    assert "5 features: " in run("compact").output
    assert run("compact").output.strip().endswith("5 features: 0 rows folded, 0 objects removed")
    verified = run("verify")
    assert verified.exit_code == 0 and "note:" not in verified.output, verified.output


def test_compact_leaves_a_broken_chain_alone_and_says_why(here: Installation) -> None:
    here.deliver(one="abbac")
    row = "ledger/source/one/000000/00000000.json"
    here.store.objects.remove(row)
    answer = run("compact")
    assert answer.exit_code == 0, answer.output
    assert f"left alone: source of one: {row} is missing; run `mediaml verify source`" in answer.output


def test_compact_builds_on_no_damaged_file_and_goes_on_with_the_others(here: Installation) -> None:
    run("compact", "letters")
    Path(here.store.objects.url("folds/letters/00000000.parquet")).write_bytes(b"no rows")
    answer = run("compact")
    assert answer.exit_code == 1
    assert "DAMAGED letters: folds/letters/00000000.parquet" in answer.output
    assert "4 features: " in answer.output and "1 features were left as they are" in answer.output


def test_a_compaction_that_came_second_says_so(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    from mediaml_assets.amber.ledger import compact

    monkeypatch.setattr(compact, "compact", lambda objects, feature, watch: compact.Compacted(feature, second=True))
    assert "letters: another compaction was first; nothing was done" in run("compact", "letters").output


def test_gc_lists_and_removes_only_when_told_to(here: Installation) -> None:
    assert run("gc").output.strip().endswith("nothing is left behind that is older than an hour")
    value = here.store.view("letters", "two").value
    for name in ("ledger/letters/two", "ledger/counts/two", "ledger/clip/two", f"memo/letters/{value.key}.json"):
        path = Path(here.store.objects.url(name))
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert run("gc").output.strip().endswith("nothing is left behind that is older than an hour")
    long_ago = time.time() - 2 * 3600
    name = Path(here.store.objects.url(f"values/letters/{value.digest[:2]}/{value.digest}.parquet"))
    os.utime(name, (long_ago, long_ago))
    listed = run("gc")
    assert listed.exit_code == 0, listed.output
    assert "values" in listed.output and "1 objects, 0.0 MB; `mediaml gc --delete` removes them" in listed.output
    assert name.exists()
    assert "1 objects, 0.0 MB removed" in run("gc", "--delete").output
    assert not name.exists()


def test_gc_says_where_nobody_knows_what_is_needed(here: Installation) -> None:
    memo = f"memo/letters/{here.store.view('letters', 'two').value.key}.json"
    Path(here.store.objects.url(memo)).write_bytes(b"{}")
    answer = run("gc", "--delete")
    assert f"left alone: values/letters: nobody knows what of it is needed: {memo}" in answer.output


def test_forget_lists_first_and_then_removes(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaml_assets.mesh.mesh", lambda: here.mesh)
    refused = run("forget", "two")
    assert refused.exit_code == 1 and "two is not withdrawn" in refused.output
    assert "no title 'tow' ever landed" in run("forget", "tow", "--yes").output
    (here.landing / "two.mp4").unlink()
    here.land()
    here.settle()
    listed = run("forget", "two")
    assert listed.exit_code == 0, listed.output
    assert listed.output.count("would go: ") == 8
    assert "8 objects; `mediaml forget two --yes` removes them, and nobody can undo that" in listed.output
    done = run("forget", "two", "--yes")
    assert done.output.count("removed: ") == 8
    assert "two is forgotten: 8 objects removed, 4 ledger rows written" in done.output
    verified = run("verify")
    assert verified.exit_code == 0 and "note: ledger/letters/two/000000/00000002.json (letters of two): forgotten" in (
        verified.output
    )
    assert "two is forgotten: 0 objects removed, 0 ledger rows written" in run("forget", "two", "--yes").output


def test_forget_says_what_stays_because_others_have_it(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaml_assets.mesh.mesh", lambda: here.mesh)
    value = here.store.view("letters", "two").value
    here.deliver(copy="xyz")
    here.settle()
    (here.landing / "two.mp4").unlink()
    here.land()
    here.settle()
    stays = f"stays: values/letters/{value.digest[:2]}/{value.digest}.parquet, which something else refers to, or may"
    assert stays in run("forget", "two", "--yes").output
    assert here.store.view("letters", "copy").table().num_rows == 3


def test_forget_fails_while_damage_hides_what_others_need(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaml_assets.mesh.mesh", lambda: here.mesh)
    value = here.store.view("letters", "two").value
    name = f"values/letters/{value.digest[:2]}/{value.digest}.parquet"
    (here.landing / "two.mp4").unlink()
    here.land()
    here.settle()
    row = here.home / "store/ledger/letters/one/000000/00000000.json"
    whole = row.read_bytes()
    row.write_bytes(b"{}")
    listed = run("forget", "two")
    assert (
        listed.exit_code == 0 and "left alone: values/letters: nobody knows what of it others need: " in listed.output
    )
    failed = run("forget", "two", "--yes")
    assert failed.exit_code == 1 and f"stays: {name}" in failed.output
    assert "two is not forgotten yet: 6 objects removed" in failed.output
    assert "run `mediaml repair`, then `mediaml forget two --yes` again" in failed.output
    assert (here.home / "store" / name).exists()
    row.write_bytes(whole)
    done = run("forget", "two", "--yes")
    assert done.exit_code == 0 and "two is forgotten: 2 objects removed" in done.output
    assert not (here.home / "store" / name).exists()
