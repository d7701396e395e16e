"""All pages of a search, of one moment."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from mediaml_assets.marken.search.answer import Answer


class Searches(Protocol):
    """A Marken, here or over HTTP."""

    def search(self, query: Mapping[str, Any]) -> Answer:
        """One page."""
        ...


def pages(marken: Searches, query: Mapping[str, Any]) -> Iterator[Answer]:
    """The pages of a search, one after the other; what is written meanwhile is in none of them.

    Args:
        marken: is asked when a page is wanted.
        query: a search; its `limit` is the size of a page, its `cursor` where to begin.

    Raises:
        QueryRefused: the search cannot be understood.
    """
    answer = marken.search(query)
    yield answer
    while answer.cursor is not None:
        answer = marken.search({**query, "cursor": answer.cursor})
        yield answer
