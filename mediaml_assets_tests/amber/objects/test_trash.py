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


class Overtaken(FolderObjects):
    """Lets somebody else go on right before the first object is removed from the trash."""

    def remove(self, name: str) -> None:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        super().remove(name)

    def meanwhile(self) -> None: ...


def test_what_a_reader_brings_back_although_nothing_refers_to_it_is_taken_away_again(tmp_path: Path) -> None:
    objects = Overtaken(tmp_path / "store")
    objects.create("values/a/1", b"rows")
    objects.meanwhile = lambda: (bring_back(objects, "values/a/1"), None)[1]  # type: ignore[method-assign]
    assert take_away(objects, ["values/a/1"], lambda names: []) == ["values/a/1"]
    assert list(objects.walk()) == []


def test_what_is_made_anew_and_referred_to_by_now_is_not_counted_as_removed(tmp_path: Path) -> None:
    objects = Overtaken(tmp_path / "store")
    referred: list[str] = []

    def write() -> None:
        objects.create("values/a/1", b"rows")
        referred.append("values/a/1")

    objects.create("values/a/1", b"rows")
    objects.meanwhile = write  # type: ignore[method-assign]
    assert take_away(objects, ["values/a/1", "values/a/2"], lambda names: referred) == []
    assert [one.name for one in objects.walk()] == ["values/a/1"]
