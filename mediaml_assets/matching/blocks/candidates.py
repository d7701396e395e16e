"""The pairs of some titles' blocks that were read so far, in joint numbering, and the walk down them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from mediaml_assets.matching.blocks.block import NOTHING
from mediaml_assets.matching.blocks.format import Records
from mediaml_assets.matching.blocks.store import Blocks, Kept
from mediaml_assets.matching.blocks.title import Title
from mediaml_assets.matching.pairs.scan import Excluded, Indices, Scores
from mediaml_assets.matching.pairs.top_k import Pairs, prefix
from mediaml_assets.matching.pairs.uses import Uses

_WALKED = 2**14  # candidates that are put in order to begin with; each further attempt takes four times as many


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
        self._pairs = np.array([kept.entry.pairs for kept in self._kept], np.int64)
        self._parts: list[_Pairs] = []
        self._take(list(range(len(self._kept))), [kept.entry.head for kept in self._kept])

    def first(self, k: int) -> tuple[Pairs, list[Kept]]:
        """The K first pairs, and the blocks that must be deeper for them to be certain: none, when they are exact."""
        self._read_down(prefix(k, self._cap, reranked=False))
        while True:
            found = self._walk(k)
            place = (found.final[-1], found.first[-1]) if len(found) == k else NOTHING
            final, first = self._place.T
            waiting = (final > place[0]) | ((final == place[0]) & (first >= place[1]))
            waiting &= final > -np.inf
            if not self._read_more(waiting):
                floor = float(final.max(initial=-np.inf))
                pairs = Pairs(found.rows, found.cols, found.final, floor, not waiting.any(), self.read)
                return pairs, [self._kept[one] for one in np.flatnonzero(waiting)]

    def _read_down(self, count: int) -> None:
        """Read on until the best `count` of what was read are the best of all that is stored."""
        while True:
            final = self._joined().final
            limit = np.partition(final, len(final) - count)[len(final) - count] if len(final) > count else -np.inf
            if not self._read_more(self._place[:, 0] >= limit):
                return

    def _read_more(self, wanted: npt.NDArray[np.bool_]) -> bool:
        """Read the next piece of those of the wanted blocks that have one; whether there was any."""
        more = np.flatnonzero(wanted & (self._loaded < self._pairs)).tolist()
        if more:
            self._take(more, [self._blocks.piece(self._kept[one], int(self._loaded[one])) for one in more])
        return bool(more)

    def _take(self, places: Sequence[int], records: Sequence[Records]) -> None:
        """Take up the next pairs of some blocks."""
        lengths = np.array([len(part) for part in records], np.int64)
        self._loaded[places] += lengths
        for place, part in zip(places, records, strict=True):
            entry = self._kept[place].entry
            if self._loaded[place] == entry.pairs:
                self._place[place] = entry.floor
            else:
                last = part[-1].tolist()
                self._place[place] = last[2], last[-1]
        self.read += int(lengths.sum())
        for width in {part.dtype for part in records if len(part)}:
            alike = [place for place, part in enumerate(records) if part.dtype == width]
            self._add(np.array(places)[alike], np.concatenate([records[place] for place in alike]), lengths[alike])

    def _add(self, places: Indices, joined: Records, lengths: Indices) -> None:
        """Number the pairs of some blocks jointly; those of titles that are equal to others several times."""
        final = joined["final"]
        first = joined["first"] if "first" in (joined.dtype.names or ()) else final
        row, col = joined["row"].astype(np.int64), joined["col"].astype(np.int64)
        own = np.repeat(self._own[places], lengths)
        maps = [self._maps[place] for place in places.tolist()]
        for instance in range(max(map(len, maps))):
            shifts = np.array([one[instance] if instance < len(one) else _ABSENT for one in maps], np.int64)
            shift = np.repeat(shifts, lengths, axis=0).T
            rows, cols = row + np.where(row < own, *shift[:2]), col + np.where(col < own, *shift[2:])
            one = _Pairs(rows, cols, first, final)
            self._parts.append(one if instance == 0 else one.where(np.repeat(shifts != _ABSENT, lengths, axis=0)[:, 0]))

    def _joined(self) -> "_Pairs":
        if len(self._parts) != 1:
            names = ("rows", "cols", "first", "final")
            columns = ([getattr(part, name) for part in self._parts] for name in names)
            empty = _Pairs(*(np.empty(0, kind) for kind in (np.int64, np.int64, float, float)))
            self._parts = [_Pairs(*map(np.concatenate, columns)) if self._parts else empty]
        return self._parts[0]

    def _walk(self, k: int) -> "_Pairs":
        """Those of the candidates that are accepted: K, or as many as there are."""
        every, wanted = self._joined(), max(_WALKED, prefix(k, self._cap, reranked=False))
        while True:
            some = every.best(wanted)
            if self._excluded is not None and len(some):
                some = some.where(~self._excluded(some.rows, some.cols))
            accepted = self._accepted(some, k)
            if len(accepted) == k or wanted >= len(every):
                return some.where(np.array(accepted, np.int64))
            wanted *= 4

    def _accepted(self, some: "_Pairs", k: int) -> Sequence[int]:
        cap = self._cap
        if cap is None:
            return range(min(k, len(some)))
        uses = Uses(self._groups, cap)
        left, right = self._groups[some.rows].tolist(), self._groups[some.cols].tolist()
        accepted: list[int] = []
        for place, (one, other) in enumerate(zip(left, right, strict=True)):
            if uses.take(one, other):
                accepted.append(place)
                if len(accepted) == k:
                    break
        return accepted


_ABSENT = (-1, -1, -1, -1)


@dataclass(frozen=True)
class _Pairs:
    """Pairs in joint numbering: rows, cols int64 [p]; first, final float64 [p]."""

    rows: Indices
    cols: Indices
    first: Scores
    final: Scores

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, which: npt.NDArray[np.generic]) -> "_Pairs":
        """Some of them, by places or by truth."""
        return _Pairs(self.rows[which], self.cols[which], self.first[which], self.final[which])

    def best(self, wanted: int) -> "_Pairs":
        """The best `wanted` in order, with all that equal the last by their final score."""
        some = self
        if len(self) > wanted:
            limit = np.partition(self.final, len(self) - wanted)[len(self) - wanted]
            some = self.where(np.flatnonzero(self.final >= limit))
        some = some.where(np.argsort(-some.final, kind="stable"))
        if (some.final[1:] == some.final[:-1]).any():
            some = some.where(np.lexsort((some.cols, some.rows, -some.first, -some.final)))
        return some
