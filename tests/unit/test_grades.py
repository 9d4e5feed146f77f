"""Grades: classes in ascending order, learnt, rated and doubted by their order."""

import numpy as np
import pytest

from dubito.model.arrays import Codes, Features, Probabilities, median_grades
from dubito.model.errors import OneClassError
from dubito.model.evaluation.answers import kind_of, likely_targets, sure
from dubito.model.evaluation.label_errors import label_errors
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.fitting import fit_labels
from dubito.model.learners.grades import grade_probabilities
from dubito.model.learners.registry import (
    GradeLearner,
    Learner,
    Predictor,
    learner,
    within,
    without_tasks,
)
from dubito.model.learners.unlabelled_context import UnlabelledContext
from dubito.model.query.uncertainty import doubt

pytestmark = pytest.mark.usefixtures("few_trees")

N_GRADES = 5


def graded(n: int = 240, seed: int = 0) -> tuple[Features, Codes]:
    """Draw tasks whose grade rises with two features, with noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 4)).astype(np.float32)
    height = features[:, 0] + features[:, 1] + rng.normal(scale=0.7, size=n)
    cuts = np.quantile(height, np.arange(1, N_GRADES) / N_GRADES)
    return features, np.searchsorted(cuts, height).astype(np.intp)


def predictions(
    chosen: Learner, features: Features, codes: Codes, *, is_ordered: bool = True
) -> Probabilities:
    """Learn from the first 40 tasks, and predict the others."""
    informed = within(chosen, UnlabelledContext(features))
    predictor = fit_labels(
        informed, features[:40], codes[:40], N_GRADES, is_ordered=is_ordered
    )
    assert predictor is not None
    return predictor.predict(features[40:])


class Plain:
    """A learner of another package: it knows classes alone."""

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Predictor:
        return Ensemble().fit(features, codes, n_classes)


def test_a_grade_has_half_of_the_chances_on_either_side() -> None:
    probabilities = np.array([[0.4, 0.0, 0.6], [0.5, 0.0, 0.5], [0.3, 0.4, 0.3]])

    assert median_grades(probabilities).tolist() == [2, 0, 1]
    assert likely_targets(probabilities, "ordered").tolist() == [2, 0, 1]
    assert likely_targets(probabilities, "one of").tolist() == [2, 0, 1]
    assert sure(probabilities, "ordered").tolist() == [0.6, 0.5, 0.4]
    assert likely_targets(np.array([[0.4, 0.3, 0.3]]), "ordered").tolist() == [1]


def test_the_grade_is_the_same_of_numbers_of_32_bits() -> None:
    """Those of a round are kept so."""
    probabilities = np.random.default_rng(0).dirichlet([1] * 10, 500).round(1)
    probabilities /= probabilities.sum(axis=1, keepdims=True)

    stored = probabilities.astype(np.float32).astype(np.float64)

    assert np.array_equal(median_grades(probabilities), median_grades(stored))


def test_only_arrays_of_codes_may_be_grades() -> None:
    assert kind_of(np.array([1]), is_ordered=True) == "ordered"
    assert kind_of(np.array([1])) == "one of"


def test_chances_to_be_above_become_probabilities() -> None:
    above = np.array([[0.9, 0.5, 0.2], [0.4, 0.8, 0.1], [0.2, 0.2, 0.9]])

    result = grade_probabilities(above)

    assert result[0] == pytest.approx([0.1, 0.4, 0.3, 0.2])
    assert result.min() >= 0
    assert result.sum(axis=1) == pytest.approx([1, 1, 1])
    turned = grade_probabilities(1 - above[:, ::-1])
    assert turned == pytest.approx(result[:, ::-1])


def test_the_order_is_learnt() -> None:
    """The error in grades is smaller than that of classes without an order."""
    errors = {True: 0.0, False: 0.0}
    for seed in range(3):
        features, codes = graded(seed=seed)
        for is_ordered in errors:
            result = predictions(Ensemble(), features, codes, is_ordered=is_ordered)
            grades = likely_targets(result, "ordered" if is_ordered else "one of")
            errors[is_ordered] += float(np.abs(grades - codes[40:]).mean()) / 3
            assert result.sum(axis=1) == pytest.approx(np.ones(len(result)))

    assert errors[True] < 0.95 * errors[False]
    assert errors[True] < 0.75


def test_a_scale_that_is_turned_turns_the_predictions() -> None:
    features, codes = graded()

    result = predictions(Ensemble(), features, codes)
    turned = predictions(Ensemble(), features, N_GRADES - 1 - codes)

    assert turned[:, ::-1] == pytest.approx(result, abs=0.02)


def test_a_grade_without_labels_is_not_predicted() -> None:
    features, codes = graded()
    codes[codes == 2] = 3

    result = predictions(Ensemble(), features, codes)

    assert result[:, 2].max() == 0
    assert (median_grades(result) != 2).all()
    assert {*median_grades(result).tolist()} >= {0, 4}


def test_a_learner_that_knows_no_order_learns_classes() -> None:
    features, codes = graded()

    assert not isinstance(Plain(), GradeLearner)
    assert isinstance(learner("auto", 0), GradeLearner)
    result = predictions(Plain(), features, codes)

    classes = predictions(Plain(), features, codes, is_ordered=False)
    assert np.array_equal(result, classes)


def test_equal_labels_give_equal_probabilities_and_what_is_kept_is_small() -> None:
    features, codes = graded()
    informed = Ensemble(3).within(UnlabelledContext(features))

    first = informed.fit_grades(features[:40], codes[:40], N_GRADES)
    again = informed.fit_grades(features[:40], codes[:40], N_GRADES)

    expected = first.predict(features)
    assert np.array_equal(expected, again.predict(features))
    bare = without_tasks(first)
    assert bare is not first
    assert bare.predict(features.copy()) == pytest.approx(expected, abs=1e-6)


def test_one_grade_teaches_nothing() -> None:
    features, codes = graded(8)

    with pytest.raises(OneClassError):
        Ensemble().fit_grades(features, np.zeros_like(codes), N_GRADES)


@pytest.mark.parametrize("name", ["entropy", "margin"])
def test_doubt_between_grades_far_apart_is_greater(name: str) -> None:
    """Of classes without an order both tasks are as doubtful."""
    rows = np.array([[0.5, 0.0, 0.0, 0.5], [0.0, 0.5, 0.5, 0.0]])

    far, near = doubt(name, rows, "ordered").tolist()

    assert far < near
    assert np.ptp(doubt(name, rows)) == 0


def test_the_smallest_margin_is_the_greatest_expected_error() -> None:
    probabilities = np.random.default_rng(0).dirichlet([1] * 5, 50)
    grades, medians = np.arange(5), likely_targets(probabilities, "ordered")
    distance = np.abs(grades - medians[:, None])

    result = doubt("margin", probabilities, "ordered")

    expected = 1 - (probabilities * distance).sum(axis=1) / 2
    assert result == pytest.approx(expected, abs=1e-6)


def test_the_label_that_is_wrong_by_most_grades_is_named_first() -> None:
    probabilities = np.array(
        [[0.1, 0.2, 0.6, 0.1], [0.02, 0.03, 0.15, 0.8], [0.0, 0.9, 0.1, 0.0]]
    )
    codes = np.array([1, 0, 1])

    errors = label_errors(probabilities, codes, 9, is_ordered=True)

    assert [(one.place, one.suggested) for one in errors] == [(1, 3), (0, 2)]
    by_belief = np.array([[0.04, 0.9, 0.06], [0.1, 0.1, 0.8]])
    adjacent = label_errors(by_belief, np.array([0, 0]), 9, is_ordered=True)
    assert [one.place for one in adjacent] == [1, 0]
