"""Copies between all titles, kept from run to run: a new or changed title is compared with the others, they are not.

The cache has a folder for each title's prints, and in it objects with the copies that it has in other titles, by the
digests of their prints. A pair of titles is looked for in the folder of the one and of the other. An object is named
after its contents: one that is damaged is thrown away, and its pairs are compared again.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.keys import SHORT, digest_of, to_json
from mediaml_assets.errors import NotStored
from mediaml_assets.features.measures.copies import Copy, Title, copies
from mediaml_assets.features.shot_prints import ShotPrints

VERSION = "2"  # changes when equal prints give other copies

PART = 2**20  # bytes read at once

Rows = list[tuple[int, int, float]]
"""Copies as they are kept: place in the one title, place in the other, likeness."""


def known_copies(
    titles: Mapping[str, ShotPrints], threshold: float, cache: Cache
) -> Iterator[tuple[str, str, list[Copy]]]:
    """The copies of every two titles, in the order of their slugs.

    Args:
        titles: slug to prints.
        threshold: likeness from which two shots are copies.
        cache: what is known already; what is not will be kept there.
    """
    kind = f"copies-{VERSION}-{threshold}"
    key = {slug: digest_of(dict(prints.digests))[:SHORT] for slug, prints in titles.items()}
    folder = {slug: cache.bound(kind, "shot_prints", prints.digests) for slug, prints in titles.items()}
    known = {
        (key[slug], partner): rows for slug in sorted(titles) for partner, rows in _kept(cache, folder[slug]).items()
    }
    pairs = list(combinations(sorted(titles), 2))
    unknown = [(a, b) for a, b in pairs if (key[a], key[b]) not in known and (key[b], key[a]) not in known]
    cache.count("titles_compared", len(unknown))
    cache.count("titles_reused", len(pairs) - len(unknown))
    for owner, partners in _shared_out(unknown).items():
        mine, found = Title(titles[owner]), {}
        for partner in partners:
            theirs = Title(titles[partner])
            # in the order of their keys: whose turn it is must not decide between two ways to lay them equally well
            if key[owner] <= key[partner]:
                rows = _rows(copies(mine, theirs, threshold))
            else:
                rows = _turned(_rows(copies(theirs, mine, threshold)))
            found[key[partner]] = known[key[owner], key[partner]] = rows
        _keep(cache, folder[owner], found)
    for a, b in pairs:
        if (key[a], key[b]) in known:
            yield a, b, [Copy(*row) for row in known[key[a], key[b]]]
        else:
            yield a, b, [Copy(*row) for row in _turned(known[key[b], key[a]])]


def _rows(found: Iterable[Copy]) -> Rows:
    return [(one.a, one.b, one.likeness) for one in found]


def _turned(rows: Rows) -> Rows:
    """The same, seen from the other title, in order."""
    return sorted((j, i, like) for i, j, like in rows)


def _shared_out(unknown: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Each pair to the title that has more of them: of a title that is new, all."""
    count = Counter(slug for pair in unknown for slug in pair)
    owned: dict[str, list[str]] = defaultdict(list)
    for a, b in unknown:
        owner, partner = (a, b) if count[a] >= count[b] else (b, a)
        owned[owner].append(partner)
    return owned


def _keep(cache: Cache, folder: str, found: Mapping[str, Rows]) -> None:
    cache.create(f"{folder}/{digest_of(found)[:SHORT]}.json", to_json(found))


def _kept(cache: Cache, folder: str) -> dict[str, Rows]:
    """Digest of each partner's prints to the copies in it, of all whole objects of a folder."""
    found: dict[str, Rows] = {}
    for name in cache.names(folder):
        try:
            document = json.loads(_read(cache, f"{folder}/{name}"))
        except NotStored:
            continue
        except ValueError:
            document = None
        if f"{digest_of(document)[:SHORT]}.json" != name:
            cache.remove(f"{folder}/{name}")
            continue
        found |= {partner: [(int(i), int(j), float(like)) for i, j, like in rows] for partner, rows in document.items()}
    return found


def _read(cache: Cache, name: str) -> bytes:
    parts = [cache.read_range(name, 0, PART)]
    while len(parts[-1]) == PART:
        parts.append(cache.read_range(name, len(parts) * PART, PART))
    return b"".join(parts)
