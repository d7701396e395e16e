from pathlib import Path

import av
import numpy as np
import pytest

from mediaml_assets.samples import sound
from mediaml_assets.samples.encode import Writer, mounted
from mediaml_assets.samples.plan import Catalogue, Geometry, TitlePlan
from mediaml_assets.samples.scenes import Planar, Projector
from mediaml_assets_tests.samples.conftest import beginning

FRAMES = 40


def written(title: TitlePlan, folder: Path) -> tuple[Path, list[Planar]]:
    """A file of the first frames of a title, and the pictures that went into it."""
    geometry = title.geometry
    file = folder / title.file.replace("/", "-")
    writer = Writer(file, title, sound.track(title, []))
    pictures = list(Projector(title, geometry.width, geometry.active_height).frames())
    for number, picture in enumerate(pictures):
        if number not in title.left_out:
            writer.picture(picture, number)
    writer.close()
    return file, pictures


def test_bars_and_rotation() -> None:
    picture = np.arange(6 * 4, dtype=np.uint8).reshape(6, 4)
    plain = mounted(picture, Geometry(4, 4))
    assert plain is picture
    barred = mounted(picture, Geometry(4, 8, bar=2))
    assert barred.shape == (12, 4)
    assert np.array_equal(barred[2:6], picture[:4])
    assert (barred[:2] == 16).all() and (barred[6:8] == 16).all()
    turned = mounted(picture, Geometry(4, 4, rotation=90))
    assert np.array_equal(np.rot90(turned[:4], -1), picture[:4])


@pytest.mark.parametrize("index", [0, 2, 4, 5])
def test_a_file_shows_what_its_plan_says(catalogue: Catalogue, tmp_path: Path, index: int) -> None:
    title = beginning(catalogue.titles[index], FRAMES)
    file, pictures = written(title, tmp_path)
    kept = [n for n in range(title.frame_count) if n not in title.left_out]
    with av.open(str(file)) as container:
        video = container.streams.video[0]
        first = None
        numbers = []
        for frame in container.decode(video):
            first = frame.time if first is None else first
            number = round((frame.time - first) * float(title.rate))
            assert abs((frame.time - first) - number / float(title.rate)) < 0.0011
            stored = frame.to_ndarray(format="yuv420p").astype(int)
            expected = mounted(pictures[number], title.geometry)
            assert np.abs(stored - expected).mean() < 6
            numbers.append(number)
        assert numbers == kept
        assert video.codec_context.name == "h264"
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.streams.audio[0].rate == title.sample_rate
        assert (video.sample_aspect_ratio or 1) == title.geometry.sample_aspect


def test_the_odd_file_asks_for_its_rotation(catalogue: Catalogue, tmp_path: Path) -> None:
    title = beginning(catalogue.titles[5], FRAMES)
    file, pictures = written(title, tmp_path)
    with av.open(str(file)) as container:
        frame = next(container.decode(video=0))
        upright = np.rot90(frame.to_ndarray(format="gray"), frame.rotation // 90)
    bar, rows = title.geometry.bar, title.geometry.active_height
    assert upright.shape == (title.geometry.height, title.geometry.width)
    shown = upright[bar : bar + rows].astype(float)
    assert np.corrcoef(shown.ravel(), pictures[0][:rows].ravel())[0, 1] > 0.95


def test_sound_goes_on_to_the_end(catalogue: Catalogue, tmp_path: Path) -> None:
    title = beginning(catalogue.titles[2], FRAMES)
    file, _ = written(title, tmp_path)
    with av.open(str(file)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / title.sample_rate == pytest.approx(float(title.frame_count / title.rate), abs=0.06)
