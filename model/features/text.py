"""Tasks that are texts."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.extmath import randomized_svd

from model.arrays import Features, Positions
from model.threads import one_thread

DIMENSIONS = 100
MAX_TERMS = 30_000

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese: written without spaces."""

MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff"
"""Vowel signs of Hebrew, Arabic and the Indic scripts: for `re` no letters."""

WORD = rf"(?:\w|[{MARKS}])+"
UNSPACED_LETTER = re.compile(rf"[{UNSPACED}]")
NAME_PART = re.compile(rf"[{UNSPACED}]|(?<![^\W_])[^\W\d_]{{2,}}(?![^\W_])")
"""A whole word of letters: neither the `a` nor the `f` of an id such as `17a3f`."""

IN_NEARLY_ALL = 0.9
FAIR_SHARE = 0.3
PROSE_WORDS = 3


@dataclass(frozen=True, slots=True)
class Embedding:
    """Describes texts by the words they share.

    TF-IDF of words and pairs of words (of characters where words are not spaced),
    projected to its main 100 directions (latent semantic analysis: Deerwester et
    al. 1990).
    """

    vectorizer: TfidfVectorizer | None
    directions: Features
    """(d, n_terms), d <= 100"""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Learn vocabulary and directions."""
        cleaned = [text.strip() for text in texts]
        if not any(cleaned):
            return cls(None, np.zeros((1, 0), dtype=np.float32))
        vectorizer = _vectorizer(cleaned)
        known = vectorizer.fit_transform(cleaned)
        dimensions = min(DIMENSIONS, *known.shape)
        with one_thread():
            _, _, directions = randomized_svd(
                known, dimensions, n_iter=2, random_state=0
            )
        return cls(vectorizer, np.asarray(directions, dtype=np.float32))

    def apply(self, texts: Sequence[str]) -> Features:
        """Return (n, d) rows of length 1, or 0 where no word is known."""
        if self.vectorizer is None:
            return np.zeros((len(texts), len(self.directions)), dtype=np.float32)
        terms = self.vectorizer.transform([text.strip() for text in texts])
        with one_thread():
            projected = terms @ self.directions.T
        return _normalised(np.asarray(projected, dtype=np.float32))


def embed(texts: Sequence[str], fit_on: Positions) -> Features:
    """Return the `Embedding` of texts, learnt from the rows `fit_on` alone."""
    return Embedding.of([texts[position] for position in fit_on]).apply(texts)


def _vectorizer(texts: Sequence[str]) -> TfidfVectorizer:
    """Choose between words and characters."""
    joined = " ".join(texts)
    letters = sum(map(str.isalpha, joined))
    unspaced = len(UNSPACED_LETTER.findall(joined))
    by_character = 2 * unspaced > letters or not re.search(WORD, joined)
    weigh = partial(
        TfidfVectorizer,
        ngram_range=(1, 2),
        sublinear_tf=True,
        max_features=MAX_TERMS,
        dtype=np.float32,
    )
    return weigh(analyzer="char") if by_character else weigh(token_pattern=WORD)


def _normalised(rows: Features) -> Features:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1.0), dtype=np.float32)


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
