"""How often the model is right: an estimate with an interval."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from dubito.model.arrays import Positions, Probabilities
from dubito.model.evaluation.accuracy import accuracy, random_prefix
from dubito.model.evaluation.assessment import NOW, Assessed
from dubito.model.evaluation.crossfit import LabelledRows
from dubito.model.evaluation.relation import FEWEST_GROUPS, FEWEST_RANDOM, Evidence
from dubito.model.query.ranking import certainty_order
from dubito.model.query.seed_set import permutation, tie_breaker
from dubito.model.query.uncertainty import margin
from tests.nearest import blobs, nearest_mean

RUNS = 25


def evidence(n_right: int, n_wrong: int, /, **chosen: object) -> Evidence:
    """Say how many labels the model would have had right and wrong, all at random."""
    n_labels = n_right + n_wrong
    facts: dict[str, object] = {
        "right": np.random.default_rng(0).permutation(
            (np.arange(n_labels) < n_right).astype(np.float64)
        ),
        "sure": np.full(n_labels, 0.8),
        "random": np.ones(n_labels, dtype=bool),
        "open_sure": np.full(100, 0.8),
        "n_open": 1_000,
        **chosen,
    }
    return Evidence(**facts)  # type: ignore[arg-type]  # the names are those of Evidence


def test_what_is_seen_is_estimated() -> None:
    estimate = accuracy(evidence(80, 20))

    assert estimate is not None
    assert estimate.estimate == pytest.approx(0.8, abs=0.02)
    assert estimate.low < 0.75
    assert estimate.high > 0.85
    assert estimate.n == 100


def test_with_too_few_random_labels_nothing_is_said() -> None:
    random = np.arange(40) < FEWEST_RANDOM

    assert accuracy(evidence(30, 10, random=random)) is not None
    assert accuracy(evidence(30, 10, random=random & (np.arange(40) > 0))) is None


def test_more_labels_narrow_the_interval() -> None:
    widths = []
    for size in (20, 80, 320):
        estimate = accuracy(evidence(size * 3 // 4, size // 4))
        assert estimate is not None
        widths.append(estimate.high - estimate.low)

    assert widths[0] > widths[1] > widths[2]


def test_random_labels_count_more_for_open_tasks_than_chosen_ones() -> None:
    """Doubt picks the hard ones: that those go wrong says less of the rest."""
    chosen_wrong = evidence(60, 20)
    is_right = chosen_wrong.right > 0
    random = ~is_right
    wrong_at_random = accuracy(evidence(60, 20, random=random | (np.arange(80) < 9)))
    wrong_by_choice = accuracy(evidence(60, 20, random=is_right))

    assert wrong_at_random is not None
    assert wrong_by_choice is not None
    assert wrong_by_choice.estimate > wrong_at_random.estimate + 0.05


def test_open_tasks_the_model_is_surer_of_are_more_often_right() -> None:
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.4, 0.99, size=200)
    right = (rng.uniform(size=200) < sure).astype(np.float64)
    labels = Evidence(
        right=right, sure=sure, random=np.ones(200, dtype=bool), n_open=5_000
    )

    doubted = accuracy(replace(labels, open_sure=np.full(50, 0.5)))
    trusted = accuracy(replace(labels, open_sure=np.full(50, 0.95)))

    assert doubted is not None
    assert trusted is not None
    assert doubted.estimate < 0.65
    assert trusted.estimate > 0.85


def test_errors_that_go_together_in_groups_widen_the_interval() -> None:
    groups = np.repeat(np.arange(5), 20)
    together = np.repeat([1.0, 1.0, 1.0, 1.0, 0.0], 20)
    alone = accuracy(evidence(80, 20, right=together))
    grouped = accuracy(evidence(80, 20, right=together, groups=groups))

    assert alone is not None
    assert grouped is not None
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_a_few_groups_say_nothing_of_others() -> None:
    few = np.arange(100) % (FEWEST_GROUPS - 1)
    enough = np.arange(100) % FEWEST_GROUPS

    assert accuracy(evidence(80, 20, groups=few)) is None
    assert accuracy(evidence(80, 20, groups=enough)) is not None


def test_with_no_open_task_the_labels_are_all_there_is() -> None:
    estimate = accuracy(evidence(30, 10, open_sure=np.empty(0), n_open=0))

    assert estimate is not None
    assert estimate.estimate == pytest.approx(0.75)


def test_the_random_prefix_ends_at_the_first_task_without_a_label() -> None:
    order = np.array([4, 2, 0, 1, 3])

    assert random_prefix(order, {4, 2, 1, 3}, ()) == [4, 2]
    assert random_prefix(order, {2, 0}, ()) == []
    assert random_prefix(order, {0, 1, 2, 3, 4}, ()) == [4, 2, 0, 1, 3]


def test_a_task_that_nobody_can_label_does_not_end_the_random_prefix() -> None:
    order = np.array([4, 2, 0, 1, 3])

    assert random_prefix(order, {4, 0}, {2}) == [4, 0]


def labelled_by_doubt(n_labels: int, seed: int) -> tuple[Assessed, float]:
    """Label tasks as the service does; return them, and what the model is worth."""
    features, codes = blobs(400, 4, apart=2.2, seed=seed)
    fresh, answers = blobs(4_000, 4, apart=2.2, seed=1_000 + seed)
    fit = nearest_mean(np.concatenate([features, fresh]), 4)
    ids = np.arange(400)
    order, ties = permutation(ids, seed), tie_breaker(ids, seed)
    asked = order[:10].tolist()
    while len(asked) < n_labels:
        certainty = margin(fit(np.array(asked), codes[asked])(ids))
        asked += _first(certainty_order(certainty, ties), asked, 9)
        asked += _first(order, asked, 1)
    rows = np.array(sorted(asked))
    assessed = Assessed(
        known=LabelledRows(
            features=features, rows=rows, codes=codes[rows], ties=ties, n_classes=4
        ),
        n_open=400 - n_labels,
        in_time=np.array(asked),
        random_rows=np.array(random_prefix(order, set(asked), ()), dtype=np.intp),
        classes=("a", "b", "c", "d"),
    )
    predictions = fit(rows, codes[rows])(400 + np.arange(4_000)).argmax(axis=1)
    return assessed, float((predictions == answers).mean())


def _first(order: Positions, known: list[int], count: int) -> list[int]:
    return [int(task) for task in order[~np.isin(order, known)][:count]]


@pytest.mark.slow
def test_the_interval_covers_though_labels_are_chosen_by_doubt() -> None:
    """Nominal 95 %; what the labels say by themselves is far too low."""
    covered, naive = [], []
    for seed in range(RUNS):
        assessed, truth = labelled_by_doubt(60, seed)
        fit = nearest_mean(assessed.known.features, 4)
        predictions = {NOW: assessed.take(NOW, fit, np.empty(0, dtype=np.intp))}
        for step in assessed.steps[1:]:
            predictions[step] = assessed.take(
                step, fit, predictions[NOW].argmax(axis=1)
            )

        measured = assessed.conclude(predictions).accuracy

        assert measured is not None
        covered.append(measured.low <= truth <= measured.high)
        naive.append(_cross_validated(assessed, predictions) - truth)
    assert np.mean(covered) >= 0.9
    assert np.mean(naive) < -0.1


def _cross_validated(
    assessed: Assessed, predictions: Mapping[str, Probabilities]
) -> float:
    """Return what plain cross-validation on the same labels says."""
    known, right = assessed.known, 0
    for fold in range(int(assessed.folds.max()) + 1):
        codes = known.codes[assessed.folds[known.rows] == fold]
        right += int((predictions[f"fold {fold}"][0].argmax(axis=1) == codes).sum())
    return right / len(known.rows)
