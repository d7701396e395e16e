"""The best cuts of any titles of a catalogue, merged from stored blocks: 100 titles x 2,000 shots x 512.

The shots are those of `all_pairs`: like embeddings, twenty consecutive ones of a cluster, which stands for a scene. K
is 1,000, a shot is used twice at most, and pairs of one scene are left out, neighbours, and each shot with itself.
First every two titles' block is made, then random subsets of 2 to 100 titles are asked for, their sizes log-uniform, so
that the small ones, which need deeper blocks, are among them; then all of them again.

not_identical           answers, of all that were asked for in both rounds, that are not those of brute force: pairs and
                        their order. Brute force shares no code with blocks: the pairs of all titles above a threshold
                        (a float32 product with a margin, float64 scores of what passes), filtered for each subset; and
                        for a subset that has too few of these, all its pairs by a float64 product.
pairs_scored_at_query   pairs scored when a subset was asked for again.
p50_ms_10_titles        of 10 random titles, asked for again, opening the files included; p50_ms_100_titles of all.
foreign_pairs_scored    pairs scored beyond those of the new title, when a 101st one is added.
deepened_blocks         of all 5,050, by the first round; deepened_by_10 by subsets of 10 titles or more.
files_opened            by one answer of 100 titles. files_stored, mb_stored: when the blocks were made.
gb_1000_titles_5_flavours   projected from the mean sizes of a title's block with itself and with another.
made_s, made_gflops     making all blocks: seconds, and 2 n m d over them. made_cpu_s: CPU seconds of all threads.
"""

import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from benchmarks.harness import Target
from benchmarks.pairs.data import CLUSTER, embedding_like
from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.matching.blocks.merging import best
from mediaml_assets.matching.blocks.store import Blocks
from mediaml_assets.matching.blocks.title import Title
from mediaml_assets.matching.flavours.flavour import Ends, Flavour, first_is_highest
from mediaml_assets.matching.pairs.scan import Excluded, Indices
from mediaml_assets.matching.pairs.top_k import Pairs

TARGETS: dict[str, Target] = {
    "not_identical": ("==", 0),
    "pairs_scored_at_query": ("==", 0),
    "p50_ms_10_titles": ("<=", 50),
    "foreign_pairs_scored": ("==", 0),
}
TITLES, SHOTS, WIDTH, K, CAP, SUBSETS, REPEATS = 100, 2_000, 512, 1_000, 2, 200, 21
THREADS = len(os.sched_getaffinity(0))
PREFIX = 8_000_000  # pairs of brute force above the threshold, of all titles' 4 x 10^10
MARGIN = 1e-4  # many times what float32 can be wrong by
STRIP = 1_000

Vectors = NDArray[np.float32]
Found = list[tuple[int, int]]


def _no_ends(_: object) -> Ends:
    raise NotImplementedError


EMBEDDING = Flavour("embedding", "shot_embedding", ("vectors",), "1", "Alike.", _no_ends, None, first_is_highest)


def run(seed: int) -> dict[str, float]:
    """Every figure; some minutes on two cores."""
    return measure(seed, TITLES, SHOTS, SUBSETS)


@dataclass(frozen=True)
class Catalogue:
    """The shots of all titles, one title after the other, and of one more."""

    out: Vectors
    in_: Vectors
    shots: int

    def ends(self, number: int) -> Ends:
        """Of one title."""
        part = slice(number * self.shots, (number + 1) * self.shots)
        nothing = np.empty((self.shots, 0))
        return Ends(self.out[part], self.in_[part], nothing, nothing)

    def title(self, cache: Cache, number: int) -> Title:
        """One title, known by what its vectors are."""
        ends = self.ends(number)
        digest = blake3(ends.out.tobytes()).update(ends.in_.tobytes()).hexdigest()
        folder = cache.bound("embedding-1", "shot_embedding", {"vectors": digest})
        return Title(str(number), folder, self.shots, lambda: ends)


def measure(seed: int, titles: int, shots: int, subsets: int) -> dict[str, float]:
    """Every figure for a catalogue of this size."""
    catalogue = Catalogue(*embedding_like(seed, (titles + 1) * shots, WIDTH), shots)
    with TemporaryDirectory() as folder:
        return _figures(seed, catalogue, titles, subsets, FolderObjects(Path(folder)))


