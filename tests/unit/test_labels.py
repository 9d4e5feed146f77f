"""From what people did to the labels of tasks."""

from dataclasses import replace

import pytest

from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.learning.labels import (
    Acceptance,
    Labels,
    TaskAnswers,
    derive_labels,
    read_choice,
)
from dubito.backend.records import Annotation, JsonObject
from dubito.model.schema import Condition
from tests.builders import annotation, machine_made, project, schema
from tests.label_studio import CONTROL, choice_result, choices_config


def labels(*annotations: Annotation, **settings: object) -> Labels:
    return derive_labels(annotations, schema("a", "b"), project(**settings))


def region(choices: object, control: str = CONTROL) -> JsonObject:
    return {"from_name": control, "type": "choices", "value": {"choices": choices}}


def test_without_annotations_there_is_nothing() -> None:
    assert labels() == Labels()


def test_a_choice_is_the_label_of_its_task() -> None:
    derived_labels = labels(annotation(1, "a", task=5), annotation(2, "b", task=3))

    assert derived_labels.chosen == {5: "a", 3: "b"}
    assert derived_labels.closed == {3, 5}
    assert derived_labels.set_aside == 0


@pytest.mark.parametrize(
    "result",
    [
        [],
        [region([])],
        [region(["a", "b"])],
        [region(["a"]), region(["b"])],
        [region(["gone from the config"])],
        [region(["A"])],
        [region([1])],
        [region([["a", "of it"]])],
        [region([["a"], ["b"]])],
        [region([[]])],
        [region([{"a": 1}])],
        [region(None)],
        [region(["a"], control="another control")],
        [{"from_name": CONTROL}],
        [{"from_name": CONTROL, "value": "a"}],
        [{"from_name": CONTROL, "value": {"text": ["a"]}}],
    ],
)
def test_an_answer_without_one_valid_choice_is_set_aside_and_counted(
    result: list[JsonObject],
) -> None:
    derived_labels = labels(annotation(1, result))

    assert derived_labels.chosen == {}
    assert derived_labels.set_aside == 1
    assert derived_labels.closed == {1}


@pytest.mark.parametrize(
    ("results", "reasons"),
    [
        ([[]], {"the annotation has no choice for 'label'": 1}),
        (
            [[region(["a", "b"])], [region(["a"]), region(["b"])]],
            {"the annotation has several choices for 'label'": 2},
        ),
        (
            [[region(["gone"])], [region(["gone"])], [region(["lost"])]],
            {
                "the labeling configuration has no choice 'gone'": 2,
                "the labeling configuration has no choice 'lost'": 1,
            },
        ),
        (
            [[region([7])], [region([[7]])], [region([[["a"]]])]],
            {"the choice for 'label' is not text": 3},
        ),
        (
            [[region([["a", "of it"]])]],
            {"the annotation has 'a / of it', a choice inside another choice": 1},
        ),
        (
            [[{"from_name": CONTROL, "value": {"rating": 4}}]],
            {"the annotation has 'rating' for 'label', not a choice": 1},
        ),
        (
            [[{"from_name": CONTROL, "value": {"start": 1, "choices": ["a"]}}]],
            {"the choice for 'label' is for a region, not for the whole task": 1},
        ),
    ],
)
def test_annotations_set_aside_are_counted_by_reason(
    results: list[list[JsonObject]], reasons: dict[str, int]
) -> None:
    given = [annotation(task, result) for task, result in enumerate(results)]

    assert labels(*given).set_aside_reasons == reasons


@pytest.mark.parametrize(
    "result",
    [
        [region([["a"]])],
        [region("a")],
        [region(["a", "a"])],
        [region(["a"]), region(["a"])],
        [region([["a"]]), region(["a"])],
        [{**region(["a"]), "item_index": 0}, {**region(["a"]), "item_index": 1}],
    ],
    ids=["a path", "a text", "twice", "two items", "both forms", "per item"],
)
def test_one_choice_counts_however_it_is_written(result: list[JsonObject]) -> None:
    """With `allowNested` the editor writes paths, also of choices that are flat."""
    derived_labels = labels(annotation(1, result))

    assert (dict(derived_labels.chosen), derived_labels.set_aside) == ({1: "a"}, 0)


