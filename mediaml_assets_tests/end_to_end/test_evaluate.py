"""`mediaml evaluate` over small real films whose cuts are known, and over a small set of labels."""

import csv
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from mediaml_assets.cli import main
from mediaml_assets.evaluation.labels import study
from mediaml_assets.evaluation.labels.metric_learning import Settings
from mediaml_assets.evaluation.labels.pairs import SPLITS
from mediaml_assets.features.models.scorer_file import read_scorer
from mediaml_assets.samples.render import truth_file
from mediaml_assets.samples.truth import TrueDisplay, TruePlant, TrueShot, TrueTake, TrueTransition, Truth, to_json
from mediaml_assets_tests.amber.platform import Platform
from mediaml_assets_tests.end_to_end.conftest import catch_up
from mediaml_assets_tests.end_to_end.films import HEIGHT, RATE, SHOT_FRAMES, WIDTH
from mediaml_assets_tests.evaluation.labels.known import known_pairs


def evaluate(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "160"}).invoke(main, ["evaluate", *words])


def rows(answer: Result) -> list[str]:
    return [" ".join(line.split()) for line in answer.output.replace("│", " ").splitlines()]


def truth(platform: Platform, title: str, plants: tuple[TruePlant, ...] = ()) -> None:
    """What is true of a film of `films.film`; the third shot is said to be a take of the first, which it is not."""
    known = Truth(
        title,
        f"{title}.mp4",
        1,
        Fraction(RATE),
        4 * SHOT_FRAMES,
        TrueDisplay(WIDTH, HEIGHT, (0, 0, WIDTH, HEIGHT), 0),
        (),
        tuple(TrueShot(n, n * SHOT_FRAMES, (n + 1) * SHOT_FRAMES) for n in range(4)),
        tuple(TrueTransition("cut", n * SHOT_FRAMES, n * SHOT_FRAMES + 1) for n in (1, 2, 3)),
        (),
        (TrueTake(2, 0),),
        plants,
        (),
    )
    file = truth_file(platform.landing, title)
    file.parent.mkdir(exist_ok=True)
    file.write_text(to_json(known, "test", (platform.landing / f"{title}.mp4").stat().st_size))


def test_rendered_titles_with_the_baseline_beside_ours(platform: Platform, tmp_path: Path) -> None:
    # both first shots pan to the right, as fast; the baseline knows no cut from one title to another
    truth(platform, "one", (TruePlant("motion", "one", 0, "two", 0, "right"),))
    truth(platform, "two")
    out = tmp_path / "report.json"
    answer = evaluate("--out", str(out))
    assert answer.exit_code == 0, answer.output
    found = rows(answer)
    assert "one 3 +0 -0 1.000 3 +0 -0 1.000 0 of 1 0 of 3 1 of 1" in found
    assert any(line.startswith("all [95 %] 6 +0 -0 1.000 [1.000, 1.000] 6 +0 -0") for line in found)
    assert any(line.startswith("motion mediaml 1 of 1 1.000 [0.207, 1.000] 0 of 0") for line in found)
    assert "motion one flow, one title 0 of 1 0.000 [0.000, 0.793] 0 of 0 -" in found
    data = json.loads(out.read_text())
    assert [one["takes"]["missed"] for one in data["titles"]] == [[[40, 60]], [[40, 60]]]
    assert data["cut_f1"]["value"] == 1 and data["left_out"] == {}
    again = evaluate("--out", str(tmp_path / "again.json"))
    assert again.output == answer.output and (tmp_path / "again.json").read_text() == out.read_text()


def test_labels_that_people_wrote_and_what_has_no_truth_or_another(platform: Platform) -> None:
    labels = platform.landing / "one.mp4.cuts.csv"
    labels.write_text("# n_frames=80 mean_fps=25.0\ntype,start_frame,end_frame\nhard,20,20\nhard,50,50\nignore,55,65\n")
    (platform.landing / "one.mp4.takes.csv").write_text("frame,of\n5,\n")
    answer = evaluate("--no-baseline")
    assert answer.exit_code == 0, answer.output
    assert "one 1 +1 -1 0.500 1 +1 -1 0.500 0 of 0 0 of 1" in rows(answer)
    assert "two there is no truth of two.mp4; write two.mp4.cuts.csv or two.mp4.takes.csv" in rows(answer)
    labels.write_text(labels.read_text().replace("80", "95"))
    truth(platform, "two")
    file = truth_file(platform.landing, "two")
    file.write_text(file.read_text().replace('"size": ', '"size": 1'))
    told = " ".join(evaluate("--no-baseline").output.replace("│", " ").split())
    assert "labels 95 pictures, but the title was made from 80" in told
    assert "was rendered with another two.mp4" in told


