"""Features of a show: what their keys cover, what runs when titles come, change, move and go."""

import json
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from mediaml_assets.amber.evaluation import commit, evaluate
from mediaml_assets.amber.feature import Scope, amber_feature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.orchestration.reconcile import shows_sensor
from mediaml_assets.errors import FeatureError, NotStored
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.orchestration.test_automation import deliver, since
from mediaml_assets_tests.amber.orchestration.test_reconcile import Reconciler
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.amber.test_mesh import feature
from mediaml_assets_tests.amber.toy import SHARES, TOTAL, Counts, Season, calls, shows_mesh

ONE, TWO, OTHER = "harbour/s01/e01.mp4", "harbour/s01/e02.mp4", "river/s01/e01.mp4"


@pytest.fixture
def shows(here: Installation) -> Installation:
    """Two episodes of harbour, one of river, and a film."""
    here.mesh = shows_mesh()
    for path, text in ((ONE, "abba"), (TWO, "xyz"), (OTHER, "rr"), ("night.mp4", "n")):
        put(here, path, text)
    here.land()
    here.settle()
    return here


def put(here: Installation, path: str, text: str) -> None:
    (here.landing / path).parent.mkdir(parents=True, exist_ok=True)
    (here.landing / path).write_text(text)


def move(here: Installation | Platform, path: str, title: str, show: str | None) -> None:
    """A sidecar that puts a title into another show."""
    (here.landing / f"{path}.title.json").write_text(json.dumps({"title": title, "show": show}))


def season(here: Installation | Platform, show: str) -> dict[str, int]:
    return {row["title"]: row["n"] for row in here.store.view("season", show).table().to_pylist()}


def stale(here: Installation) -> list[tuple[str, str]]:
    return list(here.mesh.stale_shows(here.store, here.mesh.shows(here.store)))


def test_a_show_is_computed_from_its_titles_alone(shows: Installation) -> None:
    assert season(shows, "harbour") == {"harbour-s01e01": 4, "harbour-s01e02": 3}
    assert season(shows, "river") == {"river-s01e01": 2}
    assert shows.store.view("average", "harbour").row() == {"n": 7}
    over_all = shows.store.view("seasons", "_catalogue").table().to_pylist()
    assert over_all == [{"title": "harbour", "n": 7}, {"title": "river", "n": 2}, {"title": "*", "n": 10}]
    assert sorted(call for call in calls() if call.startswith(("season/", "average"))) == [
        "average/2", "average/7", "season/harbour-s01e01,harbour-s01e02", "season/river-s01e01",
    ]  # fmt: skip


def test_a_new_episode_moves_the_key_of_its_show_only(shows: Installation) -> None:
    put(shows, "harbour/s01/e03.mp4", "k")
    shows.land()
    for name in ("letters", "counts"):
        # not yet a value of the new episode: nothing to compute the show from
        assert stale(shows) == []
        shows.compute(name, "harbour-s01e03")
    assert stale(shows) == [("season", "harbour")]
    shows.settle()
    assert season(shows, "harbour") == {"harbour-s01e01": 4, "harbour-s01e02": 3, "harbour-s01e03": 1}


def test_the_same_content_delivered_again_moves_no_key(shows: Installation) -> None:
    put(shows, ONE, "ab ba")
    shows.land()
    shows.compute("letters", "harbour-s01e01")
    assert shows.stale() == [] and stale(shows) == []


def test_a_film_and_a_new_show_leave_the_others_alone(shows: Installation) -> None:
    before = calls()
    put(shows, "lake/s01/e01.mp4", "lake")
    put(shows, "dawn.mp4", "dawn")
    shows.land()
    shows.settle()
    assert {call for call in since(before) if call.startswith("season/")} == {"season/lake-s01e01"}


def test_a_title_that_moves_changes_exactly_its_two_shows(shows: Installation) -> None:
    before = calls()
    move(shows, TWO, "harbour-s01e02", "river")
    shows.land()
    shows.compute("letters", "harbour-s01e02")
    assert stale(shows) == [("season", "harbour"), ("season", "river")]
    shows.settle()
    assert season(shows, "harbour") == {"harbour-s01e01": 4}
    assert season(shows, "river") == {"harbour-s01e02": 3, "river-s01e01": 2}
    # that of the title's chain was recalled
    assert [call for call in since(before) if not call.startswith(("season", "average"))] == []
    # and back again: both answers are remembered
    before = calls()
    move(shows, TWO, "harbour-s01e02", "harbour")
    shows.land()
    shows.settle()
    assert season(shows, "harbour") == {"harbour-s01e01": 4, "harbour-s01e02": 3}
    assert since(before) == []


