"""What one look at the landing folder writes down: deliveries, withdrawals, and the quarantine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mediaml_assets.amber.names import CATALOGUE, value_name
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import InputMoved
from mediaml_assets.jasper.files import open_binary
from mediaml_assets.landing.arrivals import QUARANTINE, SOURCE, look
from mediaml_assets.landing.folder import LandingFolder
from mediaml_assets_tests.landing.conftest import Folder, Landing

AS_NOBODY = """
import os, pathlib, sys
from mediaml_assets.amber.store import Store
from mediaml_assets.landing.arrivals import look
from mediaml_assets.landing.folder import LandingFolder
root = pathlib.Path(sys.argv[1])
os.setuid(65534)
tick = look(LandingFolder(root / "landing", settle_seconds=0), Store(root / "store"), {})
print(sorted(one.title for one in tick.arrivals))
for path, reason in sorted(tick.quarantine.items()):
    print(path, "|", reason)
"""


def test_a_delivery_is_written_with_its_catalogue_facts(landing: Landing) -> None:
    landing.put("night.mp4", "film")
    landing.put("harbour/s01/e02.mkv", "longer film")
    assert landing.arrivals() == {"night": "computed", "harbour-s01e02": "computed"}
    assert landing.source("night") == {
        "path": "night.mp4",
        "size": 4,
        "stamp": landing.stamp("night.mp4"),
        "show": None,
        "season": None,
        "episode": None,
    }
    assert landing.source("harbour-s01e02") == {
        "path": "harbour/s01/e02.mkv",
        "size": 11,
        "stamp": landing.stamp("harbour/s01/e02.mkv"),
        "show": "harbour",
        "season": 1,
        "episode": 2,
    }


def test_a_file_that_stands_is_no_news(landing: Landing) -> None:
    landing.put("night.mp4")
    landing.look()
    assert landing.arrivals() == {}
    assert landing.generation("night") == 1


def test_no_film_is_opened(folder: Folder, opened: list[str]) -> None:
    film = folder.put("night.mp4")
    folder.put("harbour/s01/e02.mkv")
    folder.put("a b.mp4")
    opened.clear()
    folder.look()
    assert opened and not [path for path in opened if path.startswith(str(folder.root))]
    film.read_bytes()
    assert opened[-1] == str(film)


def test_the_data_version_is_that_of_the_source_row(landing: Landing) -> None:
    landing.put("night.mp4")
    (first,) = landing.look().arrivals
    landing.put("night.mp4")
    (second,) = landing.look().arrivals
    landing.remove("night.mp4")
    (third,) = landing.look().arrivals
    assert first.commit.current is not None and first.data_version == first.commit.current.digest
    assert second.data_version != first.data_version
    assert third.data_version == "withdrawn"


def test_generations_count_deliveries_and_withdrawals(landing: Landing) -> None:
    seen = []
    for act in ("put", "put", "remove", "put"):
        landing.put("night.mp4") if act == "put" else landing.remove("night.mp4")
        seen.append(landing.arrivals())
        seen.append({"generation": landing.generation("night")})
    assert seen == [
        {"night": "computed"},
        {"generation": 1},
        {"night": "computed"},
        {"generation": 2},
        {"night": "withdrawn"},
        {"generation": 3},
        {"night": "computed"},
        {"generation": 4},
    ]


def test_a_withdrawn_title_has_no_source(landing: Landing) -> None:
    landing.put("night.mp4")
    landing.put("day.mp4")
    landing.look()
    landing.remove("night.mp4")
    assert landing.arrivals() == {"night": "withdrawn"}
    assert landing.store.view("source", "night").withdrawn
    assert landing.arrivals() == {}


def test_a_file_that_goes_before_it_settled_again_is_withdrawn(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put("night.mp4")
    folder.look()
    folder.put("night.mp4", "growing")
    monkeypatch.setattr(LandingFolder, "settled", lambda self, files: [])
    assert folder.arrivals() == {}
    monkeypatch.undo()
    folder.remove("night.mp4")
    assert folder.arrivals() == {"night": "withdrawn"}


def test_another_file_for_the_same_title_is_a_delivery_and_no_withdrawal(landing: Landing) -> None:
    landing.put("night.mp4")
    landing.look()
    landing.rename("night.mp4", "night.mkv")
    assert landing.arrivals() == {"night": "computed"}
    assert landing.source("night")["path"] == "night.mkv"
    assert landing.generation("night") == 2


def test_a_renamed_title_is_a_withdrawal_and_a_delivery(landing: Landing) -> None:
    landing.put("night.mp4")
    landing.look()
    landing.rename("night.mp4", "day.mp4")
    assert landing.arrivals() == {"day": "computed", "night": "withdrawn"}


def test_a_sidecar_gives_the_title_and_its_edit_is_taken_up(landing: Landing) -> None:
    landing.put("some film.mp4")
    landing.put("some film.mp4.title.json", '{"title": "rain"}')
    assert landing.arrivals() == {"rain": "computed"}
    landing.put("some film.mp4.title.json", '{"title": "rain", "show": "weather", "season": 2, "episode": 1}')
    assert landing.arrivals() == {"rain": "computed"}
    assert (landing.source("rain")["show"], landing.generation("rain")) == ("weather", 2)
    landing.put("some film.mp4.title.json", '{"title": "snow"}')
    assert landing.arrivals() == {"snow": "computed", "rain": "withdrawn"}
    landing.remove("some film.mp4.title.json")
    tick = landing.look()
    assert [(one.title, one.commit.event) for one in tick.arrivals] == [("snow", "withdrawn")]
    assert list(tick.quarantine) == ["some film.mp4"]


def test_a_bad_sidecar_quarantines_its_film_only(landing: Landing) -> None:
    landing.put("night.mp4")
    landing.put("day.mp4")
    landing.put("night.mp4.title.json", "{")
    tick = landing.look()
    assert [one.title for one in tick.arrivals] == ["day"]
    assert "the sidecar of 'night.mp4' cannot be used" in tick.quarantine["night.mp4"]


def test_files_that_give_no_title_stop_nobody(landing: Landing) -> None:
    bad = ["a b.mp4", "é.mp4", "a..b.mp4", "-a.mp4", "x" * 240 + ".mp4", "be\x07ll.mp4"]
    for path in (*bad, "good.mp4"):
        landing.put(path)
    tick = landing.look()
    assert [one.title for one in tick.arrivals] == ["good"]
    assert set(tick.quarantine) == {*bad[:-1], "be\\x07ll.mp4"}
    for path, reason in tick.quarantine.items():
        assert repr(path).strip("'").replace("\\\\", "\\") in reason and "ename it" in reason


def test_a_name_that_is_no_text_stops_nobody(folder: Folder) -> None:
    folder.put("good.mp4")
    (Path(os.fsdecode(os.fsencode(folder.root) + b"/not \xff text.mp4"))).write_bytes(b"film")
    tick = folder.look()
    assert [one.title for one in tick.arrivals] == ["good"]
    assert list(tick.quarantine) == ["not \\udcff text.mp4"]


def test_what_cannot_be_taken_as_it_is_names_its_reason(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_text("secret")
    (folder.root / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    folder.put("good.mp4")
    folder.put("talk.mp4")
    folder.put("talk.mp4.title.json", "{" + " " * 64 * 1024 + "}")
    tick = folder.look()
    assert [one.title for one in tick.arrivals] == ["good"]
    assert "'link.mp4' is a link that leads outside of the landing folder" in tick.quarantine["link.mp4"]
    assert "the sidecar of 'talk.mp4' is larger than 64 KiB" in tick.quarantine["talk.mp4"]


def test_a_film_that_becomes_a_link_to_elsewhere_is_withdrawn_and_never_read(folder: Folder, tmp_path: Path) -> None:
    source = folder.source_file()
    (tmp_path / "secret.mp4").write_text("a long night")
    folder.remove("night.mp4")
    (folder.root / "night.mp4").symlink_to(tmp_path / "secret.mp4")
    os.utime(folder.root / "night.mp4", ns=(1, int(source.stamp)))
    with pytest.raises(InputMoved):
        source.check_unmoved()
    assert folder.arrivals() == {"night": "withdrawn"}


def test_the_quarantine_is_a_value_written_when_it_changes(landing: Landing) -> None:
    landing.put("good.mp4")
    assert not landing.look().quarantine_changed
    assert landing.store.ledger.head(QUARANTINE, CATALOGUE) is None
    landing.put("a b.mp4")
    assert landing.look().quarantine_changed
    assert landing.store.view(QUARANTINE, CATALOGUE).row()["path"] == "a b.mp4"
    operations = landing.store.objects.operations
    operations.clear()
    assert not landing.look().quarantine_changed
    assert "create" not in operations
    landing.rename("a b.mp4", "a_b.mp4")
    tick = landing.look()
    assert tick.quarantine_changed and tick.quarantine == {}
    assert landing.store.view(QUARANTINE, CATALOGUE).table().num_rows == 0


def test_of_two_files_for_one_title_the_one_that_was_there_stays(landing: Landing) -> None:
    landing.put("night.mp4")
    landing.look()
    landing.put("night.mkv")
    tick = landing.look()
    assert tick.arrivals == [] and list(tick.quarantine) == ["night.mkv"]
    reason = tick.quarantine["night.mkv"]
    assert "'night.mkv' and 'night.mp4' both give the title 'night'; 'night.mp4' keeps it" in reason
    assert '"night.mkv.title.json"' in reason
    assert landing.source("night")["path"] == "night.mp4"
    landing.remove("night.mp4")
    tick = landing.look()
    assert [(one.title, one.commit.event) for one in tick.arrivals] == [("night", "computed")]
    assert tick.quarantine == {} and landing.source("night")["path"] == "night.mkv"


def test_of_files_that_come_together_the_first_by_name_is_taken(landing: Landing) -> None:
    for path in ("a/b.mp4", "a-b.mp4", "a-b.mkv"):
        landing.put(path)
    tick = landing.look()
    assert landing.source("a-b")["path"] == "a-b.mkv"
    assert sorted(tick.quarantine) == ["a-b.mp4", "a/b.mp4"]
    known = landing.known
    assert not landing.look().arrivals and landing.known == known


def test_a_title_of_its_own_frees_the_second_file(landing: Landing) -> None:
    landing.put("night.mp4")
    landing.put("night.mkv")
    landing.look()
    landing.put("night.mp4.title.json", '{"title": "night-2"}')
    assert landing.arrivals() == {"night-2": "computed"}


@pytest.mark.skipif(os.geteuid() != 0, reason="gives up root's rights, which read everything")
def test_what_may_not_be_read_is_named_and_stops_nobody(folder: Folder, tmp_path: Path) -> None:
    folder.put("locked.mp4").chmod(0)
    folder.put("good.mp4")
    folder.put("room/closed.mp4")
    (folder.root / "room").chmod(0)
    (tmp_path / "store").chmod(0o777)
    for above in (tmp_path, *tmp_path.parents[:3]):
        above.chmod(above.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, *others = done.stdout.splitlines()
    assert first == "['good']"
    assert [line.partition(" | ")[0] for line in others] == ["locked.mp4", "room"]
    for line in others:
        assert "cannot be read: permission denied. Give the service read permission (chmod)" in line


def test_a_tick_takes_a_bounded_number_and_the_next_goes_on(folder: Folder) -> None:
    folder.limit = 2
    for name in "edcba":
        folder.put(f"{name}.mp4")
    ticks = [folder.look() for _ in range(4)]
    assert [[one.title for one in tick.arrivals] for tick in ticks] == [["e", "d"], ["c", "b"], ["a"], []]
    assert [bool(tick.later) for tick in ticks] == [True, True, False, False]
    assert sorted(folder.known) == [f"{name}.mp4" for name in "abcde"]


def test_files_that_keep_growing_hold_nobody_up(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.limit = 1
    folder.put("still.mp4")
    folder.put("growing.mp4")
    settled = LandingFolder.settled
    monkeypatch.setattr(
        LandingFolder,
        "settled",
        lambda self, files: settled(self, [one for one in files if one.path != "growing.mp4"]),
    )
    assert folder.arrivals() == {"still": "computed"}
    tick = folder.look()
    assert tick.later == ["growing.mp4"] and tick.arrivals == []
    monkeypatch.undo()
    assert folder.arrivals() == {"growing": "computed"}


def test_a_lost_cursor_writes_nothing_twice(landing: Landing) -> None:
    landing.put("night.mp4")
    landing.put("day.mp4")
    landing.look()
    landing.remove("day.mp4")
    landing.known = {}
    assert landing.arrivals() == {"night": "computed", "day": "withdrawn"}
    assert landing.generation("night") == 1
    landing.known = {}
    assert landing.arrivals() == {"night": "computed"}
    assert [landing.generation(title) for title in ("night", "day")] == [1, 2]


def test_a_folder_that_is_not_mounted_withdraws_nothing(folder: Folder) -> None:
    folder.put("night.mp4")
    folder.look()
    shutil.move(folder.root, folder.root.with_name("elsewhere"))
    assert folder.arrivals() == {}
    shutil.move(folder.root.with_name("elsewhere"), folder.root)
    assert folder.arrivals() == {"night": "computed"}
    assert folder.generation("night") == 1


def test_an_emptied_folder_withdraws_every_title(landing: Landing) -> None:
    landing.put("night.mp4")
    landing.put("day.mp4")
    landing.look()
    landing.remove("night.mp4")
    landing.remove("day.mp4")
    assert landing.arrivals() == {"night": "withdrawn", "day": "withdrawn"}


def test_a_store_that_is_new_takes_up_what_lies_there(landing: Landing, tmp_path: Path) -> None:
    landing.put("night.mp4")
    landing.look()
    other = Store(tmp_path / "other")
    tick = look(landing.place(), other, {})
    assert [one.title for one in tick.arrivals] == ["night"]


def test_the_reader_finds_the_file(landing: Landing) -> None:
    source = landing.source_file()
    assert (source.file.name, source.title) == ("night.mp4", "night")
    source.check_unmoved()
    with open_binary(source.file) as file:
        assert file.read() == b"a long night"


def test_the_reader_notices_a_file_that_changed_or_went(landing: Landing) -> None:
    source = landing.source_file()
    landing.put("night.mp4", "a long nighT")
    with pytest.raises(InputMoved, match="of night changed while it was read; the next landing tick takes it up"):
        source.check_unmoved()
    landing.remove("night.mp4")
    with pytest.raises(InputMoved, match="of night went away while it was read; the next landing tick says so"):
        source.check_unmoved()


def stored(landing: Landing, part: str, title: str) -> Path:
    """The file of a title's ledger row, or of its value."""
    if part == "row":
        return next(landing.store.objects.path(f"ledger/{SOURCE}/{title}").rglob("*.json"))
    return landing.store.objects.path(value_name(SOURCE, landing.store.view(SOURCE, title).value.digest))


