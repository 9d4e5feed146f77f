"""JSON-MIN exports are read by names, whatever the data's columns are called."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from dubito.backend.errors import ExportError
from dubito.backend.features.local_files import LocalFiles
from dubito.backend.labelstudio.label_config import control_names, read_schema
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.dataset import Dataset, Source
from dubito.backend.simulate.export_reader import Export, parse_export, read_export
from dubito.backend.simulate.json_min import Question
from dubito.backend.simulate.schema_inference import infer_schema
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


def question(label_config: str) -> Question:
    schema = read_schema(label_config)
    names = control_names(label_config)
    return Question(control=schema.control, key=schema.single_name, controls=names)


def asking(control: str = "mood", shown: str = "text", *others: str) -> Question:
    names = frozenset({control, *others})
    return Question(control=control, key=shown, controls=names)


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


def said(export: Export) -> list[tuple[int, str, object]]:
    triples = [
        (each.task, str(item["from_name"]), item["value"])
        for each in export.annotations
        for item in each.result
    ]
    return sorted(triples, key=lambda one: one[0])


def subject(export: Export, label_config: str = "") -> Dataset:
    files = LocalFiles(EXPORTS)
    schema = (
        read_schema(label_config) if label_config else infer_schema(export, files.fetch)
    )
    origin = Source(name="visits", export=export, schema=schema, files=files)
    return origin.subject(Preferences())


def labels(dataset: Dataset) -> dict[int, str]:
    codes = [dataset.classes[code] for code in dataset.labelled.codes]
    return dict(zip(dataset.labelled.task_ids.tolist(), codes, strict=True))


@pytest.mark.parametrize("with_config", [True, False], ids=["config", "alone"])
@pytest.mark.parametrize("name", CONFIGS)
def test_both_exports_of_a_project_give_the_same_labels_and_texts(
    name: str, *, with_config: bool
) -> None:
    """A real Label Studio wrote them: with `id` in the data, or with the control."""
    written = (EXPORTS / f"{CONFIGS[name]}.xml").read_text() if with_config else ""
    asked = question(written) if written else None
    full, least = (
        read_export(EXPORTS / f"{name}.{kind}.json", asked)
        for kind in ("JSON", "JSON_MIN")
    )

    one, other = subject(full, written), subject(least, written)

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
        ({"id": "R1", "shop": 1}, ["id"]),
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

    asked, guessed = parse_export(rows, asking()), parse_export(rows)

    kept = [{k: v for k, v in one.items() if k not in lost} for one in data]
    for dataset in (asked, guessed):
        assert [task.data for task in dataset.tasks] == kept
        assert [task.id for task in dataset.tasks] == list(range(1, 41))
        assert said(dataset) == [
            (n, "mood", {"choices": [MOODS[n % 2]]}) for n in range(1, 41)
        ]
        for name in lost:
            assert any(f"a column {name!r}" in note for note in dataset.notes)
    assert len(asked.notes) == len(lost)


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
    assert {name for _, name, _ in said(export)} == {"mood"}
    assert list(export.notes) == []


def test_comments_are_not_taken_for_choices_nor_for_the_data() -> None:
    """A comment for each task would be a class of its own, and gives answers away."""
    rows = mooded(visits(), "mood", ("comment", "x"))
    for number, row in enumerate(rows):
        row["comment"] = f"I think that {number} says it"

    export = parse_export(rows)

    assert {name for _, name, _ in said(export)} == {"mood"}
    assert export.tasks[0].data == visits()[0]
    assert "'comment', 'mood'" in export.notes[0]


def test_a_text_behind_the_id_is_data_where_else_only_numbers_would_be_shown() -> None:
    data: list[JsonObject] = [
        {"shop": n % 5, "id": f"R{n}", "text": f"the bread of {n} was good"}
        for n in range(40)
    ]

    export = parse_export(mooded(data))

    assert export.tasks[3].data == {"shop": 3, "text": "the bread of 3 was good"}
    assert any("'text'" in note and "--config" in note for note in export.notes)


def test_what_cannot_be_told_is_asked_for() -> None:
    """Two columns of words behind an overwritten `id`: either may be the answers."""
    data = [{"id": f"R{n}", **one, "city": "rome"} for n, one in enumerate(visits())]

    with pytest.raises(ExportError, match=r"\('city', 'mood'\): give the label config"):
        parse_export(mooded(data))

    asked = parse_export(mooded(data), asking())
    assert asked.tasks[0].data == {"text": data[0]["text"], "city": "rome"}


@pytest.mark.parametrize("name", ["annotator", "created_at", "lead_time"])
def test_a_control_that_label_studio_writes_over_is_refused(name: str) -> None:
    rows = mooded(visits(), name)

    with pytest.raises(ExportError, match=f"named '{name}'.*use the JSON export"):
        parse_export(rows, asking(name))


def test_a_control_may_be_called_id() -> None:
    """Then the tasks' numbers are lost, and tasks are told apart by their data."""
    rows = mooded(visits(), "id")

    for export in (parse_export(rows, asking("id")), parse_export(rows)):
        assert [task.data for task in export.tasks] == visits()
        assert {name for _, name, _ in said(export)} == {"id"}


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

    assert [task for task, _, _ in said(export)] == list(range(3, 41))


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

    chosen = [value for task, _, value in said(export) if task in {1, 2}]
    assert chosen == [{"choices": ["glad", "angry"]}] * 2


def test_enterprise_adds_an_agreement_at_the_end() -> None:
    rows = [row | {"agreement": 1.0} for row in mooded(visits())]

    assert parse_export(rows, asking()).tasks[0].data == visits()[0]


def test_rows_of_a_version_before_one_have_no_tail() -> None:
    rows = [
        {**one, "id": n, "mood": MOODS[n % 2]}
        for n, one in enumerate(visits(), start=1)
    ]

    for export in (parse_export(rows), parse_export(rows, asking())):
        assert [task.data for task in export.tasks] == visits()
        assert len(said(export)) == 40


def test_controls_are_all_tags_that_point_to_another() -> None:
    written = (
        '<View><Text name="t" value="$text"/><Filter name="f" toName="mood"/>'
        '<Choices name="mood" toName="t"><Choice value="a"/></Choices>'
        '<TextArea name="why" toName="t"/></View>'
    )

    assert control_names(written) == {"mood", "why"}
