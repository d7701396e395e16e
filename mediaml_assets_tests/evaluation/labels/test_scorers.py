"""Scorers on pairs with a known answer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mediaml_assets.errors import TruthRefused
from mediaml_assets.evaluation.labels.average_precision import average_precision
from mediaml_assets.evaluation.labels.embeddings import cosine_scores, pair_vectors, read_embeddings
from mediaml_assets.evaluation.labels.metric_learning import Settings, train
from mediaml_assets.evaluation.labels.pair_scorer import Candidate, candidates, choose, fit
from mediaml_assets.evaluation.labels.pairs import LabelledPairs
from mediaml_assets.features.models.scorer_file import read_scorer, write_scorer
from mediaml_assets_tests.evaluation.labels.known import known_pairs

QUICK = Settings(temperature=0.02, hidden=32, out=32, rate=5e-3, decay=1e-4, epochs=30)


def timed(seed: int, titles: list[str]) -> LabelledPairs:
    """Pairs that match more often the farther they are apart and the more alike their durations are: no line."""
    rng = np.random.default_rng(seed)
    n = 400 * len(titles)
    shot1 = rng.integers(0, 500, n)
    shot2 = shot1 + rng.integers(1, 500, n)
    length1, length2 = np.exp(rng.normal(size=(2, n)))
    start1, start2 = shot1 * 9.0, shot2 * 9.0
    alike = np.abs(np.log(length1 / length2))
    odds = 1.5 * np.log(shot2 - shot1) - 2 * alike**2 - 7
    label = rng.random(n) < 1 / (1 + np.exp(-odds))
    names = np.repeat(titles, 400)
    ends = (start1, start1 + length1, start2, start2 + length2)
    return LabelledPairs(names, shot1, shot2, *ends, label, 3 * label.astype(np.int64), np.full(n, np.nan))


def test_the_scorer_is_chosen_on_validation_and_holds_on_pairs_of_other_titles() -> None:
    train_, validation, test = (timed(seed, [f"{seed}-{n}" for n in range(10)]) for seed in (1, 2, 3))
    choice = choose(train_, validation, candidates("motion"))
    aps = [ap for _, ap in choice.validation]
    assert choice.scorer.candidate == choice.validation[int(np.argmax(aps))][0]
    found = average_precision(test.label, choice.scorer.score(test))
    assert found > average_precision(test.label, (test.shot2 - test.shot1).astype(float)) + 0.05
    assert found > 2 * test.label.mean()


def test_the_fit_is_where_the_penalised_likelihood_is_flat() -> None:
    pairs = timed(5, ["a", "b"])
    scorer = fit(pairs, Candidate("gap", ("log_gap",), "linear", 3.0))
    likely = 1 / (1 + np.exp(-scorer.score(pairs)))
    gap = np.log1p(np.maximum(pairs.start2 - pairs.end1, 0))
    z = (gap - gap.mean()) / gap.std()
    assert float(np.sum(likely - pairs.label)) == pytest.approx(0, abs=1e-6)
    assert float(z @ (likely - pairs.label) + 3.0 * scorer.weights[0]) == pytest.approx(0, abs=1e-6)


def test_metric_learning_finds_what_counts_below_a_nuisance_and_its_file_says_the_same(tmp_path: Path) -> None:
    fitted_on, one = known_pairs(1, [f"a{n}" for n in range(12)])
    validation, two = known_pairs(2, [f"b{n}" for n in range(4)])
    test, three = known_pairs(3, [f"c{n}" for n in range(6)])
    embeddings = {**one, **two, **three}
    plain = average_precision(test.label, cosine_scores(*pair_vectors(test, embeddings)))
    assert plain < 2 * test.label.mean()
    learned = train(fitted_on, validation, embeddings, QUICK, seed=9)
    scores = learned.score(test, embeddings)
    assert average_precision(test.label, scores) > 5 * plain
    short = replace(QUICK, epochs=2)
    twice = [train(fitted_on, validation, embeddings, short, seed=9).score(test, embeddings) for _ in range(2)]
    np.testing.assert_array_equal(*twice)
    write_scorer(tmp_path / "scorer.safetensors", learned.scorer)
    read = read_scorer(tmp_path / "scorer.safetensors")
    assert read.level == pytest.approx(learned.scorer.level) and 0 <= read.level < 1
    np.testing.assert_allclose(replace(learned, scorer=read).score(test, embeddings), scores, atol=1e-6)


def test_an_embedding_folder_is_scored_by_its_cosine(tmp_path: Path) -> None:
    (tmp_path / "clip-tt1.json").write_text('{"3": [1, 0], "5": [1, 1], "8": [0, 0]}')
    embeddings = read_embeddings(tmp_path, "clip", {"tt1"})
    pairs = timed(1, ["tt1"])
    some = replace(pairs, shot1=np.array([3, 3]), shot2=np.array([5, 8]), title=np.array(["tt1", "tt1"]))
    np.testing.assert_allclose(cosine_scores(*pair_vectors(some, embeddings)), [np.sqrt(0.5), 0])
    with pytest.raises(TruthRefused, match="no embedding of shot 4 of tt1"):
        pair_vectors(replace(some, shot1=np.array([4, 3])), embeddings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"3": [1, 2], "4": [1]}', "shot 4: not a list of 2 finite numbers"),
        ('{"3": [NaN, 2]}', "shot 3: not a list"),
        ('{"x": [1, 2]}', "is not"),
        ("[1, 2]", "is not"),
    ],
)
def test_a_folder_that_is_not_of_the_format_is_refused_by_file(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(TruthRefused, match=r"clip-tt1\.json cannot be read"):
        read_embeddings(tmp_path, "clip", {"tt1"})
    (tmp_path / "clip-tt1.json").write_text(text)
    with pytest.raises(TruthRefused, match=says):
        read_embeddings(tmp_path, "clip", {"tt1"})
