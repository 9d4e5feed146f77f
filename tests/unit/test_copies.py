"""Copies of predictions, which no person has confirmed, are no labels."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from dubito.backend.learning.labels import COPY, Labels, derive_labels
from dubito.backend.records import Annotation
from dubito.backend.simulate.export_reader import parse_export
from tests.builders import BORN, annotation, predicted, project, schema
from tests.exports import question_of
from tests.label_studio import JsonObject, choice_result, choices_config

LATER = BORN + timedelta(minutes=3)
FOREIGN: Mapping[str, Any] = {"parent_prediction": 7, "created_at": BORN}


def kept(choice: str) -> list[JsonObject]:
    """Build what is copied from a prediction that keeps an answer."""
    (region,) = choice_result(choice)
    return [{**region, "meta": {"dubito-kept": [{"id": 1}]}}]


def labels(*annotations: Annotation) -> Labels:
    return derive_labels(annotations, schema(), project())


COPIES = {
    "of Dubito": annotation(1, predicted("a")),
    "of Dubito, and its prediction is gone": annotation(
        1, predicted("a"), parent_prediction=None, created_at=BORN
    ),
    "of Dubito, imported again": annotation(1, predicted("a"), created_at=LATER),
    "of Dubito, its class renamed": annotation(1, predicted("a", "b"), **FOREIGN),
    "of an older Dubito, or of another model": annotation(1, "a", **FOREIGN),
    "of an answer that is kept": annotation(1, kept("a")),
}
PERSONS = {
    "submitted as predicted": annotation(1, predicted("a"), lead_time=2.5),
    "submitted at once": annotation(1, predicted("a"), lead_time=0.0),
    "submitted as another model predicted": annotation(1, "a", lead_time=1, **FOREIGN),
    "changed by a script": annotation(1, predicted("b", "a"), updated_at=LATER),
    "of another model, saved by a script": annotation(
        1, "a", **{**FOREIGN, "updated_at": LATER}
    ),
    "called the truth": annotation(1, predicted("a"), ground_truth=True),
    "of another model, called the truth": annotation(
        1, "a", ground_truth=True, **FOREIGN
    ),
    "a kept answer, submitted": annotation(1, kept("a"), lead_time=1.0),
    "without any prediction": annotation(1, "a"),
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_copy_closes_its_task_and_is_no_label(copy: Annotation) -> None:
    derived_labels = labels(copy)

    assert not derived_labels.chosen
    assert not derived_labels.votes
    assert derived_labels.closed == derived_labels.ours == {1}
    assert derived_labels.skipped == frozenset()
    assert derived_labels.set_aside_reasons == {COPY: 1}


@pytest.mark.parametrize("answer", PERSONS.values(), ids=PERSONS)
def test_what_a_person_did_is_a_label(answer: Annotation) -> None:
    derived_labels = labels(answer)

    assert derived_labels.chosen == {1: "a"}
    assert derived_labels.ours == frozenset()
    assert derived_labels.set_aside == 0


def test_a_skip_of_a_copy_is_a_skip() -> None:
    derived_labels = labels(annotation(1, predicted("a"), was_cancelled=True))

    assert derived_labels.skipped == {1}
    assert derived_labels.set_aside == 0


def test_a_person_beside_a_copy_decides() -> None:
    derived_labels = labels(
        annotation(1, predicted("a"), completed_by=1, minute=9),
        annotation(2, "b", completed_by=2, minute=1),
    )

    assert derived_labels.chosen == {1: "b"}
    assert derived_labels.set_aside_reasons == {COPY: 1}


@pytest.mark.parametrize("parent", [None, "?", [3], {"id": 3}, 1.5])
def test_a_parent_that_is_no_number_points_nowhere(parent: object) -> None:
    answer = annotation(1, "a", parent_prediction=parent)

    assert answer.parent_prediction is None
    assert not answer.is_unconfirmed


def test_a_simulation_learns_from_people_alone() -> None:
    body = {"result": choice_result("a"), "lead_time": 2.0, "parent_prediction": 7}
    copied = {"result": choice_result("b"), "lead_time": None, "parent_prediction": 8}
    rows: list[JsonObject] = [
        {"id": 1, "data": {"text": "one"}, "annotations": [body]},
        {"id": 2, "data": {"text": "two"}, "annotations": [copied]},
    ]

    export = parse_export(rows, question_of(choices_config("a", "b")))

    assert labels(*export.annotations).chosen == {1: "a"}
