"""By how many grades predictions are wrong, and what is kept and said of it."""

import numpy as np
import pytest

from dubito.backend.export.card_words import about_errors, words_for
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.learning.findings import finding_of
from dubito.backend.state.assessments import AssessmentSummary, FrozenLabels
from dubito.model.arrays import Codes
from dubito.model.evaluation.assessment import NOW, Assessed
from dubito.model.evaluation.crossfit import LabelledRows, fit_by
from dubito.model.evaluation.mean_error import mean_grade_error
from dubito.model.learners.ensemble import Ensemble

RATING = (
    '<View><Text name="text" value="$text"/>'
    '<Rating name="stars" toName="text" maxRating="5"/></View>'
)


def test_the_error_is_the_mean_distance_and_lies_within_its_interval() -> None:
    truth, predicted = np.array([0, 1, 2, 4, 4, 0]), np.array([0, 2, 2, 1, 4, 0])

    error = mean_grade_error(truth, predicted, 5)

    assert error.estimate == pytest.approx(4 / 6)
    assert error.low < error.estimate < error.high
    assert error.n == 6


def test_of_few_tasks_all_right_the_error_is_not_taken_for_nothing() -> None:
    grades = np.array([0, 1, 2, 3, 4])

    few, many = (
        mean_grade_error(grades, grades, 50),
        mean_grade_error(np.tile(grades, 100), np.tile(grades, 100), 5),
    )

    assert (few.estimate, few.low) == (0, 0)
    assert 0.2 < few.high < 1.5
    assert many.high < 0.03


@pytest.mark.slow
@pytest.mark.parametrize("n", [10, 40])
def test_the_interval_holds_the_true_error_in_most_draws(n: int) -> None:
    rng, shares = np.random.default_rng(0), [0.45, 0.35, 0.15, 0.05]
    truth = float(np.arange(4) @ shares)

    errors = rng.choice(4, p=shares, size=(300, n))
    estimates = [mean_grade_error(row, np.zeros_like(row), 5) for row in errors]

    coverage = np.mean([one.low <= truth <= one.high for one in estimates])
    assert coverage > 0.9


def assessed_grades() -> tuple[Assessed, Codes]:
    """Return 40 labelled tasks of 150; every second one was drawn at random."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(150, 3)).astype(np.float32)
    height = features[:, 0] + rng.normal(scale=0.4, size=150)
    codes = np.searchsorted([-1, -0.3, 0.3, 1], height).astype(np.intp)
    known = LabelledRows(
        features=features,
        rows=np.arange(40),
        codes=codes[:40],
        ties=rng.integers(2**60, size=150).astype(np.uint64),
        n_classes=5,
        is_ordered=True,
    )
    assessed = Assessed(
        known=known,
        n_open=110,
        in_time=np.arange(40),
        random_rows=np.arange(0, 40, 2),
        classes=("1", "2", "3", "4", "5"),
    )
    return assessed, codes


@pytest.mark.slow
def test_grades_are_assessed_by_the_median_that_is_shown() -> None:
    assessed, codes = assessed_grades()
    fit = fit_by(Ensemble(), assessed.known)
    predictions = {NOW: assessed.take(NOW, fit, codes[:0])}
    now = assessed.known.likely_targets(predictions[NOW])

    predictions |= {step: assessed.take(step, fit, now) for step in assessed.steps[1:]}
    result = assessed.conclude(predictions)

    error, accuracy = result.mean_error, result.accuracy
    assert error is not None
    assert accuracy is not None
    assert error.n == accuracy.n == 20
    assert accuracy.low < 0.75 < accuracy.high
    wrong = sum(abs(one.code - one.predicted) * one.count for one in result.confusion)
    assert error.estimate == pytest.approx(wrong / 20)
    frozen = FrozenLabels(
        basis="b", tasks_version=1, settings="s", round=3, chosen={}, left_out=()
    )
    kept = finding_of(result, assessed, np.arange(150), frozen)
    assert kept.kind == "ordered"
    assert kept.mean_error is not None
    assert kept.mean_error.high == error.high


def test_the_model_card_has_words_for_grades() -> None:
    words = words_for(read_schema(RATING))
    error = {"estimate": 0.5, "low": 0.25, "high": 0.875, "n": 12}
    finding = AssessmentSummary.model_validate(
        {"basis": "", "round": 1, "labels": 30, "mean_error": error}
    )

    [line] = about_errors(finding)

    assert words.task.format(n_classes=5).startswith("one of 5 grades")
    assert "median" in words.combined
    assert "**0.50** grades" in line
    assert "0.25 and 0.88" in line
    assert "12 tasks" in line
