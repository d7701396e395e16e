"""Words: cut and stemmed alike in texts and in searches, and found again with a letter wrong."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import snowballstemmer
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.marken import words
from mediaml_assets.marken.words import LONGEST_WORD, distances, near, phrase, stems


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("The Curtains were RUNNING", "en", ["the", "curtain", "were", "run"]),
        ("James's cat, don't!", "en-GB", ["jame", "cat", "don't"]),
        ("don’t", "EN", ["don't"]),
        ("a-b_c/d.e", "en", ["a", "b", "c", "d", "e"]),
        ("24 fps, 1080p", "en", ["24", "fps", "1080p"]),
        ("L'amour des villes", "fr", ["l", "amour", "de", "vill"]),
        ("dell’arte", "it", ["dell", "arte"]),
        ("Die Häuser, Straße", "de", ["die", "haus", "strass"]),
        ("STRASSE", "de", ["strass"]),
        ("Häuser", "xx", ["häuser"]),
        ("Häuser", "", ["häuser"]),
        ("IŞIK ışık İstanbul", "tr", ["ışık", "ışık", "istanbul"]),
        ("книги", "ru", ["книг"]),
        ("हिन्दी", "und", ["हिन्दी"]),
        ("ﬁlm ＦＩＬＭ Film", "en", ["film", "film", "film"]),
        ("cafe\u0301 café", "xx", ["café", "café"]),
        ("", "en", []),
        ("?!… ♥ 🎬 \u0301", "en", []),
        ("東京都", "ja", ["東京", "京都"]),
        ("猫", "ja", ["猫"]),
        ("黒猫 cat 猫", "zh", ["黒猫", "cat", "猫"]),
        ("カメラ、カメラ", "ja", ["カメ", "メラ", "カメ", "メラ"]),
        ("ｶﾞﾗｽ", "ja", ["ガラ", "ラス"]),
        # a vowel sign stands with its letter
        ("ดินสอ", "th", ["ดิน", "นส", "สอ"]),
        ("한국어 영화", "ko", ["한국어", "영화"]),
        ("x" * 100, "xx", ["x" * LONGEST_WORD]),
    ],
)
def test_words_of_a_text(text: str, language: str, expected: list[str]) -> None:
    assert stems(text, language) == expected


def test_every_stemmer_has_a_language_that_chooses_it() -> None:
    # of one language there may be several: the one that carries its name is taken
    assert set(words._SNOWBALL.values()) == set(snowballstemmer.algorithms()) - {"porter", "dutch_porter"}


@given(st.text(), st.sampled_from(["en", "fr", "tr", "ja", "xx"]))
def test_words_are_never_empty_and_read_the_same_in_any_case(text: str, language: str) -> None:
    found = stems(text, language)
    assert all(found)
    # what a server can keep
    assert all("\0" not in one and one.encode() for one in found)
    if text.isascii() and language != "tr":
        assert stems(text.upper(), language) == stems(text.lower(), language) == found


def test_threads_read_words_side_by_side() -> None:
    texts = [f"running curtains number{n} opening doors{n % 7}" for n in range(400)]
    expected = [["run", "curtain", f"number{n}", "open", f"doors{n % 7}"] for n in range(400)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(stems, texts)) == expected


VOCABULARY = ["curtain", "captain", "certain", "run", "ruin", "ran", "shoulder", "1984", "1985", "黒猫", "猫が", "犬"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("curtian", ["curtain"]),
        # eight letters: two may be wrong, which here is too kind
        ("curtains", ["captain", "certain", "curtain"]),
        ("Curtain", ["certain", "curtain"]),
        ("curtaim", ["curtain"]),
        # two letters wrong are too many in a word of seven, and allowed in one of eight
        ("curxaim", []),
        ("shuolderx", ["shoulder"]),
        ("sholdr", []),
        ("sholdrer", ["shoulder"]),
        # three letters: no other word
        ("run", ["run"]),
        ("rin", []),
        # four letters: one may be wrong
        ("ruim", ["ruin"]),
        ("1984", ["1984"]),
        ("1986", []),
        ("猫", ["猫が", "黒猫"]),
        ("黒猫", ["黒猫"]),
        ("two words", []),
        ("", []),
    ],
)
def test_words_near_a_typed_one(word: str, expected: list[str]) -> None:
    assert near(word, VOCABULARY) == expected
    assert near(word, list(reversed(VOCABULARY)) * 2) == expected


@given(st.text("abcdeé", min_size=1, max_size=10), st.lists(st.text("abcdeé", min_size=1, max_size=12), max_size=8))
def test_what_is_near_is_what_is_within_so_many_edits(word: str, vocabulary: list[str]) -> None:
    allowed = 0 if len(word) < 4 else 1 if len(word) < 8 else 2
    assert near(word, vocabulary, "xx") == sorted({one for one in vocabulary if edits(word, one) <= allowed})


@given(st.text("abc", max_size=64), st.lists(st.text("abc", max_size=70), max_size=4))
def test_distances_are_those_of_the_table_of_all_prefixes(word: str, others: list[str]) -> None:
    assert distances(word, others).tolist() == [edits(word, one) for one in others]


def edits(one: str, other: str) -> int:
    """Of the textbook: the restricted Damerau-Levenshtein distance, prefix by prefix."""
    table = [[i + j if not i * j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            changed = table[i - 1][j - 1] + (one[i - 1] != other[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, changed)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


def test_a_search_asks_for_words_and_quoted_phrases() -> None:
    asked = phrase('red "Dark Wines" table')
    assert [(one.text, one.stems, one.phrase) for one in asked] == [
        ("red", ("red",), False),
        ("Dark Wines", ("dark", "wine"), True),
        ("table", ("tabl",), False),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ('"" " ?"', []),
        ('"one"', [(("one",), True)]),
        ('half "open here', [(("half",), False), (("open",), False), (("here",), False)]),
        ("東京都", [(("東京", "京都"), True)]),
        ("黒猫", [(("黒猫",), False)]),
        ('a"b"c', [(("a",), False), (("b",), True), (("c",), False)]),
    ],
)
def test_what_a_search_asks_for(text: str, expected: list[tuple[tuple[str, ...], bool]]) -> None:
    assert [(one.stems, one.phrase) for one in phrase(text)] == expected


def test_a_word_that_is_cut_in_two_is_a_phrase() -> None:
    assert [one.stems for one in phrase("l'amour", "fr") if one.phrase] == [("l", "amour")]


@given(st.text(st.characters(max_codepoint=127)), st.sampled_from(["en", "fr", "xx"]))
def test_plain_texts_are_cut_as_others_are(text: str, language: str) -> None:
    # a word of another script sends a text the general way
    assert stems(f"{text} é", language) == [*stems(text, language), "é"]
