"""How many tasks a threshold covers, and how often the model errs on them."""

from dataclasses import dataclass

import numpy as np
import pytest

from dubito.model.arrays import Codes, Features, Positions
from dubito.model.evaluation.accuracy import accuracy
from dubito.model.evaluation.assessment import NOW, Assessed
from dubito.model.evaluation.autolabel_thresholds import (
    STEPS,
    Threshold,
    farthest,
    thresholds,
)
from dubito.model.evaluation.crossfit import Fit, LabelledRows
from dubito.model.evaluation.relation import Relation
from dubito.model.query.ranking import certainty_order
from dubito.model.query.seed_set import permutation, tie_breaker
from dubito.model.query.uncertainty import margin
from tests.nearest import blobs, nearest_mean
from tests.unit.test_accuracy import evidence

RUNS = 24
LOOKED_AT = (0.0, 0.5, 0.9)


def relation(n_right: int = 80, n_wrong: int = 20) -> Relation:
    estimate = accuracy(evidence(n_right, n_wrong))
    assert estimate is not None
    assert estimate.relation is not None
    return estimate.relation


def threshold(tasks: int, high: float | None) -> Threshold:
    return Threshold(certainty=0.5, tasks=tasks, error=high, low=high, high=high)


def test_a_threshold_covers_what_is_as_certain_or_more() -> None:
    certainty = np.array([0.1, 0.5, 0.5, 0.9])

    levels = thresholds(certainty, np.full(4, 0.8), relation())

    covered = {round(one.certainty, 2): one.tasks for one in levels}
    assert len(levels) == STEPS + 1
    assert [covered[c] for c in (0.0, 0.1, 0.12, 0.5, 0.52, 0.9, 0.92)] == [
        *(4, 4, 3, 3, 1, 1, 0)
    ]


def test_where_no_task_is_left_nothing_is_said() -> None:
    last = thresholds(np.array([0.3]), np.array([0.6]), relation())[-1]

    assert (last.tasks, last.error, last.low, last.high) == (0, None, None, None)
    assert thresholds(np.empty(0), np.empty(0), relation())[0].tasks == 0


def test_the_surer_the_model_the_fewer_errors_are_expected() -> None:
    sure = np.linspace(0.3, 0.99, 200)

    levels = thresholds(sure, sure, relation())

    errors = [one.error for one in levels if one.error is not None]
    assert errors == sorted(errors, reverse=True)
    assert all(
        one.low <= one.error <= one.high
        for one in levels
        if one.error is not None and one.low is not None and one.high is not None
    )


def test_a_few_tasks_may_err_more_often_than_many() -> None:
    many = thresholds(np.ones(1_000), np.full(1_000, 0.8), relation())[0]
    few = thresholds(np.ones(3), np.full(3, 0.8), relation())[0]

    assert many.error == pytest.approx(few.error)
    assert many.high is not None
    assert few.high is not None
    assert few.high > many.high


def test_without_a_wrong_answer_seen_the_error_may_be_nothing() -> None:
    level = thresholds(np.ones(50), np.full(50, 0.9), relation(30, 0))[0]

    assert level.low == 0.0


@pytest.mark.parametrize("labels", [40, 100, 300])
def test_labels_that_are_all_right_rule_out_many_errors(labels: int) -> None:
    """About 3.7 of so many, as the binomial distribution has it."""
    all_right = accuracy(evidence(labels, 0, sure=np.full(labels, 0.95)))
    assert all_right is not None
    assert all_right.relation is not None

    level = thresholds(np.ones(2_000), np.full(2_000, 0.95), all_right.relation)[0]

    assert level.high is not None
    assert 2 / labels < level.high < 4.5 / labels


def test_of_so_few_tasks_and_errors_there_may_be_none() -> None:
    few = thresholds(np.ones(10), np.full(10, 0.9), relation(95, 5))[0]
    many = thresholds(np.ones(5_000), np.full(5_000, 0.9), relation(95, 5))[0]

    assert few.low == 0.0
    assert many.low is not None
    assert many.low > 0.0


