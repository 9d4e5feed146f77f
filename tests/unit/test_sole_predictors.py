"""Columns that predict the labels alone are found, and honest data raises no alarm."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from dubito.model.evaluation.leakage import Columns, single_predictors

HONEST = (load_iris, load_wine, load_breast_cancer, load_digits)


def table(
    numbers: ArrayLike,
    codes: ArrayLike,
    categories: Mapping[str, NDArray[np.intp]] | None = None,
    groups: NDArray[np.intp] | None = None,
) -> Columns:
    features = np.asarray(numbers, dtype=np.float32)
    width = features.shape[1]
    return Columns(
        features=features,
        names=[f"x{place}" for place in range(width)],
        numbers=np.arange(width),
        categories=categories or {},
        codes=np.asarray(codes, dtype=np.intp),
        groups=groups,
    )


def noise(count: int, width: int, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(count, width))


def labels(count: int, classes: int = 3) -> NDArray[np.intp]:
    return np.random.default_rng(2).integers(0, classes, count)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_a_category_that_names_the_label_is_found(classes: int) -> None:
    codes = labels(120, classes)
    shuffled = np.random.default_rng(3).permutation(classes)[codes]

    accuracies = single_predictors(table(noise(120, 4), codes, {"caption": shuffled}))

    assert accuracies == {"caption": 1.0}


def test_a_number_that_stands_for_the_label_is_found() -> None:
    codes, numbers = labels(120), noise(120, 4)
    numbers[:, 2] = np.array([7, -1, 3])[codes]

    assert single_predictors(table(numbers, codes)) == {"x2": 1.0}


def test_a_score_that_parts_the_classes_is_found() -> None:
    codes, numbers = labels(200), noise(200, 4)
    numbers[:, 1] = codes + 0.05 * numbers[:, 1]

    assert single_predictors(table(numbers, codes)) == {"x1": 1.0}


def test_two_of_them_do_not_hide_each_other() -> None:
    codes, numbers = labels(200), noise(200, 4)
    numbers[:, 1] = codes + 0.05 * numbers[:, 1]
    numbers[:, 3] = codes - 0.05 * numbers[:, 3]

    accuracies = single_predictors(table(numbers, codes, {"caption": codes}))

    assert accuracies.keys() == {"x1", "x3", "caption"}


def test_a_label_that_is_a_slip_hides_nothing() -> None:
    codes = labels(150)
    slipped = codes.copy()
    slipped[:2] = (codes[:2] + 1) % 3

    assert single_predictors(table(noise(150, 4), slipped, {"caption": codes}))


@pytest.mark.parametrize("load", HONEST, ids=lambda load: load.__name__)
@pytest.mark.parametrize("count", [40, 60, 100, 150, 300])
def test_honest_data_raises_no_alarm(load: object, count: int) -> None:
    assert callable(load)
    numbers, codes = load(return_X_y=True)
    for seed in range(3):
        some = np.random.default_rng(seed).permutation(len(codes))[:count]

        assert single_predictors(table(numbers[some], codes[some])) == {}


def test_measurements_that_part_easy_classes_raise_no_alarm() -> None:
    """Petals tell setosa from the others without a fault; so do the sepals, almost."""
    numbers, codes = load_iris(return_X_y=True)
    two = codes != 1

    assert single_predictors(table(numbers[two], codes[two])) == {}


def test_a_rare_class_is_no_reason_for_an_alarm() -> None:
    """Whatever is said of 98 % of the tasks is right of 98 %."""
    codes = (np.arange(500) % 50 == 0).astype(np.intp)
    constant = np.zeros(500, dtype=np.intp)

    assert single_predictors(table(noise(500, 4), codes, {"same": constant})) == {}


def test_few_labels_are_no_reason_for_an_alarm() -> None:
    few = labels(39)
    single = np.r_[np.zeros(60, np.intp), np.ones(9, np.intp)]

    assert single_predictors(table(noise(39, 2), few, {"caption": few})) == {}
    assert single_predictors(table(noise(69, 2), single, {"caption": single})) == {}


def test_among_many_columns_one_is_right_by_luck() -> None:
    codes, numbers = labels(45, 2), noise(45, 1)

    assert single_predictors(table(numbers, codes, {"a": codes}))
    assert not single_predictors(table(noise(45, 50), codes, {"a": codes}))


def test_names_of_the_tasks_predict_nothing() -> None:
    codes = labels(200)

    assert single_predictors(table(noise(200, 2), codes, {"id": np.arange(200)})) == {}


def test_what_is_true_of_each_group_does_not_predict_another_group() -> None:
    """The age of a person names the person, and with it what they were asked about."""
    people = np.arange(200) // 20
    codes = np.random.default_rng(5).integers(0, 2, 10)[people]
    ages = np.random.default_rng(6).permutation(10)[people]

    alone = single_predictors(table(noise(200, 2), codes, {"age": ages}))
    parted = single_predictors(table(noise(200, 2), codes, {"age": ages}, people))

    assert alone == {"age": 1.0}
    assert parted == {}


def test_equal_data_gives_equal_findings() -> None:
    codes, numbers = labels(2_000), noise(2_000, 5)
    numbers[:, 1] = codes

    first, again = (single_predictors(table(numbers, codes)) for _ in range(2))

    assert first == again == {"x1": 1.0}
