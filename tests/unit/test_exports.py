"""What is read from a labelled export, and what is left aside."""

import sys
from pathlib import Path

import numpy as np
import orjson
import pytest

from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import ExportError
from dubito.backend.features.local_files import LocalFiles
from dubito.backend.labelstudio.label_config import read_schema
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.dataset import Dataset, Source
from dubito.backend.simulate.export_reader import parse_export, read_export
from dubito.backend.simulate.json_min import Question
from dubito.backend.simulate.schema_inference import infer_schema
from dubito.model.errors import BadItemError
from dubito.model.schema import Channels, Schema
from tests.exports import exported, flat, rows, several, write
from tests.label_studio import CONTROL, ITEM, JsonObject
from tests.pdf_files import pdf

ROME: JsonObject = {"text": "the city of rome"}


def told(tasks: list[JsonObject], directory: Path = Path()) -> Schema:
    return infer_schema(parse_export(tasks), LocalFiles(directory).fetch)


def subject(tasks: list[JsonObject], directory: Path = Path()) -> Dataset:
    export, files = parse_export(tasks), LocalFiles(directory)
    schema = infer_schema(export, files.fetch)
    origin = Source(name="cities", export=export, schema=schema, files=files)
    return origin.subject(Preferences())


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

    one, other = parse_export(long), parse_export(short)

    assert one.tasks == other.tasks
    assert [(a.task, a.stamp) for a in one.annotations] == [
        (a.task, a.stamp) for a in other.annotations
    ]
    assert chosen(subject(long)) == chosen(subject(short)) == {4: "oslo", 5: "oslo"}


def test_labels_made_elsewhere_need_no_ids_and_no_times() -> None:
    bare: list[JsonObject] = [
        {"data": {"text": text}, "annotations": [{"result": several(city)}]}
        for text, city in (("a b", "rome"), ("c d", "oslo"))
    ]

    export = parse_export(bare)

    assert [task.id for task in export.tasks] == [1, 2]
    assert [annotation.task for annotation in export.annotations] == [1, 2]


def test_two_exports_in_one_file_are_told_apart() -> None:
    export = parse_export(
        [exported(4, ROME, "rome"), exported(4, {"text": "x"}, "oslo")]
    )

    assert [task.id for task in export.tasks] == [1, 2]


def test_people_are_combined_as_the_service_does() -> None:
    tasks = [
        exported(1, {"text": "the a"}, "rome", "oslo", "rome"),
        exported(2, {"text": "the b"}, "rome", "oslo"),
        exported(3, {"text": "the c"}, None, "oslo"),
    ]

    assert chosen(subject(tasks)) == {1: "rome", 2: "oslo", 3: "oslo"}


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

    dataset = subject(tasks)

    assert chosen(dataset) == {1: "rome", 2: "rome"}
    assert dataset.set_aside == {
        "not labelled": 1,
        "the annotation has several choices for 'label'": 1,
        "skipped": 1,
        "the task has no text under 'text'": 1,
    }


def test_an_export_without_any_choice_is_refused() -> None:
    with pytest.raises(ExportError, match="this export has no usable label"):
        told([exported(1, ROME, None)])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is not JSON"),
        ('{"tasks": []}', "not a list of tasks"),
        ("[1, 2]", "not a list of tasks"),
        ('[{"text": "unlabelled"}]', "Field required"),
        ('[{"data": 3, "annotations": []}]', "with data: "),
        (
            '[{"data": {}, "annotations": [{"updated_at": "x"}]}]',
            "with updated_at: ",
        ),
    ],
)
def test_a_file_that_is_no_export_is_refused_with_the_reason(
    tmp_path: Path, content: str, why: str
) -> None:
    path = tmp_path / "export.json"
    path.write_text(content)

    with pytest.raises(ExportError, match=why):
        read_export(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"nowhere\.json cannot be read"):
        read_export(tmp_path / "nowhere.json")


def test_choices_as_paths_are_read_from_both_kinds_of_export() -> None:
    """JSON-MIN writes `[["a"]]` as `["a"]`, and does not tell steps from choices."""
    answers = {1: [["a"]], 2: [["b"]], 3: ["a"], 4: [["a"], ["b"]], 5: [["a", "of it"]]}
    whole = [exported(n, {"text": f"the {n}"}, "a") for n in answers]
    for task, choices in zip(whole, answers.values(), strict=True):
        task["annotations"][0]["result"][0]["value"]["choices"] = choices
    least = [flat(n, {"text": f"the {n}"}, "a") for n in (1, 2, 3, 5)]
    for row, choice in zip(least, (["a"], ["b"], "a", ["a", "of it"]), strict=True):
        row[CONTROL] = choice

    assert told(whole).classes == ("a", "a / of it", "b")
    assert chosen(subject(whole)) == {1: "a", 2: "b", 3: "a", 5: "a / of it"}
    assert chosen(subject(least)) == {1: "a", 2: "b", 3: "a"}


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
    asked = Question(
        control=CONTROL, key="text", controls=frozenset({CONTROL}), is_nested=True
    )

    for exported_rows in (whole, least):
        export = parse_export(exported_rows, asked)
        answers = [
            codec_of(schema).read(annotation.result, schema)
            for annotation in export.annotations
        ]
        assert answers == ["A / a", "A / b", "c"]


