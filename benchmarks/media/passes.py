"""How often a title's standard encode is decoded, and in how much memory, when the whole automatic mesh runs over it.

    decode_passes_per_title   video frames decoded of the title's standard encode, by all features together, over its
                              number of frames: 1 is every frame once
    peak_rss_mb               peak resident memory, in MB (10^6 bytes), of the process that computes the title and of
                              the processes that it starts, together
    passes_one_by_one         the same passes if every feature read the standard encode for itself
    shared_step_over_alone    CPU of the features that share a step, over theirs one after the other, side by side

The title is a film of ten minutes: Big Buck Bunny where the development media are there, else one rendered from the
seed. Its mesh runs in a worker process, as `mediaml ingest` runs it. Frames are counted where PyAV hands them out.
"""

import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import av
import cv2
import numpy as np

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.calls import call
from mediaml_assets.amber.siblings import shared_input, siblings
from mediaml_assets.installation import installed_store, prepare
from mediaml_assets.mesh import mesh
from mediaml_assets.runs import _run, land
from mediaml_assets.settings import home as installation
from mediaml_assets.workers import Workers

FILM = Path(os.environ.get("MEDIAML_SHARED", "../shared")) / "media/films/bbb_full_854x480_h264_aac.mp4"
TITLE = "film"
MINUTES: float = 10
RATE, SHOT_SECONDS = 24, 4
LOOK_SECONDS = 0.02
"""How often memory is looked at."""
ROUNDS = 3
"""Measurements of CPU, side by side; the smallest counts."""


def measure(seed: int, film: Path = FILM) -> dict[str, float]:
    """The figures; a few minutes."""
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as folder:
        home, report = Path(folder) / "home", Path(folder) / "report.json"
        landing = home / "landing"
        landing.mkdir(parents=True)
        if film.is_file():
            shutil.copyfile(film, landing / f"{TITLE}.mp4")
        else:
            render(seed, landing / f"{TITLE}.mp4", round(MINUTES * 60))
        with patch.dict(os.environ, {"MEDIAML_HOME": str(home)}):
            os.environ.pop("MEDIAML_LANDING", None)
            prepare()
            land(installation(), installed_store())
            with Workers(compute, lambda record: None, count=1) as workers:
                failed = workers.call({TITLE: (str(report),)})
        if failed:
            raise RuntimeError(f"the mesh could not be computed: {failed[TITLE]}")
        figures: dict[str, float] = json.loads(report.read_text())
    return figures


def compute(report: str) -> str:
    """In a worker: one run over the features, as `mediaml ingest` makes it, and the figures into a file."""
    store = installed_store()
    features = mesh().per_title_of(store, TITLE)
    with _counting_frames() as counted, _watching_memory() as peak:
        reason = _run([one.name for one in features], TITLE)
    if reason:
        return reason
    passes = counted[0]
    groups = [
        [mesh().ask(store, one.name, [TITLE]) for one in group]
        for group in siblings(features)
        if shared_input(group[0])
    ]
    with _counting_frames() as counted:
        _one_by_one(groups)
    shared = [group for group in groups if len(group) > 1]
    both = [(_cpu(_one_by_one, shared), _cpu(_together, shared)) for _ in range(ROUNDS)]
    alone, together = (min(times) for times in zip(*both, strict=True))
    frames = store.view("standard_encode", TITLE).row(["frame_count"])["frame_count"]
    figures = {
        "decode_passes_per_title": passes / frames,
        "peak_rss_mb": peak[0] / 1e6,
        "passes_one_by_one": counted[0] / frames,
        "shared_step_over_alone": together / alone if shared else 1.0,
    }
    Path(report).write_text(json.dumps(figures))
    return ""


def _one_by_one(groups: list[list[Ask]]) -> None:
    for ask in (ask for group in groups for ask in group):
        call(ask, {})


def _together(groups: list[list[Ask]]) -> None:
    for group in groups:
        shared = shared_input(group[0].feature)
        assert shared is not None
        readers = shared.reads.together(group[0].inputs[shared.name], len(group))
        with ThreadPoolExecutor(len(group)) as threads:
            list(threads.map(_read, group, [shared.name] * len(group), readers))


def _read(ask: Ask, name: str, reader: Any) -> None:
    with closing(reader):
        call(ask, {name: reader})


def _cpu(work: Callable[[list[list[Ask]]], None], groups: list[list[Ask]]) -> float:
    before = time.process_time()
    work(groups)
    return time.process_time() - before


@contextmanager
def _counting_frames() -> Iterator[list[int]]:
    """Counts, in its only item, the video frames that are decoded of files of the store."""
    counted, opened, lock = [0], av.open, threading.Lock()

    class Counted:
        """A PyAV container whose decoded frames are counted."""

        def __init__(self, container: Any) -> None:
            self._container = container

        def __getattr__(self, name: str) -> Any:
            if name in ("demux", "decode"):
                return lambda *arguments, **named: self._each(getattr(self._container, name)(*arguments, **named))
            return getattr(self._container, name)

        def __enter__(self) -> "Counted":
            return self

        def __exit__(self, *_: object) -> None:
            self._container.close()

        def _each(self, items: Iterator[Any]) -> Iterator[Any]:
            for item in items:
                # of a standard encode every packet is one frame
                packet = isinstance(item, av.Packet) and item.size and item.stream.type == "video"
                if packet or isinstance(item, av.VideoFrame):
                    with lock:
                        counted[0] += 1
                yield item

    def open_counted(file: Any, *arguments: Any, **named: Any) -> Any:
        container = opened(file, *arguments, **named)
        of_store = str(file).startswith(str(installation().store))
        return Counted(container) if of_store and isinstance(container, av.container.InputContainer) else container

    with patch.object(av, "open", open_counted):
        yield counted


@contextmanager
def _watching_memory() -> Iterator[list[int]]:
    """Keeps, in its only item, the most bytes that this process and those it started had resident at once.

    The kernel's own peak would not do, for what a computation costs is measured by setting that back.
    """
    most, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            most[0] = max(most[0], _status(os.getpid(), "VmHWM") + sum(map(_resident, _children(os.getpid()))))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield most
    finally:
        ended.set()
        watching.join()


def _resident(process: int) -> int:
    return _status(process, "VmRSS") + sum(map(_resident, _children(process)))


def _children(process: int) -> list[int]:
    found = []
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(child) for child in file.read_text().split()]
    return found


def _status(process: int, field: str) -> int:
    """Bytes that the kernel says of a process; 0 when it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return 0


def render(seed: int, file: Path, seconds: int) -> None:
    """A film of 640x360 without sound: each shot pans over a texture of its own."""
    random = np.random.default_rng(seed)
    with av.open(str(file), "w") as out:
        video: Any = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "23"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        for _ in range(seconds // SHOT_SECONDS):
            noise = cv2.GaussianBlur(random.normal(size=(560, 840, 3)).astype(np.float32), (0, 0), 6)
            texture = np.clip(128 + 45 * noise / noise.std(), 0, 255).astype(np.uint8)
            dx, dy = random.integers(0, 3, 2)
            for n in range(SHOT_SECONDS * RATE):
                picture = np.ascontiguousarray(texture[dy * n % 200 :, dx * n % 200 :][:360, :640])
                out.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(video.encode(None))
