"""Which of two items is better: any learner of classes, made blind to the side.

The features of a pair are the difference of its items, left minus right: swapping the
items changes their sign and nothing else. The learner is told each labelled pair once,
the better item on the left and on the right in turn, so that the order in which people
saw a pair makes no difference. What it then says of a pair and of its mirror image is
joined: swapping the items swaps the probabilities exactly, whatever the learner is.
"""

from dataclasses import dataclass, replace

import numpy as np

from dubito.model.arrays import Codes, Features, Probabilities
from dubito.model.errors import OneClassError
from dubito.model.learners.registry import Learner, Predictor, within, without_tasks
from dubito.model.learners.unlabelled_context import (
    UnlabelledContext,
    mirrored,
    orientations,
)

LEFT, RIGHT = 0, 1
SIDES = 2
FEWEST_LABELS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPredictor:
    """What was learnt of pairs.

    Attributes
    ----------
    learnt : predicts a side from the difference of two items
    surroundings : all pairs, if they are known
    """

    learnt: Predictor
    surroundings: UnlabelledContext | None

    def predict(self, features: Features) -> Probabilities:
        """Return (n, 2) probabilities that the left and the right item is better.

        Equal pairs are looked at the same way round, so that not even rounding tells
        a pair from its mirror image.
        """
        around, n_pairs = self.surroundings, len(features)
        is_known = around is not None and features is around.features
        both = around.mirrored.features if around and is_known else mirrored(features)
        chances = self.learnt.predict(both)
        joined = (chances[:n_pairs] + chances[n_pairs:, ::-1]) / 2
        return np.where(orientations(features) > 0, joined, joined[:, ::-1])

    def without_tasks(self) -> "PairPredictor":
        """Return the same, knowing none of the tasks but the labelled ones."""
        return replace(self, learnt=without_tasks(self.learnt), surroundings=None)


@dataclass(frozen=True, slots=True)
class PairLearner:
    """Learns the better side of pairs by a learner of classes.

    Attributes
    ----------
    learner : learns two classes from the differences
    surroundings : all pairs, if they are known
    """

    learner: Learner
    surroundings: UnlabelledContext | None = None

    def within(self, surroundings: UnlabelledContext) -> "PairLearner":
        """Return the same learner, knowing all pairs and their mirror images."""
        return PairLearner(within(self.learner, surroundings.mirrored), surroundings)

    def fit(self, features: Features, codes: Codes, n_classes: int) -> PairPredictor:
        """Learn from pairs, of which either may be the better side all the time.

        Parameters
        ----------
        features : (n, d) left minus right
        codes : (n,) LEFT or RIGHT

        Raises
        ------
        OneClassError
            if there is one label only
        """
        if len(codes) < FEWEST_LABELS:
            raise OneClassError(classes=len(codes))
        sides = np.arange(len(codes)) % SIDES
        turned = np.where((codes == sides)[:, None], features, -features)
        predictor = self.learner.fit(turned, sides, n_classes)
        return PairPredictor(learnt=predictor, surroundings=self.surroundings)
