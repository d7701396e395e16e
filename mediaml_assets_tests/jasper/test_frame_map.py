"""The frame map answers both ways exactly as the plain list of what was written, small and in parts."""

from bisect import bisect_right
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.errors import TimecodeRefused
from mediaml_assets.jasper import frame_map
from mediaml_assets.jasper.frame_map import FrameMap, FrameMapWriter
from mediaml_assets.jasper.timecode import Timecode
from mediaml_assets.ranged import RangedFile

NTSC = Fraction(30_000, 1001)


def write(path: Path, pts: list[int], held: list[int], rate: Fraction = Fraction(25), base: int = 1000) -> FrameMap:
    """A map of pictures at `pts`, each shown in so many frames."""
    writer, frames = FrameMapWriter(rate, Fraction(1, base), pts[0]), 0
    for stamp, times in zip(pts, held, strict=True):
        writer.add(stamp, frames)
        frames += times
    writer.save(path, frames)
    return FrameMap.open(path)


@given(
    st.lists(st.tuples(st.integers(1, 3000), st.sampled_from([0, 0, 1, 1, 1, 2, 5])), min_size=1, max_size=60).filter(
        lambda pictures: any(times for _, times in pictures)
    ),
    st.integers(-(10**12), 10**12),
)
def test_it_is_the_list_of_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, pictures: list[tuple[int, int]], start: int
) -> None:
    held = [times for _, times in pictures]
    pts = [start + sum(gap for gap, _ in pictures[:n]) for n in range(len(pictures))]
    shown = [n for n, times in enumerate(held) for _ in range(times)]
    with pytest.MonkeyPatch.context() as patch:
        # many small groups, so that look-ups cross them
        patch.setattr(frame_map, "GROUP", 7)
        written = write(tmp_path_factory.mktemp("map") / "map.parquet", pts, held)
        assert (written.frame_count, written.picture_count) == (len(shown), len(pts))
        assert written.source_frame.tolist() == shown
        assert written.source_pts.tolist() == [pts[n] for n in shown]
        for index, n in enumerate(shown):
            assert (written.at(index).frame, written.at(index).pts) == (n, pts[n])
            assert written.source_time(index) == Fraction(pts[n] - pts[0], 1000)
        for n in range(len(pts)):
            frames = [index for index, other in enumerate(shown) if other == n]
            assert written.frames_of(n) == ((frames[0], frames[-1] + 1) if frames else None)
        for tick in {pts[0] - 1, *pts, *(stamp + 1 for stamp in pts), pts[-1] + 10**6}:
            due = bisect_right(pts, tick) - 1
            found = written.picture_at(Fraction(2 * (tick - start) + 1, 2000))
            assert (found.frame if found else -1) == due
            assert written.frames_at(Fraction(tick - start, 1000)) == (written.frames_of(due) if due >= 0 else None)


@pytest.mark.parametrize(
    ("rate", "base"),
    [(Fraction(24), 12_288), (Fraction(24_000, 1001), 1000), (Fraction(60), 1000), (Fraction(60_000, 1001), 90_000)],
)
def test_a_film_of_two_hours_takes_little(tmp_path: Path, rate: Fraction, base: int) -> None:
    count = int(7200 * rate)
    film = write(tmp_path / "map.parquet", [round(n * base / rate) for n in range(count)], [1] * count, rate, base)
    assert film.at(count - 1).frame == count - 1
    assert (tmp_path / "map.parquet").stat().st_size < 20_000


