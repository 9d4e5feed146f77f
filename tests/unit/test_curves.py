"""What a learning curve says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dubito.model.evaluation.learning_curve import (
    Curve,
    classes_met,
    filled,
    labels_to,
    mean_height,
)

curves = arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1))


def test_a_curve_arrives_where_it_stays() -> None:
    curve = np.array([0.2, 0.9, 0.4, 0.9, 0.95])

    assert labels_to(curve, 0.9) == 4
    assert labels_to(curve, 0.1) == 1
    assert labels_to(curve, 0.96) is None


@given(curve=curves, level=st.floats(0, 1))
def test_from_where_it_arrives_on_a_curve_is_never_below(
    curve: Curve, level: float
) -> None:
    label_count = labels_to(curve, level)

    if label_count is None:
        assert curve[-1] < level
    else:
        assert (curve[label_count - 1 :] >= level).all()
        assert label_count == 1 or curve[label_count - 2] < level


@given(curve=curves, low=st.floats(0, 1), high=st.floats(0, 1))
def test_more_accuracy_never_needs_fewer_labels(
    curve: Curve, low: float, high: float
) -> None:
    low, high = sorted((low, high))
    needed = [labels_to(curve, level) or np.inf for level in (low, high)]

    assert needed[0] <= needed[1]


def test_gaps_lie_on_a_line() -> None:
    curve = np.array([0.0, np.nan, np.nan, 0.6, np.nan])

    assert filled(curve) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.6])


def test_the_mean_begins_after_the_start() -> None:
    curve = np.array([0.0] * 10 + [1.0] * 9)

    assert mean_height(curve, n_classes=2) == 1.0
    assert mean_height(curve, n_classes=100) == 1.0
    assert mean_height(curve[:11], n_classes=1) == pytest.approx(1 / 7)


def test_classes_are_met_once() -> None:
    assert classes_met(np.array([1, 1, 0]), 4).tolist() == [0.25, 0.25, 0.5]
