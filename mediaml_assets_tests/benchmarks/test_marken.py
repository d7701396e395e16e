"""The benchmark of annotations asks what it says, knows the right answers, and notices wrong ones."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from benchmarks import marken, peers
from benchmarks.annotations import asking, lance, loading, questions, subsets
from benchmarks.annotations.catalogue import LIGHTS, PER_TITLE, PLACES, TYPES, Catalogue
from benchmarks.annotations.random_searches import mismatches
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.marken.embedded.engine import EmbeddedEngine
from mediaml_assets.marken.engine import Selection
from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.types import Types
from mediaml_assets.marken.words import near, stems
from mediaml_assets_tests.marken.plain_engine import PlainEngine, PlainSnapshot

TITLES = 4


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(5, TITLES)


@pytest.fixture(scope="module")
def loaded(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Marken:
    engine = EmbeddedEngine(FolderObjects(tmp_path_factory.mktemp("marken")))
    found = Marken(engine, Types(TYPES.values()))
    loading.load(found, catalogue)
    return found


def test_a_catalogue_is_that_of_its_seed(catalogue: Catalogue) -> None:
    assert {name: len(rows) for name, rows in catalogue.rows.items()} == {
        name: TITLES * count for name, count in PER_TITLE.items()
    }
    again, other = Catalogue(5, TITLES).rows["SHOT"], Catalogue(6, TITLES).rows["SHOT"]
    shots = catalogue.rows["SHOT"]
    assert shots.vectors is not None and again.vectors is not None and other.vectors is not None
    assert np.array_equal(shots.vectors, again.vectors) and not np.array_equal(shots.vectors, other.vectors)
    for rows in catalogue.rows.values():
        assert len(set(rows.ids(np.arange(len(rows))))) == len(rows)
        assert (rows.start < rows.end).all() and (rows.box[:, :2] < rows.box[:, 2:]).all()
        assert rows.box.min() >= 0 and rows.box.max() <= 1
    inside = np.diff(shots.title) == 0
    assert np.array_equal(shots.end[:-1][inside], shots.start[1:][inside])
    # a scene's shots are more alike than a title's, and those more than others
    likeness = shots.vectors @ shots.vectors.T
    title = shots.title[:, None] == shots.title
    scene = title & (shots.number[:, None] // 20 == shots.number // 20)
    assert likeness[scene].mean() > likeness[title & ~scene].mean() + 0.1 > likeness[~title].mean() + 0.2


def test_a_word_of_a_place_means_no_other() -> None:
    known = [stem for word in [*PLACES, *LIGHTS, "at"] for stem in stems(word)]
    assert [near(word, known) for word in PLACES] == [stems(word) for word in PLACES]


def test_marken_gives_the_right_answers_and_others_are_noticed(catalogue: Catalogue, loaded: Marken) -> None:
    asked, joins = questions.combined(catalogue, 60, 3), questions.joins(catalogue, 12, 3)
    right, ranges = [one.answer(catalogue) for one in asked], [one.answer(catalogue) for one in joins]
    assert sum(map(len, right)) > 12 and sum(map(len, ranges)) > 12
    asked, right = zip(*sorted(zip(asked, right, strict=True), key=lambda two: -len(two[1])), strict=True)
    found, times = asking.timed(asking.combined(loaded), asked, warm=1)
    assert found == list(right) and len(times.ms) == 60 and times.p50 <= times.p95
    assert asking.wrong_ranges(asking.timed(asking.joined(loaded), joins, warm=0)[0], ranges) == 0
    total = sum(len(ids) for groups in right for _, ids in groups)
    title, ids = right[0][0]
    assert asking.recall([[(title, ids[:-1]), *right[0][1:]], *right[1:]], right) == pytest.approx(1 - 1 / total)
    assert asking.wrong_ranges([[], *ranges[1:]], ranges) == bool(ranges[0])
    assert asking.wrong_ranges([[(a, b + 1) for a, b in one] for one in ranges], ranges) == sum(map(bool, ranges))


def test_another_process_sees_large_operations(tmp_path: Path, catalogue: Catalogue) -> None:
    writer = Marken(EmbeddedEngine(FolderObjects(tmp_path)), Types(TYPES.values()))
    assert len(loading.large(catalogue, 1)) == loading.LARGE
    seen = loading.visible(writer, catalogue, tmp_path, 2)
    assert len(seen) == 2 and all(0 < ms < 60_000 for ms in seen)


def test_any_subset_is_answered_whole() -> None:
    found = subsets.measured(3, 3, titles=10)
    assert sorted(found) == [1, 10]
    assert all((one.recall, one.rows) == (1, 1) and one.over_faiss > 0 for one in found.values())


class Forgetful(PlainEngine):
    """Loses the last of several rows."""

    def snapshot(self, as_of: str | datetime | None = None, partial: bool = False) -> Any:
        right = super().snapshot(as_of, partial)

        class Lossy(PlainSnapshot):
            def select(self, selection: Selection) -> pa.Table:
                rows = right.select(selection)
                return rows.slice(0, rows.num_rows - 1) if rows.num_rows > 1 else rows

        lossy = object.__new__(Lossy)
        lossy.__dict__.update(right.__dict__)
        return lossy


def test_an_engine_that_loses_rows_is_noticed() -> None:
    found = mismatches([PlainEngine(), PlainEngine()], 4, 8)
    assert (found.oracle, found.engines, found.examples) == (0, 0, []) and found.searches == 8
    found = mismatches([PlainEngine(), Forgetful()], 4, 8)
    assert 0 < found.oracle <= 8 and found.engines > 0 and found.examples


@pytest.mark.slow
def test_the_whole_benchmark_of_a_small_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: Any) -> Sequence[Any]:
        raise peers.Unavailable("not here")

    monkeypatch.setattr(lance, "asked", unavailable)
    for name, value in (("REPEATS", 3), ("LARGE", 1), ("SEEN", 1), ("BACK_FILL", 1)):
        monkeypatch.setattr(marken, name, value)
    found = marken.measured(2, 12, 10, 10)
    right = ["oracle_mismatches", "engine_mismatches", "postgres_wrong", "killed_wrong", "wrong", "join_wrong"]
    assert [found.figures[name] for name in right] == [0] * len(right)
    for name in ("recall", "postgres_recall", "pgvector_recall", "subset_recall", "subset_rows"):
        assert found.figures[name] == 1
    assert found.details is not None and found.details["lancedb"] == "not here"
    missing = marken.TARGETS.keys() - found.figures.keys()
    assert missing == {"subset_over_faiss_50", "subset_over_faiss_500"}  # of more titles than there are