def _figures(seed: int, catalogue: Catalogue, titles: int, subsets: int, objects: FolderObjects) -> dict[str, float]:
    random = np.random.default_rng([seed, 1])
    known = [catalogue.title(Cache(objects, "match_cuts"), number) for number in range(titles)]
    cache = Cache(objects, "match_cuts")
    start, cpu = time.perf_counter(), time.process_time()
    best(cache, EMBEDDING, known, 1, cap=CAP)
    made_s, made_cpu_s = time.perf_counter() - start, time.process_time() - cpu
    files = [one.size for one in objects.walk("cache") if one.name.endswith(".blocks")]
    stored = Blocks(Cache(objects, "match_cuts"), known, False).kept.values()
    own, other = ([one.entry.pairs for one in stored if (one.title is one.partner) is same] for same in (True, False))

    sizes = [round(math.exp(size)) for size in random.uniform(math.log(2), math.log(titles), subsets)]
    asked = [np.sort(random.permutation(titles)[:size]) for size in sizes]
    tens = [np.sort(random.permutation(titles)[: min(10, titles)]) for _ in range(REPEATS)]
    everything = [np.arange(titles)] * REPEATS
    brute = BruteForce(catalogue, titles)
    answers: list[Found] = []
    deepened, deepened_by_10, wrong = 0, 0, 0
    for chosen in [*asked, *tens, everything[0]]:
        answer = _ask(objects, catalogue, known, chosen)
        answers.append(brute.answer(chosen))
        wrong += _pairs(answer.pairs) != answers[-1]
        deepened += answer.counts["blocks_deepened"]
        deepened_by_10 += answer.counts["blocks_deepened"] * (len(chosen) >= 10)
    again = [_ask(objects, catalogue, known, chosen) for chosen in [*asked, *tens, *everything]]
    right = [*answers, *answers[-1:] * (REPEATS - 1)]
    wrong += sum(_pairs(one.pairs) != pairs for one, pairs in zip(again, right, strict=True))
    first_ten, first_all = len(asked), len(asked) + len(tens)
    cache = Cache(objects, "match_cuts")
    best(cache, EMBEDDING, [*known, catalogue.title(cache, titles)], 1, cap=CAP)
    shots = catalogue.shots
    return {
        "not_identical": wrong,
        "pairs_scored_at_query": sum(one.counts["pairs_scored"] for one in again),
        "p50_ms_10_titles": median(one.seconds for one in again[first_ten:first_all]) * 1e3,
        "p50_ms_100_titles": median(one.seconds for one in again[first_all:]) * 1e3,
        "p50_ms_any": median(one.seconds for one in again[:first_ten]) * 1e3,
        "foreign_pairs_scored": cache.counts["pairs_scored"] - shots * shots * (2 * titles + 1),
        "deepened_blocks": deepened,
        "deepened_by_10": deepened_by_10,
        "answers_without_blocks": sum(one.counts["answers_without_blocks"] for one in again),
        "brute_forced_whole": brute.whole,
        "files_opened": again[-1].counts["files_opened"],
        "files_stored": len(files),
        "mb_stored": sum(files) / 1e6,
        "pairs_own_block": float(np.mean(own)),
        "pairs_other_block": float(np.mean(other)),
        "gb_1000_titles_5_flavours": 5 * _bytes(1000, float(np.mean(own)), float(np.mean(other))) / 1e9,
        "made_s": made_s,
        "made_cpu_s": made_cpu_s,
        "made_gflops": 2 * (titles * shots) ** 2 * WIDTH / made_s / 1e9,
        "answers": len(answers) + len(again),
        "threads": THREADS,
    }


def _bytes(titles: int, own: float, other: float) -> float:
    """Of all blocks of a catalogue: 12 bytes a pair, 56 bytes and some checks a block."""
    return titles * (own * 12 + 80) + titles * (titles - 1) / 2 * (other * 12 + 80)


@dataclass(frozen=True)
class _Answer:
    pairs: Pairs
    counts: dict[str, int]
    seconds: float


def _ask(objects: FolderObjects, catalogue: Catalogue, known: Sequence[Title], chosen: Indices) -> "_Answer":
    cache = Cache(objects, "match_cuts")
    titles = [known[number] for number in chosen]
    excluded = _left_out(catalogue.shots)
    start = time.perf_counter()
    pairs = best(cache, EMBEDDING, titles, K, excluded=excluded, cap=CAP)
    return _Answer(pairs, dict.fromkeys(_COUNTED, 0) | cache.counts, time.perf_counter() - start)


_COUNTED = ("pairs_scored", "blocks_deepened", "files_opened", "answers_without_blocks")