def test_a_withdrawn_title_leaves_its_show_and_the_last_one_ends_it(shows: Installation) -> None:
    (shows.landing / TWO).unlink()
    (shows.landing / OTHER).unlink()
    shows.land()
    shows.settle()
    assert season(shows, "harbour") == {"harbour-s01e01": 4}
    assert shows.store.view("season", "river").withdrawn and shows.store.view("average", "river").withdrawn
    over_all = shows.store.view("seasons", "_catalogue").table().to_pylist()
    assert over_all == [{"title": "harbour", "n": 4}, {"title": "*", "n": 5}]
    before = calls()
    put(shows, OTHER, "rr")
    shows.land()
    shows.settle()
    assert season(shows, "river") == {"river-s01e01": 2}
    assert [call for call in since(before) if call.startswith("season/")] == []


def test_a_show_whose_titles_cannot_be_used_is_empty_and_not_in_the_way(shows: Installation) -> None:
    put(shows, "lake/s01/e01.mp4", "a!")
    put(shows, "lake/s01/e02.mp4", "lake")
    shows.land()
    with pytest.raises(Exception, match="holds a '!'"):
        shows.compute("letters", "lake-s01e01")
    shows.settle()
    assert season(shows, "lake") == {"lake-s01e02": 4}


def test_an_older_answer_never_replaces_one_after_a_title_left(shows: Installation) -> None:
    """However high the generation of the title that left: the list of titles outweighs it."""
    for text in ("xyz", "xyzz", "xyzzy"):
        put(shows, TWO, text)
        shows.land()
        shows.settle()
    slow = evaluate(shows.store, shows.mesh.ask(shows.store, "season", ["harbour"]))
    move(shows, TWO, "harbour-s01e02", None)
    shows.land()
    shows.settle()
    row = commit(shows.store, slow)
    assert row.current != row.value or row.generation > slow.ask.generation
    assert season(shows, "harbour") == {"harbour-s01e01": 4}
    assert stale(shows) == []


def test_a_film_with_the_name_of_a_show_is_not_that_show(shows: Installation) -> None:
    put(shows, "river.mp4", "a film")
    shows.land()
    shows.settle()
    (shows.landing / OTHER).unlink()
    shows.land()
    shows.settle()
    over_all = shows.store.view("seasons", "_catalogue").table().to_pylist()
    # the show has gone, the film counts on
    assert over_all == [{"title": "harbour", "n": 7}, {"title": "*", "n": 13}]


def test_a_show_that_never_was_has_no_titles(shows: Installation) -> None:
    with pytest.raises(NotStored, match="show has no value for lake"):
        shows.mesh.members(shows.store, "lake")
    with pytest.raises(NotStored, match="this mesh knows no shows"):
        Mesh([], []).members(shows.store, "harbour")


def test_what_reads_a_show_how_is_checked() -> None:
    titles = feature("a", "source")
    show = feature("b", "a", scope=Scope.SHOW, many=True)
    over_all = feature("c", "b", "a", scope=Scope.CATALOGUE, many=True)
    Mesh([titles, show, feature("d", "b", "shows", scope=Scope.SHOW), over_all], ["source"], shows="shows")
    for wrong in (
        feature("wrong", "a", scope=Scope.SHOW),
        feature("wrong", "b", scope=Scope.SHOW, many=True),
        feature("wrong", "b"),
        feature("wrong", "b", many=True),
        feature("wrong", "b", scope=Scope.CATALOGUE),
        feature("wrong", "c", scope=Scope.SHOW),
    ):
        with pytest.raises(FeatureError, match=r"wrong .* cannot read [abc] "):
            Mesh([titles, show, over_all, wrong], ["source"], shows="shows")
    with pytest.raises(FeatureError, match="b is a feature of a show, and this mesh knows no shows"):
        Mesh([titles, show], ["source"])


def test_a_feature_of_a_show_is_a_plain_function(home: Path) -> None:
    fn = shows_mesh().features["season"]
    assert fn(counts={"one": Counts(3, "one")}).to_pylist() == [{"title": "one", "n": 3}]


# through Dagster


class Daemon(Reconciler):
    """The sensor over shows, ticked by hand."""

    def sensor(self) -> dg.SensorDefinition:
        return shows_sensor(self.platform.mesh, seconds=20)


@pytest.fixture
def daemon(platform: Platform) -> Daemon:
    platform.load(shows_mesh())
    return Daemon(platform)


