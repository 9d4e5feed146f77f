"""What the names of the classes say of texts before anybody has labelled one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Features
from dubito.model.determinism import one_thread
from dubito.model.features.tabular import CLIP

MOST_CLASSES = 200
"""Each class costs a number for every task."""

LEAST_SPREAD = 1e-6
"""Similarities of a class that spread less than this say nothing."""

AT_A_TIME = 10_000
WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassNames:
    """How similar texts are to the names of the classes, as their vectors tell.

    Some names are similar to all texts: of each class only the differences count.

    Attributes
    ----------
    directions : (d, C) of length 1
    centre, spread : (C,) of the similarities to the texts of the pool
    """

    directions: Features
    centre: Features
    spread: Features

    @classmethod
    def of(cls, names: NDArray[np.float16], texts: NDArray[np.float16]) -> Self | None:
        """Learn from the (C, d) vectors of names and the (n, d) vectors of texts.

        Returns
        -------
        None where a name has no vector, or the texts do not differ
        """
        vectors = texts[texts.any(axis=1)]
        if names.shape[1:] != texts.shape[1:] or not names.any(axis=1).all():
            return None
        directions = names.astype(np.float32).T
        directions /= np.linalg.norm(directions, axis=0)
        similarity = _products(vectors, directions)
        spread = similarity.std(axis=0) if len(vectors) else np.zeros(len(names))
        if spread.min(initial=1) < LEAST_SPREAD:
            return None
        return cls(
            directions=directions,
            centre=similarity.mean(axis=0),
            spread=np.asarray(spread, dtype=np.float32),
        )

    @property
    def count(self) -> int:
        """Return the number of classes."""
        return len(self.centre)

    def apply(self, vectors: NDArray[np.float16]) -> Features:
        """Return (n, C) standardised similarities, 0 where there is no vector."""
        if vectors.shape[1] != len(self.directions):  # no vector is known
            return np.zeros((len(vectors), self.count), dtype=np.float32)
        similarity = (_products(vectors, self.directions) - self.centre) / self.spread
        similarity[~vectors.any(axis=1)] = 0
        return np.asarray(similarity.clip(-CLIP, CLIP), dtype=np.float32)


def are_telling(names: Sequence[str]) -> bool:
    """Return whether each name has a word of its own that may say something.

    Codes such as "x1" and "class 3" say nothing, nor do words that all names share.
    """
    if not 2 <= len(names) <= MOST_CLASSES:
        return False
    words = [set(_words(name)) for name in names]
    shared_words = set.intersection(*words)
    return all(own - shared_words for own in words)


def _words(name: str) -> list[str]:
    words = WORD.findall(name.casefold())
    return [word for word in words if len(word) > 2 or not word.isascii()]


def _products(vectors: NDArray[np.float16], directions: Features) -> Features:
    """Return (n, C) products."""
    parts = range(0, max(len(vectors), 1), AT_A_TIME)
    with one_thread():
        products = [
            vectors[at : at + AT_A_TIME].astype(np.float32) @ directions for at in parts
        ]
    return np.concatenate(products)
