"""Several objects in one task: each that can be read is a part of what is learnt."""

from dataclasses import asdict

import pytest

from dubito.backend.export.skops_file import schema_of
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.media import about_unread
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import Preferences
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.schema import Schema
from tests.label_studio import JsonObject

DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
CHOICES = (
    '<Choices name="label" toName="item"><Choice value="a"/><Choice value="b"/>'
    "</Choices>"
)
DOCUMENT = '<Text name="item" value="$document"/>'
SUMMARY = '<Text name="summary" value="$summary"/>'
PHOTO = '<Image name="photo" value="$photo"/>'
CLIP = '<List name="clip" value="$clip"/>'
TASK: JsonObject = {
    "document": "a long document",
    "summary": "a document",
    "photo": DOT,
    "clip": "/a.mp4",
}


class NoFiles:
    def fetch(self, address: str) -> bytes:
        raise BadItemError(address)


def shown(*tags: str) -> Schema:
    return read_schema(f"<View>{''.join(tags)}{CHOICES}</View>")


def spec(schema: Schema, data: JsonObject, **chosen: object) -> InputSpec:
    return choose_input(schema, Preferences.model_validate(chosen), [data])


def read(schema: Schema, data: JsonObject, **chosen: object) -> TaskInput:
    reads = spec(schema, TASK, **chosen)
    return TaskReader(schema=schema, reads=reads, files=NoFiles()).read(data)


def test_two_texts_are_one_after_another() -> None:
    reading = read(shown(DOCUMENT, SUMMARY), TASK)

    assert reading.text == "a long document\n\na document"


def test_what_is_read_names_the_objects() -> None:
    reads = spec(shown(DOCUMENT, SUMMARY, PHOTO), TASK)

    assert (reads.kind, reads.keys) == ("objects", ("document", "summary", "photo"))
    parts = [(part.target, part.kind, part.keys) for part in reads.parts]
    assert parts == [
        ("item", "text", ("document",)),
        ("summary", "text", ("summary",)),
        ("photo", "image", ("photo",)),
    ]


def test_numbers_of_another_object_have_its_name() -> None:
    reading = read(shown(DOCUMENT, PHOTO), TASK)

    assert reading.text == "a long document"
    assert reading.numbers
    assert all(name.startswith("photo: ") for name in reading.numbers)


def test_numbers_of_the_object_in_question_keep_their_names() -> None:
    table = '<Table name="item" value="$row"/>'

    reading = read_row(shown(table, SUMMARY), {"row": {"age": 4.5}, "summary": "old"})

    assert (dict(reading.numbers), reading.text) == ({"age": 4.5}, "old")


def read_row(schema: Schema, data: JsonObject) -> TaskInput:
    reader = TaskReader(schema=schema, reads=spec(schema, data), files=NoFiles())
    return reader.read(data)


@pytest.mark.parametrize("missing", ["document", "photo"])
def test_of_a_task_without_an_object_the_rest_is_read(missing: str) -> None:
    data = {key: value for key, value in TASK.items() if key != missing}

    reading = read(shown(DOCUMENT, PHOTO), data)

    assert reading.refused == ""
    assert (reading.text is None) == (missing == "document")
    assert (not reading.numbers) == (missing == "photo")


def test_a_task_without_any_object_is_set_aside() -> None:
    assert "no text under 'document'" in read(shown(DOCUMENT, PHOTO), {}).refused


def test_what_cannot_be_read_is_left_out_and_that_is_said() -> None:
    schema = shown(DOCUMENT, CLIP)

    assert read(schema, TASK).text == "a long document"
    assert about_unread(schema, spec(schema, TASK)) == (
        "<List> cannot be read: Dubito uses the other objects of the task"
    )


def test_beside_a_list_in_question_the_other_objects_are_read() -> None:
    schema = shown('<List name="item" value="$clip"/>', SUMMARY)

    assert read(schema, TASK).text == "a document"
    assert "uses the other objects" in about_unread(schema, spec(schema, TASK))


def test_the_features_that_the_owner_names_come_before_the_objects() -> None:
    reads = spec(shown(DOCUMENT, SUMMARY), TASK, features=["summary"])

    assert (reads.kind, reads.keys, reads.parts) == ("text", ("summary",), ())


def test_rows_of_numbers_under_a_name_are_read_alone() -> None:
    row: JsonObject = {"document": "row 7", "summary": "s"}
    sample = [row | {f"f{n}": n * k / 2 + 0.5 for n in range(4)} for k in range(9)]
    schema = shown(DOCUMENT, SUMMARY)

    assert choose_input(schema, Preferences(), sample).kind == "numbers"


@pytest.mark.parametrize(
    "other",
    [
        '<Text name="help" value="Read it with care"/>',
        '<Text name="again" value="$document"/>',
        '<Header value="$summary"/>',
        '<Repeater on="$all"><Text name="one" value="$all[{{idx}}].x"/></Repeater>',
    ],
)
def test_what_shows_nothing_new_of_the_task_is_no_object(other: str) -> None:
    assert shown(DOCUMENT, other).others == ()


def test_of_many_objects_the_first_are_read() -> None:
    tags = (f'<Text name="t{n}" value="$t{n}"/>' for n in range(100))

    assert len(shown(DOCUMENT, *tags).others) == 9


def test_a_schema_with_several_objects_is_kept_in_a_model() -> None:
    schema = shown(DOCUMENT, SUMMARY, PHOTO)
    reads = spec(schema, TASK)

    assert schema_of(asdict(schema)) == schema
    assert InputSpec(**reads.model_dump()) == reads


def test_the_schema_of_an_older_model_is_read() -> None:
    kept = asdict(shown(DOCUMENT))
    for name in ("encoding", "name_key", "text_key", "others"):
        del kept[name]

    assert schema_of(kept) == shown(DOCUMENT)
