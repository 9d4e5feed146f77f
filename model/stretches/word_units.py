"""The units of a text: words, each seen among its neighbours."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import murmurhash3_32

WITHOUT_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
)
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese: a character is a unit."""

MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
    "\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09cd"
    "\u0a01-\u0a03\u0a3c-\u0a4d\u0a70\u0a71\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03"
    "\u0b3c-\u0b57\u0b82\u0bbe-\u0bcd\u0c00-\u0c04\u0c3e-\u0c56\u0c81-\u0c83"
    "\u0cbc-\u0cd6\u0d00-\u0d03\u0d3b-\u0d4d\u0d81-\u0d83\u0dca-\u0ddf\u0e31"
    "\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u102b-\u103e"
    "\u17b4-\u17d3\u200c\u200d\u20d0-\u20f0\u3099\u309a\ufe00-\ufe0f"
    "\U0001f3fb-\U0001f3ff"
)
"""Signs that belong to the character before them, which are no letters in `re`."""

WORD = re.compile(
    rf"[{WITHOUT_SPACES}][{MARKS}]*"
    rf"|[^\W{WITHOUT_SPACES}]+(?:[{MARKS}]+[^\W{WITHOUT_SPACES}]*)*"
    rf"|\S[{MARKS}]*"
)

LONGEST_AFFIX = 4
LONGEST_SHAPE = 12
"""Characters; longer words say no more by their shape."""

FIRST_KANA, FIRST_KATAKANA, FIRST_IDEOGRAPH = "\u3040", "\u30a0", "\u3400"

REACH = 2
"""Words on each side whose features are said of a word, too."""

OWN = 2 + 2 * LONGEST_AFFIX + 2
"""Word, lower case, prefixes and suffixes, shape, kind."""

LOWER, SPEAKER = 1, 100
"""Place of the lower case among these, and a place that none of them has."""

TOLD = (LOWER, 2 * LONGEST_AFFIX, OWN - 1)
"""What is said of neighbours: lower case, a suffix of three characters, kind."""

BEYOND = np.uint32(0x9E3779B9)
"""Stands for the features of what is before the first and after the last word."""


def words_of(text: str) -> NDArray[np.intp]:
    """Return the (n_words, 2) start and end, exclusive, of each word in code points.

    A punctuation mark is a word of its own, and so is a character in scripts that
    set no spaces between words.
    """
    spans = [match.span() for match in WORD.finditer(text)]
    return np.array(spans, dtype=np.intp).reshape(-1, 2)


def word_ids(texts: Iterable[str]) -> list[NDArray[np.uint32]]:
    """Return for each text the (n_words, F) hashed features of the words of it.

    Features are those that taggers usually have (Ratinov and Roth 2009): the word, its
    lower case, shape, kind, beginnings and ends, some of these of its neighbours, and
    pairs of neighbours.
    """
    numbers: dict[str, int] = {}
    by_text = [
        np.array(
            [numbers.setdefault(word, len(numbers)) for word in WORD.findall(text)],
            dtype=np.intp,
        )
        for text in texts
    ]
    hashed = [_hashed(word) for word in numbers]
    table = np.array(hashed, dtype=np.uint32).reshape(-1, OWN)
    return [_with_neighbours(table[words]) for words in by_text]


def told_by(speakers: Sequence[str], ids: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Add to (n_words, F) ids two that say who speaks a word: alone, and with the word.

    Parameters
    ----------
    speakers : (n_words,) names; empty where nobody is named
    """
    numbers = {name: _hash(name, SPEAKER) for name in speakers}
    speaker = np.array([numbers[name] for name in speakers], np.uint32).reshape(-1, 1)
    return np.hstack([ids, speaker, _joint(speaker, ids[:, LOWER : LOWER + 1])])


def _hash(feature: str, place: int) -> int:
    """Return the id of a feature; equal texts at other places have other ids."""
    raw = feature.encode("utf-8", "surrogatepass")
    return int(murmurhash3_32(raw, place, positive=True))


def _hashed(word: str) -> list[int]:
    """Return the ids of what a word says by itself."""
    lower = word.lower()
    sizes = range(1, LONGEST_AFFIX + 1)
    affixes = (*(lower[:n] for n in sizes), *(lower[-n:] for n in sizes))
    shape = _shape(word)
    features = (word, lower, *affixes, shape, _kind(word, shape))
    return [_hash(feature, place) for place, feature in enumerate(features)]


def _shape(word: str) -> str:
    """Return a word with each run of characters of one sort replaced by the sort.

    So names have one shape, however long they are.
    """
    sorts = map(_sort, word[:LONGEST_SHAPE])
    return "".join(sort for sort, _ in groupby(sorts))


def _kind(word: str, shape: str) -> str:
    """Return whether a word is a number, in capitals, capitalised, or a sign."""
    if word.isdigit():
        return "0"
    if word.isupper():
        return "A"
    if word.istitle():
        return "Aa"
    if word.islower():
        return "a"
    return shape if any(map(str.isalnum, word)) else "."


def _sort(character: str) -> str:
    if character.isdigit():
        return "0"
    if not character.isalpha():
        return character
    if character >= FIRST_IDEOGRAPH:
        return FIRST_IDEOGRAPH
    if character >= FIRST_KANA:
        return FIRST_KANA if character < FIRST_KATAKANA else FIRST_KATAKANA
    return "A" if character.isupper() else "a"


def _with_neighbours(own: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return (n_words, F) own ids, and others of the same of its neighbours."""
    context_ids = own[:, list(TOLD)]
    places = (*range(-REACH, 0), *range(1, REACH + 1))
    around = {place: _shifted(context_ids, place) for place in places}
    lower, kind = context_ids[:, :1], context_ids[:, -1:]
    pairs = [_joint(around[-1][:, :1], lower), _joint(lower, around[1][:, :1])]
    kinds = _joint(_joint(around[-1][:, -1:], kind), around[1][:, -1:])
    salted = [_joint(np.uint32(place + REACH), ids) for place, ids in around.items()]
    return np.hstack([own, *salted, *pairs, kinds])


def _shifted(ids: NDArray[np.uint32], place: int) -> NDArray[np.uint32]:
    """Return (n_words, k) the ids of the word so many places further."""
    shifted = np.full_like(ids, BEYOND)
    if place < 0:
        shifted[-place:] = ids[:place]
    else:
        shifted[: len(ids) - place] = ids[place:]
    return shifted


def _joint(
    one: NDArray[np.uint32] | np.uint32, other: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Return ids of two features together, in this order."""
    with np.errstate(over="ignore"):
        mixed = (other ^ (one * np.uint32(0x85EBCA6B))) * np.uint32(0xCC9E2D51)
    return np.asarray(mixed ^ (mixed >> np.uint32(15)))
