"""Siblings computed at once: one reading, each with its claim and its fate; no processes that wait for each other."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.demand import Demand
from mediaml_assets.amber.evaluation import Outcome, commit
from mediaml_assets.amber.feature import AmberFeature, amber_feature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.siblings import evaluate_together, siblings
from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import kill, start, together, until_it_says
from mediaml_assets_tests.amber.toy import SHARES, Letters, Reading, Shares, called, calls, letters, siblings_mesh

TIMEOUT = 30


def feature(name: str, compute: Callable[[str], int], reads: Any = Reading) -> AmberFeature:
    """A sibling that reads the letters and gives a number."""

    def fn(letters: Reading) -> pa.Table:
        called(name, letters.title)
        return pa.table({"n": [compute(letters.read())]}, schema=SHARES)

    fn.__name__, fn.__annotations__["letters"] = name, reads
    return amber_feature(version="1", schema=SHARES)(fn)


def asks(here: Installation, *features: AmberFeature, title: str = "one") -> list[Ask]:
    """What is asked when these siblings are wanted, once the letters are there."""
    here.mesh = Mesh([letters, *features], sources=[SOURCE])
    here.compute("letters", title)
    return [here.mesh.ask(here.store, one.name, [title]) for one in features]


def stored(here: Installation, asked: Sequence[Ask]) -> dict[str, Any]:
    """Feature -> its number, or the error that it ended with."""
    found: dict[str, Any] = {}
    for ask, answer in evaluate_together(here.store, asked):
        if isinstance(answer, Outcome):
            row = commit(here.store, answer)
            found[ask.feature.name] = here.store.view(row.feature, row.scope).row()["n"]
        else:
            found[ask.feature.name] = answer
    return found


@pytest.fixture
def film(here: Installation) -> Installation:
    here.deliver(one="bead")
    return here


def test_who_is_a_sibling() -> None:
    plain = feature("plain", len, Letters)

    def both(letters: Reading, plain: Shares) -> pa.Table:
        return pa.table({"n": [plain.n]}, schema=SHARES)

    declared = [feature("a", len), plain, feature("b", len), amber_feature(version="1", schema=SHARES)(both)]
    assert [[one.name for one in group] for group in siblings(declared)] == [["a", "b"], ["plain"], ["both"]]


def test_siblings_run_at_the_same_time_from_one_reading(film: Installation) -> None:
    meet = threading.Barrier(2)

    def waits(text: str) -> int:
        meet.wait(TIMEOUT)
        return len(text)

    before = calls()
    asked = asks(film, feature("a", waits), feature("b", waits))
    assert stored(film, asked) == {"a": 4, "b": 4}
    assert sorted(calls()[len(before) :]) == ["a/one", "b/one", "letters/one", "reading/one"]
    # the CPU of one is not counted as that of the other
    assert all(film.store.ledger.head(name, "one").metrics["cpu_seconds"] < 1 for name in "ab")  # type: ignore[union-attr]


def test_an_error_is_that_of_one(film: Installation) -> None:
    def fails(text: str) -> int:
        raise ArithmeticError("a mistake")

    found = stored(film, asks(film, feature("a", fails), feature("b", len)))
    assert isinstance(found.pop("a"), ArithmeticError)
    assert found == {"b": 4}
    assert not any(film.store.is_claimed(ask.feature.name, ask.key) for ask in asks(film, feature("a", fails)))


def test_what_cannot_be_read_is_the_error_of_all(film: Installation) -> None:
    def fails(view: Any, readers: int) -> list[Reading]:
        raise ConnectionError("the bucket does not answer")

    asked = asks(film, feature("a", len), feature("b", len))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reading, "together", fails)
        assert list(map(type, stored(film, asked).values())) == [ConnectionError, ConnectionError]
    assert stored(film, asked) == {"a": 4, "b": 4}


def test_one_answer_is_stored_while_another_is_computed(film: Installation) -> None:
    go = threading.Event()

    def waits(text: str) -> int:
        assert go.wait(TIMEOUT)
        return len(text)

    answers = evaluate_together(film.store, asks(film, feature("a", waits), feature("b", len)))
    ask, outcome = next(answers)
    assert ask.feature.name == "b" and isinstance(outcome, Outcome)
    commit(film.store, outcome)
    go.set()
    assert [one.feature.name for one, _ in answers] == ["a"]


def test_who_does_not_go_on_leaves_no_claim_and_no_thread(film: Installation) -> None:
    closed = threading.Event()

    def ends_when_closed(letters: Reading) -> pa.Table:
        while not letters.closed:
            closed.wait(0.01)
        letters.read()
        raise AssertionError("a closed reader can be read")

    a = replace(feature("a", len), fn=ends_when_closed)
    asked = asks(film, a, feature("b", len), feature("c", len))
    threads = threading.active_count()
    answers = evaluate_together(film.store, asked)
    _, outcome = next(answers)
    assert isinstance(outcome, Outcome)
    outcome.abandon()
    answers.close()  # type: ignore[attr-defined]
    assert threading.active_count() == threads
    assert not any(film.store.is_claimed(ask.feature.name, ask.key) for ask in asked)


def test_an_interrupt_ends_the_functions_and_leaves_no_claim(film: Installation) -> None:
    meet = threading.Barrier(2)

    def goes_on(letters: Reading) -> pa.Table:
        if meet.wait(TIMEOUT) == 0:
            os.kill(os.getpid(), signal.SIGINT)
        while True:
            letters.read()
            time.sleep(0.01)

    asked = asks(film, replace(feature("a", len), fn=goes_on), replace(feature("b", len), fn=goes_on))
    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        list(evaluate_together(film.store, asked))
    assert threading.active_count() == threads
    assert not any(film.store.is_claimed(ask.feature.name, ask.key) for ask in asked)


def test_what_another_process_computes_is_waited_for_after_the_others(film: Installation) -> None:
    asked = asks(film, feature("a", len), feature("b", len), feature("c", len))
    claim = film.store.claim("b", asked[1].key)
    names = []
    for ask, answer in evaluate_together(film.store, asked):
        assert isinstance(answer, Outcome)
        commit(film.store, answer)
        names.append(ask.feature.name)
        if len(names) == 2:
            # both of ours are stored, and nothing is held while the other one is waited for
            assert not any(film.store.is_claimed(one.feature.name, one.key) for one in (asked[0], asked[2]))
            claim.release()
    assert sorted(names[:2]) == ["a", "c"] and names[2] == "b"


def test_on_demand_siblings_are_read_once(film: Installation) -> None:
    def both(vowels: Shares, size: Shares) -> pa.Table:
        return pa.table({"n": [vowels.n + size.n]}, schema=SHARES)

    mesh = Mesh([*siblings_mesh().features.values(), amber_feature(version="1", schema=SHARES)(both)], [SOURCE])
    assert Demand(film.store, mesh).value("both", "one").row()["n"] == 2 + 4
    assert sorted(calls()) == ["letters/one", "reading/one", "size/one", "vowels/one"]
    film.deliver(two="b#e")
    with pytest.raises(RuntimeError, match="a mistake in the algorithm"):
        Demand(film.store, mesh).value("both", "two")
    # its sibling was stored all the same
    assert film.store.view("size", "two").row()["n"] == 3


SIBLINGS = """
import json, os, pathlib, random, sys, time
from mediaml_assets.amber.evaluation import commit
from mediaml_assets.amber.siblings import evaluate_together
from mediaml_assets_tests.amber import toy
from mediaml_assets_tests.amber.installation import Installation

