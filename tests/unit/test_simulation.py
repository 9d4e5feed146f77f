"""Replaying a labelled pool: what is asked, and how it is scored."""

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from dubito.backend.learning.round_input import query_config
from dubito.model.arrays import Codes, Features, Probabilities
from dubito.model.evaluation.holdout import split
from dubito.model.learners.registry import learner
from dubito.model.query.seed_set import permutation
from dubito.model.simulation import (
    STRATEGIES,
    Labelled,
    SimulatedPool,
    Step,
    Strategy,
    by_chance,
    by_dubito,
    by_margin,
    replay,
    score_of_all,
)
from tests.questions import CLASSES, ask, blobs, items, preferences, said_of, window

pytestmark = pytest.mark.usefixtures("few_trees")

START = 2 * len(CLASSES)
TEN = preferences(window=10)


@dataclass(frozen=True)
class Means:
    """What `Nearest` has learnt."""

    centres: Features

    def predict(self, features: Features) -> Probabilities:
        apart = np.linalg.norm(features[:, None] - self.centres[None], axis=2)
        near = np.exp(-np.minimum(apart, 700))
        return np.asarray(near / near.sum(axis=1, keepdims=True), dtype=np.float64)


class Nearest:
    """Learns the mean of each class, so that nothing takes long."""

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Means:
        centres = np.full((n_classes, features.shape[1]), 1e9, dtype=np.float32)
        for code in np.unique(codes):
            centres[code] = features[codes == code].mean(axis=0)
        return Means(centres)


def labelled(count: int = 60, seed: int = 0) -> Labelled:
    made = items(blobs(count, seed))
    return Labelled(
        task_ids=made.task_ids,
        features=made.features,
        codes=(made.task_ids - 10) % 3,
        n_classes=3,
    )


def lesson(pool: Labelled) -> SimulatedPool:
    return SimulatedPool(pool=pool, learner=Nearest())


def steps(
    strategy: Strategy, pool: Labelled, count: int, *, seed: int = 0, every: int = 1
) -> list[Step]:
    taught = lesson(pool)
    manner = query_config(TEN.model_copy(update={"seed": seed}), 3)
    test = labelled(30, seed=9)
    return list(islice(replay(taught, strategy(taught, manner), test, every), count))


def positions(history: list[Step]) -> list[int]:
    return [step.position for step in history]


@pytest.mark.slow
def test_the_simulation_asks_what_the_service_would_ask() -> None:
    """One label behind, with the service's own learner, start and audit tasks."""
    pool, made = labelled(), items(blobs(60))
    taught = SimulatedPool(pool=pool, learner=learner("auto", 0))
    manner = query_config(TEN, 3)

    asked: list[int] = []
    for position in islice(by_dubito(taught, manner), 2 * START):
        known = said_of([10 + place for place in asked[:-1]])
        served = window(ask(made, known, window=10))
        expected = next(task for task in served if task - 10 not in asked)
        assert pool.task_ids[position] == expected
        asked.append(position)
        taught.order.append(position)


def test_a_task_is_asked_before_the_last_label_is_learnt() -> None:
    """What the last label says cannot matter: the next task was fetched at once."""
    pool = labelled()
    asked = positions(steps(by_dubito, pool, START + 4))
    for count in range(START, START + 4):
        codes = pool.codes.copy()
        codes[asked[count - 1]] = (codes[asked[count - 1]] + 1) % 3
        other = Labelled(
            task_ids=pool.task_ids, features=pool.features, codes=codes, n_classes=3
        )

        positions_of_queries = positions(steps(by_dubito, other, count + 1))

        assert positions_of_queries[count] == asked[count]


@pytest.mark.parametrize("seed", [0, 7])
def test_random_is_the_project_s_random_order(seed: int) -> None:
    pool = labelled()

    positions_of_queries = positions(steps(by_chance, pool, 60, seed=seed))

    assert positions_of_queries == permutation(pool.task_ids, seed).tolist()


