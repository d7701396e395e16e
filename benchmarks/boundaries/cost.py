"""What finding boundaries costs beside decoding, in CPU seconds: the best of several runs that take turns."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.boundaries.films import Film, read_tape, tape_of
from mediaml_assets.features.detectors.boundary import Boundary
from mediaml_assets.features.detectors.tape_detector import from_tape
from mediaml_assets.jasper.reading.standard_frames import Decoder


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a film: decoding alone, decoding and reducing to a tape, and finding boundaries in the tape.

    `written` is decoding and writing the tape to a file, as the standardising pass does.
    """

    decode: float
    tape: float
    detect: float
    written: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @classmethod
    def least(cls, rounds: Sequence["Cost"]) -> "Cost":
        """The least of several runs, for each."""
        return cls(*(min(getattr(one, field.name) for one in rounds) for field in fields(cls)))

    @property
    def whole(self) -> float:
        """From the standard encode to its boundaries."""
        return self.tape + self.detect


def detected(film: Film) -> list[Boundary]:
    """Our boundaries of a film, those at its ends left out, from its tape."""
    media: Any = SimpleNamespace(tape=film.tape, active=film.active)
    return from_tape(media)[1:-1]


def cost(film: Film) -> Cost:
    """One run of each, one after the other."""
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as folder:
        return Cost(
            _seconds(lambda: _decode(film)),
            _seconds(lambda: read_tape(film.video, film.rate, len(film.tape))),
            _seconds(lambda: detected(film)),
            _seconds(lambda: tape_of(film.video, film.rate, Path(folder) / "tape.yuv")),
        )


def _seconds(run: Callable[[], Any]) -> float:
    before = time.process_time()
    run()
    return time.process_time() - before


def _decode(film: Film) -> None:
    with Decoder(film.video, film.rate) as decoder:
        for _ in decoder.frames_from(0):
            pass
