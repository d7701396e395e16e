"""Real files from public test suites, made to break readers: each is read or refused, none crashes or hangs."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.essence import essence
from mediaml_assets.jasper.delivered.probe import probe
from mediaml_assets.jasper.frame_map import FrameMap
from mediaml_assets.jasper.quality.thresholds import judge, verdict
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize

REFUSED = (
    "zero-byte", "not-media", "unopenable", "segment-without-init", "init-only-zero-frames", "header-only",
    "truncated__268f0b", "truncated__789846", "corrupt__7763cb", "corrupt__cc45d5", "corrupt__ac5cbd",
    "corrupt-mkv__ff5dd8", "encrypted__f04ad0", "audio-only", "multi-audio",
)  # fmt: skip
QUARANTINED = ("truncated__a53c09", "encrypted__1b63dd", "corrupt__2dfd4c", "corrupt__5e5bec")


def nasty(shared: Path) -> list[Path]:
    folder = shared / "media" / "nasty"
    return sorted(p for p in folder.iterdir() if p.suffix != ".md")


def test_each_is_read_or_refused_in_time(shared: Path) -> None:
    for path in nasty(shared):
        start = time.monotonic()
        try:
            found = probe(path)
            assert found.video.width > 0
            assert len(essence(path).digest) == 64
            refused = False
        except MediaRefused as error:
            assert path.name in str(error)
            refused = True
        assert refused == path.name.startswith(REFUSED), path.name
        assert time.monotonic() - start < 20, path.name


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("rotated__96f1cc", {"rate": (24000, 1001), "active": (244, 0, 152, 360), "frames": 240}),
        ("anamorphic__49aaac", {"rate": (30, 1), "active": (106, 0, 426, 360), "frames": 60}),
        ("delayed-start__585759", {"rate": (25, 1), "active": (50, 0, 540, 360), "frames": 24}),
        ("delayed-start__d92e3a", {"rate": (30, 1), "active": (0, 0, 640, 360), "frames": 75}),
        ("interlaced", {"rate": (30000, 1001), "active": (72, 0, 496, 360), "frames": 21}),
        ("duplicate-nonmonotonic", {"rate": (25, 1), "active": (0, 0, 640, 360), "frames": 25}),
        ("no-pts__7afea5", {"rate": (25, 1), "active": (100, 0, 440, 360), "frames": 62}),
        ("attached-picture", {"rate": (30, 1), "active": (0, 0, 640, 360), "frames": 60}),
        ("non-utf8", {"rate": (24000, 1001), "active": (80, 0, 480, 360), "frames": 120}),
        ("tiny__ad89c0", {"rate": (1, 1), "active": (140, 0, 360, 360), "frames": 5}),
    ],
)
def test_what_can_be_read_is_read_right(
    shared: Path, start: str, expected: dict[str, Any], standard: Callable[..., Any]
) -> None:
    [path] = [p for p in nasty(shared) if p.name.startswith(start)]
    encode, media = standard(path)
    assert (encode.rate.numerator, encode.rate.denominator) == expected["rate"]
    assert encode.active == expected["active"]
    assert encode.frame_count == expected["frames"]
    assert sum(1 for _ in media.video.sequential()) == expected["frames"]
    assert verdict(judge(encode.row())) in ("ok", "warn")


@pytest.mark.slow
def test_every_one_is_standardised_or_refused(shared: Path, tmp_path: Path) -> None:
    for n, path in enumerate(nasty(shared)):
        folder = tmp_path / str(n)
        folder.mkdir()
        start = time.monotonic()
        try:
            encode = standardize(path, ML_360P, folder)
        except MediaRefused:
            assert path.name.startswith(REFUSED), path.name
            continue
        assert not path.name.startswith(REFUSED), path.name
        assert time.monotonic() - start < 120, path.name
        assert encode.tape.stat().st_size == 3456 * encode.frame_count
        pictures = FrameMap.open(encode.frame_map)
        assert (pictures.frame_count, pictures.picture_count) == (encode.frame_count, encode.source_frames), path.name
        if path.name.startswith(QUARANTINED):
            assert verdict(judge(encode.row())) == "quarantine", path.name
