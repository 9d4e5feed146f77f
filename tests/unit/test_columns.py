"""Rows of several kinds: each kind on the scale that suits it."""

from collections.abc import Mapping

import numpy as np
import pytest

from dubito.model.arrays import Features
from dubito.model.errors import BadItemError
from dubito.model.features.mixed_columns import (
    Layout,
    entries,
    named_category,
    named_vector,
)

NAMES = ("x", named_category("colour"), named_vector("v", 2))


def table(*rows: Mapping[str, object], names: tuple[str, ...] = NAMES) -> Features:
    """Put rows on their common scale, as a pool of them would be."""
    read = [entries(row, names) for row in rows]
    columns = tuple(sorted({column for row in read for column in row}))
    raw = [[row.get(column, np.nan) for column in columns] for row in read]
    numbers = np.array(raw, dtype=np.float32)
    return Layout.of(columns, numbers).apply(numbers)


def test_each_kind_has_its_columns() -> None:
    features = table(
        {"x": 1, "colour": "red", "v": [1, 0]},
        {"x": 2, "colour": "blue", "v": [0, 1]},
        {"x": 3, "colour": "grey", "v": [1, 1]},
    )

    assert features.shape == (3, 1 + 3 + 2)
    assert features.dtype == np.float32
    assert features.mean(axis=0)[:4] == pytest.approx(0, abs=1e-6)


def test_tasks_of_one_category_are_equal_and_others_equally_far() -> None:
    rows = [{"colour": one} for one in ["red", "blue", "red", "grey"]]

    features = table(*rows, names=(named_category("colour"),))

    distance = np.linalg.norm(features[0] - features, axis=1)
    assert distance == pytest.approx([0, 8**0.5, 0, 8**0.5])


def test_a_rare_category_is_not_far_out() -> None:
    rows = [{"colour": colour} for colour in ["red"] * 999 + ["blue"]]

    assert np.abs(table(*rows, names=(named_category("colour"),))).max() <= 2.0


def test_of_a_vector_the_direction_counts_and_not_the_length() -> None:
    rows: list[Mapping[str, object]] = [
        {"v": [3, 4]},
        {"v": [30, 40]},
        {"v": [-4, 3]},
        {"v": [1e30, 1e30]},
    ]

    features = table(*rows, names=(named_vector("v", 2),))

    assert features[0] == pytest.approx(features[1])
    assert np.linalg.norm(features[0] - features[2]) > 1
    assert np.isfinite(features).all()


def test_the_entries_of_a_vector_keep_their_proportions() -> None:
    """Standardised one by one, the noise of an embedding would count like the rest."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(200, 8)) * np.array([1, 1, 1, 1, 1, 1, 1, 0.01])

    features = table(
        *({"v": row.tolist()} for row in vectors), names=(named_vector("v", 8),)
    )

    assert features[:, 7].std() < 0.05 * features[:, 0].std()
    assert np.sqrt(np.square(features).mean()) == pytest.approx(1.0, abs=0.1)


def test_a_vector_weighs_as_much_as_all_that_stands_beside() -> None:
    rng = np.random.default_rng(0)
    rows: list[Mapping[str, object]] = [
        {"x": float(n % 7), "v": rng.normal(size=300).tolist()} for n in range(50)
    ]

    features = table(*rows, names=("x", named_vector("v", 300)))

    weight = np.square(features).mean(axis=0)
    assert weight[1:].sum() == pytest.approx(weight[0], rel=0.1)


def test_a_task_without_a_vector_lies_in_the_middle() -> None:
    rows: list[Mapping[str, object]] = [
        {"x": 1, "v": [1, 0]},
        {"x": 2, "v": [0, 1]},
        {"x": 3},
    ]

    assert table(*rows)[2, 1:].tolist() == [0, 0]


@pytest.mark.parametrize("vector", [[0, 0], [0.0, 0.0]])
def test_a_vector_of_zeros_has_no_direction(vector: list[float]) -> None:
    rows = [{"v": one} for one in [vector, [1.0, 1.0], [1.0, 2.0]]]

    assert np.isfinite(table(*rows, names=(named_vector("v", 2),))).all()


def test_there_may_be_no_rows_and_no_columns() -> None:
    nothing = np.zeros((0, 0), dtype=np.float32)

    assert Layout.of((), nothing).apply(nothing).shape == (0, 0)
    assert Layout.of((), np.zeros((3, 0), np.float32)).apply(
        np.zeros((3, 0), np.float32)
    ).shape == (3, 0)


@pytest.mark.parametrize("value", [[1, True], [1, None], [1, 2, 3], "1,2", {"a": 1}])
def test_what_is_no_vector_is_bad(value: object) -> None:
    with pytest.raises(BadItemError, match="'v' is not a list of 2 numbers"):
        entries({"v": value}, NAMES)


def test_a_row_with_nothing_in_it_is_bad() -> None:
    with pytest.raises(BadItemError, match="no number"):
        entries({"x": None, "colour": "", "v": None}, NAMES)