def test_a_reason_repeats_only_the_beginning_of_a_long_choice() -> None:
    (reason,) = labels(annotation(1, [region(["x" * 5_000])])).set_aside_reasons

    assert len(reason) < 200


def test_other_controls_do_not_disturb() -> None:
    beside = [*choice_result("a"), region(["x", "y"], control="another")]

    assert read_choice(annotation(1, beside), schema("a", "b")) == "a"


def test_a_label_is_valid_again_when_its_class_is() -> None:
    """Raw results are kept: an edit of the label config loses nothing."""
    answer = annotation(1, "c")

    before = derive_labels([answer], schema("a", "b"), project())
    after = derive_labels([answer], schema("a", "b", "c"), project())

    assert (dict(before.chosen), before.set_aside) == ({}, 1)
    assert (dict(after.chosen), after.set_aside) == ({1: "c"}, 0)


def test_several_people_are_combined() -> None:
    derived_labels = labels(
        annotation(1, "a", completed_by=1, minute=1),
        annotation(2, "b", completed_by=2, minute=2),
        annotation(3, "a", completed_by=3, minute=3),
        annotation(4, "b", completed_by=4, minute=4, task=2),
        annotation(5, "a", completed_by=5, minute=9, task=2),
        maximum_annotations=3,
    )

    assert derived_labels.chosen == {1: "a", 2: "a"}


def test_a_task_with_some_of_its_annotations_trains_and_is_not_asked_first() -> None:
    derived_labels = labels(annotation(1, "a"), maximum_annotations=2)

    assert derived_labels.chosen == {1: "a"}
    assert derived_labels.closed == frozenset()
    assert derived_labels.touched == {1}


def test_one_person_twice_does_not_close_a_task_for_two() -> None:
    twice = [annotation(1, "a", completed_by=1), annotation(2, "a", completed_by=1)]
    both = [*twice, annotation(3, "a", completed_by=2)]

    assert labels(*twice, maximum_annotations=2).closed == frozenset()
    assert labels(*both, maximum_annotations=2).closed == {1}


@pytest.mark.parametrize(
    ("rule", "closes"),
    [
        ("REQUEUE_FOR_OTHERS", False),
        ("REQUEUE_FOR_ME", False),
        ("IGNORE_SKIPPED", True),
    ],
)
def test_a_skip_closes_a_task_only_where_label_studio_says_so(
    rule: str, *, closes: bool
) -> None:
    derived_labels = labels(annotation(1, None), skip_queue=rule)

    assert derived_labels.chosen == {}
    assert derived_labels.skipped == derived_labels.touched == {1}
    assert derived_labels.closed == ({1} if closes else set())
    assert derived_labels.set_aside == 0


def test_a_skipped_task_that_somebody_labels_is_a_label() -> None:
    derived_labels = labels(annotation(1, None, completed_by=1), annotation(2, "b"))

    assert derived_labels.chosen == {1: "b"}
    assert derived_labels.skipped == frozenset()


def test_a_withdrawn_answer_with_a_choice_is_a_skip() -> None:
    derived_labels = labels(annotation(1, "a", was_cancelled=True))

    assert dict(derived_labels.chosen) == {}
    assert (derived_labels.skipped, derived_labels.set_aside) == (frozenset({1}), 0)


def test_a_label_of_ours_closes_its_task_and_is_none() -> None:
    derived_labels = labels(annotation(1, machine_made("a"), task=5))

    assert derived_labels.chosen == {}
    assert derived_labels.votes == {}
    assert derived_labels.closed == derived_labels.ours == derived_labels.touched == {5}
    assert (derived_labels.set_aside, derived_labels.skipped) == (0, frozenset())


@pytest.mark.parametrize(
    "answer",
    [
        annotation(1, machine_made("a", "b"), task=5, lead_time=2.5),
        annotation(1, machine_made("a", "b"), task=5),
        annotation(1, machine_made("b"), task=5, lead_time=2.5),
        annotation(1, machine_made("b"), task=5, ground_truth=True),
        annotation(1, [region(["b"])], task=5),
    ],
    ids=["edited", "edited by a script", "edited back", "vouched for", "anew"],
)
def test_what_a_person_touched_is_theirs(answer: Annotation) -> None:
    derived_labels = labels(answer)

    assert derived_labels.chosen == {5: "b"}
    assert derived_labels.ours == frozenset()


