"""The best pairs of any titles, merged from their blocks: exact, whatever is left out on reading.

Blocks are read from their heads downwards. What has been read is walked through in order: pairs that are left out and
shots at their cap are passed over, until K pairs are accepted. Each block has a place in the order below which nothing
of it is known: its last pair that was read, or its floor. When the K-th accepted pair stands above all of these, no
unknown pair can come before it, and the answer is that of brute force. Otherwise the blocks that stand in the way are
read further down, and those that have no more are deepened.

A deepened block is a longer prefix of all the pairs of its two titles, also of shots that had reached the cap in this
answer: it holds for any other one.
"""

from collections.abc import Sequence

from mediaml_assets.amber.cache import Cache
from mediaml_assets.matching.blocks import making
from mediaml_assets.matching.blocks.candidates import Candidates
from mediaml_assets.matching.blocks.format import Unreadable
from mediaml_assets.matching.blocks.making import Work
from mediaml_assets.matching.blocks.store import Blocks, Couple, Kept, by_owner
from mediaml_assets.matching.blocks.title import Title
from mediaml_assets.matching.flavours.flavour import Ends, Flavour
from mediaml_assets.matching.pairs.scan import Excluded, Indices
from mediaml_assets.matching.pairs.top_k import Pairs, top_k


def best(
    cache: Cache,
    flavour: Flavour,
    titles: Sequence[Title],
    k: int,
    *,
    excluded: Excluded | None = None,
    cap: int | None = None,
    groups: Indices | None = None,
) -> Pairs:
    """The K best pairs of all shots of the titles, numbered jointly in the order given; what is missing is made.

    Args:
        cache: where blocks are kept; it counts pairs scored and reused, blocks made and deepened, files opened.
        flavour: whose scores.
        titles: in the order that decides between equal scores.
        k: how many pairs, at least 1.
        excluded: for int64 arrays (rows, cols), which pairs are left out.
        cap: how often one shot may be used, or one group of shots.
        groups: int64 [n], shots of one number share the cap; by default each has its own.
    """
    distinct = list({one.digest: one for one in titles if one.shots}.values())
    blocks = Blocks(cache, distinct, flavour.exact is not None)
    cache.count("pairs_reused", sum(one.pairs for one in blocks.kept.values()))
    while True:
        _make_missing(cache, flavour, blocks)
        try:
            found = _merged(cache, flavour, blocks, titles, k, excluded, cap, groups)
            break
        except Unreadable:
            # a file was damaged, or folded away by another process, after its beginning was read: look again
            blocks = Blocks(cache, distinct, flavour.exact is not None)
    blocks.fold()
    return found if found is not None else _without_blocks(cache, flavour, titles, k, excluded, cap, groups)


def _merged(
    cache: Cache,
    flavour: Flavour,
    blocks: Blocks,
    titles: Sequence[Title],
    k: int,
    excluded: Excluded | None,
    cap: int | None,
    groups: Indices | None,
) -> Pairs | None:
    """The answer, or None when it needs more than blocks may hold."""
    while True:
        candidates = Candidates(titles, blocks, excluded, cap, groups)
        pairs, behind = candidates.first(k)
        if not behind:
            cache.count("pairs_read", candidates.read)
            return pairs
        if any(_looked_at(one) >= making.DEEPEST for one in behind):
            return None
        asked = {_couple(one): min(making.DEEPEST, making.DEEPER * _looked_at(one)) for one in behind}
        cache.count("blocks_deepened", len(behind))
        _make(cache, flavour, blocks, asked)


def _make_missing(cache: Cache, flavour: Flavour, blocks: Blocks) -> None:
    missing = blocks.missing()
    if missing:
        cache.count("blocks_made", len(missing))
        couples = {one: (blocks.title(one[0]), blocks.title(one[1])) for one in missing}
        _make(cache, flavour, blocks, {one: making.first_depth(flavour, *both) for one, both in couples.items()})


def _make(cache: Cache, flavour: Flavour, blocks: Blocks, depths: dict[Couple, int]) -> None:
    works = [
        Work(
            blocks.title(owner),
            tuple((blocks.title(one), depths[min(owner, one), max(owner, one)]) for one in partners),
        )
        for owner, partners in by_owner(depths).items()
    ]
    for work, data in making.make(flavour, works):
        blocks.add(work.title, data)
        cache.count("pairs_scored", work.pairs)


def _looked_at(one: Kept) -> int:
    """How deep a block is: what was asked for, or what it has when it is better than those that it was made with."""
    return max(one.entry.depth, one.entry.pairs)


def _couple(one: Kept) -> Couple:
    return min(one.title.digest, one.partner.digest), max(one.title.digest, one.partner.digest)


def _without_blocks(
    cache: Cache,
    flavour: Flavour,
    titles: Sequence[Title],
    k: int,
    excluded: Excluded | None,
    cap: int | None,
    groups: Indices | None,
) -> Pairs:
    """The answer of one pass over all pairs, for those that take more of the pairs than is worth keeping."""
    ends = Ends.joined([one.ends() for one in titles if one.shots])
    cache.count("pairs_scored", len(ends) ** 2)
    cache.count("answers_without_blocks", 1)
    return top_k(
        ends.out,
        ends.in_,
        k,
        excluded=excluded,
        above=0.0,
        cap=cap,
        groups=groups,
        rerank=flavour.rerank(ends),
        bound=flavour.bound,
    )