def test_a_film_that_cannot_be_used_stops_no_other(platform: Platform) -> None:
    truth(platform, "one")
    (platform.landing / "bad.mp4").write_text("no film")
    catch_up(platform)
    answer = evaluate("--no-baseline")
    assert answer.exit_code == 0, answer.output
    assert "one 3 +0 -0 1.000 3 +0 -0 1.000 0 of 1 0 of 3" in rows(answer)
    assert "bad.mp4 is no readable film" in " ".join(rows(answer))


def test_nothing_to_compare_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    answer = evaluate()
    assert answer.exit_code == 0 and "no film has landed. `mediaml demo` renders" in answer.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--titles", "nobody"], "there is no title 'nobody'; there are one, two"),
        (["--encoder", "clip"], "--embeddings and --encoder go together"),
        (["--labels", "."], "cannot be read"),
        (["--labels", ".", "--titles", "one"], "with --labels leave them out"),
        (["--out", "nowhere/report.json"], "there is no folder nowhere; make it first"),
    ],
)
def test_a_mistake_is_one_message(platform: Platform, words: list[str], says: str) -> None:
    answer = evaluate(*words)
    assert answer.exit_code != 0 and says in answer.output
    assert isinstance(answer.exception, SystemExit)


def test_an_embedding_folder_is_scored_and_its_scorers_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = Settings(temperature=0.02, hidden=32, out=32, rate=5e-3, decay=1e-4, epochs=30)
    monkeypatch.setattr(study, "ROUNDS", 50)
    monkeypatch.setattr(study, "PUBLISHED", {"frame": quick, "motion": quick})
    labels, embeddings = small_labels(tmp_path)
    out, scorers = tmp_path / "report.json", tmp_path / "scorers"
    words = ("--labels", str(labels), "--embeddings", str(embeddings), "--encoder", "known")
    answer = evaluate(*words, "--out", str(out), "--scorers", str(scorers))
    assert answer.exit_code == 0, answer.output
    data = json.loads(out.read_text())
    found = {(one["task"], one["name"]): one["test"]["value"] for one in data["embeddings"]}
    for task in ("frame", "motion"):
        assert found[task, "known, metric learning"] > 2 * found[task, "known, cosine"]
        assert read_scorer(scorers / f"known-{task}.safetensors").reads == 32
    assert any("known, metric learning" in line for line in rows(answer))


def small_labels(folder: Path) -> tuple[Path, Path]:
    """A folder in the format of the published labels, and one of embeddings, both of `known_pairs`."""
    labels, embeddings = folder / "labels", folder / "embeddings"
    labels.mkdir()
    embeddings.mkdir()
    titles = {split: [f"{split}{n}" for n in range(count)] for split, count in zip(SPLITS, (8, 2, 3), strict=True)}
    pairs, vectors = known_pairs(1, [title for names in titles.values() for title in names], shots=36, places=150)
    for split, names in titles.items():
        (labels / f"{split}.txt").write_text("\n".join(names))
    records = [
        {
            "imdb_id": str(pairs.title[n]),
            **{f"clip{which}_index": int(getattr(pairs, f"shot{which}")[n]) for which in (1, 2)},
            **{
                f"clip{which}_{what}": float(getattr(pairs, f"{what}{which}")[n])
                for which in (1, 2)
                for what in ("start", "end")
            },
            "majority_label": bool(pairs.label[n]),
            "annotator_labels": dict.fromkeys("123", bool(pairs.label[n])),
            "source_info": [],
        }
        for n in range(len(pairs))
    ]
    for task in ("frame", "motion"):
        (labels / f"dataset-{task}.json").write_text(json.dumps(records))
    with (labels / "heuristic3-scores.csv").open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(("imdb_id", "shot1_idx", "shot2_idx", "iiou_score"))
        rng = np.random.default_rng(0)
        writer.writerows((r["imdb_id"], r["clip1_index"], r["clip2_index"], rng.random()) for r in records)
    for name in ("experiment1.csv", "experiment2.csv"):
        (labels / name).write_text("task,encoder,model,agg,train-AP,validation-AP,test-AP\n")
    for title in {title for title, _ in vectors}:
        shots = {str(shot): vector.tolist() for (name, shot), vector in vectors.items() if name == title}
        (embeddings / f"known-{title}.json").write_text(json.dumps(shots))
    return labels, embeddings
