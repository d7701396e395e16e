"""What is asked for is computed with all that it is made from, once, whoever else asks for it."""

import json
import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.commits import append
from mediaml_assets.amber.demand import Demand
from mediaml_assets.amber.evaluation import Outcome, commit, evaluate
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import BadInput, FeatureError, InputMoved, NotComputed, NotStored
from mediaml_assets.runs import refused
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import together
from mediaml_assets_tests.amber.toy import calls, shows_mesh, toy_mesh


@pytest.fixture
def demand(here: Installation) -> Demand:
    return Demand(here.store, here.mesh)


def now() -> datetime:
    return datetime.now(UTC)


def test_a_value_is_computed_with_what_it_is_made_from_and_then_recalled(here: Installation, demand: Demand) -> None:
    here.deliver(one="abba", two="xyz")
    view = demand.value("counts", "one")
    assert view.table(["letter", "n"]).to_pylist() == [{"letter": "a", "n": 2}, {"letter": "b", "n": 2}]
    assert calls() == ["letters/one", "counts/one"]
    assert demand.value("counts", "one").value == view.value
    assert calls() == ["letters/one", "counts/one"]
    # it is the current value, as if it had been computed by itself
    assert here.stale() == [("letters", "two")]
    assert view.commit == here.store.ledger.head("counts", "one")


def test_only_what_is_stale_is_computed(here: Installation, demand: Demand) -> None:
    here.deliver(one="abba")
    demand.value("counts", "one")
    here.deliver(one="a b b a")
    demand.value("counts", "one")
    assert calls() == ["letters/one", "counts/one", "letters/one"]


def test_a_value_over_the_catalogue_computes_every_title(here: Installation, demand: Demand) -> None:
    here.deliver(one="abba", two="xyz")
    assert demand.value("total").table().to_pylist() == [{"title": "one", "n": 4}, {"title": "two", "n": 3}]
    assert Counter(calls()) == Counter(["letters/one", "letters/two", "counts/one", "counts/two", "total/one,two"])
    assert here.stale() == [] and here.ends() == []


def test_a_title_that_cannot_be_used_is_left_out_of_the_catalogue_and_named(
    here: Installation, demand: Demand, caplog: pytest.LogCaptureFixture
) -> None:
    here.deliver(bad="a!", crashed="crash", held="q", one="abba")
    with caplog.at_level(logging.WARNING, "mediaml"):
        assert demand.value("total").table().to_pylist() == [{"title": "one", "n": 4}]
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "counts of bad: left out: bad.mp4 holds a '!'" in said
    assert "counts of crashed: left out: RuntimeError: an ordinary error of an algorithm" in said


def test_a_show_computes_its_own_titles_only(here: Installation) -> None:
    here.mesh = shows_mesh()
    demand = Demand(here.store, here.mesh)
    for path, text in (("harbour/s01/e01", "abba"), ("harbour/s01/e02", "xyz"), ("river/s01/e01", "rr")):
        (here.landing / path).parent.mkdir(parents=True, exist_ok=True)
        (here.landing / f"{path}.mp4").write_text(text)
    here.land()
    assert demand.value("average", "harbour").row() == {"n": 7}
    assert not [call for call in calls() if "river" in call]
    assert {show: view.row()["n"] for show, view in demand.values("average").items()} == {"harbour": 7, "river": 2}
    assert [row["n"] for row in demand.value("seasons").table().to_pylist()] == [7, 2, 9]
    with pytest.raises(NotStored, match=r"no show 'harbor' has landed; did you mean harbour\?"):
        demand.value("season", "harbor")


def test_a_refused_title_says_why_and_is_not_tried_again(here: Installation, demand: Demand) -> None:
    here.deliver(bad="a!")
    for _ in range(2):
        with pytest.raises(BadInput, match=r"bad\.mp4 holds a '!'; remove it"):
            demand.value("counts", "bad")
    assert calls() == ["letters/bad"]
    here.deliver(bad="a")
    assert demand.value("counts", "bad").row()["n"] == 1


def test_a_value_that_a_check_holds_back_is_not_given_nor_the_one_before_it(here: Installation, demand: Demand) -> None:
    here.deliver(one="abba")
    before = demand.value("counts", "one")
    here.deliver(one="q")
    for _ in range(2):
        with pytest.raises(NotStored, match=r"counts has no value for one as it is now: .* \(q is not allowed\)"):
            demand.value("counts", "one")
    # what stood before can be asked for
    assert demand.value("counts", "one", as_of=before.commit).value == before.value


