"""Lists of strings beside the tables, each once, with what is in them: a column holds the number of its list.

A scan that had to read the lists of all rows would cost more than all the rest of a query. So conditions on lists are
answered here, from where each string stands, and the scan compares numbers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.marken.query.nodes import HasAny, HasOnly, HasRun

Numbers = npt.NDArray[np.int64]
_BETWEEN = "\x1f"


class Lists:
    """Lists that came, numbered from 0; equal ones that came together have one number. Nothing is ever taken out."""

    def __init__(self) -> None:
        self._chunks: list[pa.ListArray] = []
        self._count = 0
        self._places: dict[str, list[Numbers]] = {}
        """String -> numbers of the lists that have it."""

    def add(self, lists: pa.ChunkedArray) -> pa.Array:
        """Add a column of lists; returns the number of each, null for null."""
        whole = lists.combine_chunks()
        key = _keys(whole).dictionary_encode()
        there = whole.is_valid().to_numpy(zero_copy_only=False)
        codes = pc.fill_null(key.indices, 0).to_numpy().astype(np.int64)
        places = np.zeros(len(key.dictionary), np.int64)
        places[codes[there]] = np.flatnonzero(there)
        first, distinct = self._count, whole.take(pa.array(places))
        if len(distinct):
            self._chunks.append(distinct)
            self._count += len(distinct)
            self._note(first, distinct)
        return pa.array(first + codes, mask=~there)

    def take(self, numbers: pa.ChunkedArray) -> pa.Array:
        """The lists of some numbers, null for null."""
        if not self._chunks:
            return pa.nulls(len(numbers), pa.list_(pa.string()))
        return pa.chunked_array(self._chunks).take(numbers).combine_chunks()

    def numbers(self, node: HasAny | HasOnly | HasRun) -> Numbers:
        """Which lists a condition holds for, ascending."""
        if isinstance(node, HasOnly):
            return self._only(node.values)
        strings = node.stems if isinstance(node, HasRun) else node.values
        each = [self._of(one) for one in dict.fromkeys(strings)]
        if isinstance(node, HasAny) and not node.all:
            return np.unique(np.concatenate([np.empty(0, np.int64), *each]))
        found = np.arange(self._count) if not each else each[0]
        for other in each[1:]:
            found = np.intersect1d(found, other, assume_unique=True)
        return found if isinstance(node, HasAny) else self._with_run(found, node.stems)

    def _of(self, string: str) -> Numbers:
        return np.concatenate([np.empty(0, np.int64), *self._places.get(string, ())])

    def _only(self, strings: Sequence[str]) -> Numbers:
        found = [np.empty(0, np.int64)]
        first = 0
        for chunk in list(self._chunks):
            others = pc.invert(pc.is_in(chunk.flatten(), pa.array(strings, pa.string())))
            holders = chunk.value_parent_indices().filter(others).to_numpy()
            found.append(first + np.setdiff1d(np.arange(len(chunk)), holders))
            first += len(chunk)
        return np.concatenate(found)

    def _with_run(self, numbers: Numbers, stems: Sequence[str]) -> Numbers:
        """Those of some lists in which strings stand one after the other."""
        joined = pc.binary_join(self.take(pa.chunked_array([numbers])), " ")
        padded = pc.binary_join_element_wise("", joined, "", " ")
        holds = pc.match_substring(padded, f" {' '.join(stems)} ").to_numpy(zero_copy_only=False)
        return np.asarray(numbers[holds])

    def _note(self, first: int, distinct: pa.ListArray) -> None:
        strings = distinct.flatten().dictionary_encode()
        codes, holders = strings.indices.to_numpy(), first + distinct.value_parent_indices().to_numpy()
        order = np.lexsort((holders, codes))
        codes, holders = codes[order], holders[order]
        if not len(codes):
            return
        # a string may be several times in a list
        fresh = np.append(True, (codes[1:] != codes[:-1]) | (holders[1:] != holders[:-1]))
        codes, holders = codes[fresh], holders[fresh]
        stops = np.searchsorted(codes, np.arange(1, len(strings.dictionary)))
        for string, places in zip(strings.dictionary.to_pylist(), np.split(holders, stops), strict=True):
            self._places.setdefault(string, []).append(places)


def _keys(lists: pa.ListArray) -> pa.Array:
    """A text for each list, equal for equal lists alone; null for null."""
    strings = lists.flatten()
    if pc.any(pc.match_substring_regex(strings, r"[\x1e\x1f]")).as_py():
        # what stands between strings must not stand in one
        safe = pc.replace_substring(pc.replace_substring(strings, "\x1e", "\x1e."), _BETWEEN, "\x1e,")
        sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
        offsets = pa.array(np.append(0, np.cumsum(sizes)), pa.int32())
        lists = pa.ListArray.from_arrays(offsets, safe, mask=lists.is_null())
    # nothing at all is not one empty string
    return pc.binary_join_element_wise(
        pc.cast(pc.list_value_length(lists), pa.string()), pc.binary_join(lists, _BETWEEN), _BETWEEN
    )
