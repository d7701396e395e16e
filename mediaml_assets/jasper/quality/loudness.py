"""What a title's sound measures: loudness, silence and clipping, block by block while it is written.

Loudness follows ITU-R BS.1770-4 (K-weighting, 400 ms blocks, gates at -70 LUFS and 10 LU below the mean) on the
16 kHz mono mix, with the weighting applied to each block's spectrum and blocks that do not overlap. Against a full
meter on the same mono signal it is within about half a LU; what lies above 8 kHz is not heard.
"""

import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.standard.sound import Samples

_BLOCK_SECONDS = 0.4
_SILENT_DB = -60.0
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
_CLIPPED = 32_700
_FULL_SCALE = 32_768.0
# BS.1770-4 tables 1 and 2: the two stages of the K-weighting at 48 kHz, as (numerator, denominator).
_K_STAGES = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)


class SoundMeter:
    """Measures mono sound block by block."""

    def __init__(self, rate: int) -> None:
        """Args: samples a second, at most 48,000."""
        self._block = round(_BLOCK_SECONDS * rate)
        self._weights = _k_weights(self._block, rate)
        self._rest = np.zeros(0, np.int16)
        self._weighted: list[float] = []
        self._plain: list[float] = []
        self._clipped = 0
        self._samples = 0

    def push(self, samples: Samples) -> None:
        """Take int16 [n, 1] samples."""
        joined = np.concatenate([self._rest, samples[:, 0]])
        whole = len(joined) // self._block * self._block
        self._rest = joined[whole:]
        if not whole:
            return
        self._clipped += int(np.count_nonzero(np.abs(joined[:whole].astype(np.int32)) >= _CLIPPED))
        self._samples += whole
        blocks = joined[:whole].reshape(-1, self._block) / _FULL_SCALE
        self._plain.extend((blocks**2).mean(axis=1).tolist())
        power = np.abs(np.fft.rfft(blocks, axis=1)) ** 2
        self._weighted.extend((power @ self._weights).tolist())

    @property
    def silence_share(self) -> float:
        """Share of whole 400 ms blocks below -60 dB of full scale; 1 without any block."""
        return float(np.mean(_decibel(np.array(self._plain)) < _SILENT_DB)) if self._plain else 1.0

    @property
    def clipping_share(self) -> float:
        """Share of samples at full scale."""
        return self._clipped / self._samples if self._samples else 0.0

    @property
    def loudness(self) -> float:
        """Integrated loudness in LUFS; -70, the gate, when every block is under it."""
        power = np.array(self._weighted)
        loud = power[_lufs(power) >= _ABSOLUTE_GATE]
        if len(loud):
            loud = loud[_lufs(loud) >= float(_lufs(loud.mean())) + _RELATIVE_GATE]
        return float(_lufs(loud.mean())) if len(loud) else _ABSOLUTE_GATE


def _k_weights(block: int, rate: int) -> NDArray[np.float64]:
    """Weights that turn one block's power spectrum into its K-weighted mean square (Parseval)."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(block, 1 / rate) / 48_000)
    gain = np.ones(len(turn))
    for above, below in _K_STAGES:
        gain *= np.abs(np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn)) ** 2
    sides = np.full(len(turn), 2.0)
    sides[0] = 1.0
    if block % 2 == 0:
        sides[-1] = 1.0
    weights: NDArray[np.float64] = gain * sides / block**2
    return weights


def _decibel(power: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        levels: NDArray[np.float64] = 10 * np.log10(power)
    return levels


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return _decibel(power) - 0.691
