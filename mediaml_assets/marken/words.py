"""Words of texts: cut, folded, stemmed; the same when an annotation is written and when it is asked for.

A word is a run of letters, digits and marks, as Unicode has them, with apostrophes inside; it is folded (NFKC, then
case). Snowball's stemmers (M. F. Porter, snowballstem.org) cut the endings of the languages that they know; of any
other language the folded word itself counts. Scripts that set no space between words (Chinese, Japanese, Thai, Lao,
Khmer, Burmese) are read as overlapping pairs of characters: a text holds a word where it holds its pairs in a row.
"""

import functools
import itertools
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import regex
import snowballstemmer

_ONE_AT_A_TIME = threading.Lock()
LONGEST_WORD = 64
"""Characters; the rest of a longer one does not count. (One bit each in `near`.)"""

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}ー\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_LETTER = rf"[[\p{{L}}\p{{N}}]--[{_UNSPACED}]]"
_REST = rf"[[\p{{L}}\p{{N}}\p{{M}}]--[{_UNSPACED}]]*"
_WORD = regex.compile(
    rf"(?V1)(?P<pairs>[[{_UNSPACED}]&&[\p{{L}}\p{{N}}]][{_UNSPACED}\p{{M}}]*)"
    rf"|(?P<word>{_LETTER}{_REST}(?:['’]{_LETTER}{_REST})*)"
)
_ASCII_WORD = regex.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")
_CHARACTER = regex.compile(r"\X")
_ELIDING = {"fr", "it", "ca"}
"""Languages whose apostrophe ends a word: l'amour."""
_SNOWBALL = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech", "da": "danish", "nl": "dutch",
    "en": "english", "eo": "esperanto", "et": "estonian", "fi": "finnish", "fr": "french", "de": "german",
    "el": "greek", "hi": "hindi", "hu": "hungarian", "id": "indonesian", "ga": "irish", "it": "italian",
    "lt": "lithuanian", "ne": "nepali", "no": "norwegian", "nb": "norwegian", "nn": "norwegian", "fa": "persian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "st": "sesotho",
    "es": "spanish", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip


def stems(text: str, language: str = "en") -> list[str]:
    """The stemmed words of a text, in order.

    Args:
        text: any.
        language: BCP 47; its primary subtag chooses the stemmer.
    """
    primary = language.partition("-")[0].lower()
    text = folded(text, primary)
    if text.isascii():
        # what `_WORD` finds in most texts, several times as fast
        return [stem for word in _ASCII_WORD.findall(text) for stem in _stemmed(word, primary)]
    found: list[str] = []
    for match in _WORD.finditer(text):
        run = match[0]
        found += _pairs(run) if match.lastgroup == "pairs" else _stemmed(run.replace("’", "'"), primary)
    return found


def folded(text: str, primary: str = "") -> str:
    """A text without regard to case and to compatible forms of characters (NFKC and full case folding)."""
    if primary in ("tr", "az"):
        # the only languages in which I is not the capital of i
        text = text.replace("I", "ı").replace("İ", "i")
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@dataclass(frozen=True)
class Term:
    """One thing that a search for words asks for."""

    text: str
    """As it was typed."""
    stems: tuple[str, ...]
    """At least one."""
    phrase: bool
    """Whether the stems must stand in a row (`HasRun`); else any word near the one stem will do (`near`)."""


def phrase(text: str, language: str = "en") -> list[Term]:
    """What the text of a search asks for: quoted phrases (`"red curtain"`), and the words outside of quotes.

    A word that is cut into several stems (l'amour, or a Chinese word) is a phrase by itself. A quote that is not closed
    is none. No terms are left of a text without words.
    """
    found = []
    for number, part in enumerate(regex.split(r'"([^"]*)"', text)):
        # odd ones are what stood in quotes
        for asked in [part] if number % 2 else [match[0] for match in _WORD.finditer(part)]:
            cut = tuple(stems(asked, language))
            if cut:
                found.append(Term(asked, cut, number % 2 == 1 or len(cut) > 1))
    return found


