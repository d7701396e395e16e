"""Groups of the same footage over titles."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.amber.cache import Cache
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.errors import FeatureError
from mediaml_assets.features import known_copies
from mediaml_assets.features.measures.copies import Copy, Title, copies
from mediaml_assets.features.measures.gradient_print import gradient_prints, packed, short_prints
from mediaml_assets.features.shot_groups import SHOT_GROUPS, ShotGroups, ShotGroupsConfig, earliest, shot_groups
from mediaml_assets.features.shot_prints import SHOT_PRINTS, ShotPrints
from mediaml_assets.features.shots import Shot
from mediaml_assets.features.unique_shots import UniqueShots
from mediaml_assets_tests.features.conftest import texture


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(FolderObjects(tmp_path), "shot_groups")


def printed(*seeds: int) -> ShotPrints:
    """A title whose shots show still pictures."""
    prints = [gradient_prints(texture(seed)[None]).repeat(4, 0) for seed in seeds]
    bytes_of = ([packed(one).tobytes() for one in kind] for kind in ([short_prints(p) for p in prints], prints))
    return ShotPrints.from_table(pa.table([list(range(len(seeds))), [1] * len(seeds), *bytes_of], schema=SHOT_PRINTS))


def unique(kept: dict[int, tuple[int, ...]]) -> UniqueShots:
    return UniqueShots(tuple(Shot(i, 10 * i, 10 * i + 10, 10 * i, 10 * i + 10) for i in kept), tuple(kept.values()))


def plain(count: int) -> UniqueShots:
    return unique(dict.fromkeys(range(count), ()))


def test_a_recap_and_a_title_sequence_are_groups_named_after_the_earliest(cache: Cache) -> None:
    prints = {"e01": printed(1, 2, 3), "e02": printed(9, 1, 3), "e03": printed(9, 1)}
    table = shot_groups(prints, {"e01": plain(3), "e02": plain(3), "e03": plain(2)}, ShotGroupsConfig(), cache)
    assert table.schema.equals(SHOT_GROUPS)
    rows = [tuple(row.values())[:5] for row in table.to_pylist()]
    assert rows == [
        ("e01", 0, 0, "e01", 0),
        ("e01", 2, 1, "e01", 2),
        ("e02", 0, 2, "e02", 0),
        ("e02", 1, 0, "e01", 0),
        ("e02", 2, 1, "e01", 2),
        ("e03", 0, 2, "e02", 0),
        ("e03", 1, 0, "e01", 0),
    ]
    read = ShotGroups.from_table(table)
    assert (read.groups["e03", 1], read.groups.get(("e01", 1)), read.links) == (0, None, ())


def test_a_shot_that_is_like_two_that_are_not_alike_joins_one_and_is_linked_to_the_other(cache: Cache) -> None:
    parts = {seed: gradient_prints(texture(seed)[None]).repeat(8, 0) for seed in (1, 2, 3)}
    both = np.concatenate([parts[1][:4], parts[2][:4]])

    def title(prints: np.ndarray, middle: int) -> ShotPrints:
        stored = (packed(one).tobytes() for one in (short_prints(prints), prints))
        return ShotPrints.from_table(pa.table([[0], [middle], *([one] for one in stored)], schema=SHOT_PRINTS))

    prints = {"a": title(parts[1][:4], 1), "b": title(parts[2][:4], 1), "c": title(both, 2)}
    read = ShotGroups.from_table(shot_groups(prints, {name: plain(1) for name in prints}, ShotGroupsConfig(), cache))
    assert read.groups == {("a", 0): 0, ("b", 0): 1, ("c", 0): 0}
    assert read.links == ((("c", 0), ("b", 0)),)


def test_a_dropped_take_speaks_for_the_one_that_was_kept(cache: Cache) -> None:
    table = shot_groups(
        {"a": printed(1, 2, 3), "b": printed(3)},
        {"a": unique({0: (2,), 1: ()}), "b": plain(1)},
        ShotGroupsConfig(),
        cache,
    )
    assert [(row["title"], row["index"]) for row in table.to_pylist()] == [("a", 0), ("b", 0)]


def test_one_title_or_none_has_no_groups(cache: Cache) -> None:
    for titles in ({}, {"a": printed(1, 1)}):
        table = shot_groups(titles, {name: plain(2) for name in titles}, ShotGroupsConfig(), cache)
        assert table.equals(SHOT_GROUPS.empty_table())


def test_prints_of_other_shots_are_refused(cache: Cache) -> None:
    with pytest.raises(FeatureError, match="shot_prints and unique_shots of b mean different shots"):
        shot_groups({"a": printed(1), "b": printed(1, 2)}, {"a": plain(1), "b": plain(1)}, ShotGroupsConfig(), cache)


def test_a_new_title_is_compared_and_the_others_are_not_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_copies, "PART", 16)

    def groups(seeds: dict[str, tuple[int, ...]], folder: str) -> tuple[pa.Table, dict[str, int]]:
        cache = Cache(FolderObjects(tmp_path / folder), "shot_groups")
        prints = {name: printed(*one) for name, one in seeds.items()}
        views = {name: plain(len(one)) for name, one in seeds.items()}
        return shot_groups(prints, views, ShotGroupsConfig(), cache), dict(cache.counts)

    three = {"a": (1, 2), "c": (3, 1), "d": (2, 4)}
    _, counts = groups(three, "kept")
    assert counts == {"titles_compared": 3, "titles_reused": 0}
    # one more in the midst of the others, and one that changed
    four = {**three, "b": (4, 5, 1), "d": (2, 5)}
    table, counts = groups(four, "kept")
    assert counts == {"titles_compared": 5, "titles_reused": 1}
    again, counts = groups(four, "kept")
    assert counts == {"titles_compared": 0, "titles_reused": 6}
    fresh, _ = groups(four, "fresh")
    assert table.equals(fresh) and again.equals(fresh)
    # renamed: the pairs are known, though the other way round
    turned = {"z": four["a"], "y": four["b"], "x": four["c"], "w": four["d"]}
    table, counts = groups(turned, "kept")
    assert counts == {"titles_compared": 0, "titles_reused": 6}
    assert table.equals(groups(turned, "other")[0])


def test_which_title_came_first_does_not_decide_how_equal_ways_to_lay_shots_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def biased(a: Title, b: Title, threshold: float) -> Iterator[Copy]:
        share = 1.0 if a.short.sum() < b.short.sum() else 0.9
        return (Copy(one.a, one.b, one.likeness * share) for one in copies(a, b, threshold))

    monkeypatch.setattr(known_copies, "copies", biased)
    prints = {name: printed(*seeds) for name, seeds in (("a", (1, 2)), ("b", (1, 3)), ("c", (1, 4)))}
    views = {name: plain(2) for name in prints}
    answers = []
    for order in permutations(prints):
        cache = Cache(FolderObjects(tmp_path / "-".join(order)), "shot_groups")
        for upto in range(1, 4):
            some = order[:upto]
            table = shot_groups({n: prints[n] for n in some}, {n: views[n] for n in some}, ShotGroupsConfig(), cache)
        answers.append(table)
    assert all(one.equals(answers[0]) for one in answers)


def test_thresholds_that_are_nearly_equal_have_copies_of_their_own(tmp_path: Path) -> None:
    prints, views = {"a": printed(1), "b": printed(1)}, {"a": plain(1), "b": plain(1)}
    for threshold in (0.5, 0.5 + 1e-9):
        cache = Cache(FolderObjects(tmp_path), "shot_groups")
        shot_groups(prints, views, ShotGroupsConfig(threshold), cache)
        assert cache.counts["titles_compared"] == 1


def test_what_is_damaged_in_the_cache_is_compared_again(tmp_path: Path) -> None:
    prints, views = {"a": printed(1), "b": printed(1)}, {"a": plain(1), "b": plain(1)}
    made = shot_groups(prints, views, ShotGroupsConfig(), Cache(FolderObjects(tmp_path), "shot_groups"))
    (kept,) = (file for file in tmp_path.rglob("*.json") if file.name != "of.json")
    kept.chmod(0o644)
    for damage in (kept.read_bytes().replace(b"0", b"1"), b"{", b""):
        kept.write_bytes(damage)
        cache = Cache(FolderObjects(tmp_path), "shot_groups")
        assert shot_groups(prints, views, ShotGroupsConfig(), cache).equals(made)
        assert cache.counts["titles_compared"] == 1


nodes = st.tuples(st.sampled_from("abcd"), st.integers(0, 4))


@given(st.dictionaries(st.tuples(nodes, nodes), st.floats(0, 1), max_size=30))
@settings(max_examples=100, deadline=None)
def test_every_shot_is_in_one_group_with_an_earlier_head_that_it_is_like(
    found: dict[tuple[tuple[str, int], tuple[str, int]], float],
) -> None:
    links: dict[tuple[str, int], dict[tuple[str, int], float]] = {}
    for (a, b), alike in found.items():
        if a[0] != b[0]:
            links.setdefault(max(a, b), {})[min(a, b)] = alike
    joined = earliest(links)
    for node, (head, alike) in joined.items():
        assert head < node and head not in joined and links[node][head] == alike
    # whoever joined nobody is like no head
    assert all(set(links[node]) <= set(joined) for node in links if node not in joined)


def test_likeness_is_taken_of_the_best_head_and_ties_go_to_the_earliest() -> None:
    a, b, c, d = (("t", i) for i in range(4))
    assert earliest({c: {a: 0.5, b: 0.5}, d: {a: 0.4, c: 0.9}}) == {c: (a, 0.5), d: (a, 0.4)}
    assert np.isclose(earliest({d: {a: 0.4, b: 0.9}})[d][1], 0.9)
