"""Recipes as features: several at once, another version beside the older one, and readers of any of them."""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

from mediaml_assets.amber.feature import AmberFeature, amber_feature
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.errors import NotStored
from mediaml_assets.features.essence import essence
from mediaml_assets.features.quality import quality
from mediaml_assets.features.standard_encodes import (
    encoded_by,
    standard_encode,
    standard_encode_720p,
    standard_sound,
)
from mediaml_assets.jasper.reading.heard import Heard
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.landing.arrivals import SOURCE
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.films import film
from mediaml_assets_tests.jasper.clips import Clip, render, steady


@amber_feature(version="1", schema=pa.schema([("width", pa.int32()), ("luma", pa.float64())]))
def widths(standard_encode_720p: Media) -> pa.Table:
    """What another feature reads of another recipe."""
    [frame] = standard_encode_720p.video.frames([3])
    return pa.table({"width": pa.array([frame.y.shape[1]], pa.int32()), "luma": [float(frame.y.mean())]})


def features(*more: AmberFeature) -> Mesh:
    return Mesh([essence, *more], [SOURCE])


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """An installation where one film has landed."""
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    with dg.DagsterInstance.ephemeral() as instance:
        platform = Platform(tmp_path, instance, features(standard_encode, standard_encode_720p, standard_sound, widths))
        film(platform.landing / "one.mp4", seed=1, shots=1)
        platform.land()
        yield platform


def compute(platform: Platform, mesh: Mesh, name: str) -> None:
    for one in mesh.upstream(name):
        mesh.compute(platform.store, one.name, ["one"])


def test_recipes_are_features_side_by_side(platform: Platform) -> None:
    for name in ("standard_encode", "standard_encode_720p", "widths"):
        compute(platform, platform.mesh, name)
    small, large = (
        Media.from_value(platform.store.view(name, "one")) for name in ("standard_encode", "standard_encode_720p")
    )
    assert (small.width, small.height, large.width, large.height) == (640, 360, 1280, 720)
    assert small.rate == large.rate == 25 and small.frame_count == large.frame_count == 20
    assert small.active == (0, 0, 640, 360) and large.active == (0, 0, 1280, 720)
    # frame by frame the same film
    for few, many in zip(small.video.frames([0, 7, 19]), large.video.frames([0, 7, 19]), strict=True):
        halved = many.y.reshape(360, 2, 640, 2).mean((1, 3))
        assert np.abs(halved - few.y).mean() < 3
    assert platform.store.view("widths", "one").row()["width"] == 1280


def test_only_the_first_is_made_of_every_title_until_one_that_is_kept_reads_another() -> None:
    by_itself = [one.name for one in features(standard_encode, standard_encode_720p, standard_sound).per_title()]
    assert by_itself == ["essence", "standard_encode"]
    assert "standard_encode_720p" in [one.name for one in features(standard_encode_720p, widths).per_title()]


def test_a_recipes_version_makes_new_values_and_the_old_ones_stay(platform: Platform) -> None:
    compute(platform, platform.mesh, "standard_encode")
    before = platform.store.view("standard_encode", "one")
    coarser = encoded_by(replace(ML_360P, version="x", crf=40, gop=6), "standard_encode", automatic=True)
    compute(platform, features(coarser), "standard_encode")
    after = platform.store.view("standard_encode", "one")
    versions = [view.row(["recipe", "recipe_version", "gop"]) for view in (before, after)]
    assert [list(one.values()) for one in versions] == [
        ["ml-360p", ML_360P.version, 12],
        ["ml-360p", "x", 6],
    ]
    then = platform.store.view("standard_encode", "one", before.commit)
    assert then.row() == before.row()
    sizes = [Path(str(view.blob("video"))).stat().st_size for view in (before, after)]
    assert sizes[0] > sizes[1]
    for view in (then, after):
        assert len(list(Media.from_value(view).video.frames([19, 2, 11]))) == 3


def test_a_changed_recipe_without_a_new_version_is_seen() -> None:
    assert standard_encode.code != encoded_by(replace(ML_360P, crf=21), "standard_encode").code
    assert standard_encode.code == encoded_by(ML_360P, "standard_encode").code


