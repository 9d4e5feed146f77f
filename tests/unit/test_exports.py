"""What is read from a labelled export, and what is left aside."""

from pathlib import Path

import numpy as np
import pytest

from backend.errors import ExportError
from backend.learning.preferences import Preferences
from backend.replay.exports import parse_export, read_export
from backend.replay.files import LocalFiles
from backend.replay.inference import infer_schema
from backend.replay.subject import Origin, Subject
from model.errors import BadItemError
from model.schema import Channels, Schema
from tests.exports import exported, flat, rows, several, write
from tests.label_studio import CONTROL, JsonObject

ROME: JsonObject = {"text": "the city of rome"}


def told(tasks: list[JsonObject], directory: Path = Path()) -> Schema:
    return infer_schema(parse_export(tasks), LocalFiles(directory).fetch)


def subject(tasks: list[JsonObject], directory: Path = Path()) -> Subject:
    export, files = parse_export(tasks), LocalFiles(directory)
    schema = infer_schema(export, files.fetch)
    origin = Origin(name="cities", export=export, schema=schema, files=files)
    return origin.subject(Preferences())


def chosen(found: Subject) -> dict[int, str]:
    codes = [found.classes[code] for code in found.labelled.codes]
    return dict(zip(found.labelled.task_ids.tolist(), codes, strict=True))


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

    found = parse_export(bare)

    assert [task.id for task in found.tasks] == [1, 2]
    assert [annotation.task for annotation in found.annotations] == [1, 2]


def test_two_exports_in_one_file_are_told_apart() -> None:
    found = parse_export(
        [exported(4, ROME, "rome"), exported(4, {"text": "x"}, "oslo")]
    )

    assert [task.id for task in found.tasks] == [1, 2]


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

    found = subject(tasks)

    assert chosen(found) == {1: "rome", 2: "rome"}
    assert found.set_aside == {
        "not labelled": 1,
        "no answer that is one choice of the control": 1,
        "skipped": 1,
        "there is no text under 'text'": 1,
    }


def test_an_export_without_any_choice_is_refused() -> None:
    with pytest.raises(ExportError, match="nobody chose anything"):
        told([exported(1, ROME, None)])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is not JSON"),
        ('{"tasks": []}', "not a list of tasks"),
        ("[1, 2]", "not a list of tasks"),
        ('[{"text": "unlabelled"}]', "Field required"),
        ('[{"data": 3, "annotations": []}]', "'data'"),
        (
            '[{"data": {}, "annotations": [{"updated_at": "x"}]}]',
            "'updated_at'",
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


def test_texts_are_told_from_names_and_numbers() -> None:
    tasks = [
        exported(n, {"n": n, "by": "me", "body": "some words"}, "a") for n in range(5)
    ]

    found = told(tasks)

    assert (found.tag, found.key, found.control) == ("Text", "body", CONTROL)
    assert found.classes == ("a",)


def test_rows_of_numbers_are_read_as_numbers() -> None:
    found = subject(rows(30))

    assert found.kind == "numbers"
    assert found.labelled.features.shape == (30, 4)


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

    found = told(tasks)

    assert (found.tag, found.key, found.is_address) == ("TimeSeries", "r", False)
    assert found.channels == Channels(columns=("x", "y"), time="t")
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

    found = told(tasks, tmp_path)

    assert found.is_address
    assert found.channels == Channels(columns=("x", "y"), time="t", separator=";")
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
    origin = Origin(name="cities", export=export, schema=schema, files=files)

    found = origin.subject(Preferences(group="who"))

    assert found.groups is not None
    assert found.groups.tolist() == [0, 0, 1, 1, 2, 2]
    with pytest.raises(ExportError, match="no task has 'whom' in its data"):
        origin.subject(Preferences(group="whom"))


def test_an_export_is_read_from_disk(tmp_path: Path) -> None:
    assert len(read_export(write(tmp_path, rows(30))).tasks) == 30
