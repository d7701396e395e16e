"""From wide gamut and high dynamic range to BT.709: one table from coded RGB to coded RGB, made in numpy.

The steps, on light in nits: decode (PQ: SMPTE ST 2084; HLG: ITU-R BT.2100 with the system gamma 1.2 of a 1,000 nit
screen; else: BT.1886, white at 203 nits), compress the brightest channel of each pixel by the EETF of ITU-R BT.2390-10
(section 5.4.1) from a peak of 1,000 nits to 203, which keeps hue, change to BT.709's primaries, clip, and code by the
inverse of BT.1886. 203 nits are the reference white of ITU-R BT.2408 and SDR's white here, so below 88 nits a
picture keeps its light exactly. The peak is always 1,000 nits: what a container says of the mastering screen is not
part of the essence and must not change a picture.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

PEAK = 1000.0
"""Nits of the brightest light that is told apart."""
WHITE = 203.0
"""Nits of SDR's white."""
NODES = 65
"""Nodes of the table along each channel."""

_GAMMA = 2.4
_HLG_GAMMA = 1.2
_BT2020_LUMA = np.array([0.2627, 0.678, 0.0593])
_D65 = (0.3127, 0.329)
_CHROMATICITIES = {
    "bt709": ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06)),
    "bt2020": ((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    "smpte432": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}
"""x, y of red, green and blue (ITU-R BT.709, BT.2020, SMPTE EG 432-1 as Display P3), all with white D65."""


def needs_mapping(transfer: str, primaries: str) -> bool:
    """Whether pictures of these `VideoFacts` are of high dynamic range or wide gamut."""
    return transfer in ("smpte2084", "arib-std-b67") or primaries in ("bt2020", "smpte432")


def to_bt709(coded: Values, transfer: str, primaries: str) -> Values:
    """Coded RGB [..., 3] in [0, 1] as BT.709 RGB in [0, 1], coded for a BT.1886 screen.

    `transfer` and `primaries` are those of `VideoFacts`; unspecified primaries of high dynamic range are BT.2020's.
    """
    light = _DECODERS.get(transfer, _sdr)(coded)
    if transfer in _DECODERS:
        brightest = light.max(axis=-1, keepdims=True)
        light = light * (compressed(brightest) / np.maximum(brightest, 1e-6))
        primaries = primaries if primaries in _CHROMATICITIES else "bt2020"
    return np.asarray(np.clip(light / WHITE @ _matrix(primaries).T, 0, 1) ** (1 / _GAMMA))


def pq_to_nits(coded: Values) -> Values:
    """The EOTF of SMPTE ST 2084: coded values in [0, 1] as nits, 0 to 10,000."""
    powered = np.clip(coded, 0, 1) ** (1 / _M2)
    return np.asarray(10_000 * (np.maximum(powered - _C1, 0) / (_C2 - _C3 * powered)) ** (1 / _M1))


def nits_to_pq(nits: Values) -> Values:
    """The inverse of `pq_to_nits`."""
    powered = (np.clip(nits, 0, 10_000) / 10_000) ** _M1
    return np.asarray(((_C1 + _C2 * powered) / (1 + _C3 * powered)) ** _M2)


def hlg_to_nits(coded: Values) -> Values:
    """HLG's RGB [..., 3] in [0, 1] as nits on a screen of 1,000 (BT.2100, table 5): inverse OETF, then OOTF."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    luminance = scene @ _BT2020_LUMA
    return np.asarray(PEAK * scene * np.maximum(luminance, 1e-9)[..., None] ** (_HLG_GAMMA - 1))


def compressed(nits: Values) -> Values:
    """Light of 0 to `PEAK` nits in 0 to `WHITE`: the EETF of BT.2390, a knee and a Hermite spline on PQ's scale."""
    peak, target = nits_to_pq(np.array([PEAK, WHITE]))
    knee = 1.5 * target / peak - 0.5
    scaled = np.minimum(nits_to_pq(nits) / peak, 1)
    t = np.maximum(scaled - knee, 0) / (1 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * target / peak
    )
    return np.where(scaled < knee, nits, pq_to_nits(spline * peak))


@lru_cache(maxsize=4)
def cube(transfer: str, primaries: str) -> str:
    """The table as a .cube file for FFmpeg's ``lut3d``: `NODES` nodes a channel, red fastest."""
    axis = np.linspace(0, 1, NODES)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    mapped = to_bt709(np.stack([red, green, blue], axis=-1), transfer, primaries).reshape(-1, 3)
    rows = np.char.mod("%.5f", mapped)
    return f"LUT_3D_SIZE {NODES}\n" + "\n".join(" ".join(row) for row in rows.tolist()) + "\n"


def _sdr(coded: Values) -> Values:
    return np.asarray(WHITE * np.clip(coded, 0, 1) ** _GAMMA)


_M1, _M2 = 2610 / 16_384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_DECODERS: dict[str, Callable[[Values], Values]] = {"smpte2084": pq_to_nits, "arib-std-b67": hlg_to_nits}


def _matrix(primaries: str) -> Values:
    """Linear RGB of these primaries to that of BT.709 (SMPTE RP 177)."""
    to_xyz = {name: _to_xyz(name) for name in (primaries, "bt709")}
    return np.asarray(np.linalg.inv(to_xyz["bt709"]) @ to_xyz[primaries])


def _to_xyz(primaries: str) -> Values:
    columns = np.array([_xyz(*xy) for xy in _CHROMATICITIES[primaries]]).T
    return np.asarray(columns * np.linalg.solve(columns, np.array(_xyz(*_D65))))


def _xyz(x: float, y: float) -> tuple[float, float, float]:
    return x / y, 1.0, (1 - x - y) / y
