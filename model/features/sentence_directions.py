"""What texts mean: the vectors of a sentence encoder, along their main directions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Features
from dubito.model.determinism import one_thread

DIMENSIONS = 80
WORDY = 200
"""Characters of a text whose words say as much as its vector."""

LEAST_SHARE, MOST_SHARE = 0.5, 2.0
"""Bounds of the length of the words, against 1 of the vector."""

AT_A_TIME = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceDirections:
    """Sentence vectors from their mean, and how much words count beside them.

    Short texts share few words, so that vectors tell more of them; of long texts, whose
    words are many, a vector is only a summary (measured on trec6 and reuters_r8).

    Attributes
    ----------
    mean : (d,) of the vectors
    directions : (d, k)
    words : the length of the words, against 1 of the vector
    """

    mean: Features
    directions: Features
    words: float

    @classmethod
    def of(cls, vectors: NDArray[np.float16], texts: Sequence[str]) -> Self | None:
        """Learn from the (n, d) vectors of texts; None if all are zero."""
        is_known = vectors.any(axis=1)
        if not is_known.any():
            return None
        rows = vectors[is_known].astype(np.float32)
        mean = rows.mean(axis=0)
        with one_thread():
            centred = _unit(rows - mean)
            _, axes = np.linalg.eigh(centred.T @ centred)
        usual = float(np.median([len(text) for text in texts]))
        words = min(max(usual / WORDY, LEAST_SHARE), MOST_SHARE)
        return cls(mean=mean, directions=axes[:, : -DIMENSIONS - 1 : -1], words=words)

    def apply(self, vectors: NDArray[np.float16]) -> Features:
        """Return (n, k) rows of length 1, or 0 where there is no vector."""
        parts = range(0, max(len(vectors), 1), AT_A_TIME)
        return np.concatenate(
            [self._part(vectors[at : at + AT_A_TIME]) for at in parts]
        )

    def _part(self, vectors: NDArray[np.float16]) -> Features:
        if vectors.shape[1] != len(self.mean):  # no vector is known
            return np.zeros((len(vectors), self.directions.shape[1]), np.float32)
        with one_thread():
            centred = vectors.astype(np.float32) - self.mean
            rows = _unit(np.asarray(centred @ self.directions, dtype=np.float32))
        rows[(vectors == 0).all(axis=1)] = 0
        return rows

    def beside(self, words: Features, vectors: NDArray[np.float16]) -> Features:
        """Return (n, d + k) rows: words and sentences, their lengths sum to about 1.

        Parameters
        ----------
        words : (n, d) rows of length 1
        """
        whole = np.float32(np.hypot(self.words, 1))
        share = np.float32(self.words) / whole
        return np.hstack([words * share, self.apply(vectors) / whole])


def _unit(rows: Features) -> Features:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), dtype=np.float32)
