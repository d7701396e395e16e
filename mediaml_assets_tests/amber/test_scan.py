"""Many values at once: the same rows as one by one, in order, bounded, whatever stands there."""

import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mediaml_assets.amber.commits import record
from mediaml_assets.amber.ledger import Moment
from mediaml_assets.amber.names import value_name
from mediaml_assets.amber.scan import AHEAD, ahead, scan, tables
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View
from mediaml_assets.errors import Damaged, MediaRefused, NotStored
from mediaml_assets_tests.amber.installation import Installation

TEXTS = {f"title{n:02}": "ab" * (n + 1) for n in range(20)}


@pytest.fixture
def described(here: Installation) -> Installation:
    here.deliver(**TEXTS)
    here.settle()
    return here


def test_all_titles_in_order_and_with_the_columns_that_were_asked_for(described: Installation) -> None:
    found = list(scan(described.store, "counts", columns=["n", "letter"]))
    assert [title for title, _ in found] == sorted(TEXTS)
    for title, rows in found:
        assert rows.to_pydict() == {"n": [len(TEXTS[title]) // 2] * 2, "letter": ["a", "b"]}
    whole = dict(scan(described.store, "counts"))
    assert all(whole[title].equals(described.store.view("counts", title).table()) for title in TEXTS)


def test_some_titles_in_their_order_and_those_without_a_value_left_out(described: Installation) -> None:
    described.deliver(refused="no!", held="q")
    with pytest.raises(MediaRefused):
        described.compute("letters", "refused")
    described.settle()
    assert described.store.ledger.head("counts", "held").current is None  # type: ignore[union-attr]
    (described.landing / "title03.mp4").unlink()
    described.land()
    described.settle()
    names = ["title05", "title03", "refused", "held", "never", "title04"]
    assert [title for title, _ in scan(described.store, "counts", names)] == ["title05", "title04"]


def test_as_of_a_moment(described: Installation) -> None:
    then = datetime.now(UTC)
    described.deliver(title00="zz", fresh="a")
    described.settle()
    assert dict(scan(described.store, "letters"))["title00"].column(0).to_pylist() == ["z", "z"]
    before = dict(scan(described.store, "letters", as_of=then))
    assert before.keys() == TEXTS.keys() and before["title00"].column(0).to_pylist() == ["a", "b"]


def test_views_give_their_rows_in_order(described: Installation) -> None:
    views = described.store.views("counts", ["title02", "title01"])
    assert [rows.column("n")[0].as_py() for rows in tables(views.values(), ["n"])] == [3, 2]


def test_what_cannot_be_read_is_named(described: Installation) -> None:
    view = described.store.view("counts", "title07")
    file = (
        Path(described.store.objects.where)
        / "values"
        / "counts"
        / view.value.digest[:2]
        / f"{view.value.digest}.parquet"
    )
    with pytest.raises(Damaged, match="nothing"):
        list(scan(described.store, "counts", columns=["nothing"]))
    file.unlink()
    with pytest.raises(Damaged, match=view.value.digest):
        list(scan(described.store, "counts"))


def test_what_is_forgotten_just_before_it_is_read_is_left_out(
    described: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Store.view

    def forgotten_after_the_look(store: Store, feature: str, scope: str, as_of: Moment | None = None) -> View:
        view = look(store, feature, scope, as_of)
        if scope == "title07":
            name = value_name(feature, view.value.digest)
            record(store, feature, scope, "forgotten", {name: ""}, "asked for")
            store.objects.path(name).unlink()
        return view

    monkeypatch.setattr(Store, "view", forgotten_after_the_look)
    assert [title for title, _ in scan(described.store, "counts")] == sorted(TEXTS.keys() - {"title07"})


def test_answers_for_other_settings_are_not_the_current_values(described: Installation) -> None:
    described.compute("total", *TEXTS, factor=3)
    assert [scope for scope, _ in scan(described.store, "total")] == ["_catalogue"]


def test_few_are_read_ahead_of_the_consumer_and_none_once_it_stops() -> None:
    begun: list[int] = []
    lock = threading.Lock()

    def work(n: int) -> int:
        with lock:
            begun.append(n)
        return -n

    bound = AHEAD * len(os.sched_getaffinity(0))
    answers = ahead(work, range(1000))
    for taken in range(10):
        assert next(answers) == -taken
        time.sleep(0.01)
        assert len(begun) <= taken + bound
    answers.close()  # type: ignore[attr-defined]
    assert len(begun) <= 9 + bound


def test_an_error_comes_at_its_place_and_ends_the_rest() -> None:
    def work(n: int) -> int:
        if n == 3:
            raise NotStored("the third")
        return n

    answers = ahead(work, range(10))
    assert [next(answers) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(NotStored, match="the third"):
        next(answers)
    assert list(answers) == []
