"""Making and deepening blocks: one title against several partners, both ways, by two large products.

The partners' shots are joined and the best pairs of all of them are taken at once, so that their blocks get one floor:
a merged answer is only as good as the highest floor among its blocks, and pairs below that are dead weight. A partner
that is nothing like the title gets few pairs, and one that is much like it gets many.

How deep a block is to begin with follows from what editors ask for: the first 1,000 cuts of ten titles at two uses of a
shot take the best 16,000 or so of all pairs (see `top_k`), which is 300 for each of the 55 blocks, both ways. `DEPTH`
leaves some room for what is left out on reading. Fewer titles need deeper blocks and have few of them to deepen; more
titles need less of each. A title's block with itself is one in as many as there are titles, and its best pairs are
those of a scene, which are left out: it has `OWN` pairs for each shot, more than there are shots in a scene.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from mediaml_assets import compute
from mediaml_assets.matching.blocks.block import NOTHING, Block, Place, block_above
from mediaml_assets.matching.blocks.format import encode
from mediaml_assets.matching.blocks.title import Title
from mediaml_assets.matching.flavours.flavour import Ends, Flavour
from mediaml_assets.matching.pairs.scan import Indices, Scores, best_pairs
from mediaml_assets.matching.pairs.top_k import RERANKED, final_scores

DEPTH = 256
OWN = 24
DEEPER = 8
DEEPEST = 2**18
"""Pairs of each direction that are kept at most; an answer that needs more is computed without blocks."""

TILE_BYTES = 512 * 2**20
"""Bytes of partners' ends that are joined at a time, and those of one title more."""


@dataclass(frozen=True)
class Work:
    """Blocks to be made: of one title with some partners, the title itself among them or not.

    partners: each with how many pairs of each direction are to be looked at.
    """

    title: Title
    partners: tuple[tuple[Title, int], ...]

    @property
    def pairs(self) -> int:
        """How many pairs are scored."""
        own = self.title
        return sum(own.shots * one.shots * (1 if one is own else 2) for one, _ in self.partners)


@dataclass(frozen=True)
class Sent:
    """Work as it is sent to whoever does it: the title's ends, and where its partners are among those joined.

    parts: digest, first shot, shot after the last, depth.
    """

    ends: Ends
    parts: tuple[tuple[str, int, int, int], ...]
    own: int
    """Depth of the title's block with itself, 0 when it is not wanted."""
    digest: str


