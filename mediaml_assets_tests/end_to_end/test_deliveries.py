"""What each kind of delivery computes, on real films through the real mesh; counted at the features' functions."""

import json
import os
import time
from pathlib import Path

import dagster as dg
import pyarrow as pa

from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets.matching.blocks.merging import COUNTED
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.mesh import mesh
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.conftest import Call, catch_up
from mediaml_assets_tests.end_to_end.films import film
from mediaml_assets_tests.jasper.remux import remux

ABOVE = {"essence", "container_facts", "embedded_cues"}
"""Features that look at the file itself; everything else is below `essence`."""

OVER_CATALOGUE = {("shot_groups", "_catalogue"), ("match_cuts", "_catalogue")}


def below_essence(calls: list[Call]) -> set[Call]:
    return {call for call in calls if call[0] not in ABOVE}


def chain(title: str) -> set[Call]:
    features = mesh()
    return {(one.name, title) for one in features.per_title() if features.landed_for(one.name) == (SOURCE,)}


def cuts(platform: Platform) -> pa.Table:
    return platform.store.view("match_cuts", "_catalogue").table()


def now(path: Path) -> None:
    """Deliveries within one clock tick of the file system must not look like one."""
    stamp = time.time_ns()
    os.utime(path, ns=(stamp, stamp))


def test_a_new_title_gets_every_feature_and_new_match_cuts(platform: Platform, calls: list[Call]) -> None:
    before = cuts(platform)
    film(platform.landing / "three.mp4", 3)
    platform.settle()
    # films that are measured alike share a verdict
    assert set(calls) | {("quality", "three")} == chain("three") | OVER_CATALOGUE
    assert len(calls) == len(set(calls))
    assert platform.store.view("shots", "three").table(["start"]).column(0).to_pylist() == [0, 20, 40, 60]
    after = cuts(platform)
    assert "three" in after.column("title1").to_pylist() + after.column("title2").to_pylist()
    assert not after.equals(before)
    seen = len(FLAVOURS) - 1
    assert pairs_told(platform) == {
        # 4 shots each: of the new title the pairs with itself, and both ways with the others; of those, all pairs.
        # All three sound the same, and share what is known of their sound.
        "pairs_scored": seen * (4 * 4 + 2 * 4 * 8),
        "pairs_reused": seen * 8 * 8 + 4 * 4,
        "blocks_made": seen * 3,
        "blocks_deepened": 0,
        "files_opened": seen * 2 + 1,
    }


def pairs_told(platform: Platform) -> dict[str, object]:
    """What the Dagster UI shows of the newest match cuts: how much was computed for them, and how much was there."""
    event = platform.instance.get_latest_materialization_event(dg.AssetKey("match_cuts"))
    assert event is not None and event.asset_materialization is not None
    shown = event.asset_materialization.metadata
    return {name: shown[f"cache.{name}"].value for name in COUNTED if name != "pairs_read"}


def test_at_rest_nothing_runs(platform: Platform, calls: list[Call]) -> None:
    platform.settle()
    assert calls == []


def test_a_touched_file_computes_nothing_below_its_essence(platform: Platform, calls: list[Call]) -> None:
    now(platform.landing / "one.mp4")
    catch_up(platform)
    assert below_essence(calls) == set() and ("essence", "one") in calls


def test_a_retagged_file_computes_nothing_below_its_essence(platform: Platform, calls: list[Call]) -> None:
    remux(platform.home / "originals" / "one.mp4", platform.landing / "one.mp4", title="Another name")
    catch_up(platform)
    assert below_essence(calls) == set() and ("essence", "one") in calls
    assert "Another name" in str(platform.store.view("container_facts", "one").table().to_pylist())


def test_mp4_to_mkv_to_mp4_computes_nothing_below_its_essence(platform: Platform, calls: list[Call]) -> None:
    mp4, mkv = platform.landing / "one.mp4", platform.landing / "one.mkv"
    before = cuts(platform)
    remux(mp4, mkv)
    mp4.unlink()
    catch_up(platform)
    assert platform.store.view("source", "one").row()["path"] == "one.mkv"
    remux(mkv, mp4)
    mkv.unlink()
    catch_up(platform)
    assert calls.count(("essence", "one")) == 2
    assert below_essence(calls) == set()
    assert cuts(platform).equals(before)


def test_a_file_moved_to_another_place_of_its_title_computes_nothing_below(
    platform: Platform, calls: list[Call]
) -> None:
    moved = platform.landing / "archive" / "reel_1.mp4"
    moved.parent.mkdir()
    (platform.landing / "one.mp4").rename(moved)
    moved.with_name("reel_1.mp4.title.json").write_text(json.dumps({"title": "one"}))
    catch_up(platform)
    assert platform.store.view("source", "one").row()["path"] == "archive/reel_1.mp4"
    assert below_essence(calls) == set()


def test_a_film_under_another_title_computes_only_which_cuts_there_are(platform: Platform, calls: list[Call]) -> None:
    (platform.landing / "one.mp4").rename(platform.landing / "uno.mp4")
    catch_up(platform)
    assert below_essence(calls) <= OVER_CATALOGUE
    found = cuts(platform)
    assert set(found.column("title1").to_pylist() + found.column("title2").to_pylist()) == {"uno", "two"}


def test_one_changed_frame_runs_exactly_that_titles_chain(platform: Platform, calls: list[Call]) -> None:
    film(platform.landing / "one.mp4", 1, changed_frame=30)
    catch_up(platform)
    assert below_essence(calls) - OVER_CATALOGUE <= chain("one")
    assert {("essence", "one"), ("standard_encode", "one"), ("shots", "one"), ("shot_embedding", "one")} <= set(calls)
    assert not any(title == "two" for _, title in calls)


def test_a_configured_installation_answers_with_its_own_defaults(platform: Platform, calls: list[Call]) -> None:
    assert max(cuts(platform).column("rank").to_pylist()) > 3
    settings = platform.home / "mediaml.toml"
    settings.write_text("[features.match_cuts]\nk = 3\n")
    try:
        platform.load(mesh())
        assert platform.materialize(["match_cuts"], None)
    finally:
        settings.unlink()
    assert max(cuts(platform).column("rank").to_pylist()) == 3
    assert calls == [("match_cuts", "_catalogue")]
