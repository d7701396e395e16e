"""Annotations: a million of them over 1,000 titles, of which 200,000 have 128-d vectors, searched and loaded.

Shots, faces, captions and quality events are made from the seed (`annotations/catalogue.py`). Each question is asked
once after some that do not count, and every answer is compared with brute force over plain arrays.

rows                annotations that are searched: postgres_rows, pgvector_rows (shots and faces), lancedb_rows (shots)
p95_ms              time, space, label, confidence, vector and group in one search: the ten titles whose shots are most
                    like a vector, three shots of each. p50_ms; cpu_ms: CPU of all threads, the mean
recall              hits of these that are right, of all that are
join_p95_ms         when a person is seen and a place is shown in one title: `within` over two types; join_wrong
oracle_mismatches   of 1,000 random searches over random annotations with several moments, in both engines: answers that
                    are not those of plain Python; engine_mismatches: searches that the engines answer differently, by
                    an id or by the last digit of a score
load_per_s          annotations a second through operations of 5,000, validation included, in the embedded engine;
                    load_small_per_s: the whole catalogue, an operation for each title and type, 250 annotations each
visible_ms          an operation of 5,000: from the call of `finish` until another process counts them; the worst of 20
subset_over_faiss_N median time of the ten nearest of 100,000 shots in N of 500 titles, over FAISS' flat index with the
                    fastest of its id selectors; from titles and a vector to rows and scores. subset_ms_N is ours,
                    subset_search_ms_N a whole search of Marken; subset_recall, and subset_rows: given of those wanted
postgres_*          the same by two PostgreSQL servers with four partitions each, loaded as a back-fill is, twenty
                    titles in an operation (postgres_load_per_s); postgres_wrong: answers that are not exactly the right
                    ones; killed_wrong: what went otherwise than it should while one was killed
lancedb_*, pgvector_*   the same shots and questions by LanceDB and by PostgreSQL with pgvector used by hand on one
                    server, at their documented best and exact; LanceDB has no join of times and no groups
"""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.annotations import asking, lance, loading, questions, shards, subsets
from benchmarks.annotations.catalogue import TYPES, Catalogue
from benchmarks.annotations.random_searches import mismatches
from benchmarks.annotations.raw_pgvector import RawPgvector
from benchmarks.harness import Measured, Target
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.postgres.engine import PostgresEngine
from mediaml_assets.marken.types import Types
from mediaml_assets_tests.postgres_servers import running

TARGETS: dict[str, Target] = {
    "p95_ms": ("<", 50),
    "recall": ("==", 1),
    "join_p95_ms": ("<", 20),
    "oracle_mismatches": ("==", 0),
    "engine_mismatches": ("==", 0),
    "load_per_s": (">=", 50_000),
    "visible_ms": ("<", 200),
    **{f"subset_over_faiss_{size}": ("<=", 1.5) for size in subsets.SIZES},
    "subset_recall": ("==", 1),
    "subset_rows": ("==", 1),
    "postgres_wrong": ("==", 0),
    "killed_wrong": ("==", 0),
}
TITLES, QUESTIONS, SEARCHES = 1_000, 200, 1_000
REPEATS, LARGE, SEEN, NEAREST = 101, 20, 20, 20
BACK_FILL = 20
"""Titles in an operation of PostgreSQL's."""
Figures = dict[str, float]


class Work:
    """What is asked, and the right answers."""

    def __init__(self, catalogue: Catalogue, count: int) -> None:
        self.catalogue = catalogue
        self.types = Types(TYPES.values())
        self.combined = questions.combined(catalogue, count, 1)
        self.joins = questions.joins(catalogue, count, 1)
        self.groups = [one.answer(catalogue) for one in self.combined]
        self.ranges = [one.answer(catalogue) for one in self.joins]
        random = np.random.default_rng([catalogue.seed, 6])
        shots = catalogue.rows["SHOT"].vectors
        assert shots is not None
        self.sizes = [size for size in subsets.SIZES if size <= catalogue.titles for _ in range(NEAREST)]
        self.subsets = [random.permutation(catalogue.names)[:size].tolist() for size in self.sizes]
        self.near = shots[random.integers(0, len(shots), len(self.sizes))]

    def by_size(self, ms: Sequence[float]) -> Figures:
        """Median milliseconds of the ten nearest of some titles, by their number."""
        return {
            f"subset_search_ms_{size}": float(
                np.median([one for one, of in zip(ms, self.sizes, strict=True) if of == size])
            )
            for size in dict.fromkeys(self.sizes)
        }


def run(seed: int) -> Measured:
    """Every figure; a quarter of an hour on two cores."""
    return measured(seed, TITLES, QUESTIONS, SEARCHES)


def measured(seed: int, titles: int, count: int, searches: int) -> Measured:
    """Of a catalogue of any size, and so many questions of a kind and random searches."""
    work = Work(Catalogue(seed, titles), count)
    details: dict[str, Any] = {"annotations": len(work.catalogue), "titles": titles}
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as name:
        folder = Path(name)
        figures = embedded(work, folder / "marken") | any_subset(seed, titles)
        figures |= on_servers(work, folder / "random", searches, details)
        try:
            figures |= by_lancedb(work, folder)
        except peers.Unavailable as reason:
            details["lancedb"] = str(reason)
            figures |= dict.fromkeys(("lancedb_p95_ms", "lancedb_recall"), float("nan"))
    return Measured(figures, details=details)


