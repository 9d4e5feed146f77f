"""What words mean, as vectors that were learnt elsewhere from very much English.

So texts are alike that share no word: "refund" and "money back".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from model.arrays import Features
from model.threads import one_thread

MOST_PIECES = 1.5
"""Pieces per word of the texts: 1.1 to 1.4 in English, 1.5 to 3.5 in other languages
and in ciphers, whose pieces mean little (measured on 15 sets of texts)."""

LONGEST = 100
"""Letters of a word that are looked at: what is longer is no word."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The pieces that words are made of, and what each means.

    Attributes
    ----------
    cut : from a word to the numbers of its pieces, at least one
    vectors : (n_pieces, d)
    """

    cut: Callable[[str], Sequence[int]]
    vectors: NDArray[np.floating]

    def pieces(self, word: str) -> Sequence[int]:
        """Return the numbers of the pieces of a word."""
        return self.cut(word[:LONGEST])

    def meaning(self, pieces: Sequence[int]) -> NDArray[np.float32]:
        """Return what a word of these pieces means: the mean, (d,)."""
        return np.asarray(self.vectors[pieces].mean(axis=0, dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Meaning:
    """The mean of the vectors of a text's words, along the main directions of texts.

    Attributes
    ----------
    vectors : (n_words, d) of each word of a vocabulary
    mean : (d,) of the texts it was learnt from
    """

    vectors: Features
    mean: Features

    @classmethod
    def of(
        cls,
        words: Sequence[str],
        counts: csr_matrix,
        lexicon: Lexicon,
        dimensions: int,
    ) -> Self | None:
        """Learn the main directions of (n, n_words) counts.

        Returns
        -------
        None where the lexicon knows next to nothing of these words
        """
        pieces = [lexicon.pieces(word) for word in words]
        often = np.asarray(counts.sum(axis=0)).ravel()
        if not often.any():
            return None
        if np.average([len(each) for each in pieces], weights=often) > MOST_PIECES:
            return None
        vectors = np.array([lexicon.meaning(each) for each in pieces])
        with one_thread():
            texts = _means(counts, vectors)
            mean = texts.mean(axis=0)
            _, _, found = np.linalg.svd(_unit(texts - mean), full_matrices=False)
            directions = found[:dimensions].T
            return cls(vectors @ directions, mean @ directions)

    def apply(self, counts: csr_matrix) -> Features:
        """Return (n, d) rows of length 1, or 0 where no word is known."""
        with one_thread():
            rows = _unit(_means(counts, self.vectors) - self.mean)
        rows[np.diff(counts.indptr) == 0] = 0
        return rows


def _means(counts: csr_matrix, vectors: Features) -> Features:
    """Return (n, d) means of the words' vectors, each as often as it is counted."""
    total = np.asarray(counts.sum(axis=1))
    return np.asarray(counts @ vectors / np.maximum(total, 1), dtype=np.float32)


def _unit(rows: Features) -> Features:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), dtype=np.float32)
