"""The facade over an engine of lists: operations that finish or are canceled, logs, reading by id."""

import pytest

from mediaml_assets.errors import AnnotationRefused, OperationRefused, QueryRefused, SchemaRefused
from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.operation import State
from mediaml_assets.marken.search.envelope import Query
from mediaml_assets_tests.marken.plain_engine import PlainEngine
from mediaml_assets_tests.marken.stock import TYPES


@pytest.fixture
def marken() -> Marken:
    return Marken(PlainEngine(), TYPES)


def found(marken: Marken, *types: str) -> list[str]:
    return [hit["id"] for hit in marken.search(Query(types=types)).hits]


def test_an_operation_finishes_at_its_end(marken: Marken) -> None:
    with marken.operation("SCENE", "a-film", "scenes@2", {"digest": "abc"}) as operation:
        operation.upsert([{"id": "one", "label": "first"}])
        operation.upsert([{"id": "two"}, {"id": "one", "label": "better"}])
        assert found(marken, "SCENE") == []
    done = operation.operation
    assert (done.state, done.rows, done.by, done.source) == (State.FINISHED, 2, "scenes@2", {"digest": "abc"})
    assert found(marken, "SCENE") == ["one", "two"]
    assert marken.active("SCENE") == {"a-film": done} and list(marken.operations("SCENE", "a-film")) == [done]
    one = marken.get("one")
    assert one is not None and (one.version, one.title, one.by, one.properties) == (
        1,
        "a-film",
        "scenes@2",
        {"label": "better"},
    )


def test_an_exception_cancels_an_operation(marken: Marken) -> None:
    with pytest.raises(AnnotationRefused, match="lable"), marken.operation("SCENE", "a-film", "ann") as operation:
        operation.upsert([{"id": "one"}])
        operation.upsert([{"id": "two", "lable": "x"}])
    [canceled] = marken.operations()
    assert canceled.state is State.CANCELED and found(marken, "SCENE") == []
    with pytest.raises(KeyboardInterrupt), marken.operation("SCENE", "a-film", "ann"):
        raise KeyboardInterrupt
    assert [one.state for one in marken.operations()] == [State.CANCELED, State.CANCELED]


def test_what_is_no_type_or_of_the_other_mode_is_refused(marken: Marken) -> None:
    for type, said in (("SCENES", "no annotation type 'SCENES'"), ("SCENE@7", "SCENE@1"), ("REMARK", "is a log")):
        with pytest.raises(OperationRefused, match=said):
            marken.start(type, "a-film", "ann")
    for type, said in (("REMARKS", "no annotation type"), ("SCENE", "start one")):
        with pytest.raises(AnnotationRefused, match=said) as refused:
            marken.append(type, [{"title": "a-film"}], "ann")
        assert refused.value.property == "type"
    with pytest.raises(SchemaRefused):
        marken.active("SCENES")
    with pytest.raises(QueryRefused):
        found(marken, "SCENES")
    assert marken.operations() == [] and marken.engine.snapshot().moment == "0"


def test_a_log_gives_every_version(marken: Marken) -> None:
    batch = [{"title": title, "properties": {"stars": 3}} for title in ("a-film", "b-film")]
    first, other = marken.append("REMARK", batch, "ann")
    assert (first.version, first.scope, first.by, other.title) == (1, "a-film", "ann", "b-film")
    [second] = marken.append("REMARK", [{"title": "a-film", "properties": {"stars": 4}}], "ann")
    [bob] = marken.append("REMARK", [{"title": "a-film", "properties": {"stars": 1}}], "bob")
    assert (second.id, second.version) == (first.id, 2) and bob.id != first.id
    assert marken.get(first.id) == second == marken.get(first.id, 2)
    assert marken.get(first.id, 1) == first and marken.get(first.id, 3) is None
    assert sorted(found(marken, "REMARK")) == sorted([first.id, other.id, bob.id])


def test_what_is_not_seen_any_more_has_its_version_still(marken: Marken) -> None:
    with marken.operation("SCENE", "a-film", "ann") as operation:
        operation.upsert([{"id": "one", "look": [1, 0, 0, 0]}])
    with marken.operation("SCENE", "a-film", "ann"):
        pass
    assert marken.get("one") is None
    old = marken.get("one", 1)
    assert old is not None and old.properties == {"look": [1.0, 0.0, 0.0, 0.0]}
    marken.roll_back(marken.active("SCENE")["a-film"])
    assert marken.get("one") == old and found(marken, "SCENE") == ["one"]
    assert operation.operation == marken.active("SCENE")["a-film"]


def test_of_an_id_under_two_versions_of_a_type_the_newer_is_given(marken: Marken) -> None:
    for type, label in (("FACE@2", "new"), ("FACE@1", "old"), ("FACE@1", "newer of the old")):
        with marken.operation(type, "a-film", "ann") as operation:
            operation.upsert([{"id": "one", "label": label}])
    one = marken.get("one")
    assert one is not None and (one.type_version, one.properties["label"]) == (2, "new")