def test_a_film_of_variable_rate_is_read_in_parts_from_elsewhere(tmp_path: Path) -> None:
    count = 400_000
    pts = np.cumsum(np.random.default_rng(1).integers(1500, 4500, count)).tolist()
    path = tmp_path / "map.parquet"
    write(path, pts, [1] * count, base=90_000)

    class Elsewhere:
        name = "map.parquet"
        fetched = 0

        def open(self) -> BinaryIO:
            return cast(BinaryIO, RangedFile(path.stat().st_size, self._fetch, self.name))

        def _fetch(self, start: int, length: int) -> bytes:
            self.fetched += length
            return path.read_bytes()[start : start + length]

    there = Elsewhere()
    film = FrameMap.open(there)
    assert film.at(5).pts == pts[5]
    # its end and the block that the row lies in
    assert path.stat().st_size > there.fetched > 0
    assert film.source_pts.tolist() == pts


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    film = write(tmp_path / "map.parquet", [0, 40, 80], [1, 1, 1])
    for index in (-1, 3):
        with pytest.raises(IndexError, match=r"within \[0, 3\)"):
            film.at(index)
        with pytest.raises(IndexError, match=r"within \[0, 3\)"):
            film.frames_of(index)


def test_timecode_counts_from_the_containers(tmp_path: Path) -> None:
    """Milliseconds of 29.97: the label is that of the picture's place, however the stamp was rounded."""
    pts = [round(n * 1001 / 30) for n in range(4000)]
    film = write(tmp_path / "map.parquet", pts, [1] * 4000, NTSC)
    drop, full = Timecode.parse("00:59:59;00", 30), Timecode.parse("00:59:59:00", 30)
    assert [str(film.timecode(n, drop)) for n in (0, 30, 1829, 1830)] == [
        "00:59:59;00", "01:00:00;00", "01:00:59;29", "01:01:00;02",
    ]  # fmt: skip
    assert [film.timecode(n, full).frames - full.frames for n in range(4000)] == list(range(4000))
    assert [film.timecode(n, drop).frames - drop.frames for n in range(4000)] == list(range(4000))


def test_timecode_goes_on_across_pictures_that_the_source_leaves_out(tmp_path: Path) -> None:
    film = write(tmp_path / "map.parquet", [0, 40, 200, 240], [1, 4, 1, 1])
    start = Timecode.parse("10:00:00:00", 25)
    assert [str(film.timecode(n, start))[-2:] for n in range(7)] == ["00", "01", "01", "01", "01", "05", "06"]


def test_timecode_of_half_the_rate_labels_pairs(tmp_path: Path) -> None:
    """50 pictures a second under a label of 25: two pictures share one (SMPTE ST 12-1, frame pairs)."""
    film = write(tmp_path / "map.parquet", [20 * n for n in range(6)], [1] * 6, Fraction(50))
    labels = [film.timecode(n, Timecode(0, 25)).frames for n in range(6)]
    assert labels == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("start", ["10:00:00;00", "23:59:58;00", "10:00:00:00"])
def test_a_label_finds_the_frames_that_have_it(tmp_path: Path, start: str) -> None:
    """29.97 over a minute's end and midnight: each frame is found by its label, and dropped labels find none."""
    count = 4000
    film = write(tmp_path / "map.parquet", [round(n * 1001 / 30) for n in range(count)], [1] * count, NTSC)
    first = Timecode.parse(start, 30)
    for n in (0, 1, 59, 60, 1799, 1800, 1801, count - 1):
        assert film.frames_labelled(film.timecode(n, first), first) == (n, n + 1)
    assert film.frames_labelled(first + count, first) is None and film.frames_labelled(first + -1, first) is None


def test_a_label_finds_held_and_paired_frames_and_none_that_is_left_out(tmp_path: Path) -> None:
    gap, start = write(tmp_path / "gap.parquet", [0, 40, 200, 240], [1, 4, 1, 1]), Timecode.parse("10:00:00:00", 25)
    assert [gap.frames_labelled(start + n, start) for n in (0, 1, 2, 5)] == [(0, 1), (1, 5), None, (5, 6)]
    pairs = write(tmp_path / "pairs.parquet", [20 * n for n in range(6)], [1] * 6, Fraction(50))
    assert pairs.frames_labelled(start + 1, start) == (2, 4)
    with pytest.raises(TimecodeRefused, match="does not count as 10:00:00:00 does"):
        gap.frames_labelled(Timecode(0, 30, drop=True), start)
