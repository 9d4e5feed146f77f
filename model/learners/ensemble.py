"""The learner `auto`: several ways to learn, heard as far as the labels bear them out.

The kernels know likeness and, by the graph of all tasks, groups; the regression knows
directions, the trees thresholds. Each alone is much worse on some kind of data.
"""

import warnings
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Codes, Features, Members, Probabilities
from dubito.model.determinism import one_thread
from dubito.model.errors import OneClassError
from dubito.model.learners.experts import (
    Expert,
    ExpertFactory,
    TrainingSet,
    discriminant,
    discriminant_axes,
    held_out,
    regression,
    similarity,
    trees,
    view_similarity,
)
from dubito.model.learners.grades import GradeBlend, fit_grades
from dubito.model.learners.kernel_ridge import PLAIN_SPACES, KernelModel
from dubito.model.learners.set_ensemble import SetBlend, fit_sets
from dubito.model.learners.unlabelled_context import UnlabelledContext
from dubito.model.learners.weighing import (
    AT_A_TIME,
    FOLDS,
    LEAST,
    MOST_WEIGHED,
    NEGLIGIBLE,
    TREES,
    TREES_PER_FOLD,
    TRUST,
    VIEW,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """The weighted opinions of several ways to learn from the same labels.

    Attributes
    ----------
    opinions : those that count
    weights : (n_opinions,) they sum to 1
    surroundings : where the tasks to be predicted are seen
    seen : (k,) classes with labels
    """

    opinions: tuple[Expert, ...]
    weights: NDArray[np.float64]
    surroundings: UnlabelledContext
    seen: Codes
    n_classes: int

    def predict(self, features: Features) -> Probabilities:
        """Return (n, n_classes) probabilities; classes never seen get 0."""
        probabilities = np.zeros((len(features), self.n_classes))
        for start in range(0, len(features), AT_A_TIME):
            part = slice(start, start + AT_A_TIME)
            with one_thread():
                rows = self.surroundings.rows(features, part)
                heard = [opinion.predict(rows) for opinion in self.opinions]
                blended = np.tensordot(self.weights, heard, axes=1)
            probabilities[part, self.seen] = blended
        return probabilities

    def without_tasks(self) -> "Blend":
        """Return the same, knowing none of the tasks but the labelled ones."""
        return replace(self, surroundings=self.surroundings.without_tasks())


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Likeness, discriminant, regression and trees, weighted by what they foretell.

    Attributes
    ----------
    seed : equal seeds give equal answers
    surroundings : all tasks; without them it learns from the labelled ones alone
    """

    seed: int = 0
    surroundings: UnlabelledContext | None = None

    def within(self, surroundings: UnlabelledContext) -> "Ensemble":
        """Return the same learner, knowing all tasks."""
        return Ensemble(self.seed, surroundings)

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Blend:
        """Learn from labelled tasks; see `Learner.fit`."""
        present, classes = np.unique(codes, return_inverse=True)
        if len(present) < 2:
            raise OneClassError(classes=len(present))
        around = self.surroundings or UnlabelledContext(features)
        with warnings.catch_warnings(), one_thread():
            # Of steps not taken to the end, and of nearly as many classes as labels.
            warnings.simplefilter("ignore", UserWarning)
            lessons = TrainingSet(around.rows(features), classes, len(present))
            ways, weights = self._weigh(lessons, around)
            opinions = tuple(way(lessons) for way in ways)
        return Blend(
            opinions=opinions,
            weights=weights,
            surroundings=around,
            seen=np.asarray(present, dtype=np.intp),
            n_classes=n_classes,
        )

    def fit_sets(self, features: Features, members: Members) -> SetBlend:
        """Learn from tasks with any-of labels; see `SetLearner.fit_sets`."""
        around = self.surroundings or UnlabelledContext(features)
        return fit_sets(features, members, around, self.seed)

    def fit_grades(
        self, features: Features, codes: Codes, n_classes: int
    ) -> GradeBlend:
        """Learn from tasks with grades; see `GradeLearner.fit_grades`."""
        around = self.surroundings or UnlabelledContext(features)
        return fit_grades(features, codes, n_classes, around, self.seed)

    def _weigh(
        self, lessons: TrainingSet, around: UnlabelledContext
    ) -> tuple[tuple[ExpertFactory, ...], NDArray[np.float64]]:
        """Return the ways to learn that count, and how much they do.

        The weight falls with the loss on labels held out, but slowly.
        """
        step = -(-len(lessons.codes) // MOST_WEIGHED)
        some = lessons.at(np.arange(0, len(lessons.codes), step))
        folds = _folds(some.codes, self.seed)
        trials = self._trials(some, around, folds)
        guesses = np.array([guess for _, guess in trials])
        chances = guesses[:, np.arange(len(folds)), some.codes]
        evidence = TRUST * np.log(np.maximum(chances, LEAST)).sum(axis=1)
        weights = np.exp(evidence - evidence.max())
        weights[len(trials) - len(around.others) :] *= VIEW
        heard = weights / weights.sum() >= NEGLIGIBLE
        ways = tuple(
            way for (way, _), is_heard in zip(trials, heard, strict=True) if is_heard
        )
        return ways, weights[heard] / weights[heard].sum()

    def _trials(
        self, some: TrainingSet, around: UnlabelledContext, folds: NDArray[np.intp]
    ) -> list[tuple[ExpertFactory, Probabilities]]:
        """Return the ways to learn, and what each says of labels held out."""
        alike = KernelModel.of(some.rows, around.strength, some.targets)
        few = partial(trees, number=TREES_PER_FOLD, seed=self.seed)
        trials: list[tuple[ExpertFactory, Probabilities]] = [
            (partial(similarity, choice=alike), alike.held_out(some.rows, folds)),
            (regression, held_out(regression, some, folds)),
            (partial(trees, number=TREES, seed=self.seed), held_out(few, some, folds)),
        ]
        if around.axes is not None:
            turned = some.rows.along(discriminant_axes(some))
            apart = KernelModel.of(turned, around.strength, some.targets, PLAIN_SPACES)
            way = partial(discriminant, choice=apart)
            trials.append((way, held_out(way, some, folds)))
        for view, other in enumerate(around.others):
            rows = some.rows.views[view]
            kernel = KernelModel.of(rows, other.strength, some.targets)
            factory = partial(view_similarity, view=view, choice=kernel)
            trials.append((factory, kernel.held_out(rows, folds)))
        return trials


def _folds(classes: Codes, seed: int) -> NDArray[np.intp]:
    """Spread the labels of each class over the folds."""
    mixed = np.random.default_rng(seed).random(len(classes))
    folds = np.empty(len(classes), dtype=np.intp)
    folds[np.lexsort((mixed, classes))] = np.arange(len(classes)) % FOLDS
    return folds