def settle(platform: Platform, daemon: Daemon) -> list[tuple[str, str | None]]:
    """Ticks of landing, automation and the sensor over shows until nothing is asked for; what the sensor asked for."""
    found = []
    for _ in range(20):
        platform.settle()
        asked = daemon.tick()
        if not asked:
            return found
        found += asked
        platform.run(asked)
    raise AssertionError("it does not come to rest")


def test_one_new_episode_of_500_shows_asks_for_one(platform: Platform, daemon: Daemon) -> None:
    for path, text in ((ONE, "abba"), (OTHER, "rr"), ("lake/s01/e01.mp4", "l")):
        deliver(platform, path, text)
    asked = settle(platform, daemon)
    assert sorted(asked, key=str)[:3] == [("average", "harbour"), ("average", "lake"), ("average", "river")]
    assert ("season", "lake") in asked and len(asked) <= 7
    before = calls()
    deliver(platform, TWO, "xyz")
    asked = settle(platform, daemon)
    assert asked == [("season", "harbour"), ("average", "harbour")]
    assert season(platform, "harbour") == {"harbour-s01e01": 4, "harbour-s01e02": 3}
    assert [call for call in since(before) if call.startswith(("season/", "average/"))] == [
        "season/harbour-s01e01,harbour-s01e02",
        "average/7",
    ]


def test_a_moved_episode_asks_for_its_two_shows(platform: Platform, daemon: Daemon) -> None:
    for path, text in ((ONE, "abba"), (TWO, "xyz"), (OTHER, "rr"), ("lake/s01/e01.mp4", "l")):
        deliver(platform, path, text)
    settle(platform, daemon)
    assert settle(platform, daemon) == []
    before = calls()
    move(platform, TWO, "harbour-s01e02", "river")
    asked = settle(platform, daemon)
    assert {one for one in asked if one[0] == "season"} == {("season", "harbour"), ("season", "river")}
    assert season(platform, "river") == {"harbour-s01e02": 3, "river-s01e01": 2}
    # the file was looked at again, all else of the title was recalled
    assert {call for call in since(before) if call.startswith(("letters", "counts"))} <= {"letters/harbour-s01e02"}


def test_a_show_waits_for_its_titles_and_not_for_those_of_others(platform: Platform, daemon: Daemon) -> None:
    for path, text in ((ONE, "abba"), (TWO, "xyz"), (OTHER, "rr")):
        deliver(platform, path, text)
    platform.settle()
    job = platform.definitions.resolve_implicit_global_asset_job_def()
    tags = {"dagster/partition": "harbour-s01e02"}
    run = platform.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    assert daemon.tick() == [("season", "river")]
    platform.instance.report_run_failed(run)
    assert ("season", "harbour") in daemon.tick()


def test_a_title_that_always_fails_does_not_stop_its_show(platform: Platform, daemon: Daemon) -> None:
    deliver(platform, ONE, "abba")
    deliver(platform, TWO, "crash")
    settle(platform, daemon)
    assert season(platform, "harbour") == {"harbour-s01e01": 4}


def test_a_failing_show_is_asked_for_once_and_a_killed_one_three_times(platform: Platform, daemon: Daemon) -> None:
    deliver(platform, ONE, "abba")
    platform.settle()
    job = platform.definitions.resolve_implicit_global_asset_job_def()
    keys = []
    for _ in range(3):
        assert daemon.tick() == [("season", "harbour")]
        keys.append(daemon.requests[0].run_key)
        tags = {**daemon.requests[0].tags, "dagster/partition": "harbour"}
        run = platform.instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
        # while it runs nobody asks again
        assert daemon.tick() == []
        platform.instance.report_run_failed(run, "the process of this run was killed")
    assert len(set(keys)) == 3
    assert ("season", "harbour") not in daemon.tick()


def test_an_unbound_feature_reads_shows_through_its_mesh_only() -> None:
    @amber_feature(version="1", schema=SHARES, scope=Scope.SHOW)
    def lonely(season: Season) -> pa.Table: ...

    @amber_feature(version="1", schema=TOTAL, scope=Scope.SHOW)
    def own(counts: Mapping[str, Counts]) -> pa.Table: ...

    bound = Mesh([feature("counts", "source"), own], ["source"], shows="show").features["own"]
    assert [(one.name, one.over, one.members) for one in bound.inputs] == [
        ("counts", Scope.TITLE, "show"),
        ("show", Scope.SHOW, ""),
    ]
    with pytest.raises(FeatureError, match="lonely reads season, which is no feature"):
        Mesh([lonely], ["source"], shows="show")
