"""Verdicts over the whole title, and where it is so: known answers of the plain function."""

from mediaml_assets.features.quality import QUALITY, Numbers, quality
from mediaml_assets.jasper.quality.measure import NUMBERS
from mediaml_assets.jasper.quality.thresholds import CONCERNS, NOTES

GOOD = {name: 0 for name in NUMBERS} | {
    "seconds": 100.0,
    "decodable_share": 1.0,
    "active_pictures": 1,
    "loudness": -23.0,
    "true_peak": -1.0,
}


def test_a_good_title_has_one_row_a_concern() -> None:
    found = quality(Numbers({**GOOD, "notes": [], "stretches": []}))
    assert found.schema.equals(QUALITY)
    assert found.column("concern").to_pylist() == ["all", *CONCERNS, NOTES]
    assert set(found.column("verdict").to_pylist()) == {"ok"} and found.column("start").null_count == found.num_rows


def test_stretches_follow_with_the_verdict_on_their_concern() -> None:
    stretches = [
        {"concern": "black", "start": 1.0, "end": 31.5},
        {"concern": "silence", "start": 90.0, "end": 100.0},
    ]
    measured = {**GOOD, "longest_black": 30.5, "notes": ["turned upright", "turned upright"], "stretches": stretches}
    rows = quality(Numbers(measured)).to_pylist()
    said = {row["concern"]: row for row in rows if row["start"] is None}
    assert said["black"]["verdict"] == said["all"]["verdict"] == "warn" and said["silence"]["verdict"] == "ok"
    # what was handled twice is one reason
    assert said[NOTES]["reasons"] == ["turned upright"]
    assert [row for row in rows if row["start"] is not None] == [
        {"concern": "black", "verdict": "warn", "reasons": [], "start": 1.0, "end": 31.5},
        {"concern": "silence", "verdict": "ok", "reasons": [], "start": 90.0, "end": 100.0},
    ]