@pytest.mark.parametrize("part", ["row", "value"])
@pytest.mark.parametrize("cursor", ["kept", "lost"])
def test_a_damaged_source_holds_up_no_other_title(
    folder: Folder, part: str, cursor: str, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("harbour/s01/e01.mp4", "harbour/s01/e02.mp4", "day.mp4", "dusk.mp4"):
        folder.put(path)
    folder.look()
    whole = {file: file.read_bytes() for file in (stored(folder, part, one) for one in ("harbour-s01e01", "day"))}
    for file, content in whole.items():
        file.unlink()
        file.write_bytes(content[: len(content) // 2])
    folder.put("harbour/s01/e01.mp4", "another cut")
    folder.put("harbour/s01/e03.mp4")
    folder.remove("day.mp4")
    folder.remove("dusk.mp4")
    folder.known = folder.known if cursor == "kept" else {}
    found = folder.arrivals()
    assert (found["harbour-s01e03"], found["dusk"]) == ("computed", "withdrawn")
    assert any(record.getMessage().startswith("source of harbour-s01e01 is left alone") for record in caplog.records)
    members = folder.store.view("show", "harbour").table().column("title").to_pylist()
    assert members == ["harbour-s01e01", "harbour-s01e02", "harbour-s01e03"]
    for file, content in whole.items():
        file.write_bytes(content)
    if cursor == "lost":
        folder.known = {}
    folder.look()
    assert folder.store.view(SOURCE, "day").withdrawn
    assert folder.source("harbour-s01e01")["size"] == len("another cut")


def test_a_damaged_source_keeps_its_file(folder: Folder) -> None:
    folder.put("night.mp4")
    folder.look()
    folder.put("night.mkv")
    file = stored(folder, "value", "night")
    file.unlink()
    file.write_bytes(b"damaged")
    assert list(folder.look().quarantine) == ["night.mkv"]
