"""Which tasks come next, and why."""

from collections.abc import Mapping

import numpy as np
import pytest

from dubito.backend.learning.labels import Labels
from dubito.model.query.seed_set import StartPlan, permutation, start_order
from tests.questions import (
    CLASSES,
    ask,
    blobs,
    items,
    preferences,
    reasons,
    said_of,
    truth,
    window,
)

pytestmark = pytest.mark.usefixtures("few_trees")

START = 2 * len(CLASSES)


@pytest.mark.parametrize(
    "initial",
    [{}, {"initial": {"centres": 2, "random": 4}}, {"initial": {"random": 0}}],
)
def test_without_labels_the_start_is_asked_in_turn(
    initial: Mapping[str, object],
) -> None:
    made = items(blobs(60))
    planned = preferences(**initial).initial
    centres = 3 if planned.centres is None else planned.centres
    random = 3 if planned.random is None else planned.random
    plan = StartPlan(centres=centres, random=random, length=8)

    result = ask(made, Labels(), **initial)

    order = start_order(made.features, made.task_ids, plan, seed=0)[:8]
    assert window(result) == made.task_ids[order].tolist()
    assert set(reasons(result)) == {"start"}
    assert {place.certainty for place in result.window} == {None}


@pytest.mark.slow
def test_the_start_ends_after_two_labels_for_each_class() -> None:
    made = items(blobs(60))
    asked: list[int] = []
    whys = []

    for _label in range(START + 3):
        result = ask(made, said_of(asked), audit=0)
        whys.append(result.window[0].why)
        asked.append(result.window[0].task)

    assert whys == ["start"] * START + ["doubt"] * 3


def test_labels_that_exist_already_count() -> None:
    made = items(blobs(60))

    result = ask(made, said_of(list(range(10, 10 + START - 2))), audit=0)

    assert reasons(result) == ["start"] * 2 + ["doubt"] * 6


def test_the_start_goes_on_until_there_are_two_classes() -> None:
    made = items(blobs(60))
    alike = [task for task in made.task_ids.tolist() if truth(task) == "a"]

    result = ask(made, said_of(alike[: START + 5]))

    assert set(reasons(result)) == {"start"}
    assert not set(window(result)) & set(alike[: START + 5])


def test_a_start_label_does_not_change_the_rest_of_the_start() -> None:
    made = items(blobs(60))
    first = window(ask(made, Labels(), window=20))

    then = window(ask(made, said_of(first[:3]), window=20, audit=0))

    assert then[:3] == first[3:6]


@pytest.mark.slow
@pytest.mark.parametrize("labelled", [6, 7, 12, 23])
@pytest.mark.parametrize("audit", [0.1, 0.25, 1])
def test_every_kth_label_is_an_audit_the_next_of_the_random_order(
    labelled: int, audit: float
) -> None:
    made = items(blobs(80))
    known = said_of(list(range(10, 10 + labelled)))

    result = ask(made, known, audit=audit, window=20)

    every = preferences(audit=audit).audit_every
    whys = reasons(result)
    assert [why == "audit" for why in whys] == [
        label % every == 0 for label in range(labelled + 1, labelled + 21)
    ]
    order = made.task_ids[permutation(made.task_ids, 0)].tolist()
    for place, why in enumerate(whys):
        asked = known.touched | set(window(result)[:place])
        due = next(task for task in order if task not in asked)
        assert why != "audit" or result.window[place].task == due


def test_without_audit_doubt_alone_decides() -> None:
    made = items(blobs(60))

    result = ask(made, said_of(list(range(10, 20))), audit=0)

    assert set(reasons(result)) == {"doubt"}
    sure = dict(zip(made.task_ids.tolist(), result.ranking.certainty, strict=True))
    open_tasks = [task for task in sure if task >= 20]
    assert result.window[0].task == min(open_tasks, key=lambda t: sure[t])
    assert [place.certainty for place in result.window] == [
        sure[place.task] for place in result.window
    ]


@pytest.mark.parametrize("strategy", ["margin", "entropy", "least_confidence"])
def test_each_strategy_ranks_all_tasks(strategy: str) -> None:
    made = items(blobs(40))

    result = ask(made, said_of(list(range(10, 20))), strategy=strategy)

    assert np.unique(result.ranking.certainty).size > 5


def test_labels_of_tasks_that_cannot_be_ranked_do_not_disturb() -> None:
    """Their file may be missing, or they may have been deleted a moment ago."""
    made = items(blobs(40))
    beyond = [*range(10, 20), 7, 99, 10_000]

    result = ask(made, said_of(beyond), audit=0)

    assert set(window(result)) <= set(made.task_ids.tolist())


def test_rounds_share_what_was_found_out_about_all_tasks() -> None:
    """It takes seconds where there are many, so it is found once."""
    made = items(blobs(40))

    ask(made, said_of(list(range(10, 20))))
    graph = vars(made.surroundings).get("graph")
    ask(made, said_of(list(range(10, 30))))

    assert graph is not None
    assert made.surroundings.graph is graph


def test_there_may_be_no_task_at_all() -> None:
    made = items(np.empty((0, 3), dtype=np.float32))

    result = ask(made, Labels())

    assert result.window == ()
    assert result.ranking.certainty.size == 0
