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
from dataclasses import dataclass, field

from mediaml_assets.amber.cache import Cache
from mediaml_assets.errors import FeatureError
from mediaml_assets.matching.blocks import making
from mediaml_assets.matching.blocks.candidates import Candidates
from mediaml_assets.matching.blocks.format import Unreadable
from mediaml_assets.matching.blocks.making import Work
from mediaml_assets.matching.blocks.store import Blocks, Couple, by_owner, couple
from mediaml_assets.matching.blocks.title import Title
from mediaml_assets.matching.flavours.flavour import Ends, Flavour
from mediaml_assets.matching.pairs.scan import Excluded, Indices
from mediaml_assets.matching.pairs.top_k import Pairs, top_k

COUNTED = ("pairs_scored", "pairs_reused", "pairs_read", "blocks_made", "blocks_deepened", "files_opened")
"""What every answer counts in its cache, also when it is nothing: shown with the value.

Pairs that were scored for the answer, pairs of blocks that were there and deep enough, and how many pairs were read of
all blocks; blocks that were missing and that were not deep enough, and files of blocks that were looked into.
"""


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
        cache: where blocks are kept; it counts what `COUNTED` names.
        flavour: whose scores.
        titles: in the order that decides between equal scores.
        k: how many pairs, at least 1.
        excluded: for int64 arrays (rows, cols), which pairs are left out.
        cap: how often one shot may be used, or one group of shots.
        groups: int64 [n], shots of one number share the cap, and a cut between two of them is taken once; by default
            each has its own.

    Raises:
        FeatureError: k or cap is below 1.
    """
    if k < 1 or (cap is not None and cap < 1):
        raise FeatureError(f"match cuts want at least one pair and one use of a shot, got k={k} and cap={cap}")
    for name in COUNTED:
        cache.count(name, 0)
    distinct = list({one.digest: one for one in titles if one.shots}.values())
    asked = _Asked(cache, flavour, titles, k, excluded, cap, groups)
    while True:
        blocks = Blocks(cache, distinct, flavour.exact is not None)
        try:
            _make_missing(asked, blocks)
            found = _merged(asked, blocks)
            break
        except Unreadable:
            # a file was damaged, or folded away by another process, after its beginning was read: look again
            continue
    blocks.fold()
    if found is None:
        return _without_blocks(asked)
    reused = (one for couple, one in blocks.kept.items() if couple not in asked.scored)
    cache.count("pairs_reused", sum(one.pairs for one in reused))
    return found


@dataclass(frozen=True)
class _Asked:
    """What is asked, see `best`; and which blocks were scored for it."""

    cache: Cache
    flavour: Flavour
    titles: Sequence[Title]
    k: int
    excluded: Excluded | None
    cap: int | None
    groups: Indices | None
    scored: set[Couple] = field(default_factory=set)


def _merged(asked: _Asked, blocks: Blocks) -> Pairs | None:
    """The answer, or None when it needs more than blocks may hold."""
    while True:
        candidates = Candidates(asked.titles, blocks, asked.excluded, asked.cap, asked.groups)
        pairs, behind = candidates.first(asked.k)
        if not behind:
            asked.cache.count("pairs_read", candidates.read)
            return pairs
        if any(one.entry.depth >= making.DEEPEST for one in behind):
            return None
        depths = {couple(one.title, one.partner): one.entry.depth for one in behind}
        asked.cache.count("blocks_deepened", len(depths))
        _make(asked, blocks, {one: min(making.DEEPEST, making.DEEPER * depth) for one, depth in depths.items()})


def _make_missing(asked: _Asked, blocks: Blocks) -> None:
    missing = {one: (blocks.title(one[0]), blocks.title(one[1])) for one in blocks.missing()}
    asked.cache.count("blocks_made", len(missing))
    _make(asked, blocks, {one: making.first_depth(asked.flavour, *both) for one, both in missing.items()})


def _make(asked: _Asked, blocks: Blocks, depths: dict[Couple, int]) -> None:
    works = [
        Work(
            blocks.title(owner),
            tuple((blocks.title(one), depths[min(owner, one), max(owner, one)]) for one in partners),
        )
        for owner, partners in by_owner(depths).items()
    ]
    asked.scored.update(depths)
    for work, data in making.make(asked.flavour, works):
        blocks.add(work.title, data)
        asked.cache.count("pairs_scored", work.pairs)


def _without_blocks(asked: _Asked) -> Pairs:
    """The answer of one pass over all pairs, for those that take more of the pairs than is worth keeping."""
    flavour, ends = asked.flavour, Ends.joined([one.ends() for one in asked.titles if one.shots])
    asked.cache.count("pairs_scored", len(ends) ** 2)
    asked.cache.count("answers_without_blocks", 1)
    return top_k(
        ends.out,
        ends.in_,
        asked.k,
        excluded=asked.excluded,
        above=0.0,
        cap=asked.cap,
        groups=asked.groups,
        rerank=flavour.rerank(ends),
        bound=flavour.bound,
    )
