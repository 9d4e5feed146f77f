"""Labels that are numbers: which stand for all, what is predicted, how wrong it is."""

import numpy as np
import pytest

from dubito.backend.controls.codec import NoAnswer
from dubito.backend.controls.registry import codec_of
from dubito.backend.export.card_words import about_errors
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.learning.findings import finding_of
from dubito.backend.learning.round_input import query_config
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.learning.targets import learnt_schema, targets_of
from dubito.backend.project_settings import Preferences
from dubito.backend.state.assessments import FrozenLabels
from dubito.backend.state.project import ProjectState
from dubito.model.evaluation.agreement import Vote, agreement
from dubito.model.evaluation.assessment import NOW, Assessed, Assessment
from dubito.model.evaluation.crossfit import LabelledRows, fit_by
from dubito.model.evaluation.distances import of_numbers
from dubito.model.evaluation.label_errors import number_errors
from dubito.model.evaluation.mean_error import mean_number_error
from dubito.model.evaluation.stopping import NO_MODEL, advise_on_numbers
from dubito.model.learners.ensemble import Ensemble
from dubito.model.numbers import (
    MOST_POINTS,
    codes_on,
    likely_numbers,
    number_scale,
    rounded,
)
from tests.builders import project
from tests.label_studio import choices_config

NUMBER = '<View><Text name="t" value="$t"/><Number name="n" toName="t"/></View>'
SCHEMA = read_schema(NUMBER)
LABELS = 60


def test_few_numbers_stand_for_themselves_and_many_for_those_near_them() -> None:
    many = np.random.default_rng(0).exponential(size=500)

    assert number_scale(np.array([3.0, 1.0, 3.0, 2.5])).tolist() == [1, 2.5, 3]
    scale = number_scale(many)
    assert len(scale) == MOST_POINTS
    assert set(scale) <= set(many)
    assert (scale[0], scale[-1]) == (many.min(), many.max())
    counts = np.bincount(codes_on(scale, many))
    assert counts.min() >= 1
    assert np.median(counts) == pytest.approx(500 / (MOST_POINTS - 2), rel=0.2)


def test_two_numbers_that_differ_stay_apart_however_rare_one_is() -> None:
    numbers = np.concatenate([np.zeros(10_000), np.arange(30) / 1000 + 1e15])

    assert len(number_scale(numbers)) >= 2
    assert number_scale(numbers)[-1] == numbers.max()


def test_a_far_number_that_is_unlikely_does_not_move_what_is_predicted() -> None:
    scale = np.array([1.0, 2.0, 3.0, 1e12])
    probabilities = np.array([[0.1, 0.6, 0.25, 0.05], [0.0, 0.0, 0.0, 1.0]])

    assert likely_numbers(probabilities, scale).tolist() == [1, 3]
    assert likely_numbers(np.ones((2, 1)), scale[:1]).tolist() == [0, 0]


def test_the_classes_that_are_learnt_are_labels_as_people_gave_them() -> None:
    schema = learnt_schema(SCHEMA, ["10", "-0.5", "9", "10"])

    assert schema.classes == ("-0.5", "9", "10")
    assert targets_of(["9.4", "10", "1e9"], schema).tolist() == [1, 2, 2]
    assert learnt_schema(SCHEMA, []) == SCHEMA


def test_all_tasks_after_the_start_are_drawn_at_random_unless_the_owner_asks() -> None:
    usual = query_config(Preferences(), n_classes=0)
    with_audit = query_config(Preferences(audit=0.1), n_classes=0)
    of_classes = query_config(Preferences(), n_classes=3)

    assert (usual.start_size, usual.audit_every) == (10, 1)
    assert (with_audit.start_size, with_audit.audit_every) == (10, 10)
    assert (of_classes.start_size, of_classes.audit_every) == (6, 10)


@pytest.mark.slow
@pytest.mark.parametrize("n", [6, 40])
def test_the_interval_of_the_error_holds_the_true_one_in_most_draws(n: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(300, n))

    estimates = [mean_number_error(row, np.zeros(n)) for row in truth]

    is_inside = [one.low <= np.sqrt(2 / np.pi) <= one.high for one in estimates]
    assert np.mean(is_inside) > 0.9
    right = mean_number_error(np.ones(3), np.ones(3))
    assert (right.estimate, right.low, right.high) == (0, 0, 0)


def test_a_number_far_out_is_in_doubt_and_the_farthest_comes_first() -> None:
    scale, codes = np.array([0.0, 1.0, 2.0, 50.0]), np.array([0, 1, 3, 2])
    probabilities = np.array([[0.02, 0.1, 0.86, 0.02]] * 4)

    errors = number_errors(probabilities, codes, 10, scale)

    assert [(one.place, one.suggested) for one in errors] == [(2, 2), (0, 2)]
    assert errors[0].likelihood == pytest.approx(0.98)
    assert number_errors(probabilities, codes, 1, scale) == errors[:1]


def test_advice_says_what_the_last_labels_changed_and_leaves_the_end_to_people() -> (
    None
):
    models = [np.full(3, 10.0 + age) for age in range(7)]
    error = mean_number_error(np.zeros(4), np.ones(4))

    early, late = advise_on_numbers(models[:2], None), advise_on_numbers(models, error)

    assert not early.advised
    assert not late.advised
    assert early.reasons[0] == NO_MODEL
    assert "changed the predictions for open tasks by 6 on average" in late.reasons[0]
    assert "wrong by 1 on average" in late.reasons[1]