def test_an_ordinary_error_goes_on_as_it_is(here: Installation, demand: Demand) -> None:
    here.deliver(one="crash")
    with pytest.raises(RuntimeError, match="an ordinary error"):
        demand.value("counts", "one")


def test_a_withdrawn_title_has_no_value_but_had_one(here: Installation, demand: Demand) -> None:
    here.deliver(one="abba", two="x")
    demand.value("counts", "one")
    moment = now()
    (here.landing / "one.mp4").unlink()
    here.land()
    with pytest.raises(NotStored, match="counts has no value for one: it was withdrawn; deliver it again, or ask with"):
        demand.value("counts", "one")
    assert demand.value("counts", "one", as_of=moment).value.rows == 2
    assert list(demand.values("counts")) == ["two"]


def test_what_does_not_exist_is_answered_with_near_names(here: Installation, demand: Demand) -> None:
    here.deliver(night_train="abba", salt_road="x")
    with pytest.raises(FeatureError, match=r"there is no feature 'count'; did you mean counts\?"):
        demand.value("count", "night_train")
    with pytest.raises(FeatureError, match=r"there is no feature 'zzz'; there are counts, letters, total"):
        demand.values("zzz")
    with pytest.raises(NotStored, match=r"no title 'night_trian' has landed; did you mean night_train\?"):
        demand.value("counts", "night_trian")
    with pytest.raises(NotStored, match=r"no title 'zzz' has landed; there are night_train, salt_road"):
        demand.values("counts", ["night_train", "zzz"])
    with pytest.raises(FeatureError, match="counts is a feature of one title: name it"):
        demand.value("counts")
    with pytest.raises(FeatureError, match="total is a feature of all titles: ask without naming one"):
        demand.value("total", "night_train")
    with pytest.raises(FeatureError, match="total is a feature of all titles: ask for its one value"):
        demand.values("total")
    assert calls() == []


def test_several_titles_and_what_cannot_be_had_of_them(here: Installation, demand: Demand) -> None:
    here.deliver(bad="a!", crashed="crash", held="q", one="abba", two="xyz")
    assert sorted(demand.values("counts", ["two", "one"])) == ["one", "two"]
    assert sorted(demand.values("counts", "one")) == ["one"]
    with pytest.raises(NotComputed) as caught:
        demand.values("counts", here.titles())
    assert sorted(caught.value.reasons) == ["bad", "crashed", "held"]
    assert "  held: counts has no value for held: it is held back by a check (q is not allowed)" in str(caught.value)
    assert "  crashed: RuntimeError: an ordinary error of an algorithm" in str(caught.value)
    assert sorted(demand.values("counts")) == ["one", "two"]
    assert Counter(calls())["letters/bad"] == 1


def test_an_ad_hoc_configuration_is_an_answer_of_its_own(here: Installation, demand: Demand) -> None:
    here.deliver(one="abba")
    current = demand.value("total")
    answer = demand.value("total", settings={"factor": 10})
    assert answer.table().to_pylist() == [{"title": "one", "n": 40}]
    assert demand.value("total").value == current.value
    here.deliver(two="xyz")
    # what it is made from is computed as well
    assert demand.value("total", settings={"factor": 10}).table().num_rows == 2
    with pytest.raises(FeatureError, match="total has no configuration named size"):
        demand.value("total", settings={"size": 10})
    with pytest.raises(FeatureError, match="factor of total is 'ten'; it must be like its default, 1"):
        demand.value("total", settings={"factor": "ten"})


def test_the_mesh_as_it_was(here: Installation, demand: Demand) -> None:
    here.deliver(one="abba", two="xyz")
    first = demand.value("total")
    moment = now()
    here.deliver(one="a", three="zzzz")
    demand.value("total")
    before = calls()
    assert demand.value("total", as_of=moment).value == first.value
    assert demand.value("counts", "one", as_of=moment).table(["n"]).to_pylist() == [{"n": 2}, {"n": 2}]
    assert calls() == before
    # another question about then is answered from what was current then, and is nobody's current value
    answer = demand.value("total", settings={"factor": 10}, as_of=moment)
    assert {row["title"]: row["n"] for row in answer.table().to_pylist()} == {"one": 40, "two": 30}
    now_ = demand.value("total", settings={"factor": 10})
    assert {row["title"]: row["n"] for row in now_.table().to_pylist()} == {"one": 10, "three": 40, "two": 30}
    assert now_.title != answer.title
    with pytest.raises(NotStored, match="counts has no value for three"):
        demand.value("counts", "three", as_of=moment)


