"""Replaying tasks in which people have marked stretches."""

from itertools import islice

import numpy as np
import pytest

from dubito.backend.learning.round_input import query_config
from dubito.model.errors import TooFewLabelsError
from dubito.model.learners.registry import learner
from dubito.model.simulated_stretches import SimulatedStretches, split_stretches
from dubito.model.simulation import (
    STRATEGIES,
    Labelled,
    by_dubito,
    by_margin,
    replay,
    score_of_all,
)
from dubito.model.stretches.units import MarkedUnits, UnitTable
from tests.questions import preferences

UNITS, TASKS = 30, 24
ODD = 20
"""The only task in which the second class occurs."""


def marked_tasks(count: int = TASKS, odd: int | None = None) -> Labelled:
    """Make tasks whose middle third looks other than the rest, and has a label.

    In one of them it has another label, and looks different again.
    """
    rng = np.random.default_rng(0)
    features, members = [], []
    for task in range(count):
        is_inside = np.zeros((UNITS, 2), dtype=np.bool_)
        is_inside[10:20, int(task == odd)] = True
        noise = rng.normal(scale=0.2, size=(UNITS, 2))
        features.append((2 * is_inside + noise).astype(np.float32))
        members.append(is_inside)
    occurs = np.array([one.any(axis=0) for one in members])
    return Labelled(
        task_ids=np.arange(1, count + 1),
        features=rng.normal(size=(count, 3)).astype(np.float32),
        codes=occurs,
        n_classes=2,
        marked=MarkedUnits(
            units=UnitTable.joined(features), members=np.concatenate(members)
        ),
    )


def pool_of(tasks: Labelled) -> SimulatedStretches:
    return SimulatedStretches(pool=tasks, learner=learner("auto", 0))


@pytest.mark.slow
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_asks_for_each_task_once_and_learns(name: str) -> None:
    tasks, test = marked_tasks(), marked_tasks(8)
    lesson, manner = pool_of(tasks), query_config(preferences(window=10), 2)

    steps = list(islice(replay(lesson, STRATEGIES[name](lesson, manner), test), 10))

    assert len({step.position for step in steps}) == len(steps) == 10
    score = steps[-1].score
    assert score is not None
    assert score.low is not None
    assert score.high is not None
    assert score.micro_f1 is None
    assert 0.9 < score.accuracy <= score.high
    assert score.low < score.accuracy
    assert score.macro_f1 > 0.9
    assert score == pool_at(tasks, lesson.order).score(10, test)


def pool_at(tasks: Labelled, order: list[int]) -> SimulatedStretches:
    taught = pool_of(tasks)
    taught.order[:] = order
    return taught


def test_the_task_with_doubtful_units_is_asked_for() -> None:
    tasks = marked_tasks(odd=ODD)
    features = tasks.marked.units.features if tasks.marked else np.empty((0, 2))
    features[tasks.marked.units.slice_of(ODD)] = 1.0  # type: ignore[union-attr]
    lesson = pool_at(tasks, list(range(8)))
    manner = query_config(preferences(window=10, audit=0), 2)

    assert next(by_margin(lesson, manner)) == ODD
    assert next(by_dubito(lesson, manner)) == ODD


def test_the_only_label_there_is_is_predicted_everywhere() -> None:
    tasks = marked_tasks()
    assert tasks.marked is not None
    whole = np.ones_like(tasks.marked.members)
    units = tasks.marked.units
    same = Labelled(
        task_ids=tasks.task_ids,
        features=tasks.features,
        codes=tasks.codes,
        n_classes=2,
        marked=MarkedUnits(units=units, members=whole),
    )
    lesson = pool_at(same, [0, 1])

    assert lesson.certainty(2) is None
    assert lesson.score(2, same).accuracy == 1.0


def test_all_labels_are_those_of_the_whole_pool() -> None:
    tasks, test = marked_tasks(odd=ODD), marked_tasks(8, odd=3)

    few = pool_at(tasks, list(range(8))).score(8, test)

    assert score_of_all(pool_of(tasks), test).macro_f1 > few.macro_f1


def test_a_third_of_the_tasks_is_kept_back_or_whole_groups() -> None:
    tasks, groups = marked_tasks(), np.arange(TASKS) // 4

    alone, together = (split_stretches(tasks, 1, of) for of in (None, groups))

    assert sorted([*alone.pool, *alone.test]) == list(range(TASKS))
    assert len(alone.test) == 8
    assert not {*groups[together.test]} & {*groups[together.pool]}
    assert {*split_stretches(tasks, 2).test} != {*alone.test}


def test_too_little_to_replay_is_said_in_a_sentence() -> None:
    with pytest.raises(TooFewLabelsError, match="at least 7"):
        split_stretches(marked_tasks(6), 0)
    tasks = marked_tasks(10)
    assert tasks.marked is not None
    tasks.marked.members[:] = False
    with pytest.raises(TooFewLabelsError, match="same label throughout"):
        split_stretches(tasks, 0)