def first_depth(flavour: Flavour, one: Title, other: Title) -> int:
    """How many pairs of each direction a new block is made of."""
    depth = max(DEPTH, OWN * one.shots) if one is other else DEPTH
    return min(depth * (RERANKED if flavour.exact is not None else 1), DEEPEST // DEEPER)


def make(flavour: Flavour, works: Sequence[Work]) -> Iterator[tuple[Work, bytes]]:
    """The files of some works, as they are made; one file for each, or several when partners need much memory."""
    for tile in _tiles(works):
        stops = list(accumulate(map(len, tile.values())))
        places = dict(zip(tile, pairwise([0, *stops]), strict=True))
        joined = Ends.joined(list(tile.values()))
        tile.clear()  # they are not kept twice
        parts = [work for work in (_within(work, places) for work in works) if work.partners]
        sent = ((work, _send(work, places, joined)) for work in parts)
        yield from compute.over(_made, (flavour, joined), sent)


def _tiles(works: Sequence[Work]) -> Iterator[dict[str, Ends]]:
    """The ends of the partners of all works, in order of appearance, as many at a time as memory is meant for."""
    tile: dict[str, Ends] = {}
    size = 0
    for one in {one.digest: one for work in works for one, _ in work.partners}.values():
        tile[one.digest] = one.ends()
        size += tile[one.digest].nbytes
        if size >= TILE_BYTES:
            yield tile
            tile, size = {}, 0
    if tile:
        yield tile


def _within(work: Work, places: Mapping[str, tuple[int, int]]) -> Work:
    return Work(work.title, tuple(one for one in work.partners if one[0].digest in places))


def _send(work: Work, places: Mapping[str, tuple[int, int]], joined: Ends) -> Sent:
    own = sum(depth for one, depth in work.partners if one is work.title)
    parts = tuple((one.digest, *places[one.digest], depth) for one, depth in work.partners if one is not work.title)
    place = places.get(work.title.digest)
    return Sent(joined.part(slice(*place)) if place else work.title.ends(), parts, own, work.title.digest)


def _made(shared: tuple[Flavour, Ends], work: Sent) -> bytes:
    """The file of one work."""
    flavour, partners = shared
    count = len(work.ends)
    blocks: dict[str, tuple[int, Block]] = {}
    if work.own:
        looked = _looked_at(flavour, work.ends, work.ends, work.own)
        blocks[work.digest] = (count, block_above(*looked.columns, looked.floor, work.own))
    if work.parts:
        blocks |= _with_partners(flavour, work, partners)
    return encode(count, blocks, flavour.exact is not None)


def _with_partners(flavour: Flavour, work: Sent, joined: Ends) -> dict[str, tuple[int, Block]]:
    count = len(work.ends)
    theirs = _taken(joined, [(start, stop) for _, start, stop, _ in work.parts])
    depth = sum(one for *_, one in work.parts)
    out, back = (
        _looked_at(flavour, tails, heads, depth) for tails, heads in ((work.ends, theirs), (theirs, work.ends))
    )
    # a pair of one title's shot and of a partner's, numbered jointly: the partner's after the title's
    floor = max(out.floor, back.floor)
    mine, others = (np.concatenate(side) for side in ((out.rows, back.cols), (out.cols, back.rows)))
    forth = np.arange(len(mine)) < len(out.rows)
    final, first = (np.concatenate(side) for side in ((out.final, back.final), (out.first, back.first)))
    sizes = [stop - start for _, start, stop, _ in work.parts]
    begins = np.cumsum([0, *sizes])
    order = np.argsort(others, kind="stable")
    cuts = np.searchsorted(others[order], begins)
    blocks = {}
    for place, (digest, _, _, asked) in enumerate(work.parts):
        part = order[cuts[place] : cuts[place + 1]]
        other = others[part] - begins[place] + count
        rows, cols = np.where(forth[part], mine[part], other), np.where(forth[part], other, mine[part])
        outward = int(np.count_nonzero(forth[part]))
        looked = max(asked, outward, len(part) - outward)
        blocks[digest] = (sizes[place], block_above(rows, cols, final[part], first[part], floor, looked))
    return blocks


def _taken(joined: Ends, parts: Sequence[tuple[int, int]]) -> Ends:
    """The ends of some titles among those joined; not copied where they lie side by side."""
    if all(stop == start for (_, stop), (start, _) in pairwise(parts)):
        return joined.part(slice(parts[0][0], parts[-1][1]))
    return Ends.joined([joined.part(slice(*part)) for part in parts])


@dataclass(frozen=True)
class _LookedAt:
    """The first pairs of one direction in the order of the first score, with their final scores."""

    rows: Indices
    cols: Indices
    final: Scores
    first: Scores
    floor: Place

    @property
    def columns(self) -> tuple[Indices, Indices, Scores, Scores]:
        return self.rows, self.cols, self.final, self.first


def _looked_at(flavour: Flavour, tails: Ends, heads: Ends, depth: int) -> _LookedAt:
    rows, cols = (np.flatnonzero(vectors.any(axis=1)) for vectors in (tails.out, heads.in_))
    found = best_pairs(tails.out, heads.in_, rows, cols, depth, above=0.0, threads=compute.cores())
    rerank = flavour.rerank(Ends(tails.out, heads.in_, tails.out_details, heads.in_details))
    final = found.scores if rerank is None else final_scores(rerank, found)
    if found.rows.size < depth:
        return _LookedAt(found.rows, found.cols, final, found.scores, NOTHING)
    last = float(found.scores[-1])
    return _LookedAt(
        found.rows, found.cols, final, found.scores, (last if rerank is None else flavour.bound(last), last)
    )
