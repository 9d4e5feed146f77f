"""What is read from a labelled export, and what is left aside."""

import json
from pathlib import Path

import numpy as np
import orjson
import pytest

from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import ExportError
from dubito.backend.features.local_files import LocalFiles
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import read_preferences
from dubito.backend.simulate.dataset import Dataset
from dubito.backend.simulate.export_reader import parse_export, read_export
from dubito.model.errors import BadItemError
from tests.exports import (
    CONFIG,
    ROWS_CONFIG,
    dataset_of,
    exported,
    flat,
    question_of,
    rows,
    several,
    write,
)
from tests.label_studio import CONTROL, ITEM, JsonObject, choices_config
from tests.pdf_files import pdf

ROME: JsonObject = {"text": "the city of rome"}
QUESTION = question_of(CONFIG)
RECORDINGS = (
    f'<View><TimeSeries name="{ITEM}" value="$csv" valueType="url" timeColumn="t"'
    ' sep=","><Channel column="x"/><Channel column="y"/></TimeSeries>'
    f'<Choices name="{CONTROL}" toName="{ITEM}"><Choice value="a"/>'
    '<Choice value="b"/></Choices></View>'
)


def chosen(dataset: Dataset) -> dict[int, str]:
    codes = [dataset.classes[code] for code in dataset.labelled.codes]
    return dict(zip(dataset.labelled.task_ids.tolist(), codes, strict=True))


def test_json_and_json_min_say_the_same() -> None:
    long = [exported(4, ROME, "rome", "oslo"), exported(5, {"text": "x"}, "oslo")]
    short = [
        flat(5, {"text": "x"}, "oslo"),
        flat(4, ROME, "rome", 0),
        flat(4, ROME, "oslo", 1),
    ]

    one, other = (parse_export(tasks, QUESTION) for tasks in (long, short))

    assert one.tasks == other.tasks
    assert [(a.task, a.stamp) for a in one.annotations] == [
        (a.task, a.stamp) for a in other.annotations
    ]
    assert (
        chosen(dataset_of(long, CONFIG))
        == chosen(dataset_of(short, CONFIG))
        == {4: "oslo", 5: "oslo"}
    )


def test_labels_made_elsewhere_need_no_ids_and_no_times() -> None:
    bare: list[JsonObject] = [
        {"data": {"text": text}, "annotations": [{"result": several(city)}]}
        for text, city in (("a b", "rome"), ("c d", "oslo"))
    ]

    export = parse_export(bare, QUESTION)

    assert [task.id for task in export.tasks] == [1, 2]
    assert [annotation.task for annotation in export.annotations] == [1, 2]


def test_two_exports_in_one_file_are_told_apart() -> None:
    export = parse_export(
        [exported(4, ROME, "rome"), exported(4, {"text": "x"}, "oslo")], QUESTION
    )

    assert [task.id for task in export.tasks] == [1, 2]


def test_people_are_combined_as_the_service_does() -> None:
    """Of two answers that of the person who agrees more with others counts."""
    tasks = [
        exported(1, {"text": "the a"}, "rome", "oslo", "rome"),
        exported(2, {"text": "the b"}, "rome", "oslo"),
        exported(3, {"text": "the c"}, None, "oslo"),
    ]

    assert chosen(dataset_of(tasks, CONFIG)) == {1: "rome", 2: "rome", 3: "oslo"}


def test_an_export_of_another_question_is_refused() -> None:
    tasks, least = [exported(1, ROME, "rome")], [flat(1, ROME, "rome")]
    config = CONFIG.replace(f'"{CONTROL}"', '"other"')

    with pytest.raises(
        ExportError, match=f"'other', the export has .*'{CONTROL}' only"
    ):
        dataset_of(tasks, config)
    with pytest.raises(ExportError, match="'other', and no row of the export"):
        dataset_of(least, config)


def test_what_is_no_label_is_set_aside_with_its_reason() -> None:
    ticked = exported(4, ROME)
    ticked["annotations"] = [{"result": several("rome", "oslo")}]
    tasks = [
        *(exported(n, {"text": f"the {n}"}, "rome") for n in (1, 2)),
        exported(3, ROME),
        ticked,
        exported(5, ROME, None),
        exported(6, {"text": ""}, "oslo"),
    ]

    dataset = dataset_of(tasks, CONFIG)

    assert chosen(dataset) == {1: "rome", 2: "rome"}
    assert dataset.set_aside == {
        "not labelled": 1,
        "the annotation has several choices for 'label'": 1,
        "skipped": 1,
        "the task has no text under 'text'": 1,
    }