def test_sound_alone(platform: Platform) -> None:
    compute(platform, platform.mesh, "standard_sound")
    view = platform.store.view("standard_sound", "one")
    row = view.row()
    assert (row["sound_rate"], row["sound_layout"], row["sample_count"], row["seconds"]) == (
        48_000,
        "stereo",
        38_400,
        0.8,
    )
    heard = Heard.from_value(view)
    assert heard.audio is not None
    samples = heard.audio.channels()
    assert samples.shape == (38_400, 2)
    power = np.abs(np.fft.rfft(samples[9600:28_800, 0]))
    assert power.argmax() * 48_000 / 19_200 == 440
    assert np.array_equal(heard.audio.channels(9600, 9700), samples[9600:9700])
    assert heard.audio.samples(0.2, 0.6) == pytest.approx(samples[9600:28_800].mean(axis=1))
    assert heard.audio.samples(0.2, 0.6, rate=16_000).shape == (6400,)


def test_a_film_without_sound_has_none(tmp_path: Path) -> None:
    from mediaml_assets.jasper.recipe import SOUND_48K
    from mediaml_assets.jasper.standard.sound_alone import standardize_sound

    silent = render(tmp_path / "silent.mp4", Clip(steady(25, 50)))
    made = standardize_sound(silent, SOUND_48K, tmp_path)
    assert (made.sound, made.sample_count, made.seconds) == (None, 0, Fraction(2))


def test_what_was_probed_and_the_tools_are_kept_with_the_encode(platform: Platform) -> None:
    compute(platform, platform.mesh, "standard_encode")
    row = platform.store.view("standard_encode", "one").row()
    facts = {one["name"]: one["value"] for one in row["source_facts"]}
    assert (facts["picture.codec"], facts["picture.width"], facts["picture.pixel_format"]) == ("h264", "320", "yuv420p")
    assert (facts["picture.average_rate"], facts["sound.codec"], facts["sound.rate"]) == ("25/1", "aac", "48000")
    tools = dict(one.split(" ", 1) for one in row["tools"])
    assert tools["av"] == av.__version__ and tools["FFmpeg"] == av.ffmpeg_version_info
    assert tools["libavcodec"].count(".") == 2 and re.fullmatch(r"core \d+", tools["x264"])
    [where] = row["active_ranges"]
    assert where == {"start": 0, "end": 20, "x": 0, "y": 0, "w": 640, "h": 360}


def test_a_grave_number_holds_the_title_back_and_a_light_one_warns(platform: Platform) -> None:
    render(platform.landing / "black.mp4", Clip(steady(25, 60), bars=90))
    render(platform.landing / "late.mkv", Clip(steady(25, 60), bursts=[0.5], sound_start=1.5, sound_seconds=1.0))
    platform.land()
    platform.load(features(standard_encode, quality))
    for title in ("black", "late"):
        platform.materialize(["essence", "standard_encode", "quality"], title)
    with pytest.raises(NotStored, match=r"black.*held back by a check .*of the picture is black"):
        platform.store.view("standard_encode", "black")
    assert platform.store.ledger.head("quality", "black") is None
    said = {row["concern"]: row for row in platform.store.view("quality", "late").table().to_pylist()}
    assert said["all"]["verdict"] == "warn" and "the sound starts +1." in said["sync"]["reasons"][0]
    assert {name for name, row in said.items() if row["verdict"] == "ok"} >= {"decodable", "black", "duration"}


def test_the_checks_show_their_numbers_and_the_value_its_pictures(platform: Platform) -> None:
    platform.materialize(["essence", "standard_encode"], "one")
    results = platform.instance.fetch_materializations(dg.AssetKey("standard_encode"), limit=1).records
    shown = results[0].asset_materialization.metadata
    for name, kind, head in (("strip", "jpeg", b"\xff\xd8"), ("waveform", "png", b"\x89PNG")):
        text = str(shown[name].value)
        data = base64.b64decode(text.partition(";base64,")[2].rstrip(")"))
        assert text.startswith(f"![{name}](data:image/{kind};base64,") and data.startswith(head) and len(data) < 60_000
    [run] = platform.instance.get_run_records(limit=1)
    events = [
        one.asset_check_evaluation_data
        for one in (record.event_log_entry.dagster_event for record in platform.instance.get_records_for_run(
            run.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records)
        if one is not None
    ]  # fmt: skip
    found = {one.check_name: one for one in events}
    numbers = {name: value.value for name, value in found["loudness"].metadata.items()}
    assert numbers["loudness"] == pytest.approx(-15.7, abs=1) and set(numbers) == {"loudness", "true_peak"}
    assert {name for name, one in found.items() if one.blocking} == {"quality"}