def on_servers(work: Work, folder: Path, searches: int, details: dict[str, Any]) -> Figures:
    """What needs PostgreSQL: our engine, by hand, and both our engines side by side."""
    catalogue, names = work.catalogue, work.catalogue.names
    with ExitStack() as stack:
        servers = stack.enter_context(running(2, shared_buffers="1GB"))

        def engine() -> PostgresEngine:
            databases = [stack.enter_context(server.database()) for server in servers]
            return stack.enter_context(closing(PostgresEngine(databases, partitions=4)))

        marken = Marken(engine(), work.types)
        load_s = loading.load(marken, catalogue, BACK_FILL)
        found = asked(marken, work) | whole_searches(marken, work)
        figures = {f"postgres_{name}": value for name, value in found.items()}
        figures["postgres_load_per_s"] = len(catalogue) / load_s
        few = slice(0, 20)
        figures["killed_wrong"] = shards.wrong_when_killed(
            marken, servers[1], names, work.combined[few], work.groups[few]
        )
        figures |= by_pgvector(work, stack.enter_context(servers[0].database()))
        differ = mismatches([EmbeddedEngine(FolderObjects(folder)), engine()], catalogue.seed, searches)
    details["mismatches"] = differ.examples
    counts = {"oracle_mismatches": differ.oracle, "engine_mismatches": differ.engines, "searches": differ.searches}
    return figures | counts


def embedded(work: Work, folder: Path) -> Figures:
    """The default engine: loading, questions, and what another process sees."""
    marken = Marken(EmbeddedEngine(FolderObjects(folder)), work.types)
    load_s = loading.load(marken, work.catalogue)
    figures = asked(marken, work)
    figures |= whole_searches(marken, work)
    figures["load_small_per_s"] = len(work.catalogue) / load_s
    figures["load_per_s"] = loading.load_large(marken, work.catalogue, LARGE)
    figures["visible_ms"] = max(loading.visible(marken, work.catalogue, folder, SEEN))
    return figures


def asked(marken: Marken, work: Work) -> Figures:
    """The questions, by an engine."""
    groups, combined = asking.timed(asking.combined(marken), work.combined)
    ranges, joins = asking.timed(asking.joined(marken), work.joins)
    return {
        "rows": marken.engine.snapshot().count(list(work.types), None),
        "p95_ms": combined.p95,
        "p50_ms": combined.p50,
        "cpu_ms": combined.cpu_ms,
        "recall": asking.recall(groups, work.groups),
        "wrong": sum(one != right for one, right in zip(groups, work.groups, strict=True)),
        "join_p95_ms": joins.p95,
        "join_p50_ms": joins.p50,
        "join_wrong": asking.wrong_ranges(ranges, work.ranges),
    }


def whole_searches(marken: Marken, work: Work) -> Figures:
    """The ten nearest shots of some titles, as whole searches."""
    asks = [
        {
            "types": ["SHOT"],
            "titles": titles,
            "nearest": {"field": "embedding", "to": {"vector": vector.tolist()}},
            "limit": 10,
        }
        for titles, vector in zip(work.subsets, work.near, strict=True)
    ]
    return work.by_size(asking.timed(marken.search, asks)[1].ms)


def any_subset(seed: int, titles: int) -> Figures:
    """Vectors of any titles, against FAISS."""
    found = subsets.measured(seed, REPEATS, min(subsets.TITLES, titles))
    figures: Figures = {}
    for size, one in found.items():
        figures |= {f"subset_over_faiss_{size}": one.over_faiss, f"subset_ms_{size}": one.ms}
    figures["subset_recall"] = min(one.recall for one in found.values())
    figures["subset_rows"] = min(one.rows for one in found.values())
    return figures


def by_pgvector(work: Work, dsn: str) -> Figures:
    """PostgreSQL and pgvector, by hand."""
    raw = RawPgvector(dsn, work.catalogue)
    groups, combined = asking.timed(raw.combined, work.combined)
    ranges, joins = asking.timed(raw.join, work.joins)
    subset = asking.timed(lambda one: raw.nearest(*one), list(zip(work.subsets, work.near, strict=True)))[1]
    raw.close()
    return {
        "pgvector_rows": len(work.catalogue.rows["SHOT"]) + len(work.catalogue.rows["FACE"]),
        "pgvector_p95_ms": combined.p95,
        "pgvector_p50_ms": combined.p50,
        "pgvector_recall": asking.recall(groups, work.groups),
        "pgvector_join_p95_ms": joins.p95,
        "pgvector_join_p50_ms": joins.p50,
        "pgvector_join_wrong": asking.wrong_ranges(ranges, work.ranges),
        **{f"pgvector_{name}": ms for name, ms in work.by_size(subset.ms).items()},
    }


def by_lancedb(work: Work, folder: Path) -> Figures:
    """LanceDB; raises Unavailable where it cannot be had."""
    answer: Mapping[str, Any] = lance.asked(folder, work.catalogue, work.combined, work.subsets, work.near)
    ms = asking.Asked([one["seconds"] * 1e3 for one in answer["combined"]])
    groups = [[(title, ids) for title, ids in one["answer"]] for one in answer["combined"]]
    return {
        "lancedb_rows": len(work.catalogue.rows["SHOT"]),
        "lancedb_p95_ms": ms.p95,
        "lancedb_p50_ms": ms.p50,
        "lancedb_recall": asking.recall(groups, work.groups),
        **{
            f"lancedb_{name}": value
            for name, value in work.by_size([one["seconds"] * 1e3 for one in answer["subsets"]]).items()
        },
    }