@pytest.mark.parametrize("is_min", [False, True])
def test_half_a_character_sets_only_its_task_aside(
    tmp_path: Path, *, is_min: bool
) -> None:
    """Label Studio's database keeps it, and its export writes it as an escape."""
    texts = {1: "the one", 2: "half \ud83d", 3: "the \U0001f600", 4: "the four"}
    write_task = flat if is_min else exported
    tasks = [write_task(n, {"text": text}, "rome") for n, text in texts.items()]
    tasks[3][CONTROL if is_min else "comment"] = "\ud83d"
    path = write(tmp_path, tasks)

    export = read_export(path, QUESTION)
    dataset = dataset_of(json.loads(path.read_text()), CONFIG)

    assert [task.data["text"] for task in export.tasks] == [*texts.values()]
    labelled = {1: "rome", 3: "rome"} | ({} if is_min else {4: "rome"})
    assert chosen(dataset) == labelled
    [reason] = [one for one in dataset.set_aside if "half a character" in one]
    assert dataset.set_aside[reason] == 1


def test_an_export_without_any_choice_is_refused() -> None:
    with pytest.raises(ExportError, match=r"none of the 1 tasks of .* used: skipped"):
        dataset_of([exported(1, ROME, None)], CONFIG)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is not JSON"),
        ('{"tasks": []}', "not a list of tasks"),
        ("[1, 2]", "not a list of tasks"),
        ('[{"text": "unlabelled"}]', "is missing"),
        ('[{"data": 3, "annotations": []}]', r"cannot be read \(data: "),
        (
            '[{"data": {}, "annotations": [{"updated_at": "x"}]}]',
            r"cannot be read \(updated_at: not a time",
        ),
    ],
)
def test_a_file_that_is_no_export_is_refused_with_the_reason(
    tmp_path: Path, content: str, why: str
) -> None:
    path = tmp_path / "export.json"
    path.write_text(content)

    with pytest.raises(ExportError, match=why):
        read_export(path, QUESTION)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"nowhere\.json cannot be read"):
        read_export(tmp_path / "nowhere.json", QUESTION)


def test_choices_as_paths_are_read_from_both_kinds_of_export() -> None:
    """JSON-MIN writes `[["a"]]` as `["a"]`, and does not tell steps from choices."""
    answers = {1: [["a"]], 2: [["b"]], 3: ["a"], 4: [["a"], ["b"]], 5: [["a", "of it"]]}
    whole = [exported(n, {"text": f"the {n}"}, "a") for n in answers]
    for task, choices in zip(whole, answers.values(), strict=True):
        task["annotations"][0]["result"][0]["value"]["choices"] = choices
    least = [flat(n, {"text": f"the {n}"}, "a") for n in (1, 2, 3, 5)]
    for row, choice in zip(least, (["a"], ["b"], "a", ["a", "of it"]), strict=True):
        row[CONTROL] = choice

    nested, plain = choices_config("a", "b", as_paths=True), choices_config("a", "b")
    assert chosen(dataset_of(whole, plain)) == {1: "a", 2: "b", 3: "a"}
    for config in (nested, plain):
        assert chosen(dataset_of(least, config)) == {1: "a", 2: "b", 3: "a"}


def test_nested_choices_are_read_from_both_kinds_of_export() -> None:
    config = (
        f'<View><Text name="{ITEM}" value="$text"/><Choices name="{CONTROL}"'
        f' toName="{ITEM}" allowNested="true"><Choice value="A"><Choice value="a"/>'
        '<Choice value="b"/></Choice><Choice value="c"/></Choices></View>'
    )
    schema = read_schema(config)
    paths = {1: ["A", "a"], 2: ["A", "b"], 3: ["c"]}
    whole = [exported(n, {"text": f"the {n}"}, "a") for n in paths]
    least = [flat(n, {"text": f"the {n}"}, "a") for n in paths]
    for task, row, path in zip(whole, least, paths.values(), strict=True):
        task["annotations"][0]["result"][0]["value"]["choices"] = [path]
        row[CONTROL] = path

    for exported_rows in (whole, least):
        export = parse_export(exported_rows, question_of(config))
        answers = [
            codec_of(schema).read(annotation.result, schema)
            for annotation in export.annotations
        ]
        assert answers == ["A / a", "A / b", "c"]


