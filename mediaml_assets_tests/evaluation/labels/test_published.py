"""The published labels themselves: numbers reproduced, and what may be known of a pair."""

import ast
import json
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from mediaml_assets.errors import TruthRefused
from mediaml_assets.evaluation import labels
from mediaml_assets.evaluation.labels.pair_scorer import candidates, fit
from mediaml_assets.evaluation.labels.pairs import SPLITS, TASKS, LabelledPairs, read_pairs, split_titles
from mediaml_assets.evaluation.labels.published import classifiers, metric_learning, reproduced

SCORERS = ("pair_scorer.py", "metric_learning.py", "embeddings.py", "pairs.py")


@pytest.fixture(scope="session")
def data(shared: Path) -> Path:
    folder = shared / "data" / "matchcut"
    if not folder.is_dir():
        pytest.skip(f"no published labels in {folder}")
    return folder


def test_every_published_number_without_embeddings_is_reproduced(data: Path) -> None:
    found = reproduced(data)
    assert len(found) == 21
    assert [one for one in found if not one.same] == []


def test_the_result_files_are_read_whole(data: Path) -> None:
    assert len(classifiers(data)) == 397 and len(metric_learning(data)) == 14
    row = next(one for one in metric_learning(data) if (one.task, one.encoder) == ("frame", "clip4clip"))
    assert (row.ap["train"], row.spread["train"], row.ap["test"]) == (0.751, 0.005, 0.359)


def test_splits_share_no_title_and_have_the_known_numbers_of_pairs(data: Path) -> None:
    titles = [split_titles(data, split) for split in SPLITS]
    assert [len(one) for one in titles] == [60, 20, 20] and len(set.union(*titles)) == 100
    counts = {(task, split): read_pairs(data, task, split) for task in TASKS for split in SPLITS}
    assert (len(counts["frame", "test"]), counts["frame", "test"].label.sum()) == (1996, 196)
    assert (len(counts["motion", "test"]), counts["motion", "test"].label.sum()) == (1826, 204)
    assert np.isnan(counts["motion", "test"].silhouette).all()
    assert not np.isnan(counts["frame", "train"].silhouette).any()


def test_a_scorer_cannot_read_how_a_pair_was_sampled(data: Path, tmp_path: Path) -> None:
    """By structure: no module of scorers imports or names it; and by experiment: without it everything is the same."""
    assert not {"source_info", "source", "rank", "heuristic"} & {one.name for one in fields(LabelledPairs)}
    for name in SCORERS:
        tree = ast.parse((Path(labels.__path__[0]) / name).read_text())
        imports = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        texts = [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == "source_info"
        ]
        assert not any(module.endswith("published") for module in imports) and texts == []
    bare = tmp_path / "matchcut"
    shutil.copytree(data, bare, copy_function=shutil.copyfile)
    records = json.loads((data / "dataset-frame.json").read_text())
    for record in records:
        del record["source_info"]
    (bare / "dataset-frame.json").write_text(json.dumps(records))
    here, there = (read_pairs(folder, "frame", "train") for folder in (data, bare))
    candidate = candidates("frame")[0]
    np.testing.assert_array_equal(fit(here, candidate).score(here), fit(there, candidate).score(there))


def test_labels_that_are_not_there_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(TruthRefused, match=r"dataset-motion\.json cannot be read"):
        read_pairs(tmp_path, "motion", "test")
    (tmp_path / "dataset-motion.json").write_text("{")
    with pytest.raises(TruthRefused, match=r"dataset-motion\.json is no JSON"):
        read_pairs(tmp_path, "motion", "test")


def test_labels_that_are_not_as_published_are_refused_and_not_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("tt1")
    (tmp_path / "dataset-motion.json").write_text('[{"imdb_id": "tt1"}]')
    with pytest.raises(TruthRefused, match=r"the labels of motion in .* are not as published .*clip1_index"):
        read_pairs(tmp_path, "motion", "test")
    with pytest.raises(TruthRefused, match=r"experiment1\.csv cannot be read"):
        classifiers(tmp_path)
    (tmp_path / "experiment1.csv").write_text("task,encoder\nframe,clip\n")
    with pytest.raises(TruthRefused, match=r"experiment1\.csv is not as published"):
        classifiers(tmp_path)
