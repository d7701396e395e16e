"""The essence follows what a file shows and sounds, never its container, tags, name or time of change."""

import os
import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.essence import essence

from ..clips import Clip, render, steady
from ..remux import Change, flip_one_bit, remux, retime

NTSC = Fraction(24000, 1001)
FILM = Clip(steady(NTSC, 72), bursts=[0.5, 1.5])


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("essence") / "film.mp4", FILM)


def test_a_copy_a_name_a_touch_and_a_tag_change_nothing(film: Path, tmp_path: Path) -> None:
    copy = tmp_path / "another name.mov.mp4"
    shutil.copy(film, copy)
    os.utime(copy, (1, 1))
    assert essence(copy).digest == essence(film).digest
    tagged = remux(film, tmp_path / "tagged.mp4", title="New title", comment="and a comment")
    assert tagged.read_bytes() != film.read_bytes()
    assert essence(tagged).digest == essence(film).digest


@pytest.mark.parametrize("clip", [FILM, Clip(steady(25, 60)), Clip(steady(30, 60), codec="libx265", options={
    "preset": "ultrafast", "x265-params": "log-level=none:keyint=20:pools=none"})])  # fmt: skip
def test_remuxing_changes_nothing(clip: Clip, tmp_path: Path) -> None:
    seen = [render(tmp_path / "0.mp4", clip)]
    for n, suffix in enumerate(["mkv", "ts", "mp4", "mov", "ts", "mkv"], 1):
        seen.append(remux(seen[-1], tmp_path / f"{n}.{suffix}"))
    facts = [essence(path).facts for path in seen]
    for other in facts[1:]:
        assert other == facts[0]
    assert len({essence(path).digest for path in seen}) == 1


@pytest.mark.parametrize("codec", ["libvpx-vp9", "ffv1"])
def test_other_codecs_are_known_by_their_packets(codec: str, tmp_path: Path) -> None:
    options = {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx-vp9" else {}
    first = render(tmp_path / "first.mkv", Clip(steady(25, 12), codec=codec, options=options))
    second = remux(first, tmp_path / "second.mkv", title="tagged")
    third = render(tmp_path / "third.mkv", Clip(steady(25, 12), codec=codec, options=options, first_number=1))
    assert essence(first).digest == essence(second).digest
    assert essence(first).digest != essence(third).digest


@pytest.mark.parametrize(
    ("change", "told_by"),
    [
        (flip_one_bit, "picture"),
        (retime("video", scale=Fraction(2)), "timing"),
        (retime("video", scale=Fraction(1001, 1000)), "timing"),
        (retime("audio", shift=Fraction(1, 10)), "sound"),
        (retime("audio", shift=Fraction(-1, 50)), "sound"),
    ],
)
def test_any_change_of_content_tells(film: Path, tmp_path: Path, change: Change, told_by: str) -> None:
    before = essence(film).facts
    after = essence(remux(film, tmp_path / "changed.mkv", change)).facts
    assert [key for key in before if before[key] != after[key]] == [told_by]


@pytest.mark.parametrize(
    "clip",
    [
        Clip(FILM.times, bursts=FILM.bursts, turn=(90, False, False)),
        Clip(FILM.times, bursts=FILM.bursts, sample_aspect=Fraction(4, 3)),
        Clip(FILM.times, bursts=FILM.bursts, first_number=1),
        Clip(FILM.times, bursts=[0.5, 1.6]),
        Clip(FILM.times),
        Clip(FILM.times[:-1], bursts=FILM.bursts),
    ],
)
def test_other_films_are_other_essences(film: Path, tmp_path: Path, clip: Clip) -> None:
    assert essence(render(tmp_path / "other.mp4", clip)).digest != essence(film).digest


def test_a_start_offset_is_no_content(tmp_path: Path) -> None:
    first = render(tmp_path / "first.mkv", Clip(steady(25, 60), bursts=[0.5]))
    late = render(tmp_path / "late.mkv", Clip(steady(25, 60), bursts=[0.5], start=Fraction(7)))
    assert essence(first).digest == essence(late).digest


def test_a_pause_is_content(tmp_path: Path) -> None:
    first = render(tmp_path / "first.mp4", Clip([*steady(25, 30), *(Fraction(n, 25) for n in range(31, 60))]))
    second = render(tmp_path / "second.mp4", Clip(steady(25, 59)))
    assert essence(first).facts["timing"]["rate"] == essence(second).facts["timing"]["rate"] == "25"
    assert essence(first).digest != essence(second).digest


def test_durations_count_where_there_is_no_grid(tmp_path: Path) -> None:
    times = [Fraction(n * n + 37 * n, 1000) for n in range(30)]
    first = essence(render(tmp_path / "first.mp4", Clip(times)))
    assert first.facts["timing"]["rate"] is None
    times[20] += Fraction(3, 1000)
    assert essence(render(tmp_path / "second.mp4", Clip(times))).digest != first.digest


def test_what_is_no_film_has_no_essence(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.write_bytes(b"")
    with pytest.raises(MediaRefused, match="empty"):
        essence(path)