def near(word: str, vocabulary: Sequence[str], language: str = "en") -> list[str]:
    """Those stems of a vocabulary that a typed word means, sorted.

    Its own stem, and stems at a Damerau-Levenshtein distance (one letter put in, left out, changed, or swapped with its
    neighbour) of at most 1 for words of 4 to 7 letters and 2 for longer ones. Words with a digit mean themselves alone.
    A single character of an unspaced script means every pair that holds it.

    Args:
        word: as typed; of a single stem.
        vocabulary: stems (`Snapshot.words`), in any order.
        language: as for `stems`.
    """
    cut = stems(word, language)
    if len(cut) != 1:
        return []
    wanted, letters = cut[0], len(folded(word, language.partition("-")[0].lower()).strip())
    if letters == 1 and regex.fullmatch(rf"[{_UNSPACED}]", wanted):
        return sorted({one for one in vocabulary if wanted in one})
    allowed = 0 if letters < 4 or any(character.isdigit() for character in wanted) else 1 if letters < 8 else 2
    if not allowed:
        return [wanted] if wanted in vocabulary else []
    close = [one for one in vocabulary if -allowed <= len(one) - len(wanted) <= allowed]
    return sorted({one for one, far in zip(close, distances(wanted, close), strict=True) if far <= allowed})


def distances(word: str, others: Sequence[str]) -> npt.NDArray[np.int64]:
    """Edits between a word of at most 64 characters and each other, [n]: insertions, deletions, changes, swaps.

    No place is edited twice (the restricted Damerau-Levenshtein distance), by the bit-parallel method of H. Hyyrö, A
    Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit Distances (2003), over all others at once.
    """
    ends = np.array([len(one) for one in others], np.int64)
    if not word or not ends.any():
        return np.maximum(ends, len(word))
    # code points, 0 behind the end
    letters = np.array(others, np.str_).view(np.uint32).reshape(len(others), -1)
    masks: dict[int, int] = {}
    for place, character in enumerate(word):
        masks[ord(character)] = masks.get(ord(character), 0) | 1 << place
    rows, last = len(others), np.uint64(1) << np.uint64(max(len(word) - 1, 0))
    one = np.uint64(1)
    up, down = np.full(rows, np.uint64(2**64 - 1)), np.zeros(rows, np.uint64)
    diagonal, before = np.zeros(rows, np.uint64), np.zeros(rows, np.uint64)
    found = np.full(rows, len(word), np.int64)
    for column in range(letters.shape[1]):
        match = np.zeros(rows, np.uint64)
        for code, mask in masks.items():
            match[letters[:, column] == code] = mask
        swapped = ((~diagonal & match) << one) & before
        # sums wrap around on purpose
        diagonal = (((match & up) + up) ^ up) | match | down | swapped
        right, left = down | ~(diagonal | up), up & diagonal
        here = column < ends
        found += np.where(here & ((right & last) != 0), 1, 0) - np.where(here & ((left & last) != 0), 1, 0)
        right = (right << one) | one
        up, down, before = (left << one) | ~(diagonal | right), right & diagonal, match
    return found


def _pairs(run: str) -> list[str]:
    characters: list[str] = _CHARACTER.findall(run)
    if len(characters) == 1:
        return characters
    return [first + second for first, second in itertools.pairwise(characters)]


@functools.lru_cache(maxsize=200_000)
def _stemmed(word: str, primary: str) -> tuple[str, ...]:
    """The stem of a word, or several where an apostrophe ends a word."""
    stemmer = _stemmer(primary)
    parts = [part[:LONGEST_WORD] for part in (word.split("'") if primary in _ELIDING else [word])]
    if stemmer is None:
        return tuple(parts)
    # a stemmer keeps the word that it is at in itself
    with _ONE_AT_A_TIME:
        return tuple(str(stemmer.stemWord(part)) for part in parts)


@functools.lru_cache
def _stemmer(primary: str) -> Any:
    return snowballstemmer.stemmer(_SNOWBALL[primary]) if primary in _SNOWBALL else None
