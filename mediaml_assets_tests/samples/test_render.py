from dataclasses import replace
from pathlib import Path

import pytest

from mediaml_assets.samples import render as renderer
from mediaml_assets.samples import script
from mediaml_assets.samples.plan import Catalogue
from mediaml_assets.samples.truth import load_truth
from mediaml_assets_tests.samples.conftest import beginning


@pytest.fixture
def short(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """A catalogue of two titles of a few seconds, which the renderer takes for the whole one."""
    cut = replace(catalogue, titles=tuple(beginning(catalogue.titles[i], 30) for i in (2, 5)))
    monkeypatch.setattr(script, "CARDS", tuple(script.CARDS[i] for i in (2, 5)))
    monkeypatch.setattr(script, "write", lambda seed: replace(cut, seed=seed))
    return cut


def never(seed: int) -> Catalogue:
    raise AssertionError(f"seed {seed} was written again")


def test_titles_are_rendered_whole_once(short: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, float]] = []
    files = renderer.render(short.seed, tmp_path, lambda title, share: told.append((title, share)))
    assert files == [tmp_path / "night_train.mp4", tmp_path / "old_reel.mp4"]
    assert all(f.is_file() and f.with_suffix(".srt").is_file() for f in files)
    assert {title for title, share in told if share == 1} == {"night_train", "old_reel"}
    for title in short.titles:
        truth = load_truth(renderer.truth_file(tmp_path, title.title))
        assert truth.frame_count == title.frame_count
        assert [(s.start, s.end) for s in truth.shots] == [(s.start, s.end) for s in title.shots]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "night_train.mp4",
        "night_train.srt",
        "old_reel.mp4",
        "old_reel.srt",
        "truth",
    ]
    monkeypatch.setattr(script, "write", never)
    stamps = [f.stat().st_mtime_ns for f in files]
    assert renderer.render(short.seed, tmp_path) == files
    assert [f.stat().st_mtime_ns for f in files] == stamps


def test_one_title_gives_the_same_bytes_again_and_is_known_as_finished(short: Catalogue, tmp_path: Path) -> None:
    title = short.titles[0]
    a, b = (renderer.render_title(title, 3, tmp_path / name, lambda share: None) for name in "ab")
    assert a.read_bytes() == b.read_bytes()
    place = tmp_path / "a"
    assert renderer.is_finished(3, place, title.title, title.file)
    assert not renderer.is_finished(4, place, title.title, title.file)
    a.write_bytes(a.read_bytes()[:-1])
    assert not renderer.is_finished(3, place, title.title, title.file)


def test_a_title_that_breaks_off_leaves_nothing(
    short: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(share: float) -> None:
        raise OSError("no space left")

    title = short.titles[0]
    with pytest.raises(OSError, match="no space"):
        renderer.render_title(title, 3, tmp_path, full)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == []
    assert not renderer.is_finished(3, tmp_path, title.title, title.file)