@pytest.mark.parametrize("ending", ["mp4", "webm", "AVI"])
def test_addresses_of_what_cannot_be_read_are_no_texts(
    monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    tasks = [
        exported(n, {"file": f"/data/upload/3/0a1b2c3d-{n}.{ending}"}, "ab"[n % 2])
        for n in range(8)
    ]

    with pytest.raises(ExportError, match="which Dubito cannot read"):
        subject(tasks)


def test_texts_are_told_from_names_and_numbers() -> None:
    tasks = [
        exported(n, {"n": n, "by": "me", "body": "some words"}, "a") for n in range(5)
    ]

    schema = told(tasks)

    assert (schema.tag, schema.key, schema.control) == ("Text", "body", CONTROL)
    assert schema.classes == ("a",)


def test_rows_of_numbers_are_read_as_numbers() -> None:
    dataset = subject(rows(30))

    assert dataset.kind == "numbers"
    assert dataset.labelled.features.shape == (30, 4)


def test_a_row_may_lie_in_the_data_as_one_object() -> None:
    tasks = [
        exported(n, {"row": {f"x{k}": n * k % 7 for k in range(1, 6)}}, "ab"[n % 2])
        for n in range(30)
    ]

    assert told(tasks).tag == "Table"
    assert subject(tasks).labelled.features.shape[1] == 5


def recording(number: int) -> dict[str, list[float]]:
    times = np.arange(20) / 10
    wave = np.sin(times * (1 + number % 2))
    return {"t": times.tolist(), "x": wave.tolist(), "y": (-wave).tolist()}


def test_the_time_of_a_recording_is_the_column_that_grows() -> None:
    tasks = [exported(n, {"r": recording(n)}, "ab"[n % 2]) for n in range(8)]

    schema = told(tasks)

    assert (schema.tag, schema.key, schema.is_address) == ("TimeSeries", "r", False)
    assert schema.channels == Channels(columns=("x", "y"), time="t")
    assert subject(tasks).kind == "recording"


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
        columns = recording(n)
        lines = [";".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
        (here / f"walk_{n}.csv").write_text("\n".join([";".join(columns), *lines]))
        tasks.append(exported(n, {"csv": address.format(n=n)}, "ab"[n % 2]))

    schema = told(tasks, tmp_path)

    assert schema.is_address
    assert schema.channels == Channels(columns=("x", "y"), time="t", separator=";")
    assert subject(tasks, tmp_path).kind == "recording"


def test_missing_files_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="--files"):
        told([exported(1, {"csv": "walk.csv"}, "a")], tmp_path)


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
    tasks = [exported(n, {"text": f"the {n}", "who": n // 2}, "a") for n in range(6)]
    export, files = parse_export(tasks), LocalFiles(Path())
    schema = infer_schema(export, files.fetch)
    origin = Source(name="cities", export=export, schema=schema, files=files)

    dataset = origin.subject(Preferences(group="who"))

    assert dataset.groups is not None
    assert dataset.groups.tolist() == [0, 0, 1, 1, 2, 2]
    with pytest.raises(ExportError, match="no task has the key 'whom' in its data"):
        origin.subject(Preferences(group="whom"))


def test_an_export_is_read_from_disk(tmp_path: Path) -> None:
    assert len(read_export(write(tmp_path, rows(30))).tasks) == 30


def dialogue(number: int) -> list[JsonObject]:
    return [
        {"who": "Ann", "said": f"how is the weather number {number}", "at": 0.5},
        {"who": "Bob", "said": "it rains", "at": 1.5},
    ]


def test_dialogues_are_told_by_their_turns() -> None:
    tasks = [exported(n, {"talk": dialogue(n)}, "ab"[n % 2]) for n in range(8)]

    schema = told(tasks)

    assert (schema.tag, schema.key, schema.is_address) == ("Paragraphs", "talk", False)
    assert (schema.name_key, schema.text_key) == ("who", "said")
    assert subject(tasks).kind == "dialogue"


def test_lists_of_images_are_told_by_their_addresses() -> None:
    pages = [[f"/{n}.png", f"/{n}.jpg"] for n in range(8)]
    tasks = [exported(n, {"x": one}, "ab"[n % 2]) for n, one in enumerate(pages)]

    schema = told(tasks)

    assert (schema.tag, schema.key, schema.is_address) == ("ImageList", "x", True)


def test_pages_are_told_by_their_tags() -> None:
    tasks = [exported(n, {"x": f"<p>page {n}</p>"}, "ab"[n % 2]) for n in range(8)]

    assert told(tasks).tag == "HyperText"
    assert subject(tasks).kind == "html"


@pytest.mark.parametrize(
    ("ending", "kind"), [("json", "dialogue"), ("html", "html"), ("pdf", "pdf")]
)
def test_documents_in_files_are_read(tmp_path: Path, ending: str, kind: str) -> None:
    tasks = []
    for n in range(4):
        contents = {
            "json": orjson.dumps(dialogue(n)),
            "html": f"<p>page {n}</p>".encode(),
            "pdf": pdf(f"page {n}"),
        }
        (tmp_path / f"{n}.{ending}").write_bytes(contents[ending])
        address = f"/data/upload/1/0a1b2c3d-{n}.{ending}"
        tasks.append(exported(n, {"file": address}, "ab"[n % 2]))

    assert told(tasks, tmp_path).is_address
    assert (dataset := subject(tasks, tmp_path)).kind == kind
    assert len(dataset.labelled.task_ids) == len(tasks)
