"""JSON-MIN exports are read by names, whatever the data's columns are called."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from dubito.backend.controls.single_choice import SingleChoice
from dubito.backend.errors import ExportError
from dubito.backend.labelstudio.label_config import control_names
from dubito.backend.simulate.dataset import Dataset
from dubito.backend.simulate.export_reader import Export, parse_export, read_export
from dubito.backend.simulate.json_min import Question
from tests.exports import dataset_of, question_of
from tests.label_studio import JsonObject

EXPORTS = Path(__file__).parents[1] / "fixtures" / "exports"
CONFIGS = {"plain": "mood", "idcolumn": "mood", "sameasdata": "label"}
MOODS = ("glad", "angry")
OWN: JsonObject = {
    "annotator": 1,
    "annotation_id": 7,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-02T00:00:00Z",
    "lead_time": 1.5,
}


def asking(control: str = "mood", shown: str = "text", *others: str) -> Question:
    return Question(
        control=control,
        key=shown,
        shown=frozenset({shown}),
        controls=frozenset({control, *others}),
        control_kind=SingleChoice.kind,
        is_nested=False,
    )


def exported_row(
    number: int, data: JsonObject, *answers: tuple[str, object]
) -> JsonObject:
    """Return a row as Label Studio's converter makes it, one key after another."""
    row = dict(data)
    row["id"] = number
    row.update(answers)
    row.update(OWN)
    return row


def visits(**columns: object) -> list[JsonObject]:
    """Return the data of tasks: a text, and further columns before and after."""
    front = {key: value for key, value in columns.items() if key.startswith("front_")}
    data: list[JsonObject] = []
    for number in range(40):
        row = {key.removeprefix("front_"): value for key, value in front.items()}
        row["text"] = f"the bread of visit {number} was good"
        row |= {key: v for key, v in columns.items() if key not in front}
        data.append(row)
    return data


def mooded(
    data: Sequence[JsonObject], control: str = "mood", *more: tuple[str, object]
) -> list[JsonObject]:
    return [
        exported_row(n, one, (control, MOODS[n % 2]), *more)
        for n, one in enumerate(data, start=1)
    ]


def choices_of(export: Export) -> list[tuple[int, str, object]]:
    triples = [
        (each.task, str(item["from_name"]), item["value"])
        for each in export.annotations
        for item in each.result
    ]
    return sorted(triples, key=lambda one: one[0])


