"""How well sets of classes are predicted, and which of them may be wrong."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from dubito.model.arrays import Features, Members, Positions, Targets
from dubito.model.evaluation.answers import kind_of, likely_targets, marks, sure
from dubito.model.evaluation.assessment import NOW, Assessed
from dubito.model.evaluation.crossfit import Fit, LabelledRows, Predict, learn
from dubito.model.evaluation.f1 import set_scores
from dubito.model.evaluation.label_errors import label_errors, without_additions


def drawn_sets(n: int, n_classes: int = 4, seed: int = 0) -> Members:
    return np.random.default_rng(seed).random((n, n_classes)) < 0.4


def test_f1_is_that_of_scikit_learn() -> None:
    truth, predicted = drawn_sets(40), drawn_sets(40, seed=1)

    scores = set_scores(truth, predicted)

    assert scores is not None
    for average, f1 in (("micro", scores.micro), ("macro", scores.macro)):
        assert f1.estimate == pytest.approx(f1_score(truth, predicted, average=average))
        assert f1.low < f1.estimate < f1.high
    each = f1_score(truth, predicted, average=None)
    assert scores.by_class == pytest.approx(each)


def test_more_tasks_make_the_interval_narrower() -> None:
    widths = []
    for n in (10, 100, 1_000):
        truth = drawn_sets(n)
        wrong = drawn_sets(n, seed=1) & drawn_sets(n, seed=2)
        scores = set_scores(truth, truth ^ wrong)
        assert scores is not None
        widths.append(scores.micro.high - scores.micro.low)

    assert widths[0] > 2 * widths[1] > 4 * widths[2]


def test_a_perfect_prediction_of_few_tasks_is_not_taken_for_certain() -> None:
    truth = drawn_sets(6)

    scores = set_scores(truth, truth)

    assert scores is not None
    assert (scores.micro.estimate, scores.micro.high) == (1.0, 1.0)
    assert scores.micro.low < 0.95


def test_a_class_that_is_nowhere_has_no_f1() -> None:
    truth, nothing = drawn_sets(20), np.zeros((20, 4), dtype=np.bool_)
    truth[:, 2] = False

    scores = set_scores(truth, truth)

    assert scores is not None
    assert np.isnan(scores.by_class).tolist() == [False, False, True, False]
    assert scores.macro.estimate == 1.0
    assert set_scores(nothing, nothing) is None


def test_equal_labels_have_equal_marks() -> None:
    members = drawn_sets(60, n_classes=70)
    members[7], members[9] = members[3], False

    numbers = marks(members)

    assert numbers[7] == numbers[3]
    assert len(np.unique(numbers)) == 59
    assert marks(np.array([2, 0, 2])).tolist() == [2, 0, 2]
    assert (kind_of(members), kind_of(np.array([1]))) == ("any of", "one of")


def test_a_set_is_as_sure_as_all_its_classes_together() -> None:
    probabilities = np.array([[0.9, 0.2], [0.5, 1.0]])

    assert sure(probabilities, "any of") == pytest.approx([0.72, 0.5])
    assert sure(probabilities, "one of") == pytest.approx([0.9, 1.0])
    assert likely_targets(probabilities, "any of").tolist() == [
        [True, False],
        [False, True],
    ]


def test_where_none_of_them_is_no_answer_the_likeliest_class_is_told() -> None:
    probabilities = np.array([[0.2, 0.4], [0.9, 0.8], [0.3, 0.3]])

    predictions = likely_targets(probabilities, "any of", may_be_empty=False)

    assert predictions.tolist() == [[False, True], [True, True], [True, False]]
    certain = sure(probabilities, "any of", may_be_empty=False)
    assert certain == pytest.approx([0.8 * 0.4, 0.9 * 0.8, 0.3 * 0.7])


def test_of_more_classes_than_may_be_chosen_the_likeliest_are_told() -> None:
    """Of equal ones the first: a prediction is the same each time."""
    probabilities = np.array([[0.6, 0.9, 0.7], [0.8, 0.8, 0.8], [0.2, 0.6, 0.4]])

    predictions = likely_targets(probabilities, "any of", most_chosen=2)

    assert predictions.tolist() == [
        [False, True, True],
        [True, True, False],
        [False, True, False],
    ]
    certain = sure(probabilities, "any of", most_chosen=2)
    assert certain == pytest.approx([0.4 * 0.9 * 0.7, 0.8 * 0.8 * 0.2, 0.8 * 0.6 * 0.6])


def test_a_label_that_must_not_be_empty_is_not_suspected_of_being_empty() -> None:
    """Its only class is doubted where another one is likelier, which it then has."""
    members = np.array([[True, False], [True, False], [True, True], [True, False]])
    probabilities = np.array([[0.2, 0.1], [0.1, 0.3], [0.9, 0.3], [0.8, 0.6]])

    errors = label_errors(probabilities, members, most=9, may_be_empty=False)

    doubted = [(one.place, one.suggested, one.substitute) for one in errors]
    assert doubted == [(1, 0, 1), (2, 1, None), (3, 1, None)]


def test_of_a_doubtful_set_the_class_contradicted_most_is_named() -> None:
    members = np.array(
        [[True, False, True], [False, False, False], [True, True, False]]
    )
    probabilities = np.array([[0.9, 0.2, 0.3], [0.1, 0.2, 0.1], [0.7, 0.05, 0.6]])

    errors = label_errors(probabilities, members, most=9)

    assert [(one.place, one.suggested) for one in errors] == [(2, 1), (0, 2)]
    assert (errors[0].own_likelihood, errors[0].likelihood) == pytest.approx(
        (0.05, 0.95)
    )


def test_to_a_full_set_no_class_is_suggested() -> None:
    members = np.array([[True, True, False], [True, False, False]])
    probabilities = np.array([[0.9, 0.3, 0.97], [0.9, 0.1, 0.97]])

    within = without_additions(probabilities, members, most_chosen=2)
    errors = label_errors(within, members, most=9)

    assert [(one.place, one.suggested) for one in errors] == [(1, 2), (0, 1)]
    assert without_additions(probabilities, members, most_chosen=0) is probabilities


def linear(features: Features) -> Fit:
    """Return a way to learn members by least squares."""
    table = np.column_stack([features, np.ones(len(features))])

    def fit(rows: Positions, members: Targets) -> Predict:
        weights = np.linalg.lstsq(table[rows], members.astype(float), rcond=None)[0]
        return lambda asked: np.clip(table[asked] @ weights, 0.01, 0.99)

    return fit


def test_sets_of_one_group_are_assessed_without_a_model() -> None:
    """Without the group there is no label to learn from."""
    known = LabelledRows(
        features=np.zeros((24, 2), dtype=np.float32),
        rows=np.arange(24),
        codes=np.eye(24, 2, dtype=np.bool_),
        ties=np.arange(24, dtype=np.uint64),
        n_classes=2,
        groups=np.zeros(24, dtype=np.intp),
    )
    nothing = np.empty(0, dtype=np.intp)

    predict = learn(known, linear(known.features), nothing, known.codes[:0])

    assert predict(np.arange(3)).tolist() == [[0, 0]] * 3


def test_the_accuracy_is_of_sets_that_people_may_choose() -> None:
    """So are the expected errors of auto-labels, by how sure the sets are."""
    known = LabelledRows(
        features=np.zeros((2, 3), dtype=np.float32),
        rows=np.arange(2),
        codes=np.array([[True, False, False], [False, True, False]]),
        ties=np.arange(2, dtype=np.uint64),
        n_classes=3,
        most_chosen=1,
    )
    probabilities = np.array([[0.9, 0.8, 0.1]])

    assert known.likely_targets(probabilities).tolist() == [[True, False, False]]
    assert known.sure(probabilities) == pytest.approx([0.9 * 0.2 * 0.9])


def test_labels_that_are_sets_are_assessed() -> None:
    """Each class is a question to one feature; the last one is never there."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(150, 3)).astype(np.float32)
    members = np.column_stack([features[:, :2] > 0.2, np.zeros(150, dtype=np.bool_)])
    n_labels = 40
    known = LabelledRows(
        features=features,
        rows=np.arange(n_labels),
        codes=members[:n_labels],
        ties=rng.integers(2**60, size=150).astype(np.uint64),
        n_classes=3,
    )
    assessed = Assessed(
        known=known,
        n_open=110,
        in_time=np.arange(n_labels),
        random_rows=np.arange(0, n_labels, 2),
        classes=("a", "b", "c"),
    )
    fit = linear(features)
    predictions = {NOW: assessed.take(NOW, fit, members[:0])}
    now = likely_targets(predictions[NOW], known.kind)

    predictions |= {step: assessed.take(step, fit, now) for step in assessed.steps[1:]}
    result = assessed.conclude(predictions)

    truth = (
        likely_targets(predictions[NOW], "any of")[n_labels:] == members[n_labels:]
    ).all(axis=1)
    assert result.accuracy is not None
    assert result.accuracy.low <= truth.mean() <= result.accuracy.high
    assert result.set_scores is not None
    assert result.set_scores.micro.estimate > 0.7
    assert result.set_scores.n == 20
    assert "no task is labelled 'c' yet" in result.advice.reasons
    assert result.confusion == ()
