"""Tasks that are texts."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.utils.extmath import randomized_svd

from dubito.model.arrays import Features
from dubito.model.determinism import one_thread

DIMENSIONS = 40
"""Of the words, and as many of the parts of words."""

MAX_WORDS = 30_000
BUCKETS = 16
"""Parts of words are told apart by so many bits of their hash."""

SPACED_PARTS = (3, 4, 5)
UNSPACED_PARTS = (1, 2, 3)
AT_ONCE = 1_000_000
"""So many characters are cut to parts together at most."""

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese: written without spaces."""

MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff"
"""Vowel signs of Hebrew, Arabic and the Indic scripts: for `re` no letters."""

WORD = rf"(?:\w|[{MARKS}])+"
WORDS = re.compile(WORD)
UNSPACED_LETTER = re.compile(rf"[{UNSPACED}]")
NAME_PART = re.compile(rf"[{UNSPACED}]|(?<![^\W_])[^\W\d_]{{2,}}(?![^\W_])")
"""A whole word of letters: neither the `a` nor the `f` of an id such as `17a3f`."""

IN_NEARLY_ALL = 0.9
FAIR_SHARE = 0.3
PROSE_WORDS = 3

STYLE = np.float32(0.05)
"""The weight of each measure of style: it must not outweigh what a text says."""

FAR = 4.0
"""Beyond so many standard deviations a style only says "far out"."""

TINY = 1e-9
"""A smaller deviation is a rounding error."""

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
SHIFT = np.uint64(29)
BLANK = ord(" ")


