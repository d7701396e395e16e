"""Synthesised sound and the spoken lines: an ambience for every shot, changing at the cuts, and a voice-like pattern.

The voice is no speech: pulses at a pitch, shaped by two resonances that change with each syllable. The subtitles say
what it would be saying.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mediaml_assets.samples.plan import ShotPlan, TitlePlan

VOCABULARY = (
    "water light harbour morning train window letter never always road garden glass salt night again before after "
    "nobody someone listen wait remember still there here come back tell me where the a and of it was is not you we"
)
SYLLABLE = 0.22  # seconds

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """One subtitle: shown over [start, end) seconds of the title."""

    start: float
    end: float
    text: str


def lines(title: TitlePlan) -> list[Line]:
    """What is said, at most one line a shot, within the shot."""
    rng, vocabulary = np.random.default_rng([title.seed, 6]), VOCABULARY.split()
    spoken = []
    for shot in title.shots:
        start, end = float(shot.start / title.rate) + 0.2, float(shot.end / title.rate) - 0.2
        if rng.random() < 0.6 and end - start > 0.8:
            count = min(9, int((end - start) / SYLLABLE / 1.6))
            words = [vocabulary[int(i)] for i in rng.integers(0, len(vocabulary), count)]
            spoken.append(Line(start, min(end, start + count * 1.6 * SYLLABLE), " ".join(words).capitalize() + "."))
    return spoken


def subtitles(spoken: list[Line]) -> str:
    """The lines as an .srt file."""
    return "".join(f"{i}\n{_stamp(s.start)} --> {_stamp(s.end)}\n{s.text}\n\n" for i, s in enumerate(spoken, 1))


def _stamp(seconds: float) -> str:
    """A time as HH:MM:SS,mmm."""
    ms = round(seconds * 1000)
    return f"{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d},{ms % 1000:03d}"


def track(title: TitlePlan, spoken: list[Line]) -> Samples:
    """The sound of the title: float32 [channels, samples] within [-1, 1]."""
    rate = title.sample_rate
    total = math.ceil(title.frame_count / title.rate * rate)
    sound = np.zeros(total, np.float32)
    for shot in title.shots:
        first, last = (min(total, round(float(f / title.rate) * rate)) for f in (shot.start, shot.end))
        sound[first:last] = _ambience(shot, last - first, rate)
    rng = np.random.default_rng([title.seed, 7])
    for line in spoken:
        voice = _voice(rng, line.end - line.start, rate)
        first = round(line.start * rate)
        sound[first : first + len(voice)] += voice[: total - first]
    sound = np.tanh(sound)
    return np.stack([sound * np.float32(0.9 - 0.05 * c) for c in range(title.channels)])


def _ambience(shot: ShotPlan, length: int, rate: int) -> Samples:
    """Coloured noise and a chord that belong to the picture, so that another take of it sounds alike."""
    rng = np.random.default_rng([shot.picture.seed, 8])
    level, tilt = 0.02 + 0.06 * rng.random(), 0.5 + rng.random()
    size = 2 ** math.ceil(math.log2(max(length, 2)))
    spectrum = rng.normal(size=size // 2 + 1) + 1j * rng.normal(size=size // 2 + 1)
    spectrum /= np.maximum(1, np.arange(size // 2 + 1) * rate / size / 120) ** tilt
    noise = np.fft.irfft(spectrum, size)[:length]
    noise *= level / (float(np.std(noise)) + 1e-9)
    times = np.arange(length) / rate
    root = 110 * 2 ** (rng.integers(0, 24) / 12)
    chord = sum(np.sin(2 * math.pi * root * 2 ** (step / 12) * times) for step in rng.choice(16, 3, replace=False))
    edge = np.minimum(1, np.minimum(times, times[::-1]) / 0.005)
    return np.asarray((noise + 0.03 * chord) * edge, np.float32)


def _voice(rng: np.random.Generator, seconds: float, rate: int) -> Samples:
    """Syllables: a pulsed pitch with two resonances, one envelope each."""
    parts = []
    pitch = rng.uniform(90, 210)
    for _ in range(max(1, int(seconds / SYLLABLE))):
        times = np.arange(round(SYLLABLE * rate)) / rate
        tone = pitch * rng.uniform(0.9, 1.15)
        partials = np.arange(1, max(2, min(20, int(rate / 2.2 / tone))))
        weight = np.full(len(partials), 0.03)
        for centre in (rng.uniform(300, 800), rng.uniform(900, 2300)):
            weight += np.exp(-(((partials * tone - centre) / 220) ** 2))
        wave = (weight[:, None] * np.sin(2 * math.pi * tone * partials[:, None] * times)).sum(axis=0)
        parts.append(wave / (np.abs(wave).max() + 1e-9) * np.sin(math.pi * times / SYLLABLE) ** 0.7)
    return np.asarray(0.25 * np.concatenate(parts), np.float32)
