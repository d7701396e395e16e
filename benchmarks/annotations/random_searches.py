"""Random searches over a stock of random annotations with several moments: engines against an oracle and each other.

The searches, the stock and the oracle, which is plain Python over lists, are those of the tests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from mediaml_assets.marken.engine import Engine
from mediaml_assets_tests.marken.conformance.test_search_random import check_hits, check_ranges, pages
from mediaml_assets_tests.marken.plain_engine import PlainEngine
from mediaml_assets_tests.marken.search_strategies import range_searches, searches
from mediaml_assets_tests.marken.stock import Stock, stocked

EXAMPLES = 5


@dataclass
class Mismatches:
    """Of so many searches."""

    searches: int = 0
    oracle: int = 0
    """Answers, of any engine, that are not the oracle's or differ from those of lists."""
    engines: int = 0
    """Searches that two engines answered differently, by an id, an order or the last digit of a score."""
    examples: list[str] = field(default_factory=list)
    """Some of these, for people."""


def mismatches(engines: Sequence[Engine], seed: int, count: int) -> Mismatches:
    """Ask all engines `count` searches; the engines are empty."""
    stocks = [stocked(engine, seed) for engine in engines]
    plain = stocked(PlainEngine(), seed)
    found = Mismatches()

    @seeded(seed)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(query=st.one_of(searches(), searches(), range_searches()), at=st.integers(0, 3))
    def ask(query: dict[str, Any], at: int) -> None:
        found.searches += 1
        answers = [_answer(stock, query, at) for stock in stocks]
        differ = any(answer != answers[0] for answer in answers[1:])
        found.engines += differ
        check = check_ranges if "within" in query else check_hits
        failed = 0
        for stock in stocks:
            try:
                check(query, stock, plain, at)
            except Exception:  # whatever it is, it is not the right answer
                failed += 1
        found.oracle += failed
        if (differ or failed) and len(found.examples) < EXAMPLES:
            found.examples.append(f"{query} at {at}: {[str(answer)[-300:] for answer in answers]}")

    ask()
    return found


def _answer(stock: Stock, query: Mapping[str, Any], at: int) -> Any:
    """All hits; or what kind of error came, which two engines may well have in common."""
    try:
        return pages(stock.marken, {**query, "as_of": stock.moments[at][0]})
    except Exception as error:
        return repr(error)
