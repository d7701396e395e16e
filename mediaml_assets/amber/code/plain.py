"""Constants as documents, for digests."""

import json
import re
from array import array
from enum import Enum
from types import FunctionType, ModuleType
from typing import Any

import pyarrow as pa

from mediaml_assets.amber.columns import declaration
from mediaml_assets.amber.keys import column_digests

_ADDRESS = re.compile(r"\bat 0x[0-9a-f]+")


def plain(value: Any) -> Any:
    """A constant as a document; things without a stable form count by their type.

    Data of NumPy, PyTorch, Arrow and pandas count by their values.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(plain(one)) for one in value)
    if isinstance(value, (bytearray, slice)):
        return repr(value)
    if isinstance(value, re.Pattern):
        return [plain(value.pattern), value.flags]
    if hasattr(type(value), "tobytes") and hasattr(value, "dtype"):
        # the bytes of an array of objects are addresses
        content = plain(value.tolist()) if value.dtype.hasobject else value.tobytes().hex()
        return [str(value.dtype), list(value.shape), content]
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        return plain(value.detach().cpu().numpy())
    if isinstance(value, (array, memoryview)):
        return [memoryview(value).format, memoryview(value).tobytes().hex()]
    if isinstance(value, (pa.Array, pa.ChunkedArray)):
        return column_digests(pa.table({"": value}))
    if isinstance(value, (pa.Table, pa.RecordBatch)):
        return column_digests(pa.table(value))
    if package_of(type(value)) == "pandas" and hasattr(value, "to_csv"):
        return value.to_csv()
    if isinstance(value, pa.Schema):
        return declaration(value)
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, type) or callable(value):
        return f"{package_of(value)}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    text = repr(value)
    # what is only equal to itself (a logger, a lock) has a state of the moment, and no value
    hashing: object = type(value).__hash__
    by_value = isinstance(value, Enum) or hashing not in (None, object.__hash__)
    return text if by_value and not _ADDRESS.search(text) else type(value).__qualname__


def package_of(thing: Any) -> str:
    """Top-level package that a function or class comes from, or that an object's class comes from."""
    module = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None)
    if isinstance(thing, FunctionType):
        # a decorator gives its function the name of another one's module
        module = thing.__globals__.get("__name__")
    return str(module or "").partition(".")[0]
