"""Reading many values at once: the whole catalogue, a few titles ahead of whoever consumes them.

    for title, rows in scan(store, "shot_embedding", columns=["vector"]):
        ...

Threads look up and decode while the consumer works. Only a few values are in memory at any time, so a catalogue of any
size can be read.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

from mediaml_assets.amber.ledger import Moment
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View
from mediaml_assets.errors import NotStored

Item = TypeVar("Item")
Answer = TypeVar("Answer")

AHEAD = 2
"""Values that are read for each thread, the one in work among them."""


def scan(
    store: Store,
    feature: str,
    titles: Iterable[str] | None = None,
    columns: Sequence[str] | None = None,
    as_of: Moment | None = None,
) -> Iterator[tuple[str, pa.Table]]:
    """Title and rows of every value of a feature, in the order of the titles; those without a value are left out.

    Args:
        store: where the values are.
        feature: a feature of titles (or shows).
        titles: by default all that the feature ever looked at, sorted.
        columns: names of the columns to read, in this order; by default all.
        as_of: what was current at that moment.

    Raises:
        Damaged: a row of the ledger or a value cannot be read.
    """

    def read(title: str) -> tuple[str, pa.Table] | None:
        try:
            return title, _rows(store.view(feature, title, as_of), columns)
        except NotStored:
            return None

    # an answer for other settings than the default ones is nobody's current value
    wanted = titles if titles is not None else [one for one in store.ledger.scopes(feature) if "@" not in one]
    return (one for one in ahead(read, wanted) if one is not None)


def tables(views: Iterable[View], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The rows of views, in their order; raises NotStored for one without a value, and Damaged."""
    return ahead(lambda view: _rows(view, columns), views)


def ahead(work: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[Answer]:
    """`map` in threads, in the order of the items; at most `AHEAD` for each thread are in work or wait to be taken."""
    threads = len(os.sched_getaffinity(0))
    waiting: deque[Future[Answer]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def _rows(view: View, columns: Sequence[str] | None) -> pa.Table:
    # the threads are ours: more of them inside each file would only wait for one another
    return view.table(columns, threads=False)
