import numpy as np
import numpy.typing as npt

from mediaml_assets.samples.plan import Catalogue
from mediaml_assets.samples.sound import Line, lines, subtitles, track


def test_sound_is_as_long_as_the_picture_and_within_range(catalogue: Catalogue) -> None:
    title = catalogue.titles[2]
    sound = track(title, lines(title))
    assert sound.dtype == np.float32
    assert sound.shape[0] == title.channels
    assert abs(sound.shape[1] / title.sample_rate - float(title.frame_count / title.rate)) < 0.001
    assert np.abs(sound).max() <= 1
    assert np.sqrt(np.mean(sound**2)) > 0.01


def test_a_take_sounds_like_its_original(catalogue: Catalogue) -> None:
    title = catalogue.titles[2]
    sound = track(title, [])[0]
    take = next(s for s in title.shots if s.take_of is not None)

    def spectrum(index: int) -> npt.NDArray[np.float64]:
        start = round(title.shots[index].start / title.rate * title.sample_rate)
        power = np.abs(np.fft.rfft(sound[start : start + title.sample_rate])) ** 2
        row = np.log(power[: 8000 // 40 * 40].reshape(-1, 40).sum(axis=1))
        return np.asarray(row - row.mean())

    def likeness(a: int, b: int) -> float:
        return float(np.corrcoef(spectrum(a), spectrum(b))[0, 1])

    assert likeness(take.index, take.take_of or 0) > 0.8


def test_lines_are_spoken_within_shots(catalogue: Catalogue) -> None:
    title = catalogue.titles[0]
    spoken = lines(title)
    assert len(spoken) >= 3
    for line in spoken:
        assert any(s.start <= line.start * title.rate and line.end * title.rate <= s.end for s in title.shots)


def test_subtitles_are_numbered_and_stamped() -> None:
    assert subtitles([Line(1.5, 2.25, "Wait."), Line(3661.0, 3662.0, "Come back.")]) == (
        "1\n00:00:01,500 --> 00:00:02,250\nWait.\n\n2\n01:01:01,000 --> 01:01:02,000\nCome back.\n\n"
    )
