"""The stored cues of a title by time and language; language tags."""

from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.jasper.texts.cues import Cues, StoredCue
from mediaml_assets.jasper.texts.languages import known_language, language_tag

SPANS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30)), max_size=12)


def stored(start: int, end: int, text: str = "x", language: str | None = None) -> StoredCue:
    return StoredCue(Fraction(start), Fraction(end), text, language=language)


@given(SPANS, st.integers(-5, 90), st.integers(0, 20))
def test_between_is_what_overlaps_a_half_open_range(spans: list[tuple[int, int]], start: int, length: int) -> None:
    cues = Cues(stored(a, a + n) for a, n in spans)
    end = start + length
    expected = sorted((a, a + n) for a, n in spans if a < end and a + n > start)
    assert [(cue.start, cue.end) for cue in cues.between(start, end)] == expected


def test_the_ends_of_a_cue_are_half_open() -> None:
    cues = Cues([stored(2, 4)])
    seen = [len(list(cues.between(*span))) for span in ((0, 2), (0, 2.001), (3.999, 9), (4, 9))]
    assert seen == [0, 1, 1, 0]


def test_languages_and_both_sources_together() -> None:
    files, film = Cues([stored(1, 2, "b", "pt-BR")]), Cues([stored(0, 1, "a", "en"), stored(5, 6, "c")])
    both = files + film
    assert [cue.text for cue in both] == ["a", "b", "c"] and both[0:1] == (both[0],)
    assert both.languages == ("en", "pt-BR") and len(both.of("pt")) == len(both.of("PT-br")) == 1


def test_from_value_leaves_out_files_that_were_refused() -> None:
    class View:
        def table(self, columns: Any = None) -> pa.Table:
            row = dict.fromkeys(columns) | {"label": "", "origin": "a.srt"}
            good = {**row, "start_ms": 1500, "end_ms": 2000, "text": "Hello", "markup": "", "language": "en"}
            return pa.Table.from_pylist([row, good])

    [cue] = Cues.from_value(View())
    assert (cue.start, cue.end, cue.text, cue.origin) == (Fraction(3, 2), 2, "Hello", "a.srt")


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("en", "en"), ("ENG", "en"), ("ger", "de"), ("deu", "de"), ("pt_br", "pt-BR"), ("zh-hans", "zh-Hans"),
        ("es-419", "es-419"), ("und", None), ("english", None), ("", None), (None, None), ("e1", None),
    ],
)  # fmt: skip
def test_language_tags(said: str | None, tag: str | None) -> None:
    assert language_tag(said) == tag


def test_a_word_is_not_taken_for_a_language() -> None:
    assert [known_language(one) for one in ("en", "fre", "alt", "new", "01", "poster")] == [
        "en",
        "fr",
        None,
        None,
        None,
        None,
    ]
