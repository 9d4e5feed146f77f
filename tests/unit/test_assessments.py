"""What is kept of assessments, and of which tasks belong together."""

import numpy as np
import pytest

from dubito.backend.state.assessments import CURVE_KEPT, AssessmentSummary, FrozenLabels
from dubito.backend.state.kept_scores import KeptRelation, MeasuredAccuracy
from dubito.backend.state.project import ProjectState
from dubito.model.evaluation.autolabel_thresholds import thresholds
from dubito.model.evaluation.relation import Evidence, relation_in

SNAPSHOT = FrozenLabels(
    basis="b",
    tasks_version=3,
    settings="s",
    round=7,
    chosen={11: "a", 5: "b"},
    left_out=(8,),
)


def finding(labels: int) -> AssessmentSummary:
    point = MeasuredAccuracy(labels=labels, estimate=0.9, low=0.8, high=0.95, n=12)
    return AssessmentSummary(basis="b", round=7, labels=labels, accuracy=point)


def test_before_the_first_assessment_there_is_nothing(state: ProjectState) -> None:
    store = state.assessments

    assert (store.finding(), store.curve(), store.frozen()) == (None, [], None)
    assert store.steps() == {}


def test_a_relation_is_read_as_it_was_kept() -> None:
    kept = kept_relation()

    again = KeptRelation.model_validate_json(kept.model_dump_json())

    assert again == kept
    assert KeptRelation.of(again.relation) == kept


def test_a_relation_that_an_older_dubito_kept_promises_no_more() -> None:
    """It had no draws, and its intervals were wider."""
    kept = kept_relation()
    older = KeptRelation.model_validate_json(kept.model_dump_json(exclude={"draws"}))

    highs = [
        thresholds(np.ones(500), np.full(500, 0.9), each.relation)[0].high
        for each in (kept, older)
    ]

    assert highs[0] is not None
    assert highs[1] is not None
    assert highs[0] < highs[1]


def kept_relation() -> KeptRelation:
    evidence = Evidence(
        right=np.ones(40), sure=np.full(40, 0.9), random=np.ones(40, dtype=np.bool_)
    )
    relation = relation_in(evidence)
    assert relation is not None
    return KeptRelation.of(relation)


def test_labels_are_kept_in_the_order_in_which_they_were_given(
    state: ProjectState,
) -> None:
    state.assessments.begin(SNAPSHOT)

    kept = state.assessments.frozen()

    assert kept == SNAPSHOT
    assert kept is not None
    assert list(kept.chosen) == [11, 5]


@pytest.mark.parametrize("shape", [(4, 3), (2, 4, 3), (2, 0, 3)])
def test_a_step_is_read_as_it_was_kept(
    state: ProjectState, shape: tuple[int, ...]
) -> None:
    predictions = np.random.default_rng(0).uniform(size=shape).astype(np.float32)

    state.assessments.keep("fold 3", predictions.astype(np.float64))

    kept = state.assessments.steps()
    assert kept.keys() == {"fold 3"}
    assert np.array_equal(kept["fold 3"], predictions)


def test_steps_towards_other_labels_are_dropped(state: ProjectState) -> None:
    state.assessments.keep("now", np.ones((1, 2)))

    state.assessments.begin(SNAPSHOT)

    assert state.assessments.steps() == {}


def test_a_finding_ends_an_assessment_and_adds_to_the_curve(
    state: ProjectState,
) -> None:
    store = state.assessments
    store.begin(SNAPSHOT)
    store.keep("now", np.ones((1, 2)))

    store.save(finding(40))
    store.save(finding(45).model_copy(update={"accuracy": None}))
    store.save(finding(50))

    assert store.finding() == finding(50)
    assert [point.labels for point in store.curve()] == [40, 50]
    assert (store.frozen(), store.steps()) == (None, {})


def test_the_curve_is_bounded(state: ProjectState) -> None:
    for labels in range(CURVE_KEPT + 3):
        state.assessments.save(finding(labels))

    curve = state.assessments.curve()

    assert (len(curve), curve[0].labels) == (CURVE_KEPT, 3)


def test_what_was_said_of_labels_that_are_gone_is_dropped(state: ProjectState) -> None:
    state.assessments.save(finding(40))

    state.assessments.drop()

    assert state.assessments.finding() is None
    assert len(state.assessments.curve()) == 1


def test_what_was_found_of_another_kind_of_question_is_not_told(
    state: ProjectState,
) -> None:
    store, several = state.assessments, {"kind": "any of"}
    store.save(finding(40))
    store.save(finding(45).model_copy(update=several))

    assert store.finding("one of") is None
    assert store.finding("any of") == store.finding()
    assert [point.labels for point in store.curve("one of")] == [40]
    assert [point.labels for point in store.curve("any of")] == [45]
    assert [point.labels for point in store.curve()] == [40, 45]


def test_a_task_belongs_to_the_group_it_named_last(state: ProjectState) -> None:
    state.groups.save({1: "ann", 2: 7, 3: "bob", 4: None, 5: ""})
    state.groups.save({3: None, 2: "ann"})

    assert state.groups.all() == {1: "ann", 2: "ann"}
