import json
from fractions import Fraction
from pathlib import Path

import pytest

from mediaml_assets.samples.plan import Catalogue
from mediaml_assets.samples.truth import load_truth, of_plan, read_mark, to_json


def test_truth_survives_its_file(catalogue: Catalogue, tmp_path: Path) -> None:
    for title in catalogue.titles:
        truth = of_plan(title, catalogue.seed)
        file = tmp_path / f"{title.title}.json"
        file.write_text(to_json(truth, "1", 1234), encoding="utf-8")
        assert load_truth(file) == truth
        assert read_mark(file) == (catalogue.seed, "1", 1234)


def test_the_file_says_what_others_read(catalogue: Catalogue) -> None:
    title = catalogue.titles[0]
    data = json.loads(to_json(of_plan(title, catalogue.seed), "1", 1))
    assert data["rate"] == "24000/1001"
    assert data["shots"][0]["start"] == 0
    assert data["shots"][-1]["end"] == data["frame_count"]
    assert set(data["transitions"][0]) == {"kind", "start", "end"}
    assert all(set(t) == {"shot", "of"} for t in data["takes"])
    assert [t["start"] for t in data["transitions"] if t["kind"] == "cut"] == [
        j.boundary for j in title.joins if j.kind == "cut"
    ]


def test_the_odd_title_says_how_it_is_shown(catalogue: Catalogue) -> None:
    odd, anamorphic = (of_plan(catalogue.titles[i], 1) for i in (5, 4))
    assert (odd.display.width, odd.display.height) == (640, 480)
    assert odd.display.active == (0, 40, 640, 400)
    assert odd.display.rotation == 90
    assert odd.rate == Fraction(25)
    assert (anamorphic.display.width, anamorphic.display.height) == (1024, 576)


@pytest.mark.parametrize("text", ["{}", '{"title": "a", "shots": [{"no": 1}]}', "no json"])
def test_what_is_no_truth_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError):
        load_truth(file)
    assert read_mark(file) is None


def test_no_file_is_no_mark(tmp_path: Path) -> None:
    assert read_mark(tmp_path / "none.json") is None