def test_people_agree_as_far_as_their_numbers_are_apart() -> None:
    cast = {
        1: [Vote("10", 1, 1), Vote("20", 2, 2)],
        2: [Vote("0", 1, 1), Vote("100", 2, 2)],
    }

    result = agreement(cast, of_numbers)

    assert result is not None
    assert result.share == pytest.approx(1 - (0.1**2 + 1) / 2)
    same = agreement({1: [Vote("7", 1, 1), Vote("7", 2, 2)]}, of_numbers)
    assert same is not None
    assert (same.share, same.alpha) == (1, None)


def assessed_numbers() -> tuple[Assessed, Assessment]:
    """Assess 60 labelled tasks of 150; every second one was drawn at random."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(150, 3)).astype(np.float32)
    numbers = 100 * features[:LABELS, 0] + rng.normal(scale=20, size=LABELS)
    scale = number_scale(numbers)
    known = LabelledRows(
        features=features,
        rows=np.arange(LABELS),
        codes=codes_on(scale, numbers),
        ties=rng.integers(2**60, size=150).astype(np.uint64),
        n_classes=len(scale),
        is_ordered=True,
        scale=scale,
        numbers=numbers,
    )
    assessed = Assessed(
        known=known,
        n_open=90,
        in_time=np.arange(LABELS),
        random_rows=np.arange(0, LABELS, 2),
        classes=tuple(map(repr, scale.tolist())),
    )
    fit = fit_by(Ensemble(), known)
    steps = {NOW: assessed.take(NOW, fit, known.codes[:0])}
    now = known.likely_targets(steps[NOW])
    steps |= {step: assessed.take(step, fit, now) for step in assessed.steps[1:]}
    return assessed, assessed.conclude(steps)


@pytest.mark.slow
def test_numbers_are_assessed_by_their_own_distance_not_by_places() -> None:
    assessed, result = assessed_numbers()
    task_ids, numbers = np.arange(150), assessed.known.numbers
    assert numbers is not None
    chosen = dict(enumerate(map(repr, numbers.tolist())))
    frozen = FrozenLabels(
        basis="b", tasks_version=1, settings="s", round=3, chosen=chosen
    )

    kept = finding_of(result, assessed, task_ids, frozen)

    assert not any(step.startswith("random") for step in assessed.steps)
    assert (result.accuracy, result.confusion, result.by_chance) == (None, (), ())
    assert result.mean_error is not None
    assert result.mean_error.n == LABELS // 2
    assert 8 < result.mean_error.low < 17 < result.mean_error.high < 40
    assert kept.kind == "number"
    assert kept.point is not None
    assert (kept.point.labels, kept.point.high) == (LABELS, result.mean_error.high)
    [line] = about_errors(kept)
    assert f"**{result.mean_error.estimate:.3g}** on average" in line


def test_of_two_numbers_equally_near_the_lower_is_predicted_wherever_it_is() -> None:
    """Stored probabilities have fewer digits, and one row is multiplied otherwise."""
    scale = np.array([10.1, 20.3, 30.5, 40.7])
    equal = np.full((50, 4), 0.25)

    fresh, stored = (likely_numbers(p, scale) for p in (equal, equal.astype("f4")))
    alone = [int(likely_numbers(row[None], scale)[0]) for row in equal]

    assert fresh.tolist() == stored.tolist() == alone == [1] * 50


@pytest.mark.parametrize(
    ("number", "text"),
    [(16_312.4, "16300"), (0.012_345, "0.0123"), (5.0, "5"), (1e9, "1000000000")],
)
def test_figures_have_three_digits_that_count(number: float, text: str) -> None:
    assert rounded(number) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (-3, "'-3': it is below min, 0"),
        (1200, "'1200': it is above max, 1000"),
        (7.25, "'7.25': it is no step of 0.5 from 0"),
        ("many", "'many': it is not a number"),
        (1e300, "'1e+300': it has more than 15 digits"),
    ],
)
def test_a_number_that_the_editor_does_not_take_is_refused_with_the_reason(
    value: object, reason: str
) -> None:
    bounded = read_schema(
        '<View><Text name="t" value="$t"/><Number name="n" toName="t" min="0"'
        ' max="1000" step="0.5"/></View>'
    )
    result = [{"from_name": "n", "type": "number", "value": {"number": value}}]

    answer = codec_of(bounded).read(result, bounded)

    assert answer == NoAnswer(f"the labeling configuration has no number {reason}")


@pytest.mark.parametrize("is_number", [True, False])
def test_a_share_of_audit_tasks_that_is_named_acts_with_the_next_round(
    state: ProjectState, *, is_number: bool
) -> None:
    """Of numbers the usual share counts where it is named; elsewhere it always does."""
    config = NUMBER if is_number else choices_config("a", "b")
    state.note(project=project(label_config=config))
    bases = []
    for extra in ({}, {"audit": 0.1}):
        state.note(extra_params=extra)
        snapshot = ProjectSnapshot.of(state)
        assert snapshot is not None
        bases.append(snapshot.basis)

    assert (bases[0] != bases[1]) == is_number
