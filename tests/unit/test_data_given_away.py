"""Columns that hold the answers are not read, and owners are told of odd columns."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dubito.backend.features.data_notes import data_notes, missing_marks_of
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.local_files import LocalFiles
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import Preferences, read_preferences
from dubito.backend.state.assessments import SolePredictor
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import TaskInput
from tests.exports import dataset_of, exported
from tests.label_studio import JsonObject, choices_config
from tests.sounds import sound_file
from tests.videos import clip, sound_track

CONFIG = """<View><Table name="row" value="$row"/>
<Choices name="label" toName="row" choice="single">
<Choice value="Very good" alias="vg" hotkey="y"/>
<Choice value="Not good" alias="ng" hotkey="x"/>
<Choice value="Food / Bread" alias="fb"/>
</Choices></View>"""
CAPTIONS = ("Very good", "Not good", "Food / Bread")
ALIASES = ("vg", "ng", "fb")


def rows_with(*spellings: object, count: int = 60) -> list[JsonObject]:
    noise = np.random.default_rng(0).normal(size=(count, 2)).tolist()
    return [
        {"x": x, "y": y, "held": spellings[n % len(spellings)]}
        for n, (x, y) in enumerate(noise)
    ]


def chosen(rows: list[JsonObject], **settings: object) -> InputSpec:
    return choose_input(read_schema(CONFIG), read_preferences(settings), rows)


def is_read(reads: InputSpec) -> bool:
    return any(key.startswith("held") for key in reads.keys)


@pytest.mark.parametrize(
    "spellings",
    [
        ALIASES,
        CAPTIONS,
        ("VERY GOOD", "not good ", "food/bread"),
        ("very_good", "not-good", "Food > Bread"),
        ("vg", "Not good", "?"),
        ("y", "x"),
        ("Y", "X", None),
        ("Very  good", "n/a", ""),
    ],
    ids=str,
)
def test_a_column_that_holds_the_answers_is_not_read(
    spellings: tuple[object, ...],
) -> None:
    reads = chosen(rows_with(*spellings))

    assert not is_read(reads)
    assert reads.answers == ("held",)
    assert {"x", "y"} <= set(reads.keys)


@pytest.mark.parametrize(
    "spellings",
    [("red", "blue"), ("Very good", "red"), ("very", "good"), ("?", "-")],
    ids=str,
)
def test_other_words_are_read(spellings: tuple[object, ...]) -> None:
    reads = chosen(rows_with(*spellings))

    assert is_read(reads)
    assert reads.answers == ()


def test_numbers_that_are_hotkeys_too_are_numbers() -> None:
    numbered = CONFIG.replace('"y"', '"1"').replace('"x"', '"2"')
    rows = rows_with(1, 2)

    reads = choose_input(read_schema(numbered), Preferences(), rows)

    assert is_read(reads)


def test_whoever_names_such_a_column_has_it() -> None:
    assert is_read(chosen(rows_with(*CAPTIONS), features=["x", "held"]))


def read_all(rows: list[JsonObject], **settings: object) -> list[TaskInput]:
    reads = chosen(rows, **settings)
    files = LocalFiles(Path())
    reader = TaskReader(schema=read_schema(CONFIG), reads=reads, files=files)
    return [reader.read(row) for row in rows]


MARKS = ("?", "-", "n.a.", "null", ".", "12 kg")


@pytest.mark.parametrize("settings", [{}, {"features": ["x", "y", "z"]}], ids=str)
def test_marks_of_missing_values_set_no_task_aside(settings: JsonObject) -> None:
    rows = rows_with("red", "blue")
    for number, row in enumerate(rows):
        row["z"] = MARKS[number // 3 % 6] if number % 3 == 0 else number * 0.37

    readings = read_all(rows, **settings)

    assert not any(reading.refused for reading in readings)
    assert [("z" in one.numbers) for one in readings] == [
        bool(n % 3) for n in range(60)
    ]
    assert {mark for one in readings for mark in one.marks.values()} == {*MARKS}


def test_marks_are_no_words_of_the_text_beside_them() -> None:
    rows: list[JsonObject] = [
        {"text": f"the bread of day {n}", "z": "?" if n % 3 == 0 else n}
        for n in range(60)
    ]

    readings = read_all(rows, features=["text", "z"])

    assert readings[0] == TaskInput(text="the bread of day 0", marks={"z": "?"})
    assert readings[1] == TaskInput(text="the bread of day 1", numbers={"z": 1.0})


def test_a_column_that_is_asked_for_may_be_mostly_marks() -> None:
    rows = rows_with("red", "blue")
    for number, row in enumerate(rows):
        row["z"] = number * 0.37 if number % 3 == 0 else "?"

    readings = read_all(rows, features=["x", "z"])

    assert sum("z" in one.numbers for one in readings) == 20


def test_the_marks_are_listed_by_column_and_not_without_end() -> None:
    many = [TaskInput(marks={f"c{n % 40:02}": f"mark {n}"}) for n in range(2_000)]

    marks_of_columns = missing_marks_of(many, {"c00": ("?",)})

    assert marks_of_columns["c00"][:2] == ("?", "mark 0")
    assert len(marks_of_columns) == 20
    assert {len(marks) for marks in marks_of_columns.values()} == {5}
    [note] = data_notes(InputSpec(kind="numbers"), {"age": ("?", "n.a.")}, ())
    assert note == (
        "values that are not numbers count as missing in these numeric columns:"
        " 'age': '?', 'n.a.'"
    )


def test_the_way_to_exclude_a_column_is_written_out() -> None:
    reads = InputSpec(kind="numbers", keys=("age", "gold\x1f", "v\x1e3"))
    gold = SolePredictor(column="gold", accuracy=1.0, labels=80)

    [note] = data_notes(reads, {}, (gold,))

    assert "the column 'gold' alone predicts 100% of 80 labels" in note
    assert note.endswith('set the extra params to {"features":["age","v"]}')


def test_simulate_names_marks_and_columns_that_give_the_answers_away() -> None:
    rows = rows_with("red", "green", "blue", count=120)
    for number, row in enumerate(rows):
        row["z"] = "?" if number % 3 == 0 else number % 7 * 0.5
    tasks = [exported(n, row, ALIASES[n % 3]) for n, row in enumerate(rows)]

    dataset = dataset_of(tasks, choices_config(*ALIASES, attributes='value="$x"'))

    assert not dataset.set_aside
    assert len(dataset.labelled.codes) == 120
    assert any("'z': '?'" in note for note in dataset.notes)
    assert any(
        "'held' alone predicts 100% of 120 labels" in note
        and '{"features":["x","y","z"]}' in note
        for note in dataset.notes
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tag", "name", "content"),
    [
        ("Video", "{}.mp4", clip),
        ("Audio", "{}.m4a", sound_track),
        ("Audio", "{}.wav", sound_file),
    ],
)
def test_simulate_reads_sounds_and_videos_of_an_export(
    tmp_path: Path, tag: str, name: str, content: Callable[[], bytes]
) -> None:
    names = [name.format(number) for number in range(20)]
    for one in names:
        (tmp_path / one).write_bytes(content())
    tasks = [
        exported(n, {"clip": f"/data/upload/7/0a1b2c3d-{one}"}, "ab"[n % 2])
        for n, one in enumerate(names)
    ]

    config = choices_config("a", "b", tag=tag, attributes='value="$clip"')
    dataset = dataset_of(tasks, config, tmp_path)

    assert not dataset.set_aside
    assert len(dataset.labelled.codes) == 20