def labels(dataset: Dataset) -> dict[int, str]:
    codes = [dataset.classes[code] for code in dataset.labelled.codes]
    return dict(zip(dataset.labelled.task_ids.tolist(), codes, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_both_exports_of_a_project_give_the_same_labels_and_texts(name: str) -> None:
    """A real Label Studio wrote them: with `id` in the data, or with the control."""
    config = (EXPORTS / f"{CONFIGS[name]}.xml").read_text()
    paths = [EXPORTS / f"{name}.{kind}.json" for kind in ("JSON", "JSON_MIN")]
    full, least = (read_export(path, question_of(config)) for path in paths)

    one, other = (dataset_of(json.loads(path.read_text()), config) for path in paths)

    assert len(labels(one)) == 60
    assert labels(other) == labels(one)
    assert other.kind == one.kind == "text"
    assert [t.data["text"] for t in least.tasks] == [t.data["text"] for t in full.tasks]
    assert (other.labelled.features == one.labelled.features).all()


@pytest.mark.parametrize(
    ("columns", "lost"),
    [
        ({"shop": 1}, []),
        ({"front_id": "R1", "shop": 1}, ["id"]),
        ({"front_mood": "", "shop": 1}, ["mood"]),
        ({"mood": "old", "shop": 1}, ["mood"]),
        ({"front_annotator": "eve", "shop": 1}, ["annotator"]),
        ({"annotation_id": 3, "shop": 1}, ["annotation_id"]),
        (
            {"created_at": "yesterday", "lead_time": 3, "shop": 1},
            ["created_at", "lead_time"],
        ),
        ({"agreement": 0.5, "shop": 1}, []),
        ({"data": "x", "annotations": 3, "shop": 1}, []),
        (
            {"front_id": 3, "mood": "", "annotator": "", "updated_at": "", "shop": 1},
            ["annotator", "id", "mood", "updated_at"],
        ),
    ],
)
def test_a_column_of_any_name_shifts_nothing(
    columns: dict[str, object], lost: list[str]
) -> None:
    data = visits(**columns)
    rows = mooded(data)

    export = parse_export(rows, asking())

    kept = [{k: v for k, v in one.items() if k not in lost} for one in data]
    assert [task.data for task in export.tasks] == kept
    assert [task.id for task in export.tasks] == list(range(1, 41))
    assert choices_of(export) == [
        (n, "mood", {"choices": [MOODS[n % 2]]}) for n in range(1, 41)
    ]
    for name in lost:
        assert any(f"a column {name!r}" in note for note in export.notes)
    assert len(export.notes) == len(lost)


def test_a_column_that_cannot_be_read_back_is_named_with_the_way_out() -> None:
    notes = parse_export(mooded(visits(front_id="R1")), asking()).notes

    [note] = notes
    assert note == (
        "the data has a column 'id', and Label Studio writes its own 'id' over it: the"
        " column is lost in a JSON-MIN export; to keep it, use the JSON export instead"
        " of JSON-MIN"
    )


def test_answers_of_other_controls_are_no_data() -> None:
    rows = [
        exported_row(
            n, one, ("why", f"because of {n}"), ("mood", MOODS[n % 2]), ("size", "big")
        )
        for n, one in enumerate(visits(), start=1)
    ]

    export = parse_export(rows, asking("mood", "text", "why", "size"))

    assert export.tasks[0].data == visits()[0]
    assert {name for _, name, _ in choices_of(export)} == {"mood"}
    assert list(export.notes) == []


def test_answers_of_a_control_that_is_gone_are_no_data() -> None:
    rows = [
        exported_row(n, one, ("mood", MOODS[n % 2]), ("old mood", MOODS[n % 2]))
        for n, one in enumerate(visits(shop=1), start=1)
    ]
    del rows[0]["old mood"]

    export = parse_export(rows, asking())

    assert [task.data for task in export.tasks] == visits(shop=1)
    [note] = export.notes
    assert note == (
        "the column 'old mood' stands where a JSON-MIN export has the answers, and the"
        " label config has no control of that name: the column is left out; if it is"
        " data of the tasks, use the JSON export instead of JSON-MIN"
    )


def test_data_behind_a_column_id_is_left_out_and_named() -> None:
    """It looks like the answers of a control that is gone."""
    export = parse_export(mooded(visits(id="R1", shop=1)), asking())

    assert [task.data for task in export.tasks] == visits()
    [note] = export.notes
    assert note.startswith("the column 'shop' stands where")


@pytest.mark.parametrize("name", ["annotator", "created_at", "lead_time"])
def test_a_control_that_label_studio_writes_over_is_refused(name: str) -> None:
    rows = mooded(visits(), name)

    with pytest.raises(ExportError, match=f"named '{name}'.*use the JSON export"):
        parse_export(rows, asking(name))


def test_a_control_may_be_called_id() -> None:
    """Then the tasks' numbers are lost, and tasks are told apart by their data."""
    rows = mooded(visits(), "id")

    export = parse_export(rows, asking("id"))

    assert [task.data for task in export.tasks] == visits()
    assert {name for _, name, _ in choices_of(export)} == {"id"}


@pytest.mark.parametrize("shown", ["id", "mood", "created_at"])
def test_what_is_shown_must_not_be_overwritten(shown: str) -> None:
    rows = mooded([{shown: "a text", "shop": n} for n in range(40)])

    with pytest.raises(ExportError, match=f"the tasks show '{shown}'.*JSON export"):
        parse_export(rows, asking("mood", shown))


def test_unanswered_rows_say_nothing_by_the_column_of_the_controls_name() -> None:
    rows = mooded(visits(mood="", shop=1))
    rows[0]["mood"] = ""
    rows[1]["mood"] = 5

    export = parse_export(rows, asking())

    assert [task for task, _, _ in choices_of(export)] == list(range(3, 41))


def test_tasks_without_annotation_have_none() -> None:
    """An export of all tasks has a row for each task, with `annotation_id` null."""
    rows = mooded(visits())
    bare = exported_row(99, visits()[0]) | {"annotation_id": None, "updated_at": None}

    export = parse_export([*rows, bare], asking())

    assert 99 in {task.id for task in export.tasks}
    assert 99 not in {each.task for each in export.annotations}


def test_several_choices_are_as_the_json_export_has_them() -> None:
    rows = mooded(visits())
    rows[0]["mood"] = {"choices": ["glad", "angry"]}
    rows[1]["mood"] = ["glad", "angry"]

    export = parse_export(rows, asking())

    chosen = [value for task, _, value in choices_of(export) if task in {1, 2}]
    assert chosen == [{"choices": ["glad", "angry"]}] * 2


def test_enterprise_adds_an_agreement_at_the_end() -> None:
    rows = [row | {"agreement": 1.0} for row in mooded(visits())]

    assert parse_export(rows, asking()).tasks[0].data == visits()[0]


def test_rows_of_a_version_before_one_have_no_tail() -> None:
    rows = [
        {**one, "id": n, "mood": MOODS[n % 2]}
        for n, one in enumerate(visits(), start=1)
    ]

    export = parse_export(rows, asking())

    assert [task.data for task in export.tasks] == visits()
    assert len(choices_of(export)) == 40


def test_controls_are_all_tags_that_point_to_another() -> None:
    written = (
        '<View><Text name="t" value="$text"/><Filter name="f" toName="mood"/>'
        '<Choices name="mood" toName="t"><Choice value="a"/></Choices>'
        '<TextArea name="why" toName="t"/></View>'
    )

    assert control_names(written) == {"mood", "why"}
