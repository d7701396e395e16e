"""What runs, and what does not, after each kind of event; counted at the features' own functions."""

import os
import time

from mediaml_assets.amber.evaluation import commit, evaluate
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.amber.toy import calls, diamond_mesh, failing_mesh, toy_mesh


def deliver(platform: Platform, name: str, text: str) -> None:
    path = platform.landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    # two deliveries within one clock tick of the file system would look like one
    stamp = time.time_ns()
    os.utime(path, ns=(stamp, stamp))


def totals(platform: Platform) -> dict[str, int]:
    rows = platform.store.view("total", "_catalogue").table().to_pylist()
    return {row["title"]: row["n"] for row in rows}


def since(before: list[str]) -> list[str]:
    return calls()[len(before) :]


def test_a_new_title_runs_its_whole_chain_in_one_run(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.land()
    first = platform.requested()
    assert first == [("counts", "one"), ("letters", "one")]
    platform.run(first)
    platform.settle()
    assert totals(platform) == {"one": 4}
    assert calls().count("letters/one") == 1
    assert calls().count("counts/one") == 1


def test_a_second_title_runs_only_its_own_chain(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    before = calls()
    deliver(platform, "two.mp4", "xyz")
    platform.settle()
    assert sorted(set(since(before))) == ["counts/two", "letters/two", "total/one,two"]
    assert totals(platform) == {"one": 4, "two": 3}


def test_what_lay_there_before_the_sensor_was_on_is_picked_up(platform: Platform) -> None:
    for name in ("one", "two", "three"):
        deliver(platform, f"{name}.mp4", name)
    platform.land()
    platform.settle()
    assert totals(platform) == {"one": 3, "three": 5, "two": 3}


def test_a_touched_or_reformatted_file_stops_at_its_essence(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    before = calls()
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    deliver(platform, "one.mp4", "a b b a")
    platform.settle()
    assert set(since(before)) == {"letters/one"}


def test_a_renamed_file_computes_nothing_below_its_essence(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    before = calls()
    (platform.landing / "one.mp4").rename(platform.landing / "uno.mp4")
    platform.settle()
    assert {call for call in since(before) if not call.startswith("total")} == {"letters/uno"}
    assert totals(platform) == {"uno": 4}


def test_changed_content_runs_that_title_only(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    deliver(platform, "two.mp4", "xyz")
    platform.settle()
    before = calls()
    deliver(platform, "one.mp4", "abbac")
    platform.settle()
    assert sorted(set(since(before))) == ["counts/one", "letters/one", "total/one,two"]
    assert totals(platform)["one"] == 5


def test_content_that_lands_while_a_run_is_in_flight_is_not_lost(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.land()
    requests = platform.requested()
    deliver(platform, "one.mp4", "abbac")
    platform.land()
    platform.run(requests)
    platform.settle()
    assert totals(platform) == {"one": 5}


def test_a_slow_run_on_older_content_does_not_become_current(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.land()
    platform.materialize(["letters"], "one")
    slow = evaluate(platform.store, platform.mesh.ask(platform.store, "counts", ["one"]))
    deliver(platform, "one.mp4", "abbac")
    platform.land()
    platform.materialize(["letters", "counts"], "one")
    current = platform.store.view("counts", "one").value
    row = commit(platform.store, slow)
    assert row.value != row.current == current
    assert platform.store.view("counts", "one").value == current


def test_a_bad_file_is_refused_with_its_reason_and_stops_nobody(platform: Platform) -> None:
    deliver(platform, "bad.mp4", "a!")
    deliver(platform, "good.mp4", "abba")
    platform.settle()
    head = platform.store.ledger.head("letters", "bad")
    assert head is not None and head.event == "refused" and "holds a '!'" in head.reason
    assert totals(platform) == {"good": 4}
    assert calls().count("letters/bad") == 1


def test_a_refused_title_delivered_again_runs(platform: Platform) -> None:
    deliver(platform, "bad.mp4", "a!")
    platform.settle()
    deliver(platform, "bad.mp4", "a")
    platform.settle()
    assert totals(platform) == {"bad": 1}


def test_a_crashed_title_delivered_again_runs(platform: Platform) -> None:
    deliver(platform, "one.mp4", "crash")
    platform.settle()
    assert platform.store.ledger.head("letters", "one") is None
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    assert totals(platform) == {"one": 4}


def test_a_failed_blocking_check_holds_its_title_back(platform: Platform) -> None:
    deliver(platform, "one.mp4", "aqa")
    deliver(platform, "two.mp4", "xyz")
    platform.settle()
    assert totals(platform) == {"two": 3}
    head = platform.store.ledger.head("counts", "one")
    assert head is not None and head.current is None and head.reason == "q is not allowed"


def test_changed_code_with_the_same_output_stops_there(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    before = calls()
    platform.load(toy_mesh(version="2"))
    platform.settle()
    assert since(before) == ["counts/one"]


def test_changed_code_that_changes_only_columns_nobody_reads_stops_there(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    before = calls()
    platform.load(toy_mesh(version="2", remark="with confidences"))
    platform.settle()
    assert since(before) == ["counts/one"]
    assert platform.store.view("counts", "one").table(["remark"]).column(0)[0].as_py() == "with confidences"


def test_code_a_then_b_then_a_computes_nothing_the_third_time(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    first = platform.store.view("total", "_catalogue").value
    platform.load(toy_mesh(version="2", factor=10))
    platform.settle()
    assert totals(platform) == {"one": 40}
    before = calls()
    platform.load(toy_mesh(version="1"))
    platform.settle()
    assert since(before) == []
    assert platform.store.view("total", "_catalogue").value.digest == first.digest


def test_content_a_then_b_then_a_computes_only_the_essence(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    deliver(platform, "one.mp4", "xyz")
    platform.settle()
    before = calls()
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    assert since(before) == ["letters/one"]
    assert totals(platform) == {"one": 4}


def test_a_withdrawn_title_leaves_every_answer_and_keeps_its_partition(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    deliver(platform, "two.mp4", "xyz")
    platform.settle()
    before = calls()
    (platform.landing / "one.mp4").unlink()
    platform.settle()
    assert totals(platform) == {"two": 3}
    assert since(before) == ["total/two"]
    assert "one" in platform.titles()
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    assert totals(platform) == {"one": 4, "two": 3}


def test_at_rest_nothing_is_stale_and_nothing_is_written(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    heads = [platform.store.ledger.head(name, "one") for name in ("letters", "counts")]
    before = calls()
    platform.materialize(["letters", "counts"], "one")
    platform.materialize(["total"], None)
    assert since(before) == []
    assert [platform.store.ledger.head(name, "one") for name in ("letters", "counts")] == heads
    assert list(platform.mesh.stale(platform.store, ["one"])) == []
    assert platform.mesh.stale_over_catalogue(platform.store, ["one"]) == []


def test_an_ad_hoc_configuration_never_moves_the_current_answer(platform: Platform) -> None:
    deliver(platform, "one.mp4", "abba")
    deliver(platform, "two.mp4", "xyz")
    platform.settle()
    current = platform.store.view("total", "_catalogue").value
    before = calls()
    assert platform.materialize(["total"], None, {"factor": 3, "titles": ["two"]})
    assert platform.materialize(["total"], None, {"factor": 3, "titles": ["two"]})
    assert since(before) == ["total/two"]
    assert platform.store.view("total", "_catalogue").value == current
    assert platform.requested() == []
    scopes = platform.store.ledger.scopes("total")
    assert len(scopes) == 2
    answer = platform.store.view("total", next(scope for scope in scopes if "@" in scope))
    assert answer.table().to_pylist() == [{"title": "two", "n": 9}]


def test_a_title_whose_arms_meet_again_is_computed_once_and_never_mixed(platform: Platform) -> None:
    platform.load(diamond_mesh())
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    before = calls()
    deliver(platform, "one.mp4", "abbacd")
    platform.settle()
    assert sorted(since(before)) == ["counts/one", "letters/one", "shares/one", "worst/one"]


def test_a_title_in_the_middle_of_a_change_is_left_out_of_the_catalogue(platform: Platform) -> None:
    platform.load(diamond_mesh())
    deliver(platform, "one.mp4", "abba")
    deliver(platform, "two.mp4", "xyz")
    platform.settle()
    deliver(platform, "one.mp4", "abbacd")
    platform.land()
    platform.materialize(["letters", "counts"], "one")
    platform.materialize(["worst"], None)
    assert calls()[-1] == "worst/two"
    platform.settle()
    # `shares` got the same rows from the new content, an event that Dagster does not see: the keys do
    assert platform.mesh.stale_over_catalogue(platform.store, ["one", "two"]) == ["worst"]
    platform.materialize(["worst"], None)
    assert {row["title"] for row in platform.store.view("worst", "_catalogue").table().to_pylist()} == {"one", "two"}


def test_a_catalogue_feature_that_fails_is_left_alone_until_something_changes(platform: Platform) -> None:
    platform.load(failing_mesh())
    deliver(platform, "one.mp4", "abba")
    platform.settle()
    assert calls().count("total/one") == 1
    deliver(platform, "two.mp4", "xyz")
    platform.settle()
    assert calls().count("total/one,two") == 1
