"""How much the names of the classes are heard beside what was learnt from labels."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from dubito.model.arrays import Codes, Features, Probabilities

SHARPNESS = 1.5
"""Names are right about as often as they then say (trec6, chats by topic)."""

TELLING = 0.03
"""Odds beforehand that names tell more than chance: a few labels must bear it out."""

LEAST = 0.01
"""No label counts more against the names."""

POWER = 0.3
"""Names and labels are no independent evidence: so much of the names' counts."""

SHARE = 0.1
"""Of the names' own probabilities: labels may not yet have shown part of a class."""

RARE = 0.5
"""Odds that a class without labels has as many tasks as the names say."""

NEGLIGIBLE = 0.01
"""Names that are trusted less are not heard at all."""

TINY = np.finfo(np.float64).tiny


def opinion(similarity: Features) -> Probabilities:
    """Return (n, C) probabilities from similarities to the names of the classes."""
    leaning = SHARPNESS * similarity.astype(np.float64)
    weight = np.exp(leaning - leaning.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesTrust:
    """How far labels bear out the names of the classes.

    Attributes
    ----------
    trust : how probable it is that the names tell the classes, in [0, 1]
    unseen : (k,) classes without labels, of which the names alone know
    odds : of a class without labels, against 1 of what the names say
    """

    trust: float
    unseen: Codes
    odds: float

    @classmethod
    def of(cls, names: Probabilities, codes: Codes) -> Self:
        """Weigh the (n, C) opinion of n labelled tasks by their labels.

        Nothing is fitted, so every label is honest evidence: names that tell nothing
        give the class of a label less than chance does, on average.
        """
        n_classes = names.shape[1]
        chances = np.maximum(names[np.arange(len(codes)), codes], LEAST)
        evidence = np.log(chances * n_classes).sum() + np.log(TELLING)
        return cls(
            trust=float(1 / (1 + np.exp(-np.clip(evidence, -50, 50)))),
            unseen=np.setdiff1d(np.arange(n_classes), codes),
            odds=RARE * n_classes / (n_classes + len(codes)),
        )

    @property
    def is_negligible(self) -> bool:
        """Whether the names need not be heard at all."""
        return self.trust < NEGLIGIBLE

    def join(self, predictions: Probabilities, names: Probabilities) -> Probabilities:
        """Return what labels and names say together of m tasks.

        Parameters
        ----------
        predictions, names : (m, C) probabilities
        """
        share = SHARE * self.trust
        both = (1 - share) * predictions + share * names
        both *= names ** (POWER * self.trust)
        both[:, self.unseen] = 0
        new = names[:, self.unseen]
        mass = np.minimum(new.sum(axis=1, keepdims=True), 1)  # it may be 1 + 1e-16
        chance = self.trust * mass * self.odds / (1 - mass + mass * self.odds)
        both *= (1 - chance) / both.sum(axis=1, keepdims=True)
        both[:, self.unseen] = new / np.maximum(mass, TINY) * chance
        return np.asarray(both)
