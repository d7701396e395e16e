"""Features in Marken: what every replica promises, and what is asked of annotations beyond."""

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from mediaml_assets.amber.commits import record
from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.ledger import Value
from mediaml_assets.amber.names import CATALOGUE, value_name
from mediaml_assets.amber.replicas.parity import parity
from mediaml_assets.amber.replicas.replication import replicate
from mediaml_assets.amber.store import Store
from mediaml_assets.annotations import sink as sink_module
from mediaml_assets.annotations.types import CUE, SHOT, package_types
from mediaml_assets.errors import NotStored
from mediaml_assets.marken.engine import Engine
from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.operation import Operation, State
from mediaml_assets.marken.types import Types
from mediaml_assets_tests.annotations.sinks import FEATURES, both_engines, copy, opened, whole
from mediaml_assets_tests.annotations.titles import (
    DIMENSIONS,
    cue_rows,
    embedding_rows,
    put,
    put_cuts,
    put_title,
    shot_rows,
    withdraw,
)

PER_TITLE = tuple(one for one in FEATURES if one != "match_cuts")
READ = ("subtitle_cues", "embedded_cues", "quality", "shot_embedding", "shots", "standard_encode", "essence")


@pytest.fixture
def marken(engine: Engine) -> Marken:
    return Marken(engine, Types(package_types(DIMENSIONS)))


def found(marken: Marken, **query: Any) -> list[dict[str, Any]]:
    return list(marken.search(query).to_json()["hits"])


@pytest.mark.parametrize("feature", FEATURES)
def test_everything_is_copied_once(store: Store, engine: Engine, feature: str) -> None:
    titles = [put_title(store, slug, seed) for seed, slug in enumerate(("kettle", "dunes", "harbour"))]
    put_cuts(store, titles, 4)
    copied = copy(store, engine, feature)
    wanted = [CATALOGUE] if feature == "match_cuts" else ["dunes", "harbour", "kettle"]
    assert copied.put == wanted and copied.left == {} and copied.bytes > 0
    again = copy(store, engine, feature)
    assert (again.put, again.drop, again.bytes) == ([], [], 0)
    assert all(one.state is State.FINISHED for one in engine.operations())


@pytest.mark.parametrize("feature", PER_TITLE)
def test_the_life_of_a_title(store: Store, engine: Engine, feature: str) -> None:
    for seed, slug in enumerate("abcd"):
        put_title(store, slug, seed)
    copy(store, engine, feature)
    put_title(store, "b", 10)
    withdraw(store, "c", *READ)
    put_title(store, "e", 11)
    changed = copy(store, engine, feature)
    # a title that is black twice has equal rows of quality
    assert set(changed.put) <= {"b", "e"} and "e" in changed.put and changed.drop == ["c"]
    put_title(store, "c", 2)
    copy(store, engine, feature)
    for slug in "abcde":
        withdraw(store, slug, *READ)
    copy(store, engine, feature)
    assert opened(store, engine, feature).held() == {}


@pytest.mark.slow
def test_random_lives(store: Store, engine: Engine) -> None:
    chance = random.Random(7)
    there: dict[str, Any] = {}
    for turn in range(6):
        for slug in chance.sample("abcdef", 3):
            if slug in there and chance.random() < 0.4:
                withdraw(store, slug, *READ)
                del there[slug]
            else:
                there[slug] = put_title(store, slug, chance.randrange(10**6))
        if there:
            put_cuts(store, list(there.values()), turn)
            for feature in FEATURES:
                copy(store, engine, feature)


@both_engines
def test_a_withdrawn_title_is_found_no_more_and_was_found_before(store: Store, engine: Engine, marken: Marken) -> None:
    put_title(store, "a", 1)
    put_title(store, "b", 2)
    copy(store, engine, "shots")
    moment = engine.snapshot().moment
    withdraw(store, "a", *READ)
    copy(store, engine, "shots")
    assert {hit["title"] for hit in found(marken, types=["SHOT"])} == {"b"}
    assert {hit["title"] for hit in found(marken, types=["SHOT"], as_of=moment)} == {"a", "b"}
    [tombstone] = [one for one in engine.active(SHOT).values() if one.scope == "a"]
    assert (tombstone.rows, dict(tombstone.source)) == (0, {"feature": "shots"})
    with pytest.raises(NotStored, match="shots__marken holds nothing of a"):
        opened(store, engine, "shots").rows("a")


def test_an_empty_value_is_held_and_two_features_fill_one_type(store: Store, engine: Engine) -> None:
    nothing = cue_rows(np.random.default_rng(0), 0)
    for feature in ("subtitle_cues", "embedded_cues"):
        put(store, feature, "silent", nothing)
    put(store, "subtitle_cues", "spoken", cue_rows(np.random.default_rng(1), 5))
    assert copy(store, engine, "subtitle_cues").put == ["silent", "spoken"]
    assert copy(store, engine, "embedded_cues").put == ["silent"]
    assert copy(store, engine, "subtitle_cues").put == []
    scopes = {"silent/subtitle_cues", "silent/embedded_cues", "spoken/subtitle_cues"}
    assert set(engine.active(CUE)) == scopes


