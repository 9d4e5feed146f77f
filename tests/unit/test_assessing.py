"""Putting together what models of other labels say."""

import numpy as np
import pytest

from model.arrays import Codes, Positions, Probabilities
from model.assessing import NOW, Assessed
from model.crossfit import Known
from model.initial import tie_breaker
from tests.nearest import blobs, nearest_mean

N_TASKS = 60
N_LABELS = 40


@pytest.fixture
def assessed() -> Assessed:
    features, codes = blobs(N_TASKS, 2, apart=4.0)
    rows = np.arange(N_LABELS)
    known = Known(
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
        random=rows % 2 == 0,
        classes=("a", "b"),
    )


def saying(codes: Codes, sure: float = 0.9) -> Probabilities:
    found = np.full((len(codes), 2), 1 - sure)
    found[np.arange(len(codes)), codes] = sure
    return found


def told(
    assessed: Assessed, *, without: bool, instead: bool
) -> dict[str, Probabilities]:
    """Let the models that did not know a label be right, or wrong, about it."""
    known = assessed.known
    whole = np.concatenate([known.codes, np.arange(N_TASKS - N_LABELS) % 2])
    found = {step: saying(whole) for step in assessed.steps}
    for fold in range(int(assessed.folds.max()) + 1):
        codes = known.codes[assessed.folds[known.rows] == fold]
        pair = [saying(codes if right else 1 - codes) for right in (without, instead)]
        found[f"fold {fold}"] = np.stack(pair)
    return found


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


def test_the_steps_are_the_present_model_six_earlier_ones_and_ten_folds(
    assessed: Assessed,
) -> None:
    earlier = [f"before {count}" for count in (5, 10, 15, 20, 25, 30)]

    assert assessed.steps == (NOW, *earlier, *(f"fold {fold}" for fold in range(10)))


def test_labels_that_surprised_the_model_are_counted(assessed: Assessed) -> None:
    found = told(assessed, without=True, instead=True)
    known = assessed.known
    newest = assessed.in_time[-5:]
    found["before 5"][newest] = saying(1 - known.codes[newest])

    reasons = assessed.conclude(found).advice.reasons

    assert "5 of the last 20 labels surprised the model" in reasons
