"""Artwork and texts through the real mesh: a film with a poster and subtitles, a title with artwork alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, PngImagePlugin

from mediaml_assets import jasper, on_demand
from mediaml_assets.amber.explain import explain
from mediaml_assets.cli import main
from mediaml_assets.errors import NotStored
from mediaml_assets.jasper.pictures.artwork import Artwork
from mediaml_assets.jasper.texts.cues import Cues
from mediaml_assets.jasper.texts.script import Script
from mediaml_assets.runs import refused_files, states
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.conftest import Call, catch_up
from mediaml_assets_tests.end_to_end.test_deliveries import now

ENGLISH = "1\n00:00:00,500 --> 00:00:01,500\n<i>Hello</i>\n\n2\n00:00:01,500 --> 00:00:02,000\nGoodbye\n"
GERMAN = "WEBVTT\n\n00:00.500 --> 00:01.500\n<v Anna>Hallo\n"
SCRIPT = "INT. TRAIN - NIGHT\n\nAnna sleeps.\n\nANNA\nWho is there?\n"


def poster(path: Path, colour: str, note: str = "") -> None:
    """A picture with a frame of another colour; the note changes the file and no pixel."""
    image = Image.new("RGB", (60, 90), colour)
    image.paste((20, 40, 60), (10, 10, 30, 70))
    facts = PngImagePlugin.PngInfo()
    facts.add_text("Comment", note)
    image.save(path, "PNG", pnginfo=facts)
    now(path)


def text(path: Path, content: str) -> None:
    path.write_text(content)
    now(path)


@pytest.fixture
def landed(platform: Platform, calls: list[Call], monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """`one` with a poster, two subtitle files and a script; `posters_only` with artwork alone; at rest."""
    monkeypatch.setenv("DAGSTER_HOME", str(platform.home / "dagster"))
    poster(platform.landing / "one.poster.png", "red")
    text(platform.landing / "one.en.srt", ENGLISH)
    text(platform.landing / "one.de.vtt", GERMAN)
    text(platform.landing / "one.script.fountain", SCRIPT)
    poster(platform.landing / "posters_only.poster.png", "green")
    poster(platform.landing / "posters_only.still-1.png", "blue")
    platform.settle()
    made = set(calls)
    calls.clear()
    yield platform
    # what came of landing it the first time, in this or an earlier test of the same installation
    assert {name for name, _ in made} <= {"artwork", "artwork_embedding", "subtitle_cues", "script"}


def test_what_landed_can_be_read(landed: Platform) -> None:
    cues = Cues.from_value(landed.store.view("subtitle_cues", "one"))
    assert [(float(cue.start), float(cue.end), cue.text, cue.language) for cue in cues] == [
        (0.5, 1.5, "Hallo", "de"),
        (0.5, 1.5, "Hello", "en"),
        (1.5, 2.0, "Goodbye", "en"),
    ]
    assert [cue.text for cue in cues.of("en").between(1.5, 1.6)] == ["Goodbye"]
    assert (cues[0].speaker, cues[1].markup) == ("Anna", "<i>Hello</i>")
    assert len(Cues.from_value(landed.store.view("embedded_cues", "one"))) == 0
    assert [line.kind for line in Script.from_value(landed.store.view("script", "one"))] == [
        "scene", "action", "character", "dialogue",
    ]  # fmt: skip
    art = Artwork.from_value(landed.store.view("artwork", "posters_only"))
    assert [(one.kind, one.label) for one in art] == [("poster", ""), ("still", "1")]
    assert art[0].rgb()[0, 0].tolist() == [0, 128, 0] and art[1].rgb()[0, 0].tolist() == [0, 0, 255]
    vectors = landed.store.view("artwork_embedding", "posters_only").table()
    assert vectors.column("index").to_pylist() == [0, 1]
    for vector in vectors.column("vector").to_pylist():
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-2)


def test_the_library_opens_them_with_the_film(landed: Platform) -> None:
    one, two = jasper.open("one"), jasper.open("two")
    assert [cue.text for cue in one.text.cues(1.0, 2.0, "en")] == ["Hello", "Goodbye"]
    assert [picture.kind for picture in one.images] == ["poster"]
    assert (len(two.text), len(two.images)) == (0, 0)


def test_a_title_without_a_film_is_no_failure_anywhere(landed: Platform, calls: list[Call]) -> None:
    assert states(landed.store)["posters_only"] == "described"
    assert [one for one in landed.mesh.stale(landed.store, landed.titles()) if one[1] == "posters_only"] == []
    assert landed.store.ledger.head("standard_encode", "posters_only") is None
    assert landed.store.ledger.head("artwork", "two") is None
    cuts = landed.store.view("match_cuts", "_catalogue").table()
    assert "posters_only" not in set(cuts.column("title1").to_pylist())
    assert "posters_only" not in explained(landed)
    assert set(on_demand.values("motion")) == {"one", "two"}
    assert set(on_demand.values("artwork")) == {"one", "posters_only"}
    with pytest.raises(NotStored, match="motion is made from source, which posters_only does not have; deliver"):
        on_demand.value("motion", "posters_only")
    status = CliRunner().invoke(main, ["status"]).output
    assert "posters_only" in status and "quarantine" not in status
    landed.settle()
    catch_up(landed)
    assert calls == []


def explained(platform: Platform) -> str:
    return str(explain(platform.store, platform.mesh, "match_cuts").now)


def test_a_touched_poster_runs_its_own_artwork_and_nothing_below(landed: Platform, calls: list[Call]) -> None:
    now(landed.landing / "one.poster.png")
    landed.settle()
    assert calls == [("artwork", "one")]
    calls.clear()
    poster(landed.landing / "one.poster.png", "red", note="tagged anew")
    landed.settle()
    assert calls == [("artwork", "one")]


@pytest.mark.slow
def test_another_poster_runs_its_title_only(landed: Platform, calls: list[Call]) -> None:
    before = landed.store.view("artwork_embedding", "one").value.digest
    image = Image.effect_mandelbrot((80, 60), (-2, -1, 1, 1), 30).convert("RGB")
    image.save(landed.landing / "one.poster.png")
    now(landed.landing / "one.poster.png")
    landed.settle()
    assert set(calls) == {("artwork", "one"), ("artwork_embedding", "one")} and len(calls) == 2
    assert landed.store.view("artwork_embedding", "one").value.digest != before


def test_a_new_subtitle_runs_the_texts_only(landed: Platform, calls: list[Call]) -> None:
    text(landed.landing / "one.fr.srt", ENGLISH.replace("Hello", "Bonjour"))
    landed.settle()
    assert sorted(calls) == [("script", "one"), ("subtitle_cues", "one")]
    assert Cues.from_value(landed.store.view("subtitle_cues", "one")).languages == ("de", "en", "fr")


def test_what_is_removed_leaves_and_the_last_one_withdraws(landed: Platform, calls: list[Call]) -> None:
    (landed.landing / "posters_only.still-1.png").unlink()
    landed.settle()
    assert set(calls) == {("artwork", "posters_only"), ("artwork_embedding", "posters_only")}
    calls.clear()
    (landed.landing / "posters_only.poster.png").unlink()
    landed.settle()
    assert calls == [] and landed.store.view("artwork_embedding", "posters_only").withdrawn
    assert states(landed.store)["posters_only"] == "withdrawn"
    assert set(on_demand.values("artwork")) == {"one"}


def test_a_film_that_goes_leaves_its_artwork(landed: Platform, calls: list[Call]) -> None:
    (landed.landing / "one.mp4").unlink()
    landed.settle()
    assert landed.store.view("shots", "one").withdrawn and not landed.store.view("artwork", "one").withdrawn
    assert {name for name, _ in calls} <= {"shot_groups", "match_cuts"}
    shutil.copy2(landed.home / "originals" / "one.mp4", landed.landing / "one.mp4")
    now(landed.landing / "one.mp4")
    landed.settle()
    assert {name for name, _ in calls} <= {"shot_groups", "match_cuts", "essence", "container_facts", "embedded_cues"}


def test_a_bad_file_is_named_and_takes_no_good_one(landed: Platform, calls: list[Call]) -> None:
    text(landed.landing / "one.it.srt", "Dear all, the subtitles follow tomorrow.\n")
    (landed.landing / "one.still.jpg").write_bytes((landed.landing / "one.poster.png").read_bytes()[:100])
    now(landed.landing / "one.still.jpg")
    (landed.landing / "one.draft.script.pdf").write_bytes(b"%PDF-1.7\n")
    now(landed.landing / "one.draft.script.pdf")
    landed.settle()
    assert len(Artwork.from_value(landed.store.view("artwork", "one"))) == 1
    assert len(Cues.from_value(landed.store.view("subtitle_cues", "one"))) == 3
    bad = refused_files(landed.store)
    assert set(bad) == {"one.it.srt", "one.still.jpg", "one.draft.script.pdf"}
    assert "holds no subtitles" in bad["one.it.srt"] and "cut short" in bad["one.still.jpg"]
    status = " ".join(CliRunner(env={"COLUMNS": "300"}).invoke(main, ["status"]).output.split())
    assert "one.still.jpg: one.still.jpg is damaged or cut short" in status
    assert "export the script as Fountain" in status
    assert states(landed.store)["one"] == "described"
    calls.clear()
    catch_up(landed)
    landed.settle()
    assert calls == []