def test_another_clock_with_the_same_shots_is_other_annotations(store: Store, engine: Engine, marken: Marken) -> None:
    cuts = [0, 50, 120]
    shots = shot_rows(cuts, np.random.default_rng(3))

    def delivered(rate: Fraction) -> None:
        put_title(store, "a", 3, cuts, rate)
        put(store, "shots", "a", shots)

    delivered(Fraction(25))
    copy(store, engine, "shots")
    delivered(Fraction(50))
    assert parity(store, "shots", opened(store, engine, "shots")).behind == ("a",)
    assert copy(store, engine, "shots").put == ["a"]
    last = found(marken, types=["SHOT"], sort=[{"start": "desc"}])[0]
    assert last["properties"]["time"]["rate"] == "50/1" and last["properties"]["time"]["end"] == 120 / 50


def test_a_value_that_is_out_of_date_is_left_behind_and_the_others_go_on(store: Store, engine: Engine) -> None:
    for seed, slug in enumerate("abc"):
        put_title(store, slug, seed)
    put(store, "standard_encode", "b", store.view("standard_encode", "a").table())
    sink = opened(store, engine, "shots")
    copied = replicate(store, "shots", sink)
    assert copied.put == ["a", "c"] and list(copied.left) == ["b"]
    assert "shots of b is not made from its standard_encode of now" in copied.said
    assert parity(store, "shots", sink).behind == ("b",)
    put_title(store, "b", 9)
    assert copy(store, engine, "shots").put == ["b"]


def test_vectors_of_another_model_wait_until_they_are_computed_again(store: Store, engine: Engine) -> None:
    put_title(store, "a", 1)
    put_title(store, "b", 2)
    copy(store, engine, "shot_embedding")
    count = store.view("shots", "a").table().num_rows
    put(store, "shot_embedding", "a", embedding_rows(np.random.default_rng(5), count, 12))
    wider = opened(store, engine, "shot_embedding", 12)
    copied = replicate(store, "shot_embedding", wider)
    assert copied.put == ["a"] and "the vectors of b have not the 12 numbers" in copied.left["b"]
    # both are there, each under the version that is its width
    assert {one.type_version for one in engine.operations("SHOT_EMBEDDING")} == {8, 12}
    assert set(opened(store, engine, "shot_embedding").held()) == {"a", "b"}
    assert engine.versions("shot_embedding@12/a/0/first").num_rows == 1


def test_what_cannot_be_kept_exactly_is_never_shown(store: Store, engine: Engine) -> None:
    put_title(store, "good", 1)
    cues = cue_rows(np.random.default_rng(1), 3)
    torn = pa.array(["a\0b", "b", "c"], pa.string())
    put(store, "subtitle_cues", "bad", cues.set_column(3, cues.schema.field("text"), torn))
    copied = replicate(store, "subtitle_cues", opened(store, engine, "subtitle_cues"))
    assert copied.put == ["good"] and "'text' of row 0" in copied.left["bad"]
    put_title(store, "zero", 2)
    shots = store.view("shots", "zero").table()
    negative = pa.array([-0.0] * shots.num_rows, pa.float32())
    put(store, "shots", "zero", shots.set_column(8, shots.schema.field("confidence"), negative))
    copied = replicate(store, "shots", opened(store, engine, "shots"))
    assert copied.put == ["good"] and "confidence would be read back as something else" in copied.left["zero"]
    assert {one.scope for one in engine.operations("SHOT")} == {"good"}


@both_engines
def test_damage_is_found_by_reading_back_and_repaired(store: Store, engine: Engine) -> None:
    for seed, slug in enumerate("ab"):
        put_title(store, slug, seed)
    copy(store, engine, "shots")
    # another program wrote other rows under the same digest
    operation = engine.active(SHOT)["a"]
    forged = engine.start(SHOT, "a", "somebody", operation.source)
    ids = [f"shots/a/{index}" for index in range(operation.rows)]
    for place, rows in enumerate(map(engine.versions, ids)):
        wiped = rows.set_column(rows.column_names.index("transition"), "transition", pa.array(["wipe"]))
        engine.upsert(forged, wiped if place == 1 else rows)
    engine.finish(forged)
    seen = parity(store, "shots", opened(store, engine, "shots"), sample=None)
    assert (seen.miscounted, seen.behind) == ({}, ())
    assert seen.damaged == {"a": "other rows than the value has, in transition"}
    copy(store, engine, "shots", again=("a",))


