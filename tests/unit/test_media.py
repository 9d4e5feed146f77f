"""What cannot be read is set aside with a sentence, never learnt as something else."""

import pytest

from dubito.backend.data_kinds.unread import NOTHING
from dubito.backend.errors import SchemaError
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.media import about_unread, learnt_beside
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.project_settings import Preferences
from dubito.backend.records import JsonObject
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.features.mixed_columns import named_category
from dubito.model.schema import Schema
from tests.builders import schema

FILES = {
    "/data/upload/1/0a1b2c3d-a.txt": "Grüße".encode(),
    "http://files.example/marked.txt": "\ufeffmarked".encode(),
    "http://files.example/wide.txt": "wide".encode("utf-16"),
    "http://files.example/a.pdf": b"%PDF-1.7 and so on",
    "http://files.example/a.bin": b"so\0on",
}


class Shelf:
    """The files that there are."""

    def fetch(self, address: str) -> bytes:
        if address not in FILES:
            message = f"{address} is not there"
            raise BadItemError(message)
        return FILES[address]


def unread(tag: str = "Video", key: str = "file") -> Schema:
    return Schema(
        control="label",
        target="item",
        classes=("a", "b"),
        tag=tag,
        key=key,
        unread=f"<{tag}>",
    )


def choice(shown: Schema, sample: list[JsonObject], **chosen: object) -> InputSpec:
    return choose_input(shown, Preferences.model_validate(chosen), sample)


def read(shown: Schema, sample: list[JsonObject], **chosen: object) -> list[TaskInput]:
    reader = TaskReader(
        schema=shown, reads=choice(shown, sample, **chosen), files=Shelf()
    )
    return [reader.read(data) for data in sample]


def clips(**beside: list[object]) -> list[JsonObject]:
    """Build tasks that show a file each, with some values beside."""
    columns = zip(*beside.values(), strict=True) if beside else [()] * 10
    return [
        {"file": f"/data/upload/1/{n:08x}-clip.mp4"}
        | dict(zip(beside, values, strict=True))
        for n, values in enumerate(columns)
    ]


def test_what_stands_beside_an_unread_object_is_learnt() -> None:
    speeds = [n / 2 for n in range(10)]
    places = ["street", "wood"] * 5
    sample = clips(speed=list(speeds), place=list(places))

    spec = choice(unread(), sample)

    assert (spec.kind, spec.keys) == (
        "numbers",
        (named_category("place"), "speed"),
    )
    assert read(unread(), sample)[3].numbers["speed"] == 1.5


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"id": list(range(10))},
        {"id": [str(n) for n in range(10)]},
        {"fps": [25] * 10},
        {"title": [f"clip of the day {n}" for n in range(10)]},
        {"kind": ["a", "b"] * 5},
    ],
    ids=["nothing", "numbers", "written numbers", "constant", "text", "answers"],
)
def test_with_nothing_to_learn_from_beside_each_task_is_set_aside(
    beside: dict[str, list[object]],
) -> None:
    readings = read(unread(), clips(**beside))

    reason = (
        "'file' is shown as <Video>, which Dubito cannot read, and the task has no"
        " other usable number or category"
    )
    assert {one.refused for one in readings} == {reason}
    assert not any(one.numbers or one.text for one in readings)


def test_the_same_address_again_and_again_is_no_category() -> None:
    sample: list[JsonObject] = [{"file": f"/f/{n % 2}.pdf"} for n in range(20)]

    assert choice(unread("Pdf"), sample).kind == NOTHING


def test_features_decide_but_not_for_the_unread_object() -> None:
    sample = clips(title=[f"clip {n}" for n in range(10)])

    titles = choice(unread(), sample, features=["file", "title"])

    assert (titles.kind, titles.keys) == ("text", ("title",))
    assert choice(unread(), sample, features=["file"]).kind == NOTHING