def test_the_farthest_threshold_is_that_of_most_tasks_that_surely_err_no_more() -> None:
    fine, finer = threshold(40, 0.05), threshold(20, 0.01)

    assert farthest([threshold(90, 0.2), fine, finer], 0.05) == fine
    assert farthest([threshold(90, 0.2), threshold(0, None)], 0.05) is None


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A project as it may be: how many classes, how hard to tell, how many labels."""

    n_classes: int
    apart: float
    n_labels: int
    n_tasks: int = 400


SETTINGS = {
    "hard": Setting(n_classes=4, apart=2.2, n_labels=60),
    "two classes": Setting(n_classes=2, apart=2.0, n_labels=40),
    "easy": Setting(n_classes=6, apart=4.0, n_labels=60),
    "many labels": Setting(n_classes=3, apart=2.5, n_labels=120),
}


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_the_interval_covers_the_errors_there_are(setting: Setting) -> None:
    """Nominal 95 %: of what the present model would write for each open task."""
    covered = [one for seed in range(RUNS) for one in _covers(setting, seed)]

    assert np.mean(covered) >= 0.9


def _covers(setting: Setting, seed: int) -> list[bool]:
    """Label by doubt, and look whether thresholds' intervals hold the truth."""
    features, codes = blobs(
        setting.n_tasks, setting.n_classes, apart=setting.apart, seed=seed
    )
    fit = nearest_mean(features, setting.n_classes)
    assessed = _assessed(features, codes, fit, setting, seed)
    predictions = {NOW: assessed.take(NOW, fit, np.empty(0, dtype=np.intp))}
    guesses = predictions[NOW].argmax(axis=1)
    for step in assessed.steps[1:]:  # earlier models are for advice alone
        is_fold = step.startswith("fold")
        predictions[step] = (
            assessed.take(step, fit, guesses) if is_fold else predictions[NOW]
        )
    measured = assessed.conclude(predictions).accuracy
    assert measured is not None
    assert measured.relation is not None
    rest = assessed.known.open_rows
    probabilities = predictions[NOW][rest]
    certainty = margin(probabilities)
    wrong = probabilities.argmax(axis=1) != codes[rest]
    looked = thresholds(certainty, probabilities.max(axis=1), measured.relation)
    return [
        bool(one.low <= wrong[certainty >= one.certainty].mean() <= one.high)
        for one in looked
        if one.certainty in LOOKED_AT and one.low is not None and one.high is not None
    ]


def _assessed(
    features: Features, codes: Codes, fit: Fit, setting: Setting, seed: int
) -> Assessed:
    ids = np.arange(setting.n_tasks)
    order, ties = permutation(ids, seed), tie_breaker(ids, seed)
    asked = order[:10].tolist()
    while len(asked) < setting.n_labels:
        certainty = margin(fit(np.array(asked), codes[asked])(ids))
        asked += _first(certainty_order(certainty, ties), asked, 9)
        asked += _first(order, asked, 1)
    rows = np.array(sorted(asked))
    return Assessed(
        known=LabelledRows(
            features=features,
            rows=rows,
            codes=codes[rows],
            ties=ties,
            n_classes=setting.n_classes,
        ),
        n_open=setting.n_tasks - len(asked),
        in_time=np.array(asked),
        random_rows=order[: _prefix(order, asked)],
        classes=tuple("abcdef"[: setting.n_classes]),
    )


def _prefix(order: Positions, asked: list[int]) -> int:
    """Return how many tasks of the random order have a label, from the first on."""
    is_open = ~np.isin(order, asked)
    return int(is_open.argmax()) if is_open.any() else len(order)


def _first(order: Positions, known: list[int], count: int) -> list[int]:
    return [int(task) for task in order[~np.isin(order, known)][:count]]
