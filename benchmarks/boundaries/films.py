"""Labelled films as standard encodes, which every detector reads: ours and the peers' alike."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.boundaries import labels
from benchmarks.boundaries.labels import Label, Labels
from mediaml_assets.jasper.frame_map import FrameMap
from mediaml_assets.jasper.frame_tape import FRAME_BYTES, FrameTape, TapeWriter, reduced
from mediaml_assets.jasper.planes import planes_of
from mediaml_assets.jasper.reading.standard_frames import Decoder
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize
from mediaml_assets.samples import script
from mediaml_assets.samples.render import render, truth_file
from mediaml_assets.samples.truth import load_truth

Picture = tuple[NDArray[np.uint8], ...]
"""Luma and both chroma planes of a frame."""
SUFFIXES = (".mp4", ".webm", ".mkv", ".mov")
_FACTS = "facts.json"


@dataclass(frozen=True)
class Film:
    """A labelled standard encode: its mp4, its tape (of the decoded mp4), active picture and labels in its frames."""

    name: str
    video: Path
    rate: Fraction
    tape: FrameTape
    active: tuple[int, int, int, int]
    labels: Labels


def labelled(folder: Path, kept: Path) -> list[Film]:
    """Every film of a folder that has labels beside it; encodes are made once and kept below `kept`."""
    files = sorted(one for one in folder.iterdir() if one.suffix in SUFFIXES and labels.beside(one).is_file())
    homes = {file: _home(file, kept) for file in files}
    waiting = [file for file, home in homes.items() if not (home / _FACTS).is_file()]
    if waiting:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            frames = [labels.read(labels.beside(file)).frames for file in waiting]
            list(pool.map(_encode, waiting, frames, [homes[file] for file in waiting]))
    return [_film(file, home, _placed(labels.read(labels.beside(file)), home)) for file, home in homes.items()]


def rendered(seed: int, kept: Path) -> list[Film]:
    """The sample titles of a seed, with what is true of them as labels: it numbers frames of the constant rate."""
    landing = kept / f"samples-{seed}"
    found = []
    for card, file in zip(script.CARDS, render(seed, landing), strict=True):
        true = load_truth(truth_file(landing, card.title))
        every = tuple(
            Label("hard" if one.kind == "cut" else one.kind, one.start, max(one.end, one.start + 1))
            for one in true.transitions
        )
        folder = _home(file, kept)
        if not (folder / _FACTS).is_file():
            _encode(file, None, folder)
        found.append(_film(file, folder, Labels(every)))
    return found


def pictures(film: Film, start: int, end: int) -> Iterator[Picture]:
    """Planes of frames [start, end); they are the caller's to keep."""
    with Decoder(film.video, film.rate) as decoder:
        for index, frame in decoder.frames_from(start - start % ML_360P.gop):
            if index >= end:
                return
            if index >= start:
                y, u, v = planes_of(frame)
                yield y.copy(), u.copy(), v.copy()


def tape_of(video: Path, rate: Fraction, path: Path) -> FrameTape:
    """Decode a standard encode and write the tape of what is decoded, as the standardising pass writes it."""
    with Decoder(video, rate) as decoder, TapeWriter(path) as tape:
        for _, frame in decoder.frames_from(0):
            tape.write(*planes_of(frame))
    return FrameTape.open(path)


def read_tape(video: Path, rate: Fraction, count: int) -> FrameTape:
    """The same in memory."""
    tape = FrameTape.of(np.empty((count, FRAME_BYTES), np.uint8))
    with Decoder(video, rate) as decoder:
        for index, frame in decoder.frames_from(0):
            for plane, kept in zip(planes_of(frame), (tape.y, tape.u, tape.v), strict=True):
                kept[index] = reduced(plane, kept.shape[1:])
    return tape


def _home(file: Path, kept: Path) -> Path:
    """The folder of a film's standard encode, whatever the film is called."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
    return kept / f"{digest}-{ML_360P.name}-{ML_360P.version}"


def _encode(file: Path, frames: int | None, folder: Path) -> None:
    """Make the standard encode of a film, of its stream of so many pictures; its facts are written last."""
    folder.mkdir(parents=True, exist_ok=True)
    made = standardize(_labelled_stream(file, frames, folder), ML_360P, folder)
    tape_of(made.video, made.rate, folder / "decoded.yuv")
    (folder / _FACTS).write_text(json.dumps({"rate": str(made.rate), "active": made.active}))


def _film(file: Path, folder: Path, true: Labels) -> Film:
    facts = json.loads((folder / _FACTS).read_text())
    rate, tape = Fraction(facts["rate"]), FrameTape.open(folder / "decoded.yuv")
    return Film(file.name, folder / "video.mp4", rate, tape, tuple(facts["active"]), true)


def _placed(true: Labels, folder: Path) -> Labels:
    """Labels, which number the source's pictures, in frames of the encode."""
    frame_map = FrameMap.open(folder / "frame_map.parquet")
    shown = frame_map.source_frame
    frame_map.close()
    return true.moved(lambda frame: min(int(np.searchsorted(shown, frame)), len(shown) - 1))


def _labelled_stream(file: Path, frames: int | None, folder: Path) -> Path:
    """The film itself, or its stream of that many pictures alone where its best stream is another one."""
    with av.open(str(file)) as film:
        best = film.streams.best("video")
        stream = next((one for one in film.streams.video if one.frames == frames), best)
        if best is None or stream is best or stream is None:
            return file
        alone = folder / "stream.mp4"
        with av.open(str(alone), "w") as out:
            copy = out.add_stream_from_template(stream)
            for packet in film.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
    return alone
