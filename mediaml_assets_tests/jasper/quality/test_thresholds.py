"""Numbers become verdicts by one table, which the documentation shows as it is."""

from pathlib import Path

import pytest

from mediaml_assets.jasper.quality.measure import NUMBERS
from mediaml_assets.jasper.quality.thresholds import CONCERNS, RULES, judge, verdict

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "media.md"
GOOD = {
    "seconds": 100.0, "decodable_share": 1.0, "duration_drift": 0.0, "rate_drift": 0.0, "black_share": 0.05,
    "longest_black": 2.0, "frozen_share": 0.05, "longest_frozen": 3.0, "flashes": 1.0, "combed_share": 0.0,
    "active_pictures": 1, "silence_share": 0.1, "longest_silence": 4.0, "clipping_share": 0.0, "loudness": -23.0,
    "loudness_range": 9.0, "loudest": -18.0, "true_peak": -1.0, "sound_damaged": 0, "sound_offset": 0.0,
    "sound_end_offset": 0.0, "notes": (),
}  # fmt: skip
WITHOUT_SOUND = {
    name: None
    for name in ("silence_share", "longest_silence", "clipping_share", "loudness", "loudness_range", "loudest",
                 "true_peak", "sound_damaged", "sound_offset", "sound_end_offset")
}  # fmt: skip


def test_a_good_title_is_ok_with_and_without_sound() -> None:
    assert set(GOOD) == {*NUMBERS, "notes"}
    assert judge(GOOD) == [] and verdict([]) == "ok"
    assert judge({**GOOD, **WITHOUT_SOUND}) == []


@pytest.mark.parametrize(
    ("change", "concern", "expected", "word"),
    [
        ({"decodable_share": 0.0}, "decodable", "quarantine", "0.00%"),
        ({"decodable_share": 0.94}, "decodable", "quarantine", "deliver the file again"),
        ({"decodable_share": 0.99}, "decodable", "warn", "99.00%"),
        ({"sound_damaged": 3}, "decodable", "warn", "3 packets of sound"),
        ({"duration_drift": -20.0, "seconds": 80.0}, "duration", "quarantine", "cut short"),
        ({"duration_drift": -4.0, "seconds": 96.0}, "duration", "warn", "-4.0 s"),
        ({"duration_drift": 30.0, "seconds": 130.0}, "duration", "warn", "+30.0 s"),
        ({"duration_drift": -0.5, "seconds": 1.0}, "", "ok", ""),
        ({"duration_drift": 1.5}, "", "ok", ""),
        ({"rate_drift": -0.04}, "duration", "warn", "-4.00%"),
        ({"rate_drift": -0.001}, "", "ok", ""),
        ({"black_share": 0.99}, "black", "quarantine", "99.0%"),
        ({"black_share": 0.6}, "black", "warn", "60.0%"),
        ({"longest_black": 25.0}, "black", "warn", "25 s"),
        ({"frozen_share": 0.99}, "frozen", "quarantine", "99.0%"),
        ({"frozen_share": 0.6}, "frozen", "warn", "60.0%"),
        ({"longest_frozen": 40.0}, "frozen", "warn", "40 s"),
        ({"flashes": 3.0}, "", "ok", ""),
        ({"flashes": 3.5}, "flash", "warn", "3.5 times"),
        ({"combed_share": 0.3}, "interlace", "warn", "30%"),
        ({"active_pictures": 3}, "active_picture", "warn", "3 parts"),
        ({"silence_share": 0.95}, "silence", "warn", "95%"),
        ({"longest_silence": 90.0}, "silence", "warn", "90 s"),
        ({"clipping_share": 0.02}, "clipping", "warn", "2.00%"),
        ({"loudness": -50.0}, "loudness", "warn", "-50.0 LUFS"),
        ({"loudness": -2.0}, "loudness", "warn", "-2.0 LUFS"),
        ({"loudness": None}, "", "ok", ""),
        ({"true_peak": 4.0}, "loudness", "warn", "+4.0 dBTP"),
        ({"sound_offset": 1.5}, "sync", "warn", "+1.50 s"),
        ({"sound_offset": -1.5}, "sync", "warn", "-1.50 s"),
        ({"sound_end_offset": -3.0}, "sync", "warn", "ends -3.00 s"),
        ({"notes": ("a note",)}, "handled", "warn", "a note"),
    ],
)
def test_each_number_has_its_bounds(change: dict[str, object], concern: str, expected: str, word: str) -> None:
    found = judge({**GOOD, **change})
    assert verdict(found) == expected
    assert [one.concern for one in found] == ([concern] if concern else [])
    assert word in "".join(one.reason for one in found)


def test_the_gravest_comes_first() -> None:
    found = judge({**GOOD, "flashes": 9.0, "frozen_share": 1.0, "notes": ("a note",)})
    assert [one.verdict for one in found] == ["quarantine", "warn", "warn"]


def test_the_documentation_shows_every_rule_as_it_is() -> None:
    rows = [
        f"| `{rule.concern}` | `{rule.number}` | {NUMBERS[rule.number][1].rstrip('.')} | {rule.warn} | "
        f"{rule.quarantine or ''} |"
        for rule in RULES
    ]
    shown = [line for line in DOCUMENT.read_text().splitlines() if line.startswith(tuple(f"| `{c}`" for c in CONCERNS))]
    assert shown == rows, "\n".join(rows)