def test_rows_of_numbers_are_read_as_numbers() -> None:
    dataset = dataset_of(rows(30), ROWS_CONFIG)

    assert dataset.kind == "numbers"
    assert dataset.labelled.features.shape == (30, 4)


def test_a_row_may_lie_in_the_data_as_one_object() -> None:
    tasks = [
        exported(n, {"row": {f"x{k}": n * k % 7 for k in range(1, 6)}}, "ab"[n % 2])
        for n in range(30)
    ]
    config = choices_config("a", "b", tag="Table", attributes='value="$row"')

    assert dataset_of(tasks, config).labelled.features.shape[1] == 5


@pytest.mark.parametrize(
    "address",
    [
        "/data/upload/3/0a1b2c3d-walk_{n}.csv",
        "/data/local-files/?d=walks/walk_{n}.csv",
        "s3://bucket/deep/walk_{n}.csv",
        "walks/walk_{n}.csv",
    ],
)
def test_files_are_found_by_path_and_by_name(tmp_path: Path, address: str) -> None:
    here = tmp_path / "walks" if "walks/" in address else tmp_path
    here.mkdir(exist_ok=True)
    tasks = []
    for n in range(8):
        wave = np.sin(np.arange(20) / 10 * (1 + n % 2))
        lines = [f"{t / 10};{x};{-x}" for t, x in enumerate(wave)]
        (here / f"walk_{n}.csv").write_text("\n".join(["t;x;y", *lines]))
        tasks.append(exported(n, {"csv": address.format(n=n)}, "ab"[n % 2]))
    config = RECORDINGS.replace('sep=","', 'sep=";"')

    dataset = dataset_of(tasks, config, tmp_path)

    assert dataset.kind == "recording"
    assert len(dataset.labelled.task_ids) == len(tasks)


def test_no_file_outside_the_directory_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("x")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.csv").symlink_to(tmp_path / "secret.csv")
    files = LocalFiles(inside)

    for address in ("../secret.csv", str(tmp_path / "secret.csv"), "link.csv"):
        with pytest.raises(BadItemError):
            files.fetch(address)


def test_a_group_is_taken_from_the_data() -> None:
    tasks = [exported(n, {"text": f"the {n}", "who": n // 2}, "rome") for n in range(6)]

    def grouped(key: str) -> Dataset:
        preferences = read_preferences({"group": key})
        return dataset_of(tasks, CONFIG, preferences=preferences)

    groups = grouped("who").groups
    assert groups is not None
    assert groups.tolist() == [0, 0, 1, 1, 2, 2]
    for task, who in zip(tasks, ("3", 3, None, None, "", ""), strict=True):
        task["data"]["who"] = who
    groups = grouped("who").groups
    assert groups is not None
    assert groups.tolist() == [0, 0, 1, 2, 3, 4]
    with pytest.raises(ExportError, match="no task has the key 'whom' in its data"):
        grouped("whom")


def test_an_export_is_read_from_disk(tmp_path: Path) -> None:
    path = write(tmp_path, rows(30))

    assert len(read_export(path, question_of(ROWS_CONFIG)).tasks) == 30


DIALOGUE = orjson.dumps([{"who": "Ann", "said": "how is the weather"}])
TAGS = {
    "json": ("Paragraphs", 'valueType="url" nameKey="who" textKey="said"', DIALOGUE),
    "html": ("HyperText", 'valueType="url"', b"<p>a page</p>"),
    "pdf": ("Pdf", "", pdf("a page")),
}


@pytest.mark.parametrize(
    ("ending", "kind"), [("json", "dialogue"), ("html", "html"), ("pdf", "pdf")]
)
def test_documents_in_files_are_read(tmp_path: Path, ending: str, kind: str) -> None:
    tag, attributes, content = TAGS[ending]
    config = choices_config("a", "b", tag=tag, attributes=f'value="$file" {attributes}')
    tasks = []
    for n in range(4):
        (tmp_path / f"{n}.{ending}").write_bytes(content)
        address = f"/data/upload/1/0a1b2c3d-{n}.{ending}"
        tasks.append(exported(n, {"file": address}, "ab"[n % 2]))

    dataset = dataset_of(tasks, config, tmp_path)

    assert dataset.kind == kind
    assert len(dataset.labelled.task_ids) == len(tasks)
