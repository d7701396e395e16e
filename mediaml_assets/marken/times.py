"""Time ranges of a batch: seconds, or frames at a rational rate, made canonical.

Seconds of frames are `frame * den / num`, exact, then the nearest double: the same on every machine and every engine.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.marken.columns import EXACT, Values, integers, numbers, valid
from mediaml_assets.marken.refusal import At, shown

PARTS = ("start", "end", "start_frame", "end_frame", "rate_num", "rate_den")
LATEST = 1e9
"""Seconds, some 31 years: where time is wrong rather than long."""
_RATE = re.compile(r"([0-9]{1,10})(?:/([0-9]{1,10}))?")


def seconds(frame: int, rate: Fraction) -> float:
    """When a frame starts: the double nearest to `frame / rate`."""
    # division of integers rounds correctly, whatever their size
    return frame * rate.denominator / rate.numerator


def split(values: list[Any], at: At) -> dict[str, list[Any]]:
    """Nested ranges (`{"start": 1.5, "end": 2}`, or frames and a rate) as a list for each of `PARTS`."""
    parts: dict[str, list[Any]] = {part: [None] * len(values) for part in PARTS}
    for row, value in enumerate(values):
        if value is None:
            continue
        if not isinstance(value, Mapping):
            raise at.refused(row, f"is {shown(value)}, no range", 'give {"start": seconds, "end": seconds}')
        for part, given in value.items():
            if part == "rate":
                rate = _rate(given, row, at)
                parts["rate_num"][row], parts["rate_den"][row] = rate.numerator, rate.denominator
            elif part in parts:
                parts[part][row] = given
            else:
                raise at.refused(row, f"has no part {shown(part)}", f"its parts are {', '.join(PARTS[:4])} and rate")
    return parts


def ranges(parts: Mapping[str, Values | None], rows: int, at: At) -> dict[str, pa.Array]:
    """The canonical columns of a range, from those of `PARTS` that are there."""
    given = {part: pa.nulls(rows) if parts[part] is None else parts[part] for part in PARTS}
    doubles = {part: numbers(given[part], _part(at, part)) for part in ("start", "end")}
    whole = {part: integers(given[part], _part(at, part)) for part in PARTS[2:]}
    in_seconds = _both(doubles["start"], doubles["end"], at, "has a start and no end, or an end and no start")
    in_frames = _all_or_none([whole[part] for part in PARTS[2:]], at)
    framed = _of_frames(whole, in_frames, at)
    twice = in_seconds & in_frames
    start, end = (_filled(doubles[part], 0.0) for part in ("start", "end"))
    differing = twice & ((start != framed["start"]) | (end != framed["end"]))
    if differing.any():
        raise at.refused(differing, "says other seconds than its frames", "give seconds or frames, not both")
    start, end = (np.where(in_frames, framed[part], own) for part, own in (("start", start), ("end", end)))
    there = in_seconds | in_frames
    for wrong, what in (
        (start < 0, "starts before 0"),
        (start >= end, "does not start before it ends"),
        (end > LATEST, f"ends after {LATEST:g} seconds"),
    ):
        if (wrong & there).any():
            raise at.refused(wrong & there, what, "give [start, end) on the title's own clock, half-open")
    found = {
        "start": pa.array(start, mask=~there),
        "end": pa.array(end, mask=~there),
        "start_frame": whole["start_frame"],
        "end_frame": whole["end_frame"],
        "rate_num": pa.array(framed["rate_num"], pa.int32(), mask=~in_frames),
        "rate_den": pa.array(framed["rate_den"], pa.int32(), mask=~in_frames),
    }
    return {f"{at.property}_{part}": column for part, column in found.items()}


def _of_frames(whole: Mapping[str, pa.Array], there: npt.NDArray[np.bool_], at: At) -> dict[str, npt.NDArray[Any]]:
    """Start and end in seconds, and the rate in its lowest terms; meaningless where there are no frames."""
    frames = {part: _filled(whole[f"{part}_frame"], index) for index, part in enumerate(("start", "end"))}
    num, den = (_filled(whole[part], 1) for part in ("rate_num", "rate_den"))
    for wrong, what, do in (
        ((num <= 0) | (den <= 0), "has a rate that is not above 0", 'give a rate such as "24000/1001"'),
        ((num >= 2**31) | (den >= 2**31), "has a rate of terms beyond 32 bits", 'give a rate such as "24000/1001"'),
        ((frames["start"] < 0), "starts before frame 0", "count frames from 0"),
        ((frames["start"] >= frames["end"]), "does not start before it ends", "give frames [start, end), half-open"),
    ):
        if (wrong & there).any():
            raise at.refused(wrong & there, what, do)
    common = np.gcd(num, den)
    num, den = num // common, den // common
    return {part: _exact(frame, num, den) for part, frame in frames.items()} | {"rate_num": num, "rate_den": den}


def _exact(
    frame: npt.NDArray[np.int64], num: npt.NDArray[np.int64], den: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """`frame * den / num` to the nearest double."""
    # doubles that hold the product exactly divide rightly; the rare larger ones are divided as integers
    held = frame <= EXACT // den
    found = np.where(held, frame * np.where(held, den, 1), 0) / num
    for row in np.flatnonzero(~held):
        found[row] = int(frame[row]) * int(den[row]) / int(num[row])
    return found


def _rate(given: Any, row: int, at: At) -> Fraction:
    if isinstance(given, Fraction) and given > 0:
        return given
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return Fraction(given)
    match = _RATE.fullmatch(given) if isinstance(given, str) else None
    if match and int(match[1]) and int(match[2] or 1):
        return Fraction(int(match[1]), int(match[2] or 1))
    raise at.refused(row, f"has the rate {shown(given)}", 'give a positive one as text, such as "24000/1001" or "25"')


def _both(one: pa.Array, other: pa.Array, at: At, what: str) -> npt.NDArray[np.bool_]:
    first, second = valid(one), valid(other)
    if np.any(first != second):
        raise at.refused(first != second, what, "give both, or neither")
    return first


def _all_or_none(arrays: list[pa.Array], at: At) -> npt.NDArray[np.bool_]:
    there = np.array([valid(array) for array in arrays])
    every = np.all(there, axis=0)
    partly = np.any(there, axis=0) & ~every
    if partly.any():
        raise at.refused(partly, "lacks a part of its frames", "give start_frame, end_frame and rate, or none of them")
    return np.asarray(every)


def _filled(array: pa.Array, value: Any) -> npt.NDArray[Any]:
    return np.asarray(pc.fill_null(array, value).to_numpy(zero_copy_only=False))


def _part(at: At, part: str) -> At:
    return At(at.type, f"{at.property}_{part}")
