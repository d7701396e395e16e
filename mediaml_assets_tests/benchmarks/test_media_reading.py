"""The benchmark of reading: its film can be told apart frame by frame, and its figures are what they are called."""

from math import isfinite, isnan
from pathlib import Path

import av
import pytest

from benchmarks import media_access, peers
from benchmarks.media import reading
from benchmarks.media.film import number_of, render


def test_every_frame_of_the_film_carries_its_number(tmp_path: Path) -> None:
    with av.open(str(render(tmp_path / "film.mp4", 1, 70))) as container:
        assert container.streams.video[0].codec_context.has_b_frames
        shown = [number_of(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert shown == list(range(70))


@pytest.mark.slow
def test_figures_of_a_short_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(peer: str) -> Path:
        raise peers.Unavailable(f"{peer} cannot be installed: no network")

    monkeypatch.setattr(peers, "python", unavailable)
    monkeypatch.setattr(reading, "ROUNDS", 1)
    found = reading.measured(tmp_path, 1, 60, ["daft"])
    ours = {*reading.TASKS.values(), "sequential_ms"}
    assert {name for name in found.figures if not name.startswith("daft_")} == ours
    assert all(isfinite(found.figures[name]) and found.figures[name] > 0 for name in ours)
    assert all(isnan(found.figures[f"daft_{name}"]) for name in reading.TASKS.values())
    assert found.details is not None and found.details["daft"] == "daft cannot be installed: no network"
    for name in reading.TASKS.values():
        ratios = found.details[name]
        assert found.figures[name] == max(ratios["delivered"], ratios["standard"])


def test_wrong_frames_are_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = render(tmp_path / "film.mp4", 1, 20)
    file = reading.File(film, lambda: reading.jasper.open(film), [3, 1])
    monkeypatch.setattr(reading, "number_of", lambda picture: number_of(picture) + 1)
    with pytest.raises(AssertionError, match=r"sequential of film\.mp4 did not give the frames"):
        reading._in_turns(file, 20)


def test_targets_are_those_of_the_parts() -> None:
    assert set(reading.TASKS.values()) >= {
        name for name in media_access.TARGETS if name.endswith(("_over_pyav", "_over_floor"))
    }
