"""Who reads whom, and what is out of date after each kind of change."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pytest

from mediaml_assets.amber.feature import AmberFeature, Scope, amber_feature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.errors import FeatureError, MediaRefused, NotStored
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import Counts, Letters, TotalConfig, counts_version, letters, total, toy_mesh

N = pa.schema([("n", pa.int64())])


def feature(
    name: str, *reads: str, scope: Scope = Scope.TITLE, many: bool = False, automatic: bool = True
) -> AmberFeature:
    """A feature that reads others and is never computed."""

    kind = Mapping[str, Letters] if many else Letters
    typed = ", ".join(f"{one}: kind" for one in reads)
    space = {"kind": kind, "pa": pa}
    exec(f"def {name}({typed}) -> pa.Table: ...", space)
    return amber_feature(version="1", schema=N, scope=scope, automatic=automatic)(space[name])  # type: ignore[arg-type]


def test_upstream_comes_first_however_features_are_listed() -> None:
    listed = [feature("d", "b", "c"), feature("c", "a"), feature("b", "a"), feature("a", "source")]
    order = list(Mesh(listed, ["source"]).features)
    assert order[0] == "a" and order[-1] == "d" and set(order) == set("abcd")


def test_what_an_automatic_feature_reads_is_automatic() -> None:
    listed = [
        feature("a", "s", automatic=False),
        feature("b", "a", automatic=False),
        feature("c", "a", automatic=False),
    ]
    assert [one.name for one in Mesh(listed, ["s"]).per_title()] == []
    assert [one.name for one in Mesh([*listed, feature("d", "b")], ["s"]).per_title()] == ["a", "b", "d"]


def test_a_circle_is_named() -> None:
    with pytest.raises(FeatureError, match=r"features read each other in a circle: (a -> b -> a|b -> a -> b)"):
        Mesh([feature("a", "b"), feature("b", "a")], [])
    with pytest.raises(FeatureError, match="circle: a -> a"):
        Mesh([feature("a", "a")], [])


def test_a_parameter_that_names_nothing_is_named() -> None:
    with pytest.raises(FeatureError, match=r"a reads sorce, which is no feature; it may be one of \['a', 'source'\]"):
        Mesh([feature("a", "sorce")], ["source"])


@pytest.mark.parametrize("names", [("a", "a"), ("a", "source")])
def test_a_name_taken_twice_is_named(names: tuple[str, str]) -> None:
    with pytest.raises(FeatureError, match=f"two features have the name {names[1]}; rename one"):
        Mesh([feature(name, "other") for name in names], ["source", "other"])


def test_what_a_scope_cannot_read_is_named() -> None:
    over_all = feature("all", "a", scope=Scope.CATALOGUE, many=True)
    titles = feature("a", "source")
    Mesh([titles, over_all, feature("further", "all", scope=Scope.CATALOGUE)], ["source"])
    for wrong in (
        feature("wrong", "a", scope=Scope.CATALOGUE),
        feature("wrong", "a", many=True),
        feature("wrong", "all"),
        feature("wrong", "all", scope=Scope.CATALOGUE, many=True),
    ):
        with pytest.raises(FeatureError, match=r"wrong .* cannot read (a|all) "):
            Mesh([titles, over_all, wrong], ["source"])


def test_an_installations_configuration_is_the_default() -> None:
    mesh = Mesh([letters, counts_version("1", ""), total], ["source"], {"total": {"factor": 2, "titles": ["one"]}})
    assert mesh.features["total"].config == TotalConfig(factor=2, titles=("one",))
    assert total.config == TotalConfig()


def test_a_wrong_configuration_is_named() -> None:
    features = [letters, counts_version("1", ""), total]
    with pytest.raises(
        FeatureError, match=r"mediaml.toml configures totals, .* one of \['counts', 'letters', 'total'\]"
    ):
        Mesh(features, ["source"], {"totals": {}})
    with pytest.raises(FeatureError, match="total has no configuration named size; it has factor, titles"):
        Mesh(features, ["source"], {"total": {"size": 1}})
    with pytest.raises(FeatureError, match="counts has no configuration named size; it has none"):
        Mesh(features, ["source"], {"counts": {"size": 1}})


def test_a_parameter_needs_a_type_that_reads() -> None:
    def plain(letters: int) -> pa.Table: ...

    def untyped(letters) -> pa.Table: ...  # type: ignore[no-untyped-def]

    def either(letters: Letters | Counts) -> pa.Table: ...

    for fn in (plain, untyped, either):
        with pytest.raises(FeatureError, match=rf"{fn.__name__}: the parameter letters needs a type with `columns`"):
            amber_feature(schema=N)(fn)


def test_a_configuration_needs_a_frozen_dataclass_with_defaults() -> None:
    @dataclass
    class Open:
        n: int = 1

    @dataclass(frozen=True)
    class Bare:
        n: int

    def no_dataclass(config: int) -> pa.Table: ...

    def not_frozen(config: Open) -> pa.Table: ...

    def without_defaults(config: Bare) -> pa.Table: ...

    for fn in (no_dataclass, not_frozen, without_defaults):
        with pytest.raises(FeatureError, match=f"{fn.__name__}: `config` needs a frozen dataclass with defaults"):
            amber_feature(schema=N)(fn)


def test_a_configuration_holds_plain_values() -> None:
    @dataclass(frozen=True)
    class Odd:
        n: int = 1
        names: frozenset[str] = frozenset()

    def odd(config: Odd) -> pa.Table: ...

    with pytest.raises(FeatureError, match="odd: `config` has names, which is no plain value by default"):
        amber_feature(schema=N)(odd)


def test_only_automatic_features_are_kept_up_to_date(here: Installation) -> None:
    here.mesh = Mesh([letters, feature("asked", "letters", automatic=False)], ["source"])
    here.deliver(one="abba")
    here.settle()
    assert [one.name for one in here.mesh.per_title()] == ["letters"]
    assert here.stale() == []


def test_an_input_without_a_value_cannot_be_asked_over(here: Installation) -> None:
    here.deliver(one="abba")
    with pytest.raises(NotStored, match="letters has no value for one yet; materialise it first"):
        here.compute("counts", "one")


def test_nothing_landed_leaves_only_the_catalogue(here: Installation) -> None:
    assert here.stale() == []
    here.settle()
    assert here.totals() == {}


def test_a_new_title_is_stale_at_its_first_feature(here: Installation) -> None:
    here.deliver(one="abba", two="xyz")
    assert here.stale() == [("letters", "one"), ("letters", "two")]
    here.compute("letters", "one")
    assert here.stale() == [("counts", "one"), ("letters", "two")]
    here.compute("counts", "one")
    assert here.ends() == ["total"]
    here.settle()
    assert here.stale() == [] and here.ends() == []


def test_a_touched_file_is_stale_at_its_first_feature_and_ends_there(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    here.deliver(one="a b b a")
    assert here.stale() == [("letters", "one")]
    here.compute("letters", "one")
    assert here.stale() == [] and here.ends() == []


def test_changed_content_is_stale_step_by_step(here: Installation) -> None:
    here.deliver(one="abba", two="xyz")
    here.settle()
    here.deliver(two="x")
    for step in (("letters", "two"), ("counts", "two")):
        assert here.stale() == [step]
        here.compute(*step)
    assert here.stale() == [] and here.ends() == ["total"]


def test_a_new_version_is_stale_for_every_title(here: Installation) -> None:
    here.deliver(one="abba", two="xyz")
    here.settle()
    here.mesh = toy_mesh(version="2")
    assert here.stale() == [("counts", "one"), ("counts", "two")]
    here.settle()
    here.mesh = toy_mesh(version="1")
    # the same rows were made by both versions, so nothing is out of date
    assert here.stale() == [] and here.ends() == []


def test_an_older_version_with_other_rows_is_stale_until_recalled(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    here.mesh = toy_mesh(version="2", factor=10)
    here.settle()
    here.mesh = toy_mesh(version="1")
    assert here.stale() == [("counts", "one")]
    here.compute("counts", "one")
    assert here.stale() == [] and here.ends() == ["total"]


def test_another_default_configuration_is_stale(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    features = [letters, counts_version("1", ""), total]
    here.mesh = Mesh(features, ["source"], {"total": {"factor": 5}})
    assert here.stale() == [] and here.ends() == ["total"]
    here.settle()
    assert here.totals() == {"one": 20}


def test_a_refused_file_is_not_stale_until_delivered_again(here: Installation) -> None:
    here.deliver(one="a!", two="xyz")
    with pytest.raises(MediaRefused):
        here.compute("letters", "one")
    here.settle()
    assert here.stale() == [] and here.totals() == {"two": 3}
    here.deliver(one="b!")
    assert here.stale() == [("letters", "one")]
    here.deliver(one="a")
    here.settle()
    assert here.totals() == {"one": 1, "two": 3}


def test_a_held_back_value_is_not_stale_and_nothing_below_it_is(here: Installation) -> None:
    here.deliver(one="aqa")
    here.settle()
    assert here.stale() == [] and here.ends() == []
    assert here.totals() == {}


def test_a_withdrawn_title_is_stale_step_by_step(here: Installation) -> None:
    here.deliver(one="abba", two="xyz")
    here.settle()
    (here.landing / "one.mp4").unlink()
    here.land()
    for step in (("letters", "one"), ("counts", "one")):
        assert here.stale() == [step]
        here.compute(*step)
    assert here.stale() == [] and here.ends() == ["total"]
    here.settle()
    assert here.totals() == {"two": 3}


def test_a_lost_commit_is_stale_and_a_lost_value_is_not_seen(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    for commit in here.store.objects.path("ledger/counts/one").rglob("*.json"):
        commit.unlink()
    assert here.stale() == [("counts", "one")]
    assert here.compute("counts", "one").event == "reused"
    assert here.stale() == []


@pytest.mark.parametrize("what", ["memo/letters", "ledger/letters/one", "ledger/source/one"])
def test_what_is_damaged_is_named_and_the_others_go_on(
    here: Installation, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    here.deliver(one="abba", two="xyz")
    here.compute("letters", "one")
    for file in here.store.objects.path(what).rglob("*.json"):
        file.write_bytes(file.read_bytes().replace(b"e", b"f", 1))
    with caplog.at_level(logging.WARNING, "mediaml"):
        assert here.stale() == [("letters", "two")]
    damaged = [record.getMessage() for record in caplog.records if record.__dict__["event"] == "damaged"]
    assert any(said.startswith("letters of one is left alone: ") for said in damaged)
    assert "two" in here.mesh.present(here.store)
