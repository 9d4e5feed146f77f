"""What Dubito is compared with: other learners, and other ways to ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from inspect import signature
from pathlib import Path

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from dubito.backend.simulate.process_pool import code_mark
from dubito.backend.simulate.runs import StrategyRun
from dubito.model.arrays import Codes, Features, Probabilities
from dubito.model.determinism import one_thread
from dubito.model.learners.registry import LearnerFactory
from dubito.model.query.seed_set import permutation
from dubito.model.query.selection import QueryConfig
from dubito.model.simulation import SimulatedPool, Strategy, by_chance, by_margin

TREES = 100
MOST_STEPS = 1_000
START_PER_CLASS = 4
CLUSTERS_PER_CLASS = 1.5
DEPTH = 1.25
"""Of the mean depth of the trees: the reference caps its forest there."""

SCORED_EVERY = 3
"""Of random labels: it takes long, and labels between two scores lie on a line."""

SCORED_BEYOND = 20
"""The same beyond the budget, where random labels go on until all are told."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted classifier of scikit-learn."""

    classifier: ClassifierMixin
    n_classes: int

    def predict(self, features: Features) -> Probabilities:
        probabilities = np.zeros((len(features), self.n_classes))
        with one_thread():
            result = self.classifier.predict_proba(features)
        probabilities[:, self.classifier.classes_] = result
        return probabilities


@dataclass(frozen=True, slots=True)
class Regression:
    """Logistic regression with the settings of scikit-learn."""

    seed: int

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Fitted:
        with one_thread():
            return Fitted(_regression().fit(features, codes), n_classes)


def _regression() -> LogisticRegression:
    return LogisticRegression(max_iter=MOST_STEPS)


@dataclass(frozen=True, slots=True)
class Forest:
    """A forest with the settings of scikit-learn."""

    kind: type[RandomForestClassifier | ExtraTreesClassifier]
    seed: int

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Fitted:
        forest = self.kind(TREES, random_state=self.seed)
        return Fitted(forest.fit(features, codes), n_classes)


@dataclass(frozen=True, slots=True)
class CappedForest:
    """The reference's forest: as deep as 1.25 times its mean depth would be."""

    seed: int

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Fitted:
        make = partial(RandomForestClassifier, TREES, random_state=self.seed)
        grown = make().fit(features, codes)
        depth = np.mean([tree.get_depth() for tree in grown.estimators_])
        capped = make(max_depth=max(1, round(DEPTH * depth)))
        return Fitted(capped.fit(features, codes), n_classes)


def by_reference(lesson: SimulatedPool, manner: QueryConfig) -> Iterator[int]:
    """Ask as the reference does.

    Random tasks, 4 per class; then the rest in clusters, and from each the task with
    the smallest sum of squared distances to all centres; then the least certain one.
    """
    classes = lesson.pool.n_classes
    chance = permutation(lesson.pool.task_ids, manner.seed).tolist()
    first = chance[: START_PER_CLASS * classes]
    yield from first
    yield from _near_all_centres(lesson, first, manner.seed)
    while True:
        certainty = lesson.certainty(len(lesson.order))
        if certainty is None:
            yield next(place for place in chance if place not in lesson.order)
            continue
        certainty[lesson.order] = np.inf
        yield int(certainty.argmin())


def _near_all_centres(lesson: SimulatedPool, first: list[int], seed: int) -> list[int]:
    pool = lesson.pool
    rest = np.setdiff1d(np.arange(len(pool.codes)), first)
    count = int(CLUSTERS_PER_CLASS * pool.n_classes) + 1
    with one_thread():
        clusters = KMeans(count, n_init=1, random_state=seed).fit(pool.plain[rest])
        distance = np.square(clusters.transform(pool.plain[rest])).sum(axis=1)
    members = (np.flatnonzero(clusters.labels_ == each) for each in range(count))
    return [int(rest[m[distance[m].argmin()]]) for m in members if len(m)]


@dataclass(frozen=True, slots=True)
class Library:
    """A query strategy of scikit-activeml, after a random start of 2 per class."""

    name: str
    options: tuple[tuple[str, str], ...] = ()

    def __call__(self, lesson: SimulatedPool, manner: QueryConfig) -> Iterator[int]:
        from skactiveml import pool as strategies  # noqa: PLC0415  # an extra
        from skactiveml.classifier import SklearnClassifier  # noqa: PLC0415

        pool = lesson.pool
        known = np.full(len(pool.codes), np.nan)
        classifier = SklearnClassifier(
            _regression(), classes=list(range(pool.n_classes)), random_state=manner.seed
        )
        make = getattr(strategies, self.name)
        query = make(random_state=manner.seed, **dict(self.options)).query
        takes = {"clf": classifier} if "clf" in signature(query).parameters else {}
        yield from permutation(pool.task_ids, manner.seed)[: manner.start_size].tolist()
        while True:
            known[lesson.order] = pool.codes[lesson.order]
            with one_thread():
                (place,) = query(pool.plain, known, **takes)
            yield int(place)


LIBRARY = (
    Library("UncertaintySampling", (("method", "margin_sampling"),)),
    Library("Falcun"),
    Library("Badge"),
    Library("TypiClust"),
    Library("CoreSet"),
)


def contestants(*, with_library: bool) -> list[StrategyRun]:
    """Return all peers; those of scikit-activeml only if it is installed and wanted."""
    mark = code_mark(Path(__file__))
    strategies = [
        StrategyRun(
            name=name,
            strategy=ask,
            learner=learner,
            mark=mark,
            every=every,
            beyond=SCORED_BEYOND if ask is by_chance else 0,
        )
        for name, ask, learner, every in PEERS
    ]
    if with_library:
        mark += version("scikit-activeml").replace(".", "_")
        strategies += [
            StrategyRun(
                name=f"skactiveml {strategy.name}",
                strategy=strategy,
                learner=Regression,
                mark=mark,
            )
            for strategy in LIBRARY
        ]
    return strategies


RANDOM_FOREST = partial(Forest, RandomForestClassifier)
EXTRA_TREES = partial(Forest, ExtraTreesClassifier)

PEERS: tuple[tuple[str, Strategy | None, LearnerFactory, int], ...] = (
    ("LR random", by_chance, Regression, SCORED_EVERY),
    ("RF random", by_chance, RANDOM_FOREST, SCORED_EVERY),
    ("ET random", by_chance, EXTRA_TREES, SCORED_EVERY),
    ("LR margin", by_margin, Regression, 1),
    ("reference", by_reference, CappedForest, 1),
    ("LR everything", None, Regression, 1),
    ("RF everything", None, RANDOM_FOREST, 1),
    ("ET everything", None, EXTRA_TREES, 1),
)
