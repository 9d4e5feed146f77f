"""Sets of classes that cover a unit, each as one class of its own (label powerset)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Codes, Members
from dubito.model.stretches.units import Ends, lengths_of, starts_of

MOST_COMBINATIONS = 100
"""Memory of the trees and time of the chain grow with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combinations:
    """The sets of classes that were met, the most frequent first.

    Units with another set count as the one that differs from it in the fewest classes.

    Attributes
    ----------
    members : (K, C) the classes of each set
    """

    members: Members

    @classmethod
    def of(cls, members: Members) -> "Combinations":
        """Return the most frequent sets among (n_units, C) sets."""
        distinct, counts = np.unique(members, axis=0, return_counts=True)
        order = np.argsort(-counts, kind="stable")[:MOST_COMBINATIONS]
        return cls(members=distinct[order])

    def codes(self, members: Members) -> Codes:
        """Return (n_units,) which of the sets each unit has."""
        distinct, places = np.unique(members, axis=0, return_inverse=True)
        differing = (distinct[:, None] != self.members[None]).sum(axis=-1)
        return np.asarray(differing.argmin(axis=1)[places], dtype=np.intp)

    @property
    def is_background(self) -> NDArray[np.bool_]:
        """Return (K,) whether a set is empty."""
        return np.asarray(~self.members.any(axis=1))

    def by_class(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n_units, C) probabilities of classes from (n_units, K) of sets."""
        return np.clip(probabilities @ self.members.astype(np.float64), 0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """What follows each other in a chain: sets of classes, or parts of stretches.

    The first word of a stretch is another state than the words that go on with it, as
    usual for named entities (Ramshaw and Marcus 1995).

    Attributes
    ----------
    codes : (n_units,) state of each unit
    sets : (S,) which set of classes each state has
    """

    codes: Codes
    sets: Codes

    @classmethod
    def plain(cls, codes: Codes) -> "States":
        """Return one state for each set of classes."""
        return cls(codes=codes, sets=np.arange(int(codes.max()) + 1))

    @classmethod
    def with_beginnings(
        cls, codes: Codes, is_background: NDArray[np.bool_], ends: Ends
    ) -> "States":
        """Tell the first unit of each stretch from the others.

        Parameters
        ----------
        codes : (n_units,) set of classes of each unit
        is_background : (K,) whether a set is empty
        """
        is_first = np.ones(len(codes), dtype=np.bool_)
        is_first[1:] = codes[1:] != codes[:-1]
        is_first[starts_of(ends)[lengths_of(ends) > 0]] = True
        parts = 2 * codes + (is_first & ~is_background[codes])
        distinct_parts, states = np.unique(parts, return_inverse=True)
        return cls(codes=states, sets=distinct_parts // 2)