def _left_out(shots: int) -> Excluded:
    def excluded(rows: Indices, cols: Indices) -> NDArray[np.bool_]:
        near = (rows // CLUSTER == cols // CLUSTER) | (abs(rows - cols) < 2)
        return np.asarray((rows // shots == cols // shots) & near)

    return excluded


def _pairs(pairs: Pairs) -> Found:
    return list(zip(pairs.rows.tolist(), pairs.cols.tolist(), strict=True))


class BruteForce:
    """The answers by plain means: products, one sort, one walk."""

    def __init__(self, catalogue: Catalogue, titles: int) -> None:
        self.catalogue, self.whole = catalogue, 0
        self.n = titles * catalogue.shots
        out, in_ = catalogue.out[: self.n], catalogue.in_[: self.n]
        limit = self._threshold(out, in_)
        found = [self._above(start, limit) for start in range(0, self.n, STRIP)]
        rows, cols, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        order = np.lexsort((cols, rows, -scores))
        self.rows, self.cols = rows[order], cols[order]

    def answer(self, chosen: Indices) -> Found:
        """The first K pairs of some titles (ascending), numbered jointly."""
        shots = self.catalogue.shots
        start = np.full(self.n // shots, -1, np.int64)
        start[chosen] = np.arange(len(chosen)) * shots
        left, right = start[self.rows // shots], start[self.cols // shots]
        both = (left >= 0) & (right >= 0)
        found = _walk(left[both] + self.rows[both] % shots, right[both] + self.cols[both] % shots, shots)
        return found if len(found) == K else self._all(chosen)

    def _threshold(self, out: Vectors, in_: Vectors) -> float:
        random = np.random.default_rng(0)
        rows, cols = (random.permutation(self.n)[:4_000] for _ in range(2))
        sample = (out[rows] @ in_[cols].T).ravel()
        place = min(sample.size - 1, round(sample.size * PREFIX / TITLES**2 / SHOTS**2) + 1)
        return float(np.partition(sample, -place)[-place])

    def _above(self, start: int, limit: float) -> tuple[Indices, Indices, NDArray[np.float64]]:
        out, in_ = self.catalogue.out[start : min(start + STRIP, self.n)], self.catalogue.in_[: self.n]
        parts = []
        for col in range(0, self.n, 20_000):
            block = out @ in_[col : min(col + 20_000, self.n)].T
            places = np.flatnonzero(block.ravel() >= limit - MARGIN)
            parts.append((places // block.shape[1], places % block.shape[1] + col))
        rows, cols = (np.concatenate(part) for part in zip(*parts, strict=True))
        scores = np.concatenate([
            (out[rows[some]].astype(np.float64) * in_[cols[some]]).sum(axis=1) for some in _parts(len(rows))
        ] or [np.empty(0)])  # fmt: skip
        kept = scores >= limit
        return rows[kept] + start, cols[kept], scores[kept]

    def _all(self, chosen: Indices) -> Found:
        """All pairs of few titles."""
        self.whole += 1
        ends = Ends.joined([self.catalogue.ends(number) for number in chosen.tolist()])
        out, in_ = ends.out.astype(np.float64), ends.in_.astype(np.float64)
        wanted = 100 * K
        rows, cols, best_of = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
        for start in range(0, len(out), STRIP):
            scores = (out[start : start + STRIP] @ in_.T).ravel()
            top = np.argpartition(scores, -min(wanted, scores.size))[-wanted:]
            rows, cols = np.append(rows, top // len(in_) + start), np.append(cols, top % len(in_))
            best_of = np.append(best_of, scores[top])
            first = np.lexsort((cols, rows, -best_of))[:wanted]
            rows, cols, best_of = rows[first], cols[first], best_of[first]
        return _walk(rows, cols, self.catalogue.shots)


def _parts(count: int) -> Iterator[slice]:
    return (slice(start, start + 20_000) for start in range(0, count, 20_000))


def _walk(rows: Indices, cols: Indices, shots: int) -> Found:
    """The first K pairs that are of no scene or neighbours and use no shot more than CAP times."""
    uses: dict[int, int] = {}
    taken: Found = []
    for a, b in zip(rows.tolist(), cols.tolist(), strict=True):
        if a // shots == b // shots and (a // CLUSTER == b // CLUSTER or abs(a - b) < 2):
            continue
        if uses.get(a, 0) < CAP and uses.get(b, 0) < CAP:
            uses[a], uses[b] = uses.get(a, 0) + 1, uses.get(b, 0) + 1
            taken.append((a, b))
            if len(taken) == K:
                break
    return taken
