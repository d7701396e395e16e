"""What a look writes down of artwork and texts: rows of files by title, beside the films and without them."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from mediaml_assets.amber.names import value_name
from mediaml_assets.errors import InputMoved
from mediaml_assets.jasper.files import open_binary
from mediaml_assets.landing.arrivals import ARTWORK_FILES, SOURCE, TEXT_FILES
from mediaml_assets.landing.folder import LandingFolder
from mediaml_assets.landing.source_file import ArtworkFiles, TextFiles
from mediaml_assets_tests.landing.conftest import Folder, Landing


def changes(landing: Landing) -> set[tuple[str, str, str]]:
    return {(one.feature, one.title, one.commit.event) for one in landing.look().arrivals}


def rows(landing: Landing, feature: str, title: str) -> list[dict[str, Any]]:
    return landing.store.view(feature, title).table().to_pylist()


def paths(landing: Landing, feature: str, title: str) -> list[str]:
    return [row["path"] for row in rows(landing, feature, title)]


def test_files_beside_a_film_are_rows_of_its_title(landing: Landing) -> None:
    for path in ("night.mp4", "night.en.srt", "night.de.forced.vtt", "night.poster.jpg", "night.still-01.png"):
        landing.put(path, path)
    assert changes(landing) == {(name, "night", "computed") for name in (SOURCE, ARTWORK_FILES, TEXT_FILES)}
    assert rows(landing, TEXT_FILES, "night") == [
        {
            "path": "night.de.forced.vtt",
            "size": 19,
            "stamp": landing.stamp("night.de.forced.vtt"),
            "kind": "subtitles",
            "label": "forced",
            "language": "de",
        },
        {
            "path": "night.en.srt",
            "size": 12,
            "stamp": landing.stamp("night.en.srt"),
            "kind": "subtitles",
            "label": "",
            "language": "en",
        },
    ]
    assert [(row["kind"], row["label"]) for row in rows(landing, ARTWORK_FILES, "night")] == [
        ("poster", ""),
        ("still", "01"),
    ]
    assert changes(landing) == set()


def test_a_title_may_have_no_film(landing: Landing) -> None:
    landing.put("rain.poster.jpg")
    landing.put("snow.fr.srt")
    assert changes(landing) == {(ARTWORK_FILES, "rain", "computed"), (TEXT_FILES, "snow", "computed")}
    assert landing.store.ledger.head(SOURCE, "rain") is None


def test_each_change_is_one_of_its_own_kind_only(landing: Landing) -> None:
    for path in ("night.mp4", "night.en.srt", "night.de.srt", "night.poster.jpg", "night.still.jpg"):
        landing.put(path)
    landing.look()
    landing.put("night.poster.jpg")
    assert changes(landing) == {(ARTWORK_FILES, "night", "computed")}
    landing.put("night.mp4")
    assert changes(landing) == {(SOURCE, "night", "computed")}
    landing.put("night.it.srt")
    assert changes(landing) == {(TEXT_FILES, "night", "computed")}
    landing.remove("night.de.srt")
    assert changes(landing) == {(TEXT_FILES, "night", "computed")}
    assert paths(landing, TEXT_FILES, "night") == ["night.en.srt", "night.it.srt"]
    landing.remove("night.en.srt")
    landing.remove("night.it.srt")
    assert changes(landing) == {(TEXT_FILES, "night", "withdrawn")}
    landing.remove("night.mp4")
    assert changes(landing) == {(SOURCE, "night", "withdrawn")}
    assert paths(landing, ARTWORK_FILES, "night") == ["night.poster.jpg", "night.still.jpg"]
    landing.remove("night.poster.jpg")
    landing.remove("night.still.jpg")
    assert changes(landing) == {(ARTWORK_FILES, "night", "withdrawn")}
    assert changes(landing) == set() and landing.known == {}


def test_a_film_that_comes_and_goes_takes_its_files_along(landing: Landing) -> None:
    landing.put("night.final.behind.poster.jpg")
    landing.put("night.final.poster.jpg")
    assert changes(landing) == {
        (ARTWORK_FILES, "night.final.behind", "computed"),
        (ARTWORK_FILES, "night.final", "computed"),
    }
    landing.put("night.final.mp4")
    assert changes(landing) == {
        (SOURCE, "night.final", "computed"),
        (ARTWORK_FILES, "night.final", "computed"),
        (ARTWORK_FILES, "night.final.behind", "withdrawn"),
    }
    landing.put("night.mp4")
    landing.remove("night.final.mp4")
    assert changes(landing) == {
        (SOURCE, "night", "computed"),
        (SOURCE, "night.final", "withdrawn"),
        (ARTWORK_FILES, "night", "computed"),
        (ARTWORK_FILES, "night.final", "withdrawn"),
    }
    assert paths(landing, ARTWORK_FILES, "night") == ["night.final.behind.poster.jpg", "night.final.poster.jpg"]


def test_a_film_with_a_sidecar_gives_its_title_to_what_lies_beside_it(landing: Landing) -> None:
    landing.put("some film.mp4")
    landing.put("some film.en.srt")
    landing.put("scan 1.tif")
    landing.put("some film.mp4.title.json", '{"title": "rain"}')
    landing.put("scan 1.tif.title.json", '{"title": "rain"}')
    assert changes(landing) == {(name, "rain", "computed") for name in (SOURCE, ARTWORK_FILES, TEXT_FILES)}
    landing.put("scan 1.tif.title.json", '{"title": "snow"}')
    assert changes(landing) == {(ARTWORK_FILES, "snow", "computed"), (ARTWORK_FILES, "rain", "withdrawn")}
    landing.put("some film.mp4.title.json", '{"title": "hail"}')
    assert {one for one in changes(landing) if one[1] == "hail"} == {
        (SOURCE, "hail", "computed"),
        (TEXT_FILES, "hail", "computed"),
    }


def test_what_cannot_be_taken_is_quarantined_and_stops_nothing(landing: Landing) -> None:
    for path in ("night.mp4", "night.poster.jpg", "holiday.jpg", "a b.en.srt", ".night.jpg", "notes.txt"):
        landing.put(path)
    landing.put("night.still.jpg")
    landing.put("night.still.jpg.title.json", "{")
    tick = landing.look()
    assert {(one.feature, one.title) for one in tick.arrivals} == {(SOURCE, "night"), (ARTWORK_FILES, "night")}
    assert set(tick.quarantine) == {"holiday.jpg", "a b.en.srt", "night.still.jpg"}
    assert paths(landing, ARTWORK_FILES, "night") == ["night.poster.jpg"]


def test_a_file_that_cannot_be_taken_any_more_leaves_its_title(landing: Landing) -> None:
    for path in ("night.poster.jpg", "night.still.jpg"):
        landing.put(path)
    landing.look()
    landing.put("night.still.jpg.title.json", "{")
    assert changes(landing) == {(ARTWORK_FILES, "night", "computed")}
    assert paths(landing, ARTWORK_FILES, "night") == ["night.poster.jpg"]


def test_a_link_that_leads_outside_is_quarantined(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_text("secret")
    (folder.root / "night.poster.jpg").symlink_to(tmp_path / "secret.jpg")
    tick = folder.look()
    assert tick.arrivals == [] and "leads outside of the landing folder" in tick.quarantine["night.poster.jpg"]


def test_a_lost_cursor_writes_nothing_twice_and_notices_what_went(landing: Landing) -> None:
    for path in ("night.en.srt", "night.de.srt", "day.poster.jpg"):
        landing.put(path)
    landing.look()
    landing.remove("night.de.srt")
    landing.remove("day.poster.jpg")
    landing.known = {}
    assert changes(landing) == {(TEXT_FILES, "night", "computed"), (ARTWORK_FILES, "day", "withdrawn")}
    generation = landing.store.view(TEXT_FILES, "night").generation
    landing.known = {}
    assert changes(landing) == {(TEXT_FILES, "night", "computed")}
    assert landing.store.view(TEXT_FILES, "night").generation == generation == 2


def test_a_file_that_waits_after_a_lost_cursor_is_missed_when_it_goes(landing: Landing) -> None:
    for path in ("day.mp4", "dusk.poster.jpg", "night.mp4", "night.srt"):
        landing.put(path)
    landing.look()
    landing.known, landing.limit = {}, 1
    assert len(landing.look().later) == 3
    for path in ("dusk.poster.jpg", "night.mp4", "night.srt"):
        landing.remove(path)
    assert changes(landing) >= {
        (ARTWORK_FILES, "dusk", "withdrawn"),
        (SOURCE, "night", "withdrawn"),
        (TEXT_FILES, "night", "withdrawn"),
    }


def test_a_film_beside_a_file_with_a_sidecar_parts_its_name_and_not_its_title(landing: Landing) -> None:
    landing.put("night.old.jpg")
    landing.put("night.old.jpg.title.json", '{"title": "dusk"}')
    landing.look()
    assert [row["label"] for row in rows(landing, ARTWORK_FILES, "dusk")] == [""]
    landing.put("night.mp4")
    assert changes(landing) == {(SOURCE, "night", "computed"), (ARTWORK_FILES, "dusk", "computed")}
    assert [row["label"] for row in rows(landing, ARTWORK_FILES, "dusk")] == ["old"]
    landing.remove("night.mp4")
    assert changes(landing) == {(SOURCE, "night", "withdrawn"), (ARTWORK_FILES, "dusk", "computed")}
    assert changes(landing) == set()


def test_a_file_that_grows_holds_back_only_its_own_kind_and_title(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("night.mp4", "night.poster.jpg", "night.still.jpg", "day.poster.jpg"):
        folder.put(path)
    settled = LandingFolder.settled
    monkeypatch.setattr(
        LandingFolder,
        "settled",
        lambda self, files: settled(self, [one for one in files if one.path != "night.still.jpg"]),
    )
    tick = folder.look()
    assert {(one.feature, one.title) for one in tick.arrivals} == {(SOURCE, "night"), (ARTWORK_FILES, "day")}
    assert tick.later == ["night.poster.jpg", "night.still.jpg"]
    monkeypatch.undo()
    assert changes(folder) == {(ARTWORK_FILES, "night", "computed")}


def test_more_files_of_a_title_than_one_look_takes_titles_are_delivered_together(folder: Folder) -> None:
    folder.limit = 2
    for number in range(5):
        folder.put(f"night.still-{number}.jpg")
    folder.put("day.mp4")
    folder.put("dusk.mp4")
    assert changes(folder) == {(ARTWORK_FILES, "night", "computed"), (SOURCE, "day", "computed")}
    assert len(rows(folder, ARTWORK_FILES, "night")) == 5
    assert changes(folder) == {(SOURCE, "dusk", "computed")}


def test_a_folder_that_is_not_mounted_withdraws_nothing(folder: Folder) -> None:
    folder.put("night.poster.jpg")
    folder.look()
    shutil.move(folder.root, folder.root.with_name("elsewhere"))
    assert changes(folder) == set()
    shutil.move(folder.root.with_name("elsewhere"), folder.root)
    assert changes(folder) == {(ARTWORK_FILES, "night", "computed")}
    assert folder.store.view(ARTWORK_FILES, "night").generation == 1


def test_damage_in_the_store_waits_for_its_repair_and_holds_up_nobody(folder: Folder) -> None:
    for path in ("night.en.srt", "night.de.srt", "day.en.srt"):
        folder.put(path)
    folder.look()
    row = next(folder.store.objects.path(f"ledger/{TEXT_FILES}/night").rglob("*.json"))
    content = row.read_bytes()
    row.unlink()
    row.write_bytes(content[:20])
    folder.remove("night.de.srt")
    folder.put("day.en.srt")
    assert changes(folder) == {(TEXT_FILES, "day", "computed")}
    assert changes(folder) == set()
    row.write_bytes(content)
    assert changes(folder) == {(TEXT_FILES, "night", "computed")}
    assert paths(folder, TEXT_FILES, "night") == ["night.en.srt"]
    assert folder.store.objects.path(
        value_name(TEXT_FILES, folder.store.view(TEXT_FILES, "night").value.digest)
    ).exists()


def test_the_reader_finds_the_files_and_notices_what_changed(landing: Landing) -> None:
    landing.put("night.en.srt", "hello")
    landing.put("night.poster.jpg", "poster")
    landing.look()
    [text] = TextFiles.from_value(landing.store.view(TEXT_FILES, "night"))
    [picture] = ArtworkFiles.from_value(landing.store.view(ARTWORK_FILES, "night"))
    assert (text.kind, text.language, picture.kind) == ("subtitles", "en", "poster")
    text.source.check_unmoved()
    with open_binary(text.source.file) as file:
        assert file.read() == b"hello"
    landing.put("night.en.srt", "hellO")
    with pytest.raises(InputMoved, match=r"night\.en\.srt of night changed while it was read"):
        text.source.check_unmoved()


def test_no_file_is_opened(folder: Folder, opened: list[str]) -> None:
    folder.put("night.poster.jpg")
    folder.put("night.en.srt")
    opened.clear()
    folder.look()
    assert not [path for path in opened if path.startswith(str(folder.root))]


def test_one_generation_counts_whatever_of_a_title_lands(landing: Landing) -> None:
    seen = []
    for path in ("night.mp4", "night.poster.jpg", "night.en.srt", "night.poster.jpg", "night.mp4"):
        landing.put(path)
        [arrival] = landing.look().arrivals
        seen.append((arrival.feature, arrival.commit.generation))
    landing.remove("night.en.srt")
    seen += [(one.feature, one.commit.generation) for one in landing.look().arrivals]
    assert seen == [
        (SOURCE, 1), (ARTWORK_FILES, 2), (TEXT_FILES, 3), (ARTWORK_FILES, 4), (SOURCE, 5), (TEXT_FILES, 6),
    ]  # fmt: skip