def test_margin_begins_at_random_and_then_asks_for_the_least_certain() -> None:
    pool = labelled()

    positions_of_queries = positions(steps(by_margin, pool, START + 1))

    assert (
        positions_of_queries[:START] == permutation(pool.task_ids, 0)[:START].tolist()
    )
    taught = lesson(pool)
    taught.order = positions_of_queries[:START]
    certainty = taught.certainty(START)
    assert certainty is not None
    certainty[positions_of_queries[:START]] = 2
    assert certainty[positions_of_queries[START]] == certainty.min()


@pytest.mark.slow
@settings(max_examples=20)
@given(
    strategy=st.sampled_from(list(STRATEGIES.values())),
    count=st.integers(4, 40),
    seed=st.integers(0, 3),
)
def test_every_task_is_asked_for_once(
    strategy: Strategy, count: int, seed: int
) -> None:
    pool = labelled(count)

    positions_of_queries = positions(steps(strategy, pool, count, seed=seed))

    assert sorted(positions_of_queries) == list(range(count))


def test_with_all_labels_it_does_not_matter_how_they_were_asked_for() -> None:
    pool, test = labelled(), labelled(30, seed=9)

    ends = {steps(ask, pool, 60)[-1].score for ask in STRATEGIES.values()}

    assert ends == {score_of_all(lesson(pool), test)}


def test_one_class_is_all_that_one_label_teaches() -> None:
    [first] = steps(by_chance, labelled(), 1)

    assert first.score is not None
    assert first.score.accuracy == pytest.approx(1 / 3)


def sets(count: int, seed: int) -> Labelled:
    """Return tasks with a class for each big feature."""
    features = np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)
    return Labelled(
        task_ids=np.arange(count), features=features, codes=features > 0.2, n_classes=3
    )


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_sets_are_asked_for_and_scored_by_f1_and_exact_match(
    strategy: Strategy,
) -> None:
    pool, test = sets(60, seed=0), sets(80, seed=1)
    taught = SimulatedPool(pool=pool, learner=learner("auto", 0))
    manner = query_config(TEN, 3)

    history = [*islice(replay(taught, strategy(taught, manner), test), 30)]

    assert len({*positions(history)}) == 30
    first, last = history[0].score, history[-1].score
    assert first is not None
    assert last is not None
    predictor = taught.learnt(30)
    assert predictor is not None
    predictions = predictor.predict(test.features) > 0.5
    truth = test.codes.astype(np.bool_)
    assert last.accuracy == pytest.approx((predictions == truth).all(axis=1).mean())
    assert last.micro_f1 == pytest.approx(f1_score(truth, predictions, average="micro"))
    assert last.macro_f1 == pytest.approx(f1_score(truth, predictions, average="macro"))
    only = np.tile(pool.codes[history[0].position], (80, 1))
    assert first.accuracy == pytest.approx((only == truth).all(axis=1).mean())


def test_where_a_set_must_not_be_empty_none_is_told() -> None:
    pool = replace(sets(60, seed=0), may_be_empty=False)

    labels = pool.likely_targets(np.array([[0.1, 0.3, 0.2], [0.9, 0.8, 0.1]]))

    assert labels.tolist() == [[False, True, False], [True, True, False]]
    assert pool.at(np.arange(3)).may_be_empty is False


def test_a_set_has_no_more_classes_than_people_may_choose() -> None:
    pool = replace(sets(60, seed=0), most_chosen=1)

    labels = pool.likely_targets(np.array([[0.1, 0.3, 0.2], [0.9, 0.8, 0.1]]))

    assert labels.tolist() == [[False, False, False], [True, False, False]]
    assert pool.at(np.arange(3)).most_chosen == 1


def test_scores_may_be_sparse() -> None:
    history = steps(by_chance, labelled(), 9, every=4)

    assert [n for n, step in enumerate(history, 1) if step.score] == [1, 4, 8]


def test_the_learner_never_sees_what_is_kept_back() -> None:
    everything = labelled(100)
    parts = split(everything.codes, seed=1)

    pool, test = everything.at(parts.pool), everything.at(parts.test)

    assert not set(pool.task_ids.tolist()) & set(test.task_ids.tolist())
    assert len(pool.task_ids) + len(test.task_ids) == 100