def test_what_is_learnt_instead_is_told() -> None:
    sample = clips(speed=[n / 2 for n in range(10)], place=["street", "wood"] * 5)

    assert learnt_beside(unread(), None, sample) == (
        "<Video> cannot be read: Dubito uses the other data of the task:"
        " 'place', 'speed'"
    )
    assert "add numbers or categories" in learnt_beside(unread(), None, [])
    named = learnt_beside(unread(), {"features": ["title"]}, sample)
    assert named.endswith(" other data of the task: 'title'")
    assert about_unread(schema(), None) == ""


def test_columns_without_end_are_told_in_a_line() -> None:
    reads = InputSpec(kind="numbers", keys=tuple(f"c{n}" for n in range(20)))

    assert about_unread(unread(), reads).endswith("'c7' and 12 more")


@pytest.mark.parametrize("params", [None, {"features": ["file"]}, "no JSON"])
def test_nothing_to_learn_from_is_refused_with_what_to_do(params: object) -> None:
    with pytest.raises(SchemaError, match=r"<Video> cannot be read: .*Add numbers or"):
        learnt_beside(unread(), params, clips())


def test_a_row_may_be_json_text() -> None:
    sample: list[JsonObject] = [
        {"row": f'{{"width": {n / 2}, "height": {n % 3}}}'} for n in range(10)
    ]

    readings = read(schema(tag="Table", key="row"), sample)

    assert readings[3].numbers == {"width": 1.5, "height": 0}


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("no JSON", "no object with named values"),
        ("3", "no object with named values"),
        (7, "no object with named values"),
    ],
)
@pytest.mark.parametrize("others", [0, 9])
def test_a_table_that_is_no_row_is_set_aside(
    value: object, what: str, others: int
) -> None:
    """Also where a number counts the tasks: that is not learnt instead."""
    rows: list[JsonObject] = [{"row": {"x": n / 2}, "id": n} for n in range(others)]
    sample: list[JsonObject] = [{"row": value, "id": 99}, *rows]

    readings = read(schema(tag="Table", key="row"), sample)

    assert readings[0].refused == (
        f"'row' holds {what}: a <Table> is read as one row, such as {{\"width\": 3.1}}"
    )
    assert [one.refused for one in readings[1:]] == [""] * others


@pytest.mark.parametrize("value", [[{"age": 41}], '[{"age": 41}, {"age": 7}]'])
def test_a_list_of_rows_among_rows_of_numbers_is_set_aside(value: object) -> None:
    rows: list[JsonObject] = [{"row": {"x": n / 2}} for n in range(9)]

    readings = read(schema(tag="Table", key="row"), [{"row": value}, *rows])

    assert "'row' holds a list of rows" in readings[0].refused


def test_an_uploaded_file_shown_as_text_is_no_text() -> None:
    """The editor shows the address itself: nobody has seen what the file holds."""
    sample: list[JsonObject] = [{"text": address} for address in FILES]
    sample.append({"text": "some words"})

    readings = read(schema(), sample)

    assert "give its tag valueType" in readings[0].refused
    assert readings[-1].text == "some words"


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/data/upload/1/0a1b2c3d-a.txt", "Grüße"),
        ("http://files.example/marked.txt", "marked"),
        ("http://files.example/wide.txt", "wide"),
    ],
)
def test_the_text_of_a_file_is_read(address: str, text: str) -> None:
    (reading,) = read(schema(is_address=True), [{"text": address}])

    assert (reading.text, reading.refused) == (text, "")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("http://files.example/a.pdf", "a.pdf is not a text file"),
        ("http://files.example/a.bin", "a.bin is not a text file"),
        ("just some words", "holds no address there but the text itself"),
        ("<p>words</p>", "holds no address there but the text itself"),
    ],
)
def test_what_is_no_text_of_a_file_is_set_aside(value: str, why: str) -> None:
    (reading,) = read(schema(is_address=True), [{"text": value}])

    assert reading.text is None
    assert why in reading.refused


def test_another_key_than_the_shown_one_is_never_an_address() -> None:
    sample: list[JsonObject] = [{"text": "/data/upload/1/0a1b2c3d-a.txt", "by": "Ann"}]

    (reading,) = read(schema(is_address=True), sample, features=["by"])

    assert reading.text == "Ann"