@pytest.mark.parametrize("late", ["held back", "refused"])
def test_a_late_run_on_older_content_takes_no_good_value_away(
    here: Installation, demand: Demand, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    monkeypatch.setattr("mediaml_assets.runs.mesh", lambda: here.mesh)
    here.deliver(one="q")
    here.compute("letters", "one")
    ask = here.mesh.ask(here.store, "counts", ["one"])
    older = evaluate(here.store, ask)
    older.abandon()
    here.deliver(one="zebra")
    good = demand.value("counts", "one")
    if late == "held back":
        commit(here.store, older)
    else:
        append(here.store, ask, "refused", None, reason="not a film")
    head = here.store.ledger.head("counts", "one")
    assert head is not None and head.reason and head.value != head.current == good.value
    assert demand.current("counts", "one").value == demand.value("counts", "one").value == good.value
    assert refused(here.store) == {}
    here.deliver(one="quiz")
    with pytest.raises(NotStored, match=r"it is held back by a check \(q is not allowed\)"):
        demand.value("counts", "one")
    assert refused(here.store) == {"one": "q is not allowed"}


def test_what_is_missing_is_told_without_computing(here: Installation, demand: Demand) -> None:
    here.deliver(one="abba")
    names = ["letters", "counts"]
    assert demand.missing(names, "one") == names
    demand.value("letters", "one")
    assert demand.missing(names, "one") == ["counts"]
    demand.value("counts", "one")
    assert demand.missing(names, "one") == [] and calls() == ["letters/one", "counts/one"]


def test_a_title_that_changes_meanwhile_is_begun_again_and_not_for_ever(
    here: Installation, demand: Demand, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.deliver(one="abba")
    moved = [InputMoved("one.mp4 changed while it was read")] * 2

    def moving(store: Store, ask: Ask, look_again: Callable[[], None]) -> Outcome:
        if moved:
            raise moved.pop()
        return evaluate(store, ask, look_again)

    monkeypatch.setattr("mediaml_assets.amber.siblings.evaluate", moving)
    assert demand.value("counts", "one").value.rows == 2
    moved += [InputMoved("one.mp4 changed while it was read")] * 3
    here.deliver(one="xyz")
    with pytest.raises(InputMoved):
        demand.value("counts", "one")


ASK = """
import os, pathlib
from mediaml_assets.amber.demand import Demand
from mediaml_assets_tests.amber import toy
from mediaml_assets.runs import refused
from mediaml_assets_tests.amber.installation import Installation
home = pathlib.Path(sys.argv[2])
os.environ.update(MEDIAML_HOME=str(home), TOY_CALLS=str(home / "calls"))
here = Installation(home)
demand = Demand(here.store, here.mesh)
"""
TOGETHER = """
import json, time
called = toy.called
# long enough that all of them ask while the first one computes
toy.called = lambda *what: (called(*what), time.sleep(0.2))
total = demand.value("total").value.digest
print(json.dumps([total, *(view.value.digest for view in demand.values("counts").values())]))
"""


def test_processes_that_ask_together_compute_each_value_once(here: Installation) -> None:
    here.deliver(one="abba", two="xyz", three="zz")
    printed = together(4, f"import sys\n{ASK}", TOGETHER, here.home)
    assert len({tuple(json.loads(line)) for line in printed}) == 1
    assert len(json.loads(printed[0])) == 4
    assert max(Counter(calls()).values()) == 1 and len(calls()) == 7
    assert [row.event for title in here.titles() for row in here.store.ledger.chain("counts", title)] == [
        "computed"
    ] * 3


def test_an_orchestrator_finds_what_was_computed_on_demand(here: Installation, demand: Demand) -> None:
    here.deliver(one="abba")
    demand.value("total")
    here.settle()
    assert calls() == ["letters/one", "counts/one", "total/one"]
    here.mesh = toy_mesh(version="2")
    assert here.stale() == [("counts", "one")]