@dataclass(frozen=True, slots=True)
class TextDirections:
    """TF-IDF of counts, projected to its main directions.

    Latent semantic analysis (Deerwester et al. 1990).
    """

    weights: TfidfTransformer
    directions: Features
    """(d, n_terms)"""

    @classmethod
    def of(cls, counts: csr_matrix) -> Self:
        """Learn from (n, n_terms) counts."""
        weights = TfidfTransformer(sublinear_tf=True)
        rows = weights.fit_transform(counts)
        dimensions = min(DIMENSIONS, *rows.shape)
        with one_thread():
            _, _, directions = randomized_svd(
                rows, dimensions, n_iter=2, random_state=0
            )
        return cls(weights, np.asarray(directions, dtype=np.float32))

    def apply(self, counts: csr_matrix) -> Features:
        """Return (n, d) rows of length 1, or 0 where no term is known."""
        if counts.shape[0] == 0:
            return np.zeros((0, len(self.directions)), dtype=np.float32)
        with one_thread():
            projected = self.weights.transform(counts) @ self.directions.T
        length = np.linalg.norm(projected, axis=1, keepdims=True)
        unit = projected / np.where(length > 0, length, 1.0)
        return np.asarray(unit, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Style:
    """How texts are written, whatever they say: length, capitals, digits, marks."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Learn what is usual."""
        styles = np.array([_style(text) for text in texts])
        deviation = styles.std(axis=0)
        return cls(styles.mean(axis=0), np.where(deviation > TINY, deviation, 1.0))

    def apply(self, texts: Sequence[str]) -> Features:
        """Return (n, 7) small numbers around 0."""
        styles = np.array([_style(text) for text in texts])
        measured = styles.reshape(len(texts), len(self.mean))
        usual = np.clip((measured - self.mean) / self.deviation, -FAR, FAR)
        return np.asarray(usual, dtype=np.float32) * STYLE


def _style(text: str) -> tuple[float, ...]:
    size = max(len(text), 1)
    capitals = sum(map(str.isupper, text)) / size
    digits = sum(map(str.isdigit, text)) / size
    plain = sum(map(str.isalnum, text)) + sum(map(str.isspace, text))
    words = len(text.split())
    marks = (math.log1p(text.count(mark)) for mark in "?!")
    lengths = (math.log1p(len(text)), math.log1p(words))
    return (*lengths, capitals, digits, 1 - plain / size, *marks)


@dataclass(frozen=True, slots=True)
class Embedding:
    """Describes texts by the words, and the parts of words, that they share.

    The words tell topics apart; the parts know inflected and misspelt words, and
    languages whose words are not spaced. A little is said of the style, too.
    """

    words: CountVectorizer | None
    parts: tuple[int, ...]
    by_word: TextDirections | None
    by_part: TextDirections
    style: Style

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Learn vocabulary and directions."""
        joined = " ".join(texts)
        letters = sum(map(str.isalpha, joined))
        unspaced = 2 * len(UNSPACED_LETTER.findall(joined)) > letters
        parts = UNSPACED_PARTS if unspaced else SPACED_PARTS
        words = by_word = None
        if not unspaced and WORDS.search(joined):
            words = CountVectorizer(
                token_pattern=WORD, max_features=MAX_WORDS, dtype=np.float32
            ).fit(texts)
            # As plain numbers: each of NumPy's is an array of its own to who keeps it.
            vocabulary = words.vocabulary_
            words.vocabulary_ = {word: int(place) for word, place in vocabulary.items()}
            by_word = TextDirections.of(words.transform(texts))
        return cls(
            words=words,
            parts=parts,
            by_word=by_word,
            by_part=TextDirections.of(parts_of_words(texts, parts)),
            style=Style.of(texts),
        )

    @property
    def width(self) -> int:
        """Return the number of all columns."""
        return int(self.apply([]).shape[1])

    @property
    def styles(self) -> int:
        """Return how many columns, the last ones, tell the style."""
        return len(self.style.mean)

    def apply(self, texts: Sequence[str]) -> Features:
        """Return (n, d) rows of length 1, but for the style.

        They are shorter where no word or no part is known. What is said of a text
        does not depend on the others.
        """
        rows = [self.by_part.apply(parts_of_words(texts, self.parts))]
        if self.words is not None and self.by_word is not None:
            rows.append(self.by_word.apply(self.words.transform(texts)))
        content = np.hstack(rows) / np.float32(np.sqrt(len(rows)))
        return np.hstack([content, self.style.apply(texts)])


def parts_of_words(texts: Sequence[str], lengths: Sequence[int]) -> csr_matrix:
    """Count the runs of so many characters within words, a blank at each end of them.

    Returns
    -------
    (n_texts, 2 ** BUCKETS) counts, by the hash of each run (Weinberger et al. 2009)
    """
    padded = [f" {' '.join(text.lower().split())} " for text in texts]
    ends = np.cumsum([len(text) for text in padded], dtype=np.intp)
    cuts = np.flatnonzero(np.diff(ends // AT_ONCE, prepend=0)).tolist()
    hashes = [np.zeros(0, dtype=np.int64)]
    for first, last in zip([0, *cuts], [*cuts, len(texts)], strict=True):
        hashes.append(_hashed(padded[first:last], lengths) + (first << BUCKETS))
    places, counts = np.unique(np.concatenate(hashes), return_counts=True)
    row, bucket = places >> BUCKETS, places & ((1 << BUCKETS) - 1)
    shape = (len(texts), 1 << BUCKETS)
    return csr_matrix((counts.astype(np.float32), (row, bucket)), shape=shape)


def _hashed(padded: Sequence[str], lengths: Sequence[int]) -> NDArray[np.int64]:
    """Return for each run its text, and in the lowest bits its hash."""
    raw = "".join(padded).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(raw, dtype=np.uint32).astype(np.uint64)
    sizes = np.array([len(one) for one in padded], dtype=np.intp)
    text = np.repeat(np.arange(len(padded)), sizes)
    blanks = np.concatenate([[0], np.cumsum(points == BLANK)])
    return np.concatenate([_runs(points, text, blanks, n) for n in lengths])


def _runs(
    points: NDArray[np.uint64],
    text: NDArray[np.intp],
    blanks: NDArray[np.intp],
    length: int,
) -> NDArray[np.int64]:
    """Return `_hashed` for the runs of one length."""
    starts = np.arange(max(len(points) - length + 1, 0))
    ends = starts + length - 1
    inside = blanks[ends] == blanks[np.minimum(starts + 1, ends)]
    blank_alone = (points[starts] == BLANK) & (length == 1)
    starts = starts[inside & (text[starts] == text[ends]) & ~blank_alone]
    mixed = np.full(len(starts), length, dtype=np.uint64)
    for place in range(length):
        mixed = (mixed ^ points[starts + place]) * MULTIPLIER
        mixed ^= mixed >> SHIFT
    hashed = (mixed >> np.uint64(64 - BUCKETS)).astype(np.int64)
    return np.asarray((text[starts].astype(np.int64) << BUCKETS) | hashed)


def is_informative(texts: Sequence[str]) -> bool:
    """Tell whether texts are content to learn from, not names such as "row 17".

    Content repeats some of its words in some other texts; a name repeats them in
    nearly all ("row") or in none (an id).
    """
    words = [set(NAME_PART.findall(text.lower())) for text in texts]
    spread = Counter(word for each in words for word in each)
    telling = {
        word for word, count in spread.items() if count <= IN_NEARLY_ALL * len(texts)
    }
    content = sum(_is_content(each & telling, spread) for each in words)
    return content > 0 and content >= FAIR_SHARE * len(texts)


def _is_content(telling: set[str], spread: Counter[str]) -> bool:
    return len(telling) >= PROSE_WORDS or any(spread[word] > 1 for word in telling)
