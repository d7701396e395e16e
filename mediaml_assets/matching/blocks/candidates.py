"""The pairs of some titles' blocks that were read so far, in joint numbering, and the walk down them."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from mediaml_assets.matching.blocks.block import NOTHING
from mediaml_assets.matching.blocks.format import HEAD, Records
from mediaml_assets.matching.blocks.store import Blocks, Kept
from mediaml_assets.matching.blocks.title import Title
from mediaml_assets.matching.pairs.scan import Excluded, Indices
from mediaml_assets.matching.pairs.top_k import Pairs

_WALKED = 2**14  # candidates that are put in order to begin with; each further attempt takes four times as many

Table = npt.NDArray[np.float64]


class Candidates:
    """What is known of the pairs of some titles.

    Args:
        titles: in order; several may be equal, and have the same blocks.
        blocks: those of every two of them.
        excluded: which pairs are left out, in joint numbering.
        cap: how often a group may be used.
        groups: of each shot; None when each is its own.
    """

    def __init__(
        self,
        titles: Sequence[Title],
        blocks: Blocks,
        excluded: Excluded | None,
        cap: int | None,
        groups: Indices | None,
    ) -> None:
        self._blocks, self._excluded, self._cap = blocks, excluded, cap
        starts = list(accumulate((one.shots for one in titles), initial=0))
        self._groups = np.arange(starts[-1]) if groups is None else groups
        self.read = 0
        placed: dict[str, list[int]] = {}
        for one, start in zip(titles, starts, strict=False):
            placed.setdefault(one.digest, []).append(start)
        self._kept: list[Kept] = []
        maps = []
        for kept in blocks.kept.values():
            own, other = placed[kept.title.digest], placed[kept.partner.digest]
            self._kept.append(kept)
            if kept.title is kept.partner:
                maps.append([(a, a, b, b) for a in own for b in own])
            else:
                count = kept.title.shots
                maps.append([(a, b - count, a, b - count) for a in own for b in other])
        self._loaded = np.zeros(len(self._kept), np.int64)
        self._place = np.zeros((len(self._kept), 2))
        self._maps = maps
        self._own = np.array([kept.title.shots for kept in self._kept], np.int64)
        self._parts: list[Table] = []
        self._take(list(range(len(self._kept))), [kept.entry.head for kept in self._kept])

    def first(self, k: int) -> tuple[Pairs, list[Kept]]:
        """The K first pairs, and the blocks that must be deeper for them to be certain: none, when they are exact."""
        while True:
            table, accepted = self._walk(k)
            place = (table[accepted[-1], 3], table[accepted[-1], 2]) if len(accepted) == k else NOTHING
            final, first = self._place.T
            behind = (final > place[0]) | ((final == place[0]) & (first >= place[1]))
            behind &= final > -np.inf
            waiting = np.flatnonzero(behind)
            more = [one for one in waiting.tolist() if self._loaded[one] < self._kept[one].entry.pairs]
            if not more:
                chosen = table[accepted]
                floor = float(final.max(initial=-np.inf))
                rows, cols = chosen[:, 0].astype(np.int64), chosen[:, 1].astype(np.int64)
                pairs = Pairs(rows, cols, chosen[:, 3].copy(), floor, not waiting.size, self.read)
                return pairs, [self._kept[one] for one in waiting.tolist()]
            self._take(more, [self._blocks.piece(self._kept[one], int(self._loaded[one])) for one in more])

    def _take(self, places: Sequence[int], records: Sequence[Records]) -> None:
        """Take up the next pairs of some blocks."""
        lengths = np.array([len(part) for part in records], np.int64)
        for place, length, part in zip(places, lengths.tolist(), records, strict=True):
            self._loaded[place] += length
            entry = self._kept[place].entry
            if self._loaded[place] == entry.pairs:
                self._place[place] = entry.floor
            elif length:
                last = part[-1].tolist()
                self._place[place] = last[2], last[-1]
        self.read += int(lengths.sum())
        if not lengths.sum():
            return
        joined = np.concatenate(list(records))
        first = joined["first"] if "first" in (joined.dtype.names or ()) else joined["final"]
        block = np.repeat(np.array(places, np.int64), lengths)
        row, col = joined["row"].astype(np.int64), joined["col"].astype(np.int64)
        row_own, col_own = row < self._own[block], col < self._own[block]
        most = max(len(self._maps[place]) for place in places)
        for instance in range(most):
            # the second and later ones are of titles that are equal to others
            maps = [self._maps[place][instance] if instance < len(self._maps[place]) else None for place in places]
            has = np.repeat(np.array([one is not None for one in maps]), lengths)
            shift = np.repeat(np.array([one or (0, 0, 0, 0) for one in maps], np.int64), lengths, axis=0)
            rows = row + np.where(row_own, shift[:, 0], shift[:, 1])
            cols = col + np.where(col_own, shift[:, 2], shift[:, 3])
            table = np.stack([rows, cols, first, joined["final"]], axis=1)
            self._parts.append(table if has.all() else table[has])

    def _walk(self, k: int) -> tuple[Table, list[int]]:
        """The best candidates in order, and which of them are accepted: K, or as many as there are."""
        if len(self._parts) > 1:
            self._parts = [np.concatenate(self._parts)]
        every = self._parts[0] if self._parts else np.empty((0, 4))
        wanted = max(_WALKED, 16 * k)
        while True:
            table = _best(every, wanted)
            if self._excluded is not None and len(table):
                rows, cols = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
                table = table[~self._excluded(rows, cols)]
            accepted = self._accepted(table, k)
            if len(accepted) == k or wanted >= len(every):
                return table, accepted
            wanted *= 4

    def _accepted(self, table: Table, k: int) -> list[int]:
        if self._cap is None:
            return list(range(min(k, len(table))))
        uses = [0] * (int(self._groups.max(initial=-1)) + 1)
        left = self._groups[table[:, 0].astype(np.int64)].tolist()
        right = self._groups[table[:, 1].astype(np.int64)].tolist()
        accepted = []
        for place, (one, other) in enumerate(zip(left, right, strict=True)):
            if max(uses[one], uses[other]) + (one == other) < self._cap:
                uses[one] += 1
                uses[other] += 1
                accepted.append(place)
                if len(accepted) == k:
                    break
        return accepted


def _best(table: Table, wanted: int) -> Table:
    """The best `wanted` pairs in order, with all that are equal to the last by their final score."""
    if len(table) > wanted:
        limit = np.partition(table[:, 3], len(table) - wanted)[len(table) - wanted]
        table = table[table[:, 3] >= limit]
    rows, cols, first, final = table.T
    return table[np.lexsort((cols, rows, -first, -final))]
