"""Every body that a real Label Studio sent is read; what is none is refused."""

from collections.abc import Callable

import pytest

from dubito.backend.connection.events import (
    AnnotationsDeleted,
    AnnotationsSaved,
    Event,
    Happening,
    ProjectUpdated,
    TasksCreated,
    TasksDeleted,
    TrainingAsked,
    parse_event,
    parse_setup,
)
from dubito.backend.errors import MalformedRequestError
from tests.builders import annotation, captured, captured_names, event, saved

KINDS: dict[str, type[Happening]] = {
    "ANNOTATION_CREATED": AnnotationsSaved,
    "ANNOTATION_UPDATED": AnnotationsSaved,
    "ANNOTATIONS_CREATED": AnnotationsSaved,
    "ANNOTATIONS_DELETED": AnnotationsDeleted,
    "TASKS_CREATED": TasksCreated,
    "TASKS_DELETED": TasksDeleted,
    "PROJECT_UPDATED": ProjectUpdated,
    "START_TRAINING": TrainingAsked,
}


def parsed(name: str) -> Event:
    return parse_event(captured(name))


@pytest.mark.parametrize("name", captured_names())
def test_every_captured_event_is_understood(name: str) -> None:
    body = captured(name)

    parsed_event = parse_event(body)

    assert parsed_event.action == body["action"]
    assert type(parsed_event.what) is KINDS[parsed_event.action]
    assert parsed_event.project.startswith(f"{body['project']['id']}.")


def test_the_project_is_named_as_label_studio_names_it_in_setup() -> None:
    body = captured("webhook_PROJECT_UPDATED")
    body["project"] |= {"id": 7, "created_at": "2026-11-22T10:06:01.987654Z"}

    assert parse_event(body).project == "7.1795341961"


def test_a_submitted_annotation_is_read() -> None:
    body = captured("webhook_ANNOTATION_CREATED")

    what = parse_event(body).what

    assert isinstance(what, AnnotationsSaved)
    [answer] = what.annotations
    assert answer.id == body["annotation"]["id"]
    assert answer.task == body["annotation"]["task"]
    assert answer.result == body["annotation"]["result"]
    assert answer.completed_by == body["annotation"]["completed_by"]
    assert not answer.was_cancelled


@pytest.mark.parametrize(
    "name",
    [
        "webhook_ANNOTATION_CREATED_skipped",
        "webhook_ANNOTATION_UPDATED_was_cancelled",
    ],
)
def test_a_skip_is_an_annotation_that_was_cancelled(name: str) -> None:
    what = parsed(name).what

    assert isinstance(what, AnnotationsSaved)
    assert [answer.was_cancelled for answer in what.annotations] == [True]


def test_annotations_made_of_predictions_come_as_a_list() -> None:
    body = captured("webhook_ANNOTATIONS_CREATED")

    what = parse_event(body).what

    assert isinstance(what, AnnotationsSaved)
    assert len(what.annotations) == len(body["annotation"]) > 1


@pytest.mark.parametrize(
    "name", ["webhook_ANNOTATIONS_DELETED", "webhook_ANNOTATIONS_DELETED_bulk"]
)
def test_of_deleted_annotations_the_ids_are_told(name: str) -> None:
    what = parsed(name).what

    assert isinstance(what, AnnotationsDeleted)
    assert list(what.ids) == [item["id"] for item in captured(name)["annotations"]]


def test_imported_tasks_come_with_their_data() -> None:
    body = captured("webhook_TASKS_CREATED")

    what = parse_event(body).what

    assert isinstance(what, TasksCreated)
    assert [task.data for task in what.tasks] == [t["data"] for t in body["tasks"]]
    assert not what.are_annotated


def test_annotations_imported_with_tasks_are_only_hinted_at() -> None:
    what = parsed("webhook_TASKS_CREATED_with_annotations").what

    assert isinstance(what, TasksCreated)
    assert what.are_annotated


