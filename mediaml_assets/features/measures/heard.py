"""What a short stretch of sound is like: its timbre, its pitch classes and how loud it is.

Timbre: log power in 40 mel bands from 40 to 7,600 Hz, of 25 ms every 10 ms, averaged, and its cepstrum without the
first number, which is the loudness (Davis & Mermelstein, IEEE ASSP 1980). A band counts from 40 dB below the loudest
one on, so that nothing depends on the gain. Sound of every kind is near 1/f noise (Voss & Clarke, Nature 1975), which
would make all alike: the cepstrum of that is taken away, and the rest liftered by the square root of the place (as
Juang, Rabiner & Wilpon, IEEE ASSP 1987, give low places less weight).

Pitch: the chroma of the spectral peaks between 80 and 2,000 Hz (Fujishima, ICMC 1999; of peaks: Gomez, INFORMS Journal
on Computing 2006) over 12 classes, less their mean. It counts as much as the sound is tonal: noise spreads evenly.
"""

from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from mediaml_assets.features.measures.unit import unit

Array = npt.NDArray[np.float32]
Sound = npt.NDArray[np.float32]

RATE = 16_000  # samples a second
WINDOW, HOP, FFT = 400, 160, 512
BANDS = 40
LOWEST, HIGHEST = 40.0, 7_600.0  # Hz
BELOW_PEAK = 1e-4  # power of the faintest band that is heard beside the loudest one
CEPSTRA = 20
LONG_FFT = 4096  # for pitch: 3.9 Hz a bin
PITCHED = (80.0, 2_000.0)  # Hz
CLASSES = 12
NOISE, TONE = 0.25, 0.6  # of a chroma's length, what is left without its mean: of noise, of a chord
TIMBRE, PITCH = CEPSTRA - 1, CLASSES
SILENCE = -70.0  # A-weighted decibels of full scale, below which nothing is heard
FAINTEST = -120.0  # decibels, of digital silence too
SHORTEST = 0.1  # seconds


def log_mel(samples: Sound) -> Array:
    """Log power of each band in time, float32 [frames, 40], from 40 dB below the loudest on."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), FFT)) ** 2
    mel: npt.NDArray[np.float64] = power @ _filters()
    return np.asarray(np.log(mel + BELOW_PEAK * float(mel.max()) + 1e-20), np.float32)


def timbre(samples: Sound) -> Array:
    """How the mean spectrum differs from 1/f noise: float32 [19], length 1, or 0 where it does not."""
    cepstrum = log_mel(samples).mean(axis=0) @ _cosines() - _pink_cepstrum()
    return unit(cepstrum * np.sqrt(np.arange(1, CEPSTRA)))


def chroma(samples: Sound) -> Array:
    """Pitch classes from A on, less their mean: float32 [12], as long as the sound is tonal, in [0, 1]."""
    size = np.abs(np.fft.rfft((samples * np.hanning(len(samples)))[:LONG_FFT], LONG_FFT))
    middle = size[1:-1]
    peaks = np.where((middle > size[:-2]) & (middle >= size[2:]), middle, 0)
    classes = peaks @ _classes()
    total = float(np.linalg.norm(classes))
    if total == 0:
        return np.zeros(CLASSES, np.float32)
    left = classes - classes.mean()
    tonal = np.clip((np.linalg.norm(left) / total - NOISE) / (TONE - NOISE), 0, 1)
    return np.asarray(unit(left) * tonal, np.float32)


def decibels(samples: Sound) -> float:
    """Loudness in decibels of full scale, root mean square, A-weighted (IEC 61672-1); at least `FAINTEST`.

    Weighted as one hears, a rumble is fainter than a voice of the same power.
    """
    if len(samples) < 2:
        return FAINTEST
    power = float(np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2 @ _audible(len(samples)))
    return max(10 * float(np.log10(2 * power / len(samples) ** 2 + 1e-24)), FAINTEST)


def is_heard(samples: Sound) -> bool:
    """Whether a stretch is long and loud enough to be like anything."""
    return len(samples) >= SHORTEST * RATE and decibels(samples) >= SILENCE


@lru_cache(8)
def _audible(length: int) -> npt.NDArray[np.float64]:
    """The A-weight of power at each frequency of `length` samples' spectrum, 1 at 1 kHz."""
    square = np.fft.rfftfreq(length, 1 / RATE) ** 2
    poles = (square + 20.6**2) * np.sqrt((square + 107.7**2) * (square + 737.9**2)) * (square + 12_194**2)
    return np.asarray((1.2589 * 12_194**2 * square**2 / poles) ** 2, np.float64)


@cache
def _filters() -> Array:
    """Triangular bands, evenly spaced in mel: float32 [257, 40]."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST, HIGHEST))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(FFT, 1 / RATE)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(np.minimum(rising, falling), 0), np.float32)


@cache
def _cosines() -> Array:
    """The cosine transform over bands without its first row, orthonormal: float32 [40, 19]."""
    place = np.arange(BANDS)[:, None] + 0.5
    return np.asarray(np.cos(np.pi * place * np.arange(1, CEPSTRA) / BANDS) * np.sqrt(2 / BANDS), np.float32)


@cache
def _pink_cepstrum() -> Array:
    """The cepstrum of noise whose power falls as 1/f: float32 [19]."""
    hertz = np.fft.rfftfreq(FFT, 1 / RATE)
    mel = np.where(hertz > 0, 1 / np.maximum(hertz, 1), 0) @ _filters()
    return np.asarray(np.log(mel + BELOW_PEAK * mel.max()) @ _cosines(), np.float32)


@cache
def _classes() -> Array:
    """How much each bin of the long spectrum, without the first and last, belongs to each class: float32 [2047, 12]."""
    hertz = np.fft.rfftfreq(LONG_FFT, 1 / RATE)[1:-1]
    semitones = 12 * np.log2(hertz / 440)
    off = (semitones[:, None] - np.arange(CLASSES) + 6) % 12 - 6
    share = np.exp(-0.5 * (off / 0.5) ** 2)
    share[(hertz < PITCHED[0]) | (hertz > PITCHED[1])] = 0
    return np.asarray(share, np.float32)
