"""What the model would say of labelled tasks, had nobody labelled them."""

import numpy as np
import pytest

from dubito.model.arrays import Codes, Features, Positions
from dubito.model.evaluation.crossfit import FOLDS, NEVER, LabelledRows, folds, hold_out
from dubito.model.query.seed_set import tie_breaker
from tests.nearest import blobs, nearest_mean

N_TASKS = 80
N_LABELS = 40


def known(*, groups: Codes | None = None) -> LabelledRows:
    features, codes = blobs(N_TASKS, 3, apart=3.0)
    rows = np.arange(0, N_TASKS, 2)
    return LabelledRows(
        features=features,
        rows=rows,
        codes=codes[rows],
        ties=tie_breaker(np.arange(N_TASKS), 0),
        n_classes=3,
        groups=groups,
    )


def test_each_label_is_held_out_once_and_no_open_task_ever() -> None:
    made = known()

    fold_of_row = folds(made)

    assert set(fold_of_row[made.rows]) == set(range(FOLDS))
    assert set(fold_of_row[made.open_rows]) == {NEVER}


def test_the_labels_of_a_class_are_spread_over_the_folds() -> None:
    made = known()

    fold_of_row = folds(made)[made.rows]

    for code in range(3):
        count = np.bincount(fold_of_row[made.codes == code], minlength=FOLDS)
        assert count.max() - count.min() <= 1


def test_groups_are_held_out_whole_with_their_open_tasks() -> None:
    groups = np.arange(N_TASKS) // 8

    fold_of_row = folds(known(groups=groups))

    for group in range(10):
        assert len(set(fold_of_row[groups == group])) == 1
    assert fold_of_row.min() == 0


def test_a_group_without_labels_is_new_to_the_model_anyway() -> None:
    groups = np.zeros(N_TASKS, dtype=np.intp)
    groups[[1, 3, 5]] = 1

    fold_of_row = folds(known(groups=groups))

    assert set(fold_of_row[groups == 1]) == {NEVER}
    assert set(fold_of_row[groups == 0]) == {0}


def test_as_many_others_are_asked_as_labels_are_left_out() -> None:
    made = known()
    calls: list[tuple[Positions, Codes]] = []
    now = np.full(N_TASKS, 2)

    def fit(rows: Positions, codes: Codes) -> object:
        calls.append((rows, codes))
        return nearest_mean(made.features, 3)(rows, codes)

    fold = folds(made) == 0
    predictions = hold_out(made, fold, fit, now)  # type: ignore[arg-type]  # it only looks on

    (left, _), (both, answers) = calls
    assert predictions.rows.tolist() == np.flatnonzero(fold).tolist()
    assert not set(left) & set(predictions.rows)
    assert not set(both) & set(predictions.rows)
    assert len(both) == N_LABELS
    asked = ~np.isin(both, made.rows)
    assert set(answers[asked]) == {2}
    assert predictions.without.shape == predictions.instead.shape == (fold.sum(), 3)


def test_nobody_of_the_group_is_asked_instead() -> None:
    groups = np.arange(N_TASKS) // (N_TASKS // 2)
    made = known(groups=groups)
    calls: list[Positions] = []

    def fit(rows: Positions, codes: Codes) -> object:
        calls.append(rows)
        return nearest_mean(made.features, 3)(rows, codes)

    fold = folds(made) == 0
    hold_out(made, fold, fit, np.zeros(N_TASKS, dtype=np.intp))  # type: ignore[arg-type]  # it only looks on

    assert set(groups[calls[1]]).isdisjoint(groups[fold])


def only_one_class(features: Features) -> LabelledRows:
    rows = np.arange(4)
    return LabelledRows(
        features=features,
        rows=rows,
        codes=np.array([0, 0, 0, 1]),
        ties=tie_breaker(np.arange(len(features)), 0),
        n_classes=2,
    )


@pytest.mark.parametrize("n_tasks", [4, 12])
def test_where_one_class_is_left_it_is_named(n_tasks: int) -> None:
    """Without the only label of the other class there is nothing to fit."""
    made = only_one_class(blobs(n_tasks, 2, apart=3.0)[0])
    fold = np.arange(n_tasks) == 3

    predictions = hold_out(
        made, fold, nearest_mean(made.features, 2), np.zeros(n_tasks, dtype=np.intp)
    )

    assert predictions.instead.tolist() == [[1.0, 0.0]]
