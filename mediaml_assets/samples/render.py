"""Rendering the sample titles below a folder: two at a time, each whole or not at all, and only what is missing."""

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path

import cv2

from mediaml_assets.samples import script, sound, truth
from mediaml_assets.samples.encode import Writer
from mediaml_assets.samples.plan import TitlePlan
from mediaml_assets.samples.scenes import Projector

RENDERER = "1"  # part of the mark of a finished title: raise it when the same seed gives other files
AT_ONCE = 2
POLL = 0.2  # seconds between two reports of progress

Progress = Callable[[str, float], None]


def render(seed: int, folder: Path, progress: Progress | None = None) -> list[Path]:
    """Render the titles of a seed below `folder`, in the layout of a landing folder, and return their media files.

    Beside each file lies its `.srt`; `folder/truth/<title>.json` holds its truth (`truth.load_truth`), written last: a
    title whose truth names this seed and renderer and the size of the file that is there is not rendered again.
    `progress` is called with a title and the share of it that is done, in [0, 1]. The processes are spawned: a script
    that calls this at its top level does so under `if __name__ == "__main__"`.

    Raises:
        OSError: the folder cannot be written.
    """
    files = {card.title: folder / card.file for card in script.CARDS}
    if all(is_finished(seed, folder, card.title, card.file) for card in script.CARDS):
        return list(files.values())
    plans = script.write(seed).titles
    missing = [p for p in plans if not is_finished(seed, folder, p.title, p.file)]
    _render_all(seed, folder, sorted(missing, key=_work, reverse=True), progress or (lambda title, share: None))
    return list(files.values())


def is_finished(seed: int, folder: Path, title: str, file: str) -> bool:
    """Whether this renderer has rendered the title for this seed and the file is still there in its full size."""
    mark = truth.read_mark(truth_file(folder, title))
    media = folder / file
    return mark is not None and media.is_file() and mark == (seed, RENDERER, media.stat().st_size)


def truth_file(folder: Path, title: str) -> Path:
    """Where the truth of a title lies."""
    return folder / "truth" / f"{title}.json"


def _work(plan: TitlePlan) -> int:
    """The pixels to draw: the longest titles are begun first."""
    return plan.frame_count * plan.geometry.width * plan.geometry.height


def _render_all(seed: int, folder: Path, plans: list[TitlePlan], progress: Progress) -> None:
    """Render titles in processes of their own and report how far they are."""
    context = multiprocessing.get_context("spawn")
    shares = context.Array("d", len(plans))
    with ProcessPoolExecutor(min(AT_ONCE, len(plans)), context, _begin, (shares,)) as pool:
        jobs = [pool.submit(_job, seed, plan, folder, i) for i, plan in enumerate(plans)]
        told = [0.0] * len(plans)
        while not all(job.done() for job in jobs):
            time.sleep(POLL)
            _tell(plans, shares[:], told, progress)
        for job in jobs:
            job.result()
        _tell(plans, shares[:], told, progress)


def _tell(plans: list[TitlePlan], shares: list[float], told: list[float], progress: Progress) -> None:
    """Report the titles that went on since they were last `told`."""
    for i, share in enumerate(shares):
        if share > told[i]:
            told[i] = share
            progress(plans[i].title, share)


_shares: "SynchronizedArray[float] | None" = None


def _begin(shares: "SynchronizedArray[float]") -> None:
    """Prepare a rendering process: one thread, and where to say how far it is."""
    global _shares
    _shares = shares
    cv2.setNumThreads(1)


def _job(seed: int, plan: TitlePlan, folder: Path, place: int) -> None:
    """Render one title in a rendering process."""

    def say(share: float) -> None:
        if _shares is not None:
            _shares[place] = share

    render_title(plan, seed, folder, say)


def render_title(plan: TitlePlan, seed: int, folder: Path, progress: Callable[[float], None]) -> Path:
    """Render one title in this process: its media file, subtitles and, last, its truth. Returns the media file.

    Everything is written beside its place first, so a title that was broken off leaves nothing that looks finished.
    """
    target = folder / plan.file
    marker = truth_file(folder, plan.title)
    for parent in (target.parent, marker.parent):
        parent.mkdir(parents=True, exist_ok=True)
    marker.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix=".rendering-", dir=folder) as scratch:
        spoken = sound.lines(plan)
        media, text, mark = (Path(scratch) / name for name in (target.name, "text.srt", "truth.json"))
        _encode(plan, media, sound.track(plan, spoken), progress)
        text.write_text(sound.subtitles(spoken), encoding="utf-8")
        mark.write_text(truth.to_json(truth.of_plan(plan, seed), RENDERER, media.stat().st_size), encoding="utf-8")
        os.replace(text, target.with_suffix(".srt"))
        os.replace(media, target)
        os.replace(mark, marker)
    progress(1.0)
    return target


def _encode(plan: TitlePlan, file: Path, samples: sound.Samples, progress: Callable[[float], None]) -> None:
    """Draw and write every frame that the file has."""
    writer = Writer(file, plan, samples)
    left_out = frozenset(plan.left_out)
    for number, picture in enumerate(Projector(plan, plan.geometry.width, plan.geometry.active_height).frames()):
        if number not in left_out:
            writer.picture(picture, number)
        if number % 10 == 0:
            progress(number / plan.frame_count)
    writer.close()
