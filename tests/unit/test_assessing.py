"""Putting together what models of other labels say."""

from dataclasses import replace

import numpy as np
import pytest

from dubito.model.arrays import Codes, Positions, Probabilities
from dubito.model.evaluation.assessment import NOW, Assessed
from dubito.model.evaluation.crossfit import LabelledRows
from dubito.model.query.seed_set import tie_breaker
from tests.nearest import blobs, nearest_mean

N_TASKS = 60
N_LABELS = 40


@pytest.fixture
def assessed() -> Assessed:
    features, codes = blobs(N_TASKS, 2, apart=4.0)
    rows = np.arange(N_LABELS)
    known = LabelledRows(
        features=features,
        rows=rows,
        codes=codes[rows],
        ties=tie_breaker(np.arange(N_TASKS), 0),
        n_classes=2,
    )
    return Assessed(
        known=known,
        n_open=N_TASKS - N_LABELS,
        in_time=rows[::-1],
        random_rows=rows[::2],
        classes=("a", "b"),
    )


def saying(codes: Codes, sure: float = 0.9) -> Probabilities:
    probabilities = np.full((len(codes), 2), 1 - sure)
    probabilities[np.arange(len(codes)), codes] = sure
    return probabilities


def told(
    assessed: Assessed, *, without: bool, instead: bool
) -> dict[str, Probabilities]:
    """Let the models that did not know a label be right, or wrong, about it."""
    known = assessed.known
    whole = np.concatenate([known.codes, np.arange(N_TASKS - N_LABELS) % 2])
    predictions = {step: saying(whole) for step in assessed.steps}
    for fold in range(int(assessed.folds.max()) + 1):
        codes = known.codes[assessed.folds[known.rows] == fold]
        pair = [saying(codes if right else 1 - codes) for right in (without, instead)]
        predictions[f"fold {fold}"] = np.stack(pair)
    return predictions


def test_what_counts_is_the_model_that_asked_others_instead(assessed: Assessed) -> None:
    good = assessed.conclude(told(assessed, without=False, instead=True)).accuracy
    bad = assessed.conclude(told(assessed, without=True, instead=False)).accuracy

    assert good is not None
    assert bad is not None
    assert good.estimate > 0.95
    assert bad.estimate < 0.3
    assert (good.n, bad.n) == (N_LABELS // 2, N_LABELS // 2)


def test_labels_are_doubted_by_models_that_only_lack_them(assessed: Assessed) -> None:
    """The answers given instead come from a model that has seen the label."""
    bad = assessed.conclude(told(assessed, without=False, instead=True))
    good = assessed.conclude(told(assessed, without=True, instead=False))

    assert len(bad.doubtful) == N_LABELS // 5
    assert good.doubtful == ()


def test_models_of_earlier_labels_know_the_oldest_ones(assessed: Assessed) -> None:
    learnt: list[Positions] = []

    def fit(rows: Positions, codes: Codes) -> object:
        learnt.append(rows)
        return nearest_mean(assessed.known.features, 2)(rows, codes)

    assessed.take("before 10", fit, np.empty(0, dtype=np.intp))  # type: ignore[arg-type]  # it only looks on

    assert learnt[0].tolist() == list(range(10, N_LABELS))


def test_the_steps_are_the_present_model_earlier_ones_folds_and_random_labels(
    assessed: Assessed,
) -> None:
    earlier = [f"before {count}" for count in (5, 10, 15, 20, 25, 30)]
    fold_steps = [f"fold {fold}" for fold in range(10)]
    chance = [f"random {count}" for count in (5, 7, 9, 11, 13, 15)]

    assert assessed.steps == (NOW, *earlier, *fold_steps, *chance)


def test_random_labels_are_learnt_from_in_the_order_of_the_draw(
    assessed: Assessed,
) -> None:
    learnt: list[Positions] = []

    def fit(rows: Positions, codes: Codes) -> object:
        learnt.append(rows)
        return nearest_mean(assessed.known.features, 2)(rows, codes)

    backwards = replace(assessed, random_rows=assessed.random_rows[::-1])
    backwards.take("random 5", fit, np.empty(0, dtype=np.intp))  # type: ignore[arg-type]  # it only looks on

    assert learnt[0].tolist() == [30, 32, 34, 36, 38]


def test_models_of_random_labels_are_judged_by_labels_they_do_not_know(
    assessed: Assessed,
) -> None:
    assessment = told(assessed, without=True, instead=True)
    first = assessed.random_rows[:5]
    assessment["random 5"][first] = saying(1 - assessed.known.codes[first])
    wrong = saying(1 - assessed.known.codes)
    assessment["random 15"][: len(wrong)] = wrong

    curve = {
        one.labels: one.accuracy for one in assessed.conclude(assessment).by_chance
    }

    assert curve[5].estimate > 0.95
    assert curve[15].estimate < 0.3
    assert (curve[5].n, curve[15].n) == (15, 5)


def test_what_is_taken_for_what_is_told_of_tasks_drawn_at_random(
    assessed: Assessed,
) -> None:
    right = assessed.conclude(told(assessed, without=True, instead=True)).confusion
    wrong = assessed.conclude(told(assessed, without=True, instead=False)).confusion

    assert sum(one.count for one in right) == len(assessed.random_rows)
    assert all(one.code == one.predicted for one in right)
    assert all(one.code != one.predicted for one in wrong)


def test_labels_that_surprised_the_model_are_counted(assessed: Assessed) -> None:
    assessment = told(assessed, without=True, instead=True)
    known = assessed.known
    newest = assessed.in_time[-5:]
    assessment["before 5"][newest] = saying(1 - known.codes[newest])

    reasons = assessed.conclude(assessment).advice.reasons

    assert "the model mispredicted 5 of the last 30 labels" in reasons


def test_one_path_of_at_most_one_is_assessed_like_any_other_class(
    assessed: Assessed,
) -> None:
    """A `<Taxonomy>` with `maxUsages="1"`: a label is a class, not a set of one."""
    predictions = told(assessed, without=False, instead=True)
    limited = replace(assessed, known=replace(assessed.known, most_chosen=1))
    doubtful = limited.conclude(predictions).doubtful
    assert doubtful == assessed.conclude(predictions).doubtful
    assert doubtful


def test_the_advice_on_parts_of_tasks_does_not_speak_of_whole_ones(
    assessed: Assessed,
) -> None:
    """The page shows the share of words that is right, not that of whole tasks."""
    predictions = told(assessed, without=True, instead=True)
    whole = " ".join(assessed.conclude(predictions).advice.reasons)
    parts = " ".join(assessed.conclude(predictions, is_of_parts=True).advice.reasons)
    assert "accuracy" in whole
    assert "accuracy" not in parts
    assert parts
