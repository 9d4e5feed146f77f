"""Two items that are compared: read side by side, kept as one task, parted again."""

import numpy as np
import pytest

from dubito.backend.errors import SchemaError
from dubito.backend.features.in_memory_pool import pool_of
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.learning.labels import read_answer
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.export_reader import parse_export
from dubito.backend.simulate.json_min import Question
from dubito.backend.state.pairs import both_sides, paired, sides_of
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.schema import Schema
from tests.label_studio import JsonObject
from tests.pairs import CONFIG

ROWS = (
    '<View><Pairwise name="better" toName="one,two"/>'
    '<Table name="one" value="$first"/><Table name="two" value="$second"/></View>'
)
TALKS = CONFIG.replace("<Text", "<Paragraphs")
FEEDBACK = CONFIG.replace("</View>", '<Text name="prompt" value="$prompt"/></View>')


class NoFiles:
    def fetch(self, address: str) -> bytes:
        raise BadItemError(address)


def reader_of(schema: Schema, sample: list[JsonObject]) -> TaskReader:
    reads = choose_input(schema, Preferences(), sample)
    assert reads.kind == "pair"
    return TaskReader(schema=schema, reads=reads, files=NoFiles())


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (CONFIG.replace("one,two", "one"), "does not name two objects"),
        (CONFIG.replace("one,two", "one,two,one"), "does not name two objects"),
        (CONFIG.replace("one,two", "one,three"), "'three', which does not exist"),
        (CONFIG.replace("$second", "$first"), "show the same data"),
        (CONFIG.replace("$second", "as before"), "show nothing of the tasks' data"),
        (
            CONFIG.replace('<Text name="two"', '<Image name="two"'),
            "compares <Text> with <Image>, and Dubito compares two objects of one",
        ),
        (CONFIG.replace("<Text", "<List"), "<List>, which Dubito cannot read"),
    ],
)
def test_objects_that_cannot_be_compared_are_refused(config: str, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        read_schema(config)


def test_of_a_pair_with_a_prompt_both_answers_are_read() -> None:
    schema = read_schema(FEEDBACK)

    assert [one.target for one in schema.objects] == ["one", "two"]


def test_the_left_object_is_the_first_in_to_name() -> None:
    schema = read_schema(CONFIG.replace("one,two", "two,one"))
    data: JsonObject = {"first": "good", "second": "bad"}

    reading = reader_of(schema, [data]).read(data)

    assert [side.text for side in sides_of(reading)] == ["bad", "good"]


def test_two_dialogues_are_compared() -> None:
    data: JsonObject = {
        "first": [{"author": "Ann", "text": "Hello"}],
        "second": [{"author": "Ann", "text": "Go away"}],
    }

    reading = reader_of(read_schema(TALKS), [data]).read(data)

    assert [side.text for side in sides_of(reading)] == ["Ann: Hello", "Ann: Go away"]


def test_of_two_rows_the_columns_of_both_are_read() -> None:
    sample: list[JsonObject] = [
        {"first": {"size": n / 2, "age": 1.5 * n}, "second": {"size": n / 3}}
        for n in range(9)
    ]
    reader = reader_of(read_schema(ROWS), sample)

    left, right = sides_of(reader.read(sample[3]))

    assert (dict(left.numbers), dict(right.numbers)) == (
        {"size": 1.5, "age": 4.5},
        {"size": 1.0},
    )
    pool = both_sides(pool_of({1: reader.read(sample[3])}))
    assert pool.columns == ("age", "size")
    np.testing.assert_equal(pool.numbers, [[4.5, 1.5], [np.nan, 1.0]])


@pytest.mark.parametrize("missing", ["first", "second"])
def test_a_pair_without_an_item_is_set_aside(missing: str) -> None:
    data: JsonObject = {key: "a text" for key in ("first", "second") if key != missing}

    refused = reader_of(read_schema(CONFIG), [data]).read(data).refused

    side = "left" if missing == "first" else "right"
    assert refused.startswith(f"the {side} item cannot be read: ")
    assert repr(missing) in refused


def test_what_parts_the_sides_is_taken_out_of_texts() -> None:
    pair = paired(TaskInput(text="a\x1cb"), TaskInput(text="c"))

    assert [side.text for side in sides_of(pair)] == ["a b", "c"]


def test_an_item_without_a_vector_has_an_empty_one_beside_the_other() -> None:
    vector = np.ones(3, dtype=np.float16).tobytes()

    left, right = sides_of(paired(TaskInput(text="", vector=vector), TaskInput()))

    assert (left.vector, right.vector) == (vector, bytes(len(vector)))


def test_an_extractor_describes_both_items() -> None:
    chosen = Preferences.model_construct(extractor="sentences")

    reads = choose_input(read_schema(CONFIG), chosen, [])

    parts = [(one.target, one.kind, one.extractor) for one in reads.parts]
    assert parts == [
        ("one", "extracted", "sentences"),
        ("two", "extracted", "sentences"),
    ]


def test_the_side_is_read_from_json_min() -> None:
    """As Label Studio 1.23.2 writes it."""
    schema = read_schema(CONFIG)
    row: JsonObject = {
        "first": "a",
        "second": "b",
        "id": 1,
        "better": [{"selected": "right"}],
        "annotator": 1,
        "annotation_id": 5,
    }
    question = Question.of(schema, CONFIG)

    export = parse_export([row], question)

    assert [task.data for task in export.tasks] == [{"first": "a", "second": "b"}]
    assert [read_answer(one, schema) for one in export.annotations] == ["right"]