def test_batches_are_bounded(store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    upsert = engine.upsert

    def counted(operation: Operation, rows: pa.Table) -> None:
        sizes.append(rows.num_rows)
        upsert(operation, rows)

    monkeypatch.setattr(engine, "upsert", counted)
    monkeypatch.setattr(sink_module, "BATCH_ROWS", 7)
    put_title(store, "a", 1, cuts=list(range(0, 310, 10)))
    copy(store, engine, "shots")
    assert sizes == [7, 7, 7, 7, 2]


@both_engines
def test_another_writer_between_is_noticed_and_nothing_is_lost(store: Store, engine: Engine) -> None:
    put_title(store, "a", 1)
    ours, other = opened(store, engine, "shots"), opened(store, engine, "shots")
    finish = engine.finish
    turns: list[int] = []

    def interrupted(operation: Any) -> Any:
        if not turns:
            turns.append(1)
            put_title(store, "a", 2)
            replicate_alone(store, other)
        return finish(operation)

    engine.finish = interrupted  # type: ignore[method-assign]
    copied = replicate_alone(store, ours)
    assert copied == ["a", "a"][: len(copied)] and whole(store, engine, "shots").behind == ()


def replicate_alone(store: Store, sink: Any) -> list[str]:
    """`replicate` without the claim that keeps writers apart."""
    from contextlib import nullcontext
    from unittest.mock import patch

    with patch.object(Store, "claim", lambda *_: nullcontext()):
        return replicate(store, "shots", sink).put


def test_what_a_killed_writer_left_is_canceled_once_it_is_old(
    store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_title(store, "a", 1)
    left = engine.start(SHOT, "a", "shots", {"feature": "shots"})
    foreign = engine.start(SHOT, "a", "somebody", {})
    copy(store, engine, "shots")
    assert {one.state for one in engine.operations("SHOT") if one.number != 3} == {State.STARTED}

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(hours=2)

    monkeypatch.setattr(sink_module, "datetime", Later)
    opened(store, engine, "shots").tidy(0)
    states = {one.number: one.state for one in engine.operations("SHOT")}
    assert states == {left.number: State.CANCELED, foreign.number: State.STARTED, 3: State.FINISHED}
    assert datetime.now(UTC) - left.started < timedelta(hours=1)


def test_a_value_that_is_forgotten_while_it_is_copied_is_looked_at_again(
    store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, slug in enumerate("abc"):
        put(store, "subtitle_cues", slug, cue_rows(np.random.default_rng(seed), 4))
    read = Store.read_rows

    def forgotten_before(self: Store, feature: str, value: Value, *more: Any, **named: Any) -> pa.Table:
        name = value_name(feature, value.digest)
        head = self.ledger.head(feature, "b")
        if head is not None and head.current == value:
            record(self, feature, "b", "forgotten", {name: ""}, "asked for")
            self.objects.path(name).unlink()  # type: ignore[attr-defined]
        return read(self, feature, value, *more, **named)

    monkeypatch.setattr(Store, "read_rows", forgotten_before)
    replicate(store, "subtitle_cues", opened(store, engine, "subtitle_cues"))
    monkeypatch.undo()
    assert sorted(opened(store, engine, "subtitle_cues").held()) == ["a", "c"]
    assert whole(store, engine, "subtitle_cues").behind == ()


def test_cuts_are_made_again_when_a_film_is_another_one_of_the_same_looks(
    store: Store, engine: Engine, marken: Marken
) -> None:
    titles = [put_title(store, slug, seed, rate=Fraction(25)) for seed, slug in enumerate("ab")]
    put_cuts(store, titles, 1)
    copy(store, engine, "match_cuts")
    before = {hit["id"]: hit["entity"]["id"] for hit in found(marken, types=["MATCH_CUT_PAIR"])}
    put(store, "essence", "a", pa.table({"digest": ["other"]}))
    assert copy(store, engine, "match_cuts").put == [CATALOGUE]
    after = {hit["id"]: hit["entity"]["id"] for hit in found(marken, types=["MATCH_CUT_PAIR"])}
    assert before.keys() == after.keys() and before != after
    assert column_digests(opened(store, engine, "match_cuts").rows(CATALOGUE)) == column_digests(
        store.view("match_cuts", CATALOGUE).table()
    )


@both_engines
def test_a_search_goes_over_what_features_said(store: Store, engine: Engine, marken: Marken) -> None:
    titles = [put_title(store, slug, seed) for seed, slug in enumerate(("harbour", "dunes"))]
    put_cuts(store, titles, 2, count=30)
    for feature in FEATURES:
        copy(store, engine, feature)
    across = found(marken, types=["MATCH_CUT_PAIR"], filter="title = 'harbour' AND rank <= 20", sort=[{"rank": "asc"}])
    rows = store.view("match_cuts", CATALOGUE).table().to_pylist()
    wanted = [row["rank"] for row in rows if "harbour" in (row["title1"], row["title2"]) and row["rank"] <= 20]
    assert [hit["properties"]["rank"] for hit in across] == wanted != []
    vectors = store.view("shot_embedding", "dunes").table()
    one = vectors.column("middle")[1].as_py()
    if any(one):
        near = found(
            marken,
            types=["SHOT_EMBEDDING"],
            nearest={"field": "vector", "to": {"vector": one}},
            collapse={"field": "entity_id"},
            limit=1,
        )
        assert near[0]["entity"] == {"kind": "shot", "id": "dunes/1"} and near[0]["score"] == pytest.approx(1)