def test_a_label_of_ours_is_known_by_its_mark_as_a_path_too() -> None:
    (item,) = machine_made("a")
    ours = annotation(1, [{**item, "value": {"choices": [["a"]]}}], task=5)
    changed = annotation(2, [{**item, "value": {"choices": [["b"]]}}], task=6)

    derived_labels = labels(ours, changed)

    assert derived_labels.ours == {5}
    assert derived_labels.chosen == {6: "b"}


def test_beside_a_persons_label_ours_says_nothing() -> None:
    machine, person = machine_made("a"), annotation(2, "b", task=5, completed_by=2)

    derived_labels = labels(annotation(1, machine, task=5, minute=9), person)

    assert derived_labels.chosen == {5: "b"}
    assert [vote.choice for vote in derived_labels.votes[5]] == ["b"]
    assert derived_labels.ours == frozenset()


def test_of_several_grades_the_median_is_the_label() -> None:
    config = (
        '<View><Text name="text" value="$text"/>'
        '<Rating name="stars" toName="text" maxRating="5"/></View>'
    )
    given = [
        annotation(number, [star(stars)], completed_by=number)
        for number, stars in enumerate([1, 1, 4, 5, 5])
    ]

    derived_labels = derive_labels(given, read_schema(config), project())

    assert derived_labels.chosen == {1: "4"}


def star(stars: int) -> JsonObject:
    names = {"from_name": "stars", "to_name": "text", "type": "rating"}
    return {**names, "value": {"rating": stars}}


def shown(choice: str, origin: object, control: str = CONTROL) -> JsonObject:
    return {**region([choice], control), "origin": origin}


def test_predictions_that_people_left_unchanged_are_counted() -> None:
    unchanged, changed = shown("a", "prediction"), shown("b", "prediction-changed")
    foreign = shown("a", "prediction", control="another control")

    acceptance = labels(
        annotation(1, [unchanged], task=1, lead_time=1.0),
        annotation(2, [unchanged, foreign], task=2, lead_time=1.0),
        annotation(3, [changed], task=3, lead_time=1.0),
        annotation(4, [shown("a", "manual")], task=4),
        annotation(5, [shown("a", ["odd"]), foreign], task=5),
        annotation(6, [unchanged], task=6, was_cancelled=True),
        annotation(7, "a", task=7),
        annotation(8, [unchanged, changed], task=8),
    ).acceptance

    assert acceptance == Acceptance(unchanged=2, of=4)
    assert labels(annotation(1, "a")).acceptance is None


def test_answers_before_the_first_choice_do_not_count_for_a_later_question() -> None:
    """The editor stores nothing of "none of them", nor of what was not asked yet."""
    several = choices_config("a", "b").replace('"single"', '"multiple"')
    asked = read_schema(several)
    given = [
        annotation(1, [], task=1, minute=1),
        annotation(2, "a", task=2, minute=2),
        annotation(3, [], task=3, minute=3),
    ]
    answers = TaskAnswers.of(given, project())

    first, later = (answers.labels(asked, is_first=one) for one in (True, False))

    assert first.chosen == {1: "[]", 2: '["a"]', 3: "[]"}
    assert later.chosen == {2: '["a"]', 3: "[]"}
    assert later.closed == first.closed == {1, 2, 3}
    [reason] = [one for one in later.set_aside_reasons if "older" in one]
    assert later.set_aside_reasons[reason] == 1


def test_an_answer_beside_which_the_editor_hid_the_question_is_not_set_aside() -> None:
    """It says nothing of the question, and nothing is wrong with it."""
    asked = replace(
        schema("a", "b"), condition=Condition(control="kind", classes=("bad",))
    )
    hidden = annotation(1).model_copy(update={"result": [region(["good"], "kind")]})
    wrong = annotation(2, "gone from the config", task=2)

    derived_labels = derive_labels([hidden, wrong], asked, project())

    assert derived_labels.chosen == {}
    [reason] = derived_labels.set_aside_reasons
    assert "gone from the config" in reason
