"""Whether more labels would still change anything."""

import numpy as np
import pytest

from dubito.model.arrays import Codes
from dubito.model.evaluation.accuracy import Accuracy
from dubito.model.evaluation.stopping import MODELS, Advice, Trail, advise, kappa

N_OPEN = 400
SAME = np.arange(N_OPEN) % 4


def changing(share: float) -> list[Codes]:
    """Let each model differ from the next in a share of the tasks, newest first."""
    models, rng = [SAME], np.random.default_rng(0)
    for _ in range(MODELS - 1):
        other = models[-1].copy()
        moved = rng.choice(N_OPEN, round(share * N_OPEN), replace=False)
        other[moved] = (other[moved] + 1) % 4
        models.append(other)
    return models


def advice(share: float = 0.0, wrong: int = 0, **chosen: object) -> Advice:
    facts: dict[str, object] = {
        "predictions": changing(share),
        "surprises": [wrong, *[0] * (MODELS - 2)],
        "n_open": N_OPEN,
        "accuracy": Accuracy(estimate=0.8, low=0.7, high=0.9, n=20),
        **chosen,
    }
    return advise(Trail(**facts))  # type: ignore[arg-type]  # the names are those of Trail


def test_stop_when_labels_neither_change_nor_surprise_the_model() -> None:
    result = advice(share=0.0025, wrong=0)

    assert result.advised


@pytest.mark.parametrize(("share", "wrong"), [(0.03, 0), (0.0025, 1)])
def test_go_on_while_labels_still_change_or_surprise_it(
    share: float, wrong: int
) -> None:
    assert not advice(share, wrong).advised


def test_where_labels_never_cease_to_surprise_it_is_left_to_people() -> None:
    """Labels that contradict each other: the gain that is left is told all the same."""
    result = advice(0.0, surprises=[2] * (MODELS - 1))

    assert not result.advised
    assert "50 more labels would add about 0.0 percentage points" in result.reasons[0]


def test_never_before_every_class_has_a_label() -> None:
    result = advice(missing=["sit", "lie"])

    assert not result.advised
    assert result.reasons[0] == "no task is labelled 'sit', 'lie' yet"


def test_never_while_all_predictions_are_one_class() -> None:
    """A model that has not learnt anything agrees with itself, too."""
    result = advice(predictions=[np.zeros(N_OPEN, dtype=np.intp)] * MODELS)

    assert not result.advised
    assert result.reasons[0] == "the model predicts the same label for all open tasks"


def test_never_without_a_model_of_thirty_labels_ago() -> None:
    result = advice(predictions=[SAME] * (MODELS - 1), surprises=[0] * (MODELS - 2))

    assert not result.advised
    assert "no model from 30 labels ago" in result.reasons[0]


def test_what_more_labels_would_buy_is_said() -> None:
    moved = SAME.copy()
    moved[:16] = (moved[:16] + 1) % 4

    result = advice(predictions=[SAME, *[moved] * (MODELS - 1)])

    assert result.reasons[0] == (
        "the last 30 labels changed 4.0 % of the predictions; 50 more labels would"
        " add about 1.6 percentage points of accuracy, at most about 5.0"
    )


def test_nothing_is_promised_without_an_accuracy() -> None:
    result = advice(share=0.03, accuracy=None)

    [change] = [reason for reason in result.reasons if "% of the predictions" in reason]
    assert change.startswith("the last 30 labels changed")
    assert "would add" not in change


def test_no_more_labels_are_spoken_of_than_there_are_tasks() -> None:
    result = advice(share=0.03, n_open=10)
    last = advice(share=0.03, n_open=0)

    assert "; 10 more labels would add about" in result.reasons[0]
    assert "would add" not in " ".join(last.reasons)


def test_nothing_is_promised_beyond_full_accuracy() -> None:
    sure = Accuracy(estimate=0.995, low=0.99, high=1.0, n=40)

    result = advice(share=0.03, accuracy=sure)

    assert (
        "about 0.5 percentage points of accuracy, at most about 1.0"
        in result.reasons[0]
    )
    assert "the accuracy is 99.5 % (99.0 to 100.0 %)" in result.reasons


def test_a_nearly_full_accuracy_has_little_to_gain_however_wide_its_interval() -> None:
    wide = Accuracy(estimate=0.999, low=0.754, high=1.0, n=8)
    moved = (SAME + (np.arange(N_OPEN) < 0.37 * N_OPEN)) % 4

    result = advice(predictions=[SAME, *[moved] * (MODELS - 1)], accuracy=wide)

    assert (
        "about 0.1 percentage points of accuracy, at most about 24.6"
        in result.reasons[0]
    )


def test_without_open_tasks_there_is_nothing_to_change() -> None:
    none = [np.empty(0, dtype=np.intp)] * MODELS

    assert advice(predictions=none).advised


def test_agreement_is_measured_beyond_chance() -> None:
    often = np.array([0] * 98 + [1, 1])
    shifted = np.array([0] * 96 + [1, 1, 0, 0])

    assert kappa(often, often) == 1.0
    assert (often == shifted).mean() == pytest.approx(0.96)
    assert kappa(often, shifted) < 0.1
