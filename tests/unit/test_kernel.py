"""A classifier by likeness."""

import numpy as np
import pytest

from dubito.model.learners.experts import TrainingSet, discriminant_axes, similarity
from dubito.model.learners.kernel_ridge import GRAPH_SHARES, Kernel, KernelModel
from dubito.model.learners.unlabelled_context import Rows


def lessons(n: int = 60, n_classes: int = 3) -> TrainingSet:
    """Build tasks whose class is the biggest of their features."""
    plain = np.random.default_rng(0).normal(size=(n, n_classes))
    rows = Rows(plain, plain, np.zeros((n, 0)))
    return TrainingSet(rows, plain.argmax(axis=1), n_classes)


def chosen(labelled: TrainingSet) -> KernelModel:
    return KernelModel.of(labelled.rows, np.empty(0), labelled.targets)


def test_a_task_is_as_like_itself_as_can_be() -> None:
    rows = lessons().rows

    alike = Kernel("plain", length=1.0).between(rows, rows)

    assert np.diag(alike) == pytest.approx(1.0)
    assert alike == pytest.approx(alike.T)
    assert alike.min() >= 0.0


def test_likeness_in_the_graph_counts_by_its_share() -> None:
    rows = Rows(np.zeros((2, 1)), np.zeros((2, 1)), np.array([[1.0], [-1.0]]))

    alike = Kernel("plain", 1.0, graph_share=3.0, spectrum=np.ones(1))

    assert alike.between(rows, rows) == pytest.approx(
        np.array([[1.0, -0.5], [-0.5, 1.0]])
    )


def test_labels_held_out_are_foretold_as_by_refitting() -> None:
    """The closed form must be what it stands for."""
    labelled = lessons()
    choice = chosen(labelled)
    folds = np.arange(60) % 4

    probabilities = choice.held_out(labelled.rows, folds)

    for fold in range(4):
        others = labelled.at(np.flatnonzero(folds != fold))
        own = labelled.rows[np.flatnonzero(folds == fold)]
        refitted = similarity(others, choice).predict(own)
        assert probabilities[folds == fold] == pytest.approx(refitted, abs=1e-9)


def test_the_error_of_each_task_is_that_of_leaving_it_out() -> None:
    labelled = lessons(20)
    choice = chosen(labelled)

    once = choice.held_out(labelled.rows, np.arange(20))

    leaning = choice.sharpness * (labelled.targets - choice.fit.errors)
    weight = np.exp(leaning)
    assert once == pytest.approx(weight / weight.sum(axis=1, keepdims=True))


def test_the_graph_is_heard_where_it_tells_the_classes_apart() -> None:
    plain = np.random.default_rng(0).normal(size=(60, 3))
    codes = np.arange(60) % 2
    rows = Rows(plain, plain, np.eye(2)[codes] - 0.5)
    some = TrainingSet(rows[np.arange(30)], codes[:30], 2)

    choice = KernelModel.of(some.rows, np.ones(2), some.targets)

    assert choice.fit.kernel.graph_share == max(GRAPH_SHARES)
    predictions = similarity(some, choice).predict(rows).argmax(axis=1)
    assert predictions.tolist() == codes.tolist()


def test_the_graph_is_not_heard_where_it_says_nothing() -> None:
    labelled = lessons()
    rng = np.random.default_rng(1)
    plain = labelled.rows.plain
    rows = Rows(plain, plain, rng.normal(size=(60, 5)))

    choice = KernelModel.of(rows, np.ones(5), labelled.targets)

    assert choice.fit.kernel.graph_share == 0


def test_discriminant_axes_even_out_what_varies_within_classes() -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(3_000) % 3
    noise = rng.normal(size=(3_000, 3)) @ np.array([[5, 0, 0], [4, 1, 0], [0, 0, 0.1]])
    plain = np.eye(3)[codes] + noise
    labelled = TrainingSet(Rows(plain, plain, np.zeros((3_000, 0))), codes, 3)

    turned = plain @ discriminant_axes(labelled)

    within = (
        turned - np.array([turned[codes == c].mean(axis=0) for c in range(3)])[codes]
    )
    covariance = within.T @ within / len(within)
    assert covariance / np.trace(covariance) * 3 == pytest.approx(np.eye(3), abs=0.1)


def test_classes_that_are_points_have_no_axes_of_their_own() -> None:
    plain = np.eye(2)[np.arange(6) % 2]
    labelled = TrainingSet(Rows(plain, plain, np.zeros((6, 0))), np.arange(6) % 2, 2)

    assert np.array_equal(discriminant_axes(labelled), np.eye(2))
