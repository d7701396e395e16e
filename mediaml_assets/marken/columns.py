"""Plain columns of a batch, checked and made canonical: strings, numbers, truth values.

Values come as Python lists (of mappings) or as Arrow arrays (of tables). Nothing is guessed: no text becomes a number,
no truth value an integer, no number loses a digit unseen.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.marken.refusal import At, shown

Values: TypeAlias = list[Any] | pa.Array
"""One column as it came, an entry for each row, None or null where a row has nothing."""

EXACT = 2**53
"""Up to here every integer is a double."""
LONGEST_STRING = 2_000
"""Bytes: an index of a server holds no longer one."""
LONGEST_TEXT = 100_000


def strings(values: Values, at: At, longest: int = LONGEST_STRING) -> pa.Array:
    """Strings of at most `longest` bytes of UTF-8, without NUL and without half characters."""
    if isinstance(values, list):
        only(values, (str,), at, "text")
        array = _made(values, pa.string(), at)
    else:
        kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
        texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
        if not any(is_one(kind) for is_one in texts):
            raise at.refused_whole(f"is a column of {values.type}", "give text")
        array = values.cast(pa.string())
        try:
            array.validate(full=True)
        except pa.ArrowInvalid as error:
            raise at.refused_whole(f"is not UTF-8 ({error})", "write it as UTF-8") from None
    too_long = mask_of(pc.greater(pc.binary_length(array), longest))
    if too_long.any():
        raise at.refused(
            too_long, f"is longer than {longest:,} bytes", "shorten it, or keep it elsewhere and link to it"
        )
    nul = mask_of(pc.match_substring(array, "\0"))
    if nul.any():
        raise at.refused(nul, "holds a NUL character, which servers cannot keep", "remove it")
    return array


def integers(values: Values, at: At) -> pa.Array:
    """64-bit integers; a whole number given as a double is one, up to 2^53."""
    if not isinstance(values, list) and pa.types.is_floating(values.type):
        values = values.to_pylist()
    if isinstance(values, list):
        whole = [int(value) if _is_whole(value) else value for value in plain(values)]
        only(whole, (int,), at, "an integer")
        return _made(whole, pa.int64(), at)
    if not (pa.types.is_integer(values.type) or pa.types.is_null(values.type)):
        raise at.refused_whole(f"is a column of {values.type}", "give integers")
    if pa.types.is_uint64(values.type):
        over = mask_of(pc.greater(values, pa.scalar(2**63 - 1, pa.uint64())))
        if over.any():
            raise at.refused(over, "is beyond 64 signed bits", "give a smaller one, or text")
    return values.cast(pa.int64())


def numbers(values: Values, at: At) -> pa.Array:
    """Finite doubles; -0.0 becomes 0.0. An integer is one up to 2^53, where doubles begin to skip some."""
    if isinstance(values, list):
        values = plain(values)
        only(values, (int, float), at, "a number")
        array = _made(values, pa.float64(), at)
    else:
        kind = values.type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
            raise at.refused_whole(f"is a column of {kind}", "give numbers")
        if pa.types.is_integer(kind) and kind.bit_width == 64:
            given = integers(values, at)
            over = mask_of(pc.or_(pc.greater(given, EXACT), pc.less(given, -EXACT)))
            if over.any():
                raise at.refused(over, "is an integer beyond 2^53, which no double holds exactly", "give it as text")
        array = values.cast(pa.float64())
    endless = mask_of(pc.invert(pc.is_finite(array)))
    if endless.any():
        raise at.refused(endless, "is no finite number", "leave it out where there is none")
    return pc.add(array, 0.0)


def booleans(values: Values, at: At) -> pa.Array:
    """True and false, not 1 and 0."""
    if isinstance(values, list):
        values = plain(values)
        only(values, (bool,), at, "true or false")
        return pa.array(values, pa.bool_())
    if not (pa.types.is_boolean(values.type) or pa.types.is_null(values.type)):
        raise at.refused_whole(f"is a column of {values.type}", "give true or false")
    return values.cast(pa.bool_())


def plain(values: list[Any]) -> list[Any]:
    """NumPy's scalars as Python's."""
    if any(issubclass(kind, np.generic) for kind in set(map(type, values))):
        return [value.item() if isinstance(value, np.generic) else value for value in values]
    return values


def only(values: list[Any], allowed: tuple[type, ...], at: At, wanted: str) -> None:
    """Refuse the first value of another type; a truth value is no number."""
    good = {
        kind
        for kind in set(map(type, values))
        if kind is type(None) or (issubclass(kind, allowed) and (kind is not bool or bool in allowed))
    }
    if good.issuperset(map(type, values)):
        return
    for row, value in enumerate(values):
        if type(value) not in good:
            raise at.refused(row, f"is {shown(value)}", f"give {wanted}")


def _made(values: list[Any], kind: pa.DataType, at: At) -> pa.Array:
    """The array; on failure the row that fails by itself is named."""
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        for row, value in enumerate(values):
            try:
                pa.array([value], kind)
            except UnicodeEncodeError:
                raise at.refused(row, "holds half a character (an unpaired surrogate)", "mend the text") from None
            except (pa.ArrowInvalid, OverflowError):
                held = "64 signed bits hold" if kind == pa.int64() else "a double holds exactly (2^53)"
                raise at.refused(row, f"is {shown(value)}, beyond what {held}", "give it as text") from None
        raise


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer() and abs(value) <= EXACT


def mask_of(array: Any) -> npt.NDArray[np.bool_]:
    """A boolean array as NumPy's, null as false."""
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False), bool)


def valid(array: pa.Array) -> npt.NDArray[np.bool_]:
    """Where an array is not null."""
    return mask_of(pc.is_valid(array))
