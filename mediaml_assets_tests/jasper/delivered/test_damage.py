"""Damage that no decoder sees is found, and nothing is said of a film that is whole."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from benchmarks.hostile.films import KINDS, Kind
from benchmarks.hostile.films import render as render_kind
from mediaml_assets.jasper.delivered.probe import probe
from mediaml_assets.jasper.delivered.source import scan
from mediaml_assets.jasper.files import MediaFile

from ..clips import Clip, render, steady
from ..reading.test_remote import Remote
from ..remux import remux

FILM = Clip(steady(25, 100), bursts=[0.5, 3.5])


def faults(file: MediaFile) -> tuple[str, ...]:
    return scan(file, probe(file))[0].faults


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.suffix}-{kind.video}")
def test_a_whole_film_has_none(kind: Kind, tmp_path: Path) -> None:
    path = render_kind(tmp_path / f"film.{kind.suffix}", kind, 1)
    assert faults(path) == ()


def test_real_films_have_none(shared: Path) -> None:
    for path in sorted((shared / "media" / "films").iterdir()):
        if path.suffix in (".mp4", ".webm") and path.stat().st_size < 8_000_000:
            assert faults(path) == (), path.name


def zeroed(path: Path, start: float, size: int) -> Path:
    data = bytearray(path.read_bytes())
    at = int(len(data) * start)
    data[at : at + size] = bytes(size)
    path.write_bytes(data)
    return path


def shortened(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def without(path: Path, start: int, size: int) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[:start] + data[start + size :])
    return path


DAMAGED: dict[str, tuple[str, dict[str, str], Callable[[Path], Path], str]] = {
    "mkv: a stretch of zeros": ("mkv", {}, lambda path: zeroed(path, 0.5, 3000), "its container is damaged"),
    "mkv: cut": ("mkv", {}, lambda path: shortened(path, 0.7), "its container is damaged (File ended prematurely"),
    "webm: cut": ("webm", {}, lambda path: shortened(path, 0.7), "before the length that it claims"),
    "mp4: cut": ("mp4", {"movflags": "+faststart"}, lambda path: shortened(path, 0.7), "its last box,"),
    "mp4: cut, and its length": ("mp4", {"movflags": "+faststart"}, lambda path: shortened(path, 0.7), "it claims"),
    "fragments: cut": (
        "mp4", {"movflags": "frag_keyframe+delay_moov"}, lambda path: shortened(path, 0.7), "its last box,"),
    "avi: cut": ("avi", {}, lambda path: shortened(path, 0.1), "its last box, chunk"),
    "ts: cut in a packet": ("ts", {}, lambda path: shortened(path, 0.7), "transport packet is cut"),
    "ts: packets lost": ("ts", {}, lambda path: without(path, 188 * 40, 188 * 3), "packets are incomplete"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_each_kind_of_damage_is_told(name: str, tmp_path: Path) -> None:
    suffix, options, damage, said = DAMAGED[name]
    if suffix in ("webm", "avi"):
        [kind] = [one for one in KINDS if one.suffix == suffix]
        whole = render_kind(tmp_path / f"whole.{suffix}", kind, 1)
    else:
        whole = remux(render(tmp_path / "film.mp4", FILM), tmp_path / f"whole.{suffix}", options=options)
    assert faults(whole) == ()
    found = faults(damage(whole))
    assert any(said in fault for fault in found), found
    assert faults(Remote(whole)) == found


def test_pictures_missing_from_a_constant_rate_are_told_and_those_of_a_variable_one_are_not(tmp_path: Path) -> None:
    times = steady(25, 100)
    some = render(tmp_path / "some.mkv", Clip([*times[:40], *times[43:]]))
    assert faults(some) == ("3 pictures are missing from its rate of 25.000; the ones before are held",)
    assert faults(render(tmp_path / "many.mkv", Clip([*times[:40], *times[40::2]]))) == ()
    uneven = [Fraction(n * n + 37 * n, 1000) for n in range(40)]
    assert faults(render(tmp_path / "uneven.mkv", Clip(uneven))) == ()


@pytest.mark.parametrize(("before", "after"), [(4, 0), (0, 16)])
def test_transport_packets_of_other_sizes(before: int, after: int, tmp_path: Path) -> None:
    """M2TS has four bytes before each packet, some broadcasts sixteen behind it."""
    plain = remux(render(tmp_path / "film.mp4", FILM), tmp_path / "film.ts").read_bytes()
    packets = [bytes(before) + plain[at : at + 188] + bytes(after) for at in range(0, len(plain), 188)]
    path = tmp_path / "other.m2ts"
    path.write_bytes(b"".join(packets))
    assert faults(path) == ()
    shortened(path, 0.8)
    assert faults(path) != ()


def test_other_logging_stays_as_it_was(tmp_path: Path) -> None:
    path = render(tmp_path / "film.mp4", Clip(steady(25, 10)))
    before = (av.logging.get_level(), av.logging.get_skip_repeated())
    faults(path)
    assert (av.logging.get_level(), av.logging.get_skip_repeated()) == before


def test_a_longer_second_sound_is_no_claim_of_the_picture(tmp_path: Path) -> None:
    with_sound = render(tmp_path / "film.mkv", Clip(steady(25, 50), bursts=[0.5], sound_seconds=2.0))
    target: Any = tmp_path / "two.mkv"
    long = render(tmp_path / "long.mkv", Clip(steady(25, 200), bursts=[0.5]))
    with av.open(str(with_sound)) as given, av.open(str(long)) as other, av.open(str(target), "w") as out:
        copies = {s: out.add_stream_from_template(s) for s in (*given.streams, *other.streams.audio)}
        for packet in (*given.demux(), *other.demux(other.streams.audio)):
            if packet.size:
                packet.stream = copies[packet.stream]
                out.mux(packet)
    assert faults(target) == ()
