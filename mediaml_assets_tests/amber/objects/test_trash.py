"""What is taken away beside readers and writers who have the same object in hand."""

from pathlib import Path

import pytest

from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.objects.trash import bring_back, take_away


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return FolderObjects(tmp_path / "store")


def test_what_a_writer_made_anew_stays_when_the_old_one_is_put_back(objects: FolderObjects) -> None:
    objects.create("memo/a/1.json", b"old")

    def made_anew(names: list[str]) -> list[str]:
        objects.create("memo/a/1.json", b"new")
        return names

    assert take_away(objects, ["memo/a/1.json"], made_anew) == []
    assert objects.read("memo/a/1.json") == b"new"
    assert list(objects.walk("trash")) == []


def test_a_reader_puts_nothing_over_what_a_writer_made_anew(objects: FolderObjects) -> None:
    objects.create("trash/run/values/a/1", b"old")
    objects.create("values/a/1", b"new")
    assert bring_back(objects, "values/a/1")
    assert objects.read("values/a/1") == b"new"
