"""Reading frames as RGB: CPU beside PyAV used with care, and beside others, on the same film and the same frames.

Two files are read: the film as it was delivered (H.264, B-frames, a key frame every two seconds) and its standard
encode; a figure is the worse of the two, `details` has both. Of each, in one process, by one thread, in turns, the best
of five rounds by CPU seconds counts. Every picture of a round before those is checked for the number that it carries.

sequential_over_pyav       every frame, `video.sequential()` and `frame.rgb()`; over `container.decode(stream)` and
                           `to_ndarray(format="rgb24")`.
first_four_over_floor      open, the first four frames, close; over the same by PyAV.
random_over_pyav           100 frames in random order, `video.frames(indices)`; over PyAV seeking to the key frame
                           before each and decoding on to its time stamp.
random_batch_over_pyav     the same 100 frames as one array, `video.batch(indices)`, over the same.
sequential_ms              CPU milliseconds a frame, of the standard encode.

Others read the delivered file, each as its documentation advises and in a process of its own, all its threads counted;
their CPU seconds are over those of PyAV here. What one cannot do, or does wrong, is not measured; `details` says why.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks import peers
from benchmarks.harness import Measured
from benchmarks.media.encode_view import EncodeView
from benchmarks.media.film import RATE, number_of, render
from mediaml_assets import jasper
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.reading.video import Video
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize

FRAMES = 720
RANDOM = 100
ROUNDS = 5
PEERS = ("torchcodec", "daft", "datachain", "pixeltable")
PEER_SECONDS = 1200
PEER_ROUNDS = 3
TASKS = {
    "sequential": "sequential_over_pyav",
    "first_four": "first_four_over_floor",
    "random": "random_over_pyav",
    "random_batch": "random_batch_over_pyav",
}
"""What is done -> its figure."""

Look = Callable[[NDArray[np.uint8]], None]
Work = Callable[[Look], None]


@dataclass(frozen=True)
class File:
    """A file that is read, how ours opens it, and the ways to read it."""

    path: Path
    open: Callable[[], Any]
    order: Sequence[int]

    def ours(self) -> dict[str, Work]:
        """As a user of the library does it."""
        return {
            "sequential": lambda look: self._read(look, lambda video: video.sequential()),
            "first_four": lambda look: self._read(look, lambda video: video.sequential(0, 4)),
            "random": lambda look: self._read(look, lambda video: video.frames(self.order)),
            "random_batch": self._batch,
        }

    def bare(self) -> dict[str, Work]:
        """As a careful user of PyAV does it."""
        return {
            "sequential": lambda look: _decode(self.path, look, None),
            "first_four": lambda look: _decode(self.path, look, 4),
            "random": lambda look: _seek(self.path, look, self.order),
            "random_batch": lambda look: _seek(self.path, look, self.order),
        }

    def _read(self, look: Look, frames: Callable[[Video], Iterator[Any]]) -> None:
        with self.open() as film:
            for frame in frames(film.video):
                look(frame.rgb())

    def _batch(self, look: Look) -> None:
        with self.open() as film:
            for picture in film.video.batch(self.order):
                look(picture)


def measure(seed: int) -> Measured:
    """Every figure of reading: some minutes on two cores, most of them for others to be installed the first time."""
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as folder:
        return measured(Path(folder), seed, FRAMES, PEERS)


def measured(folder: Path, seed: int, count: int, others: Sequence[str]) -> Measured:
    """The figures of a film of any length, kept in a folder, beside these others."""
    files = _files(folder, seed, count)
    spent = {name: _in_turns(file, count) for name, file in files.items()}
    figures, details = {}, {}
    for task, figure in TASKS.items():
        ratios = {name: of[task][0] / of[task][1] for name, of in spent.items()}
        figures[figure] = max(ratios.values())
        details[figure] = {**ratios, "pyav_s": {name: of[task][1] for name, of in spent.items()}}
    figures["sequential_ms"] = spent["standard"]["sequential"][0] / count * 1000
    order = files["delivered"].order
    bare = {task: seconds[1] for task, seconds in spent["delivered"].items()}
    for other in others:
        ratios, said = _other(other, files["delivered"].path, order, count, bare)
        figures |= ratios
        details[other] = said
    return Measured(figures, details=details)


def _files(folder: Path, seed: int, count: int) -> dict[str, File]:
    delivered = render(folder / "delivered.mp4", seed, count)
    made = folder / "standard"
    made.mkdir()
    view = EncodeView("film", standardize(delivered, ML_360P, made))
    order = np.random.default_rng(seed).permutation(count)[:RANDOM].tolist()
    return {
        "delivered": File(delivered, lambda: jasper.open(delivered), order),
        "standard": File(view.encode.row()["video"], lambda: Media.from_value(view), order),
    }


def _in_turns(file: File, count: int) -> dict[str, tuple[float, float]]:
    """Best CPU seconds of ours and of PyAV for each task, after a round that checks every picture."""
    ours, bare = file.ours(), file.bare()
    wanted = {"sequential": range(count), "first_four": range(4), "random": file.order, "random_batch": file.order}
    best: dict[str, tuple[float, float]] = {}
    for task, numbers in wanted.items():
        for work in (ours[task], bare[task]):
            seen: list[int] = []
            work(lambda picture, seen=seen: seen.append(number_of(picture)))  # type: ignore[misc]
            if seen != list(numbers):
                raise AssertionError(f"{task} of {file.path.name} did not give the frames that were asked for")
        spent: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for work, seconds in zip((ours[task], bare[task]), spent, strict=True):
                start = time.process_time()
                work(_nothing)
                seconds.append(time.process_time() - start)
        best[task] = min(spent[0]), min(spent[1])
    return best


def _nothing(picture: NDArray[np.uint8]) -> None:
    """Let go of it."""


def _decode(path: Path, look: Look, most: int | None) -> None:
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(_one_thread(container))):
            look(frame.to_ndarray(format="rgb24"))
            if number + 1 == most:
                return


def _seek(path: Path, look: Look, order: Sequence[int]) -> None:
    with av.open(str(path)) as container:
        stream = _one_thread(container)
        start = stream.start_time or 0
        for index in order:
            wanted = start + round(Fraction(index, RATE) / stream.time_base)
            container.seek(wanted, stream=stream)
            for frame in container.decode(stream):
                if frame.pts == wanted:
                    look(frame.to_ndarray(format="rgb24"))
                    break


def _one_thread(container: Any) -> Any:
    stream = container.streams.video[0]
    stream.codec_context.thread_count, stream.codec_context.thread_type = 1, "NONE"
    return stream


def _other(
    name: str, path: Path, order: Sequence[int], count: int, bare: Mapping[str, float]
) -> tuple[dict[str, float], Any]:
    """Figures of somebody else, NaN where there is none, and what it said."""
    none = {f"{name}_{figure}": float("nan") for figure in TASKS.values()}
    try:
        script = Path(__file__).with_name(f"run_{name}.py")
        asked = json.dumps({"path": str(path), "order": list(order), "count": count, "rounds": PEER_ROUNDS})
        said = peers.answer([peers.python(name), script, asked], PEER_SECONDS, where=path.parent)
    except peers.Unavailable as reason:
        return none, str(reason)
    ratios = {
        f"{name}_{TASKS[task]}": cpu["cpu_s"] / bare[task] for task, cpu in said.items() if cpu.get("cpu_s") is not None
    }
    return {**none, **ratios}, said
