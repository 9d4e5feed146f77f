"""Exports of Label Studio before version 1, and files in other encodings of Unicode."""

import json
from pathlib import Path

import pytest

from dubito.backend.errors import ExportError
from dubito.backend.simulate.export_reader import Export, parse_export, read_export
from tests.exports import CONFIG, ROWS_CONFIG, question_of, rows
from tests.label_studio import CONTROL, JsonObject

ZERO = Path(__file__).parents[1] / "fixtures" / "exports" / "zero_x.json"
QUESTION = question_of(CONFIG.replace(f'"{CONTROL}"', '"mood"'))


def completion(number: int, choice: str, **more: object) -> JsonObject:
    value = {"choices": [choice]}
    item = {"from_name": "mood", "to_name": "t", "type": "choices", "value": value}
    return {
        "id": number,
        "created_at": 1_600_000_000 + number,
        "lead_time": 3.2,
        "result": [item],
        **more,
    }


def task(number: object, *completions: JsonObject, **more: object) -> JsonObject:
    data = {"text": f"text {number}"}
    return {"id": number, "data": data, "completions": list(completions), **more}


def stamps(export: Export) -> list[str]:
    return [each.stamp for each in export.annotations]


def test_completions_are_annotations() -> None:
    export = read_export(ZERO, QUESTION)

    assert [task.id for task in export.tasks] == list(range(60))
    assert export.tasks[1].data == {"text": "nice day out 1"}
    assert stamps(export)[:2] == ["1600000000000000", "1600000001000000"]
    assert [each.result[0]["value"] for each in export.annotations[:2]] == [
        {"choices": ["angry"]},
        {"choices": ["glad"]},
    ]


@pytest.mark.parametrize("name", ["was_cancelled", "was_skipped", "skipped"])
def test_a_skipped_completion_is_a_skip(name: str) -> None:
    skip = completion(1, "glad", **{name: True})
    rest = completion(2, "glad", **{name: False})

    export = parse_export([task(1, skip), task(2, rest)], QUESTION)

    assert [each.was_cancelled for each in export.annotations] == [True, False]


def test_several_completions_and_what_stands_beside_them_are_read() -> None:
    first = completion(1, "glad", honeypot=True)
    several = task(
        1, first, completion(2, "angry"), predictions=[completion(3, "glad")]
    )
    export = parse_export([several], QUESTION)

    assert [each.task for each in export.annotations] == [1, 1]
    assert len(export.tasks) == 1


def test_tasks_without_completions_are_tasks() -> None:
    bare: JsonObject = {"id": 2, "data": {"text": "x"}, "predictions": []}

    export = parse_export([task(1, completion(1, "glad")), bare, task(3)], QUESTION)

    assert [one.id for one in export.tasks] == [1, 2, 3]
    assert len(export.annotations) == 1


def test_ids_may_be_texts() -> None:
    """Numbers stay what they are; other names are replaced by numbers."""
    numbers = parse_export([task("12", completion(1, "glad")), task("3")], QUESTION)
    names = parse_export(
        [task("b", completion(1, "glad")), task("a"), task(2**70)], QUESTION
    )

    assert [(one.id, one.data["text"]) for one in numbers.tasks] == [
        (3, "text 3"),
        (12, "text 12"),
    ]
    assert [one.id for one in names.tasks] == [1, 2, 3]


def test_a_file_may_hold_one_task(tmp_path: Path) -> None:
    path = tmp_path / "0.json"
    path.write_text(json.dumps(task(0, completion(1, "glad"))))

    assert len(read_export(path, QUESTION).tasks) == 1


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_a_byte_order_mark_and_other_encodings_change_nothing(
    tmp_path: Path, encoding: str
) -> None:
    tasks = rows(4)
    tasks[0]["data"]["name"] = "Zürich 東京"
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False), encoding=encoding)

    question = question_of(ROWS_CONFIG)
    assert read_export(path, question) == parse_export(tasks, question)


def test_another_encoding_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps([{"name": "Zürich"}], ensure_ascii=False), "latin-1")

    with pytest.raises(ExportError, match=r"not JSON in UTF-8 or.*save the file as"):
        read_export(path, QUESTION)