def installation(home):
    os.environ.update(MEDIAML_HOME=home, TOY_CALLS=home + "/calls")
    here = Installation(pathlib.Path(home))
    here.mesh = toy.siblings_mesh()
    return here

def compute(here, names):
    asks = [here.mesh.ask(here.store, name, ["one"]) for name in names]
    return {ask.feature.name: commit(here.store, answer).value.digest
            for ask, answer in evaluate_together(here.store, asks)}
"""

IN_AN_ORDER_OF_ITS_OWN = """
called = toy.called
# long enough that the others come while one computes
toy.called = lambda *what: (called(*what), time.sleep(0.05))
names = random.Random(number).sample(["vowels", "size", "first"], 3)[: 2 + number % 2]
print(json.dumps(compute(installation(sys.argv[2]), names), sort_keys=True))
"""


def test_processes_that_take_claims_in_other_orders_all_end_and_compute_each_once(film: Installation) -> None:
    film.mesh = siblings_mesh()
    film.compute("letters", "one")
    printed = [json.loads(one) for one in together(5, SIBLINGS, IN_AN_ORDER_OF_ITS_OWN, film.home)]
    assert all(len(one) >= 2 for one in printed)
    found: dict[str, set[str]] = {}
    for one in printed:
        for name, digest in one.items():
            found.setdefault(name, set()).add(digest)
    assert {name: len(digests) for name, digests in found.items()} == {"vowels": 1, "size": 1, "first": 1}
    computed = [call for call in calls() if not call.startswith(("letters", "reading"))]
    assert sorted(computed) == ["first/one", "size/one", "vowels/one"]


KILLED = (
    SIBLINGS
    + """
called = toy.called

def computing(*what):
    called(*what)
    if what[0] == "vowels":
        print("computing", flush=True)
        time.sleep(60)

toy.called = computing
compute(installation(sys.argv[1]), ["vowels", "size"])
"""
)


def test_a_killed_process_leaves_what_it_stored_and_no_claim(film: Installation) -> None:
    film.mesh = siblings_mesh()
    film.compute("letters", "one")
    process = start(KILLED, film.home)
    until_it_says(process, "computing")
    for _ in range(500):
        if film.store.ledger.head("size", "one") is not None:
            break
        threading.Event().wait(0.02)
    kill(process)
    before = calls()
    wanted = [film.mesh.ask(film.store, name, ["one"]) for name in ("vowels", "size")]
    assert stored(film, wanted) == {"vowels": 2, "size": 4}
    # the sibling of what was killed had been stored as soon as it was there
    assert calls()[len(before) :] == ["reading/one", "vowels/one"]