@pytest.mark.parametrize(
    "name", ["webhook_TASKS_DELETED", "webhook_TASKS_DELETED_single"]
)
def test_of_deleted_tasks_the_ids_are_told(name: str) -> None:
    what = parsed(name).what

    assert isinstance(what, TasksDeleted)
    assert list(what.ids) == [item["id"] for item in captured(name)["tasks"]]


def test_an_action_of_a_later_release_means_nothing() -> None:
    assert parse_event(event("LABEL_LINK_CREATED")).what is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.pop("action"),
        lambda body: body.pop("project"),
        lambda body: body["project"].pop("id"),
        lambda body: body["project"].pop("created_at"),
        lambda body: body["project"].update(created_at="yesterday"),
        lambda body: body["project"].update(created_at="2026-01-01T00:00:00"),
        lambda body: body.update(project=7),
        lambda body: body.update(action=None),
        lambda body: body.pop("annotation"),
        lambda body: body.update(annotation=None),
        lambda body: body["annotation"].pop("id"),
        lambda body: body["annotation"].pop("task"),
        lambda body: body["annotation"].pop("updated_at"),
        lambda body: body["annotation"].update(updated_at="2026-01-01T00:00:00"),
        lambda body: body["annotation"].update(id="one"),
        lambda body: body["annotation"].update(id=-1),
        lambda body: body["annotation"].update(task=2**63),
        lambda body: body["annotation"].update(task=1e25),
    ],
)
def test_a_spoilt_event_is_refused_in_a_sentence(
    spoil: Callable[[object], object],
) -> None:
    body = saved(annotation(1))
    spoil(body)

    with pytest.raises(MalformedRequestError, match="this is not an event of Label"):
        parse_event(body)


@pytest.mark.parametrize("body", [None, [], "event", 7, [{"action": "x"}], {}])
def test_what_is_no_event_is_refused(body: object) -> None:
    with pytest.raises(MalformedRequestError):
        parse_event(body)


@pytest.mark.parametrize("result", [None, "a", {"x": 1}, 7])
def test_a_result_that_is_no_list_is_no_answer(result: object) -> None:
    body = saved(annotation(1))
    annotation_of_event = body["annotation"]
    assert isinstance(annotation_of_event, dict)
    annotation_of_event["result"] = result

    what = parse_event(body).what

    assert isinstance(what, AnnotationsSaved)
    assert what.annotations[0].result == []


@pytest.mark.parametrize("who", [3, {"id": 3, "email": "x"}])
def test_people_are_known_by_their_number(who: object) -> None:
    assert annotation(1, completed_by=who).completed_by == 3


def test_times_are_told_apart_to_the_microsecond() -> None:
    stamps = [
        annotation(1, updated_at=f"2026-11-22T10:06:55.{number:06d}Z").stamp
        for number in range(205_000, 206_000)
    ]

    assert stamps == sorted(set(stamps))
    assert {len(stamp) for stamp in stamps} == {16}


def test_equal_times_in_other_zones_are_equal() -> None:
    here = annotation(1, updated_at="2026-11-22T12:00:00+02:00")
    there = annotation(1, updated_at="2026-11-22T10:00:00Z")

    assert here.stamp == there.stamp


def test_a_setup_call_names_a_project() -> None:
    setup = parse_setup({"project": "1.1795341912", "access_token": None, "schema": ""})

    assert (setup.project, setup.access_token) == ("1.1795341912", "")


@pytest.mark.parametrize(
    "project",
    ["1", 1, "1.2.3", "x.1", "", None, "1.*", "٣.٣", "1.5\n", "9" * 30 + ".1"],
)
def test_a_setup_call_for_no_project_is_refused(project: object) -> None:
    """What is called like this would become the name of keys in Redis."""
    with pytest.raises(MalformedRequestError, match="not the set-up call"):
        parse_setup({"project": project})


def test_a_key_handed_over_is_not_shown() -> None:
    setup = parse_setup({"project": "1.2", "access_token": "handed-over"})

    assert "handed-over" not in repr(setup)
