"""`dubito cut` with files of all kinds, good and bad."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import orjson
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner
from numpy.typing import NDArray

from dubito.backend.cli import main
from dubito.backend.cutting.clock import Clock
from dubito.backend.cutting.columns import texts_in
from dubito.backend.cutting.reading import READERS
from dubito.backend.cutting.runs import Window
from dubito.backend.cutting.tasks import TaskWriter, channel_names
from dubito.backend.labelstudio.questions import read_schema
from tests.label_studio import JsonObject

Writer: TypeAlias = Callable[[Path], Path]
RATE = 50
SIZE = 100


def frame(count: int = 1_000, **columns: object) -> pd.DataFrame:
    """Return 20 s of two channels, whose first is the number of the sample."""
    numbers = np.arange(count)
    usual = {"time": numbers / RATE, "Acc X": numbers, "Acc Y": np.sin(numbers)}
    return pd.DataFrame(usual | columns)


def csv(
    directory: Path, table: pd.DataFrame, name: str = "walk.csv", **how: str | bool
) -> Path:
    table.to_csv(directory / name, index=False, **how)  # type: ignore[call-overload]
    return directory / name


def cut(*arguments: object) -> str:
    """Cut into windows of 2 s; return what is said."""
    output = Path(str(arguments[0])).with_name("tasks.json")
    seconds = [] if "--seconds" in arguments else ["--seconds", "2"]
    words = ["cut", *map(str, arguments), *seconds]
    run = CliRunner().invoke(main, [*words, "--force", "-o", str(output)])
    assert run.exception is None or isinstance(run.exception, SystemExit), run.output
    return run.output


def tasks_of(*arguments: object) -> list[JsonObject]:
    """Return the tasks that a command writes."""
    message = cut(*arguments)
    output = Path(str(arguments[0])).with_name("tasks.json")
    assert output.exists(), message
    tasks: list[JsonObject] = orjson.loads(output.read_bytes())
    return tasks


def first_values(tasks: list[JsonObject], name: str = "acc_x") -> list[float]:
    return [task["data"]["recording"][name][0] for task in tasks]


def test_windows_follow_each_other(tmp_path: Path) -> None:
    path = csv(tmp_path, frame())

    tasks, halves = tasks_of(path), tasks_of(path, "--overlap", 0.5)

    assert first_values(tasks) == list(range(0, 1_000, SIZE))
    assert first_values(halves) == list(range(0, 901, SIZE // 2))
    assert tasks[1]["data"]["start"] == 2.0
    assert tasks[1]["data"]["recording"]["second"][:3] == [0.0, 0.02, 0.04]


def test_the_label_config_shows_the_windows(tmp_path: Path) -> None:
    cut(csv(tmp_path, frame()), "--classes", "walk, <run> & jump")

    schema = read_schema((tmp_path / "tasks.xml").read_text())

    assert schema.classes == ("walk", "<run> & jump")
    assert schema.channels.columns == ("acc_x", "acc_y")
    assert (schema.single_name, schema.channels.time) == ("recording", "second")


def array(directory: Path, suffix: str, order: Literal["=", ">"] = "=") -> Path:
    table, path = frame(), directory / f"walk{suffix}"
    if suffix == ".npz":
        columns = {str(name): table[name].to_numpy() for name in table}
        np.savez(path, allow_pickle=False, **columns)
    else:
        records = table.to_records(index=False)
        np.save(path, records.astype(records.dtype.newbyteorder(order)))
    return path


def packed(directory: Path) -> Path:
    path = directory / "walk.csv.gz"
    path.write_bytes(gzip.compress(csv(directory, frame()).read_bytes()))
    return path


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(packed, id="gz"),
        pytest.param(lambda there: array(there, ".npy"), id="npy"),
        pytest.param(lambda there: array(there, ".npy", ">"), id="big-endian"),
        pytest.param(lambda there: array(there, ".npz"), id="npz"),
        pytest.param(lambda there: csv(there, frame(), "walk.tsv", sep="\t"), id="tsv"),
        pytest.param(
            lambda there: csv(there, frame(), sep=";", decimal=","), id="decimal commas"
        ),
        pytest.param(
            lambda there: csv(there, frame(), encoding="utf-16"), id="another encoding"
        ),
    ],
)
def test_every_format_gives_the_same_tasks(tmp_path: Path, write: Writer) -> None:
    expected = tasks_of(csv(tmp_path, frame()))
    for task in expected:
        del task["data"]["file"]

    tasks = tasks_of(write(tmp_path))

    for task in tasks:
        del task["data"]["file"]
    assert tasks == expected


DEVICE = "Device: X1\nRate: 50 Hz\n\n"


@pytest.mark.parametrize(
    ("separator", "names", "preamble"),
    [
        (";", ["time", "Acc X", "Acc Y"], ""),
        (";", ["time", "Acc X", "Acc Y"], DEVICE),
        (";", ["time", "x, m", "y"], DEVICE),
        ("\t", ["time", "Acc X", "Acc Y"], ""),
        ("\t", ["time", "Acc X", "Acc Y"], DEVICE),
        (" ", ["time", "x", "y"], ""),
    ],
)
def test_decimal_commas_may_outnumber_the_separators(
    tmp_path: Path, separator: str, names: list[str], preamble: str
) -> None:
    signal = np.arange(1_000) / 8 + 0.125
    table = pd.DataFrame({"t": frame()["time"], "x": signal, "y": -signal})
    rows = table.to_csv(
        sep=separator, decimal=",", float_format="%.3f", index=False, header=False
    )
    path = written(tmp_path, f"{preamble}{separator.join(names)}\n{rows}")

    recording = tasks_of(path)[1]["data"]["recording"]

    assert [*recording] == ["second", *channel_names(names[1:])]
    assert [values[0] for values in recording.values()] == [0, 12.625, -12.625]


@pytest.mark.parametrize(
    ("number", "separator"),
    [
        ("1.{:03},5", ";"),
        ("1 {:03},5", ";"),
        ("1\u202f{:03},5", ";"),
        ("1'{:03}.5", ";"),
        ('"1,{:03}.5"', ","),
        ("1.001.{:03},5", "\t"),
    ],
)
def test_thousands_may_be_set_apart(
    tmp_path: Path, number: str, separator: str
) -> None:
    """The first numbers of a column are often smaller than a thousand."""
    point = "," if ",5" in number else "."
    low = [f"{n}{point}25" for n in range(SIZE)]
    high = [number.format(n) for n in range(SIZE, 1_000)]
    rows = (f"{20 * n}{separator}{x}\n" for n, x in enumerate(low + high))
    path = written(tmp_path, f"time_ms{separator}acc_x\n{''.join(rows)}")

    values = first_values(tasks_of(path))

    most = 1_001_000 if "001" in number else 1_000
    assert values == [0.25, *(most + n + 0.5 for n in range(SIZE, 1_000, SIZE))]


@pytest.mark.parametrize(
    ("low", "expected"), [("{}", 8_000), ("{}.5", 8), ("{:05}", 8)]
)
def test_points_of_whole_numbers_set_thousands_apart(
    tmp_path: Path, low: str, expected: float
) -> None:
    """Not where a column has other decimals, or larger numbers without a point."""
    cells = [low.format(n) if n < SIZE else f"8.{n - SIZE:03}" for n in range(1_000)]
    rows = "".join(f"{20 * n};{cell}\n" for n, cell in enumerate(cells))
    path = written(tmp_path, f"time_ms;acc_x\n{rows}")

    assert first_values(tasks_of(path))[1] == expected


def test_a_text_among_decimal_commas_is_one_missing_number(tmp_path: Path) -> None:
    numbers = [f"{n},25" for n in range(1_000)]
    numbers[150] = "ERR"
    rows = "".join(f"{20 * n};{x}\n" for n, x in enumerate(numbers))
    path = written(tmp_path, f"time_ms;acc_x\n{rows}")

    assert first_values(tasks_of(path)) == [n + 0.25 for n in range(0, 1_000, SIZE)]


def test_the_first_row_may_have_whole_numbers(tmp_path: Path) -> None:
    rows = "".join(f"{20 * n};{n},25;{n}\n" for n in range(1, 1_000))
    path = written(tmp_path, f"time_ms;acc_x;n\n0;0;0\n{rows}")

    tasks = tasks_of(path)

    assert [*tasks[0]["data"]["recording"]] == ["second", "acc_x", "n"]
    assert first_values(tasks)[1:] == [n + 0.25 for n in range(100, 1_000, SIZE)]


def test_columns_without_numbers_are_named(tmp_path: Path) -> None:
    table = frame(remark="none", person="p", thousands="1.234,5")
    path = csv(tmp_path, table, sep=";")

    output, chosen = cut(path, "--group", "person"), cut(path, "--columns", "Acc X")

    assert "since they hold no numbers: 'remark', 'thousands'\n" in output
    assert "no numbers" not in chosen


def test_times_may_have_blanks_and_rows_a_last_semicolon(tmp_path: Path) -> None:
    """Both are as frequent as the comma that parts the columns, or more."""
    moments = pd.date_range("2026-05-13 11:59:50", periods=1_000, freq="20ms")
    table = frame(time=moments.strftime("%m/%d/%Y %I:%M:%S.%f %p"))
    path = csv(tmp_path, table[["time", "Acc X"]], lineterminator=";\n")

    assert first_values(tasks_of(path)) == list(range(0, 1_000, SIZE))
    assert first_values(tasks_of(csv(tmp_path, table))) == list(range(0, 1_000, SIZE))


def test_an_array_and_a_sound_have_numbered_channels(tmp_path: Path) -> None:
    values = np.column_stack([np.arange(1_000), np.ones(1_000)])
    np.save(tmp_path / "walk.npy", values)
    soundfile.write(tmp_path / "beat.wav", values / 2_000, 8_000)

    arrays = tasks_of(tmp_path / "walk.npy", "--rate", RATE)
    sounds = tasks_of(tmp_path / "beat.wav", "--seconds", 0.05)

    assert first_values(arrays, "channel_1") == list(range(0, 1_000, SIZE))
    assert len(sounds) == 2
    assert len(sounds[0]["data"]["recording"]["channel_2"]) == 400


def test_a_gap_begins_anew_and_a_missing_sample_does_not(tmp_path: Path) -> None:
    table = frame().drop(index=[50, *range(430, 460)])

    tasks = tasks_of(csv(tmp_path, table))

    assert first_values(tasks) == [0, 100, 200, 300, 460, 560, 660, 760, 860]
    assert tasks[0]["data"]["recording"]["acc_x"] == list(range(SIZE))


def test_missing_times_and_values_are_bridged(tmp_path: Path) -> None:
    table = frame()
    table.loc[50, "time"] = None
    table.loc[70:71, "Acc X"] = None
    table.loc[250:280, "Acc Y"] = None

    path = csv(tmp_path, table)

    assert tasks_of(path)[0]["data"]["recording"]["acc_x"] == list(range(SIZE))
    assert first_values(tasks_of(path)) == [0, 100, *range(300, 1_000, SIZE)]
    assert "samples without a time: 1" in cut(path)


def test_another_rate_is_resampled(tmp_path: Path) -> None:
    tasks = tasks_of(csv(tmp_path, frame()), "--rate", 20)

    assert np.diff(tasks[1]["data"]["recording"]["acc_x"]) == pytest.approx(
        2.5, abs=0.6
    )
    assert len(tasks[0]["data"]["recording"]["second"]) == 40


def test_a_rate_far_above_that_of_the_file_is_remarked(tmp_path: Path) -> None:
    path = csv(tmp_path, frame())

    assert "--rate 1000 is 20 times the 50 samples per second" in cut(
        path, "--rate", 1_000
    )
    assert "straight lines" not in cut(path, "--rate", 60)


def test_files_of_different_rates_make_windows_of_one_size(tmp_path: Path) -> None:
    slow = frame(500, time=np.arange(500) / (RATE / 2))

    tasks = tasks_of(csv(tmp_path, frame()), csv(tmp_path, slow, "slow.csv"))

    assert {len(task["data"]["recording"]["acc_x"]) for task in tasks} == {SIZE}
    assert {task["data"]["file"] for task in tasks} == {"walk.csv", "slow.csv"}


def test_a_column_of_persons_becomes_an_entry_of_the_data(tmp_path: Path) -> None:
    table = pd.concat([frame(450, person=7), frame(350, person=8)])

    tasks = tasks_of(csv(tmp_path, table), "--group", "person")

    assert [task["data"]["person"] for task in tasks] == 4 * ["7"] + 3 * ["8"]
    assert "person" not in tasks[0]["data"]["recording"]


def test_names_of_persons_are_kept_as_they_are_written(tmp_path: Path) -> None:
    names = np.repeat(["007", "7", "1.0", "1e3"], 250)

    tasks = tasks_of(csv(tmp_path, frame(person=names)), "--group", "person")

    persons = [task["data"]["person"] for task in tasks]
    assert list(dict.fromkeys(persons)) == ["007", "7", "1", "1e3"]


PREAMBLES = {
    "a logger": "-- Data of a GT3X+ at 50 Hz --\r\nSerial Number: MOS2\r\n\r\n--\r\n",
    "a few cells": "Device,Shimmer3\nRate,50\n",
    "one line": "exported by a phone\n",
    "none": "",
}


@pytest.mark.parametrize("preamble", PREAMBLES.values(), ids=PREAMBLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_before_the_table_are_left_out(
    tmp_path: Path, preamble: str, encoding: str
) -> None:
    table = frame(person="p").to_csv(index=False)
    path = written(tmp_path, (preamble + table).encode(encoding))

    tasks = tasks_of(path, "--group", "person")

    assert first_values(tasks) == list(range(0, 1_000, SIZE))
    assert {task["data"]["person"] for task in tasks} == {"p"}


def test_a_header_that_does_not_fit_is_no_preamble(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n},5,{n},5\n" for n in range(500))

    output = cut(written(tmp_path, f"time,x,y\n{rows}"), "--rate", 50)

    assert "decimal points" in output


@pytest.mark.parametrize("column", ["activity", "person", "Größe"])
def test_letters_that_are_not_in_utf_8_are_refused(tmp_path: Path, column: str) -> None:
    """Öl and Ül would become one label."""
    table = frame(activity="walk", person="p")
    table[column] = np.repeat(["Öl", "Ül"], 500)
    path = csv(tmp_path, table, encoding="cp1252")

    output = cut(path, "--label-column", "activity", "--group", "person")

    assert "save the file as CSV in UTF-8" in output
    assert not (tmp_path / "tasks.json").exists()


def test_letters_of_a_column_that_is_not_read_do_not_matter(tmp_path: Path) -> None:
    path = csv(tmp_path, frame(remark="Öl", activity="walk"), encoding="cp1252")

    tasks = tasks_of(path, "--label-column", "activity")

    assert len(tasks) == 1_000 // SIZE


def test_a_label_column_becomes_annotations_of_pure_windows(tmp_path: Path) -> None:
    labels = np.repeat(["walk", "run", "walk"], [330, 330, 340])
    path = csv(tmp_path, frame(activity=labels))

    pure = tasks_of(path, "--label-column", "activity")
    every = tasks_of(path, "--label-column", "activity", "--pure", 0)

    def answers(tasks: list[JsonObject]) -> str:
        annotations = [task.get("annotations") for task in tasks]
        values = [
            f[0]["result"][0]["value"]["choices"][0] if f else "-" for f in annotations
        ]
        return "".join(value[0] for value in values)

    assert answers(pure) == "www-rr-www"
    assert answers(every) == "wwwrrrrwww"[:6] + answers(every)[6:]
    schema = read_schema((tmp_path / "tasks.xml").read_text())
    assert schema.classes == ("run", "walk")
    region = pure[0]["annotations"][0]["result"][0]
    assert (region["from_name"], region["to_name"]) == (schema.control, schema.target)


def test_why_windows_have_no_label_is_counted(tmp_path: Path) -> None:
    labels = np.repeat(["walk", "", "walk", "run"], [160, 340, 150, 350])
    path = csv(tmp_path, frame(activity=labels))

    output = cut(path, "--label-column", "activity")

    assert "since several are mixed: 1" in output
    assert "since few of their samples have one: 1" in output
    assert "windows without a label, since their rows have none: 3" in output
    assert "without a label" not in cut(path)


def test_classes_that_are_probably_one_are_named(tmp_path: Path) -> None:
    labels = np.repeat(["run", "Run", "go up", "goup", "walk"], 200)
    path = csv(tmp_path, frame(activity=labels))

    output = cut(path, "--label-column", "activity", "--classes", "RUN")
    apart = csv(tmp_path, frame(activity=np.repeat(["run", "runs"], 500)))

    note = "classes that differ only in case or blanks:"
    assert f"{note} 'RUN', 'Run', 'run'; if they are one class" in output
    assert f"{note} 'go up', 'goup'" in output
    assert "walk" not in output.replace("walk.csv", "")
    assert note not in cut(apart, "--label-column", "activity")


@pytest.mark.parametrize(
    ("time", "ends"), [('timeColumn="seconds"', (0, 0.2)), ("", (0, 2))]
)
def test_where_people_mark_stretches_a_label_is_one_over_the_window(
    time: str, ends: tuple[float, float]
) -> None:
    config = (
        '<View><TimeSeriesLabels name="l" toName="t"><Label value="walk"/>'
        '</TimeSeriesLabels><TimeSeries name="t" value="$r" valueType="json"'
        f' {time}><Channel column="x"/></TimeSeries></View>'
    )
    writer = TaskWriter.of(config, ["x"], [0.0, 0.1, 0.2])

    def result(label: str) -> list[JsonObject]:
        window = Window(start=0, values=np.zeros((3, 1)), group=None, label=label)
        regions: list[JsonObject] = orjson.loads(writer.task(window, {}))[
            "annotations"
        ][0]["result"]
        return regions

    [region] = result("walk")
    assert (region["value"]["start"], region["value"]["end"]) == ends
    assert region["value"]["timeserieslabels"] == ["walk"]
    assert result("sit") == []


@pytest.mark.parametrize(
    ("name", "stamps", "unit"),
    [
        ("seconds", np.arange(400) / 50, "s"),
        ("time_ms", np.arange(400) * 20, "ms"),
        ("time_us", np.arange(400, dtype=np.uint64)[::-1] * 20, "us"),
        ("Time (s)", np.arange(400) * 20, "s"),
        ("timestamp", np.arange(400) * 20 + 1_700_000_000_000, "ms"),
        ("time", np.arange(400) * 20_000_000 + 1_700_000_000_000_000_000, "ns"),
        ("timestamp", np.arange(400) * 20_000_000 + 49_105_962_326_000, "ns"),
        ("timestamp", np.arange(400) * 20, "ms"),
    ],
)
def test_the_unit_of_times_is_told(
    name: str, stamps: NDArray[np.float64], unit: str
) -> None:
    clock = Clock.of(pd.Series(stamps, name=name), "")

    assert clock.unit == unit


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f+02:00", "%d.%m.%Y %H:%M:%S.%f"],
)
def test_times_may_be_texts(tmp_path: Path, form: str) -> None:
    moments = pd.Timestamp("2026-05-13 09:30") + pd.to_timedelta(
        np.arange(1_000) / RATE, "s"
    )
    path = csv(tmp_path, frame(time=moments.strftime(form)))

    tasks = tasks_of(path)

    assert first_values(tasks) == list(range(0, 1_000, SIZE))
    assert str(tasks[1]["data"]["start"]).endswith(":30:02.000Z")


def test_times_may_be_times_of_day_without_a_date(tmp_path: Path) -> None:
    """As exports write them beside a column of dates; midnight begins a recording."""
    moments = pd.Timestamp("2026-05-13 23:59:50") + pd.to_timedelta(
        np.arange(1_000) / RATE, "s"
    )
    path = csv(tmp_path, frame(time=moments.strftime("%H:%M:%S.%f").str[:-3]))

    tasks = tasks_of(path)

    assert first_values(tasks) == list(range(0, 1_000, SIZE))
    starts = [task["data"]["start"] for task in tasks]
    assert starts[:2] + starts[-1:] == ["23:59:50.000", "23:59:52.000", "00:00:08.000"]


@pytest.mark.parametrize("form", ["%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S"])
def test_days_before_months_and_whole_seconds_are_told(form: str) -> None:
    """The 1st and 2nd of a month could be months; .00 is often left out."""
    moments = pd.date_range("2024-01-01 10:00", "2024-01-20 10:00", freq="12h")
    texts = moments.strftime(form).to_series().reset_index(drop=True)
    texts[1::2] += ".5"

    seconds = Clock.of(texts, "").seconds(texts)

    assert np.diff(seconds)[::2].tolist() == [12 * 3600 + 0.5] * (len(texts) // 2)


@pytest.mark.parametrize("name", ["null", "None"])
def test_a_class_may_be_called_nothing(tmp_path: Path, name: str) -> None:
    path = csv(tmp_path, frame(kind=name))

    tasks = tasks_of(path, "--label-column", "kind")

    [region] = tasks[0]["annotations"][0]["result"]
    assert region["value"]["choices"] == [name]


def test_a_file_without_names_has_numbered_columns(tmp_path: Path) -> None:
    path = csv(tmp_path, frame(), header=False)

    tasks = tasks_of(path, "--time", "0")

    assert [*tasks[0]["data"]["recording"]] == ["second", "channel_1", "channel_2"]


def test_names_of_channels_are_lower_case_and_unlike() -> None:
    names = channel_names(["Acc X", "acc-x", "second", "(m/s)", "°"])

    assert names == ["acc_x", "acc_x_2", "second_3", "m_s", "channel"]


def test_whole_numbers_are_one_text_however_they_are_stored() -> None:
    assert texts_in(pd.Series([1, 2])).tolist() == ["1", "2"]
    assert texts_in(pd.Series([1.0, None, 2.5])).tolist() == ["1", None, "2.5"]


def written(directory: Path, content: str | bytes, name: str = "walk.csv") -> Path:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("write", "arguments", "sentence"),
    [
        (lambda there: csv(there, frame(80)), (), "no window of 2 s fits"),
        (lambda there: written(there, ""), (), "the file is empty"),
        (lambda there: written(there, "time,acc\n"), (), "holds no samples"),
        (lambda there: written(there, b"\x89PNG\0\0\0"), (), "no text: give a CSV"),
        (lambda there: written(there, b"PK", "a.xlsx"), (), "files that end with .csv"),
        (lambda there: written(there, b"PK", "a.npy"), (), "cannot be read"),
        (lambda there: written(there, b"PK", "a.npz"), (), "cannot be read"),
        (lambda there: written(there, b"RIFF", "a.wav"), (), "cannot be read"),
        (lambda there: written(there, b"PAR1", "a.parquet"), (), "parquet"),
        (lambda there: written(there, "t,a,a \n1,2,3\n"), (), "one name"),
        (lambda there: written(there, b"PK", "a.csv.gz"), (), "cannot be read"),
        (lambda there: written(there, "a,b\nx,y\n"), (), "no column has numbers"),
        (lambda there: csv(there, frame(), decimal=","), (), None),
        (lambda there: written(there, "time,a\n0,0,1,5\n"), (), "decimal commas"),
        (
            lambda there: written(there, "time,a\n1,2\n3,4,5\n"),
            (),
            "line 3 has 3 values",
        ),
        (lambda there: written(there, 'time,a\n1,2\n3,"4\n5,6\n'), (), "has no end"),
        (lambda there: csv(there, frame().sample(frac=1)), (), "sort them by time"),
        (lambda there: csv(there, frame(time=0)), (), "--time none"),
        (lambda there: csv(there, frame(time="noon")), (), "has no times"),
        (lambda there: csv(there, frame()[["Acc X"]]), (), "name it with --time"),
        (lambda there: written(there, 20_000 * "," + "\n1"), (), "10000 columns"),
        (lambda there: written(there, " \n\n"), (), "is empty"),
        (
            lambda there: csv(there, frame()[["time", "Acc X"]]),
            ("--label-column", "Acc X"),
            "beside the columns of times, group and labels",
        ),
        (lambda there: written(there, ",,\n,,\n"), (), "no column has numbers"),
        (lambda there: csv(there, frame()), ("--overlap", "-0.5"), "--overlap"),
        (lambda there: csv(there, frame()), ("--overlap", "1"), "--overlap"),
        (lambda there: csv(there, frame()), ("--group", "who"), "there is no column"),
        (lambda there: csv(there, frame()), ("--columns", "z"), "there is no column"),
        (lambda there: csv(there, frame()), ("--classes", "a, a"), "has 'a' more than"),
        (
            lambda there: csv(there, frame()),
            ("--columns", "Acc X,Acc Y,Acc X"),
            "--columns has 'Acc X' more than once",
        ),
        (lambda there: csv(there, frame(z="z")), ("--columns", "z"), "has no numbers"),
        (lambda there: csv(there, frame(start="s")), ("--group", "start"), "rename"),
        (lambda there: csv(there, frame()), ("--seconds", "0.01"), "too short"),
        (lambda there: csv(there, frame()), ("--seconds", "1e9"), "more than 100000"),
        (
            lambda there: csv(there, frame()),
            ("--seconds", "0.08", "--label-column", "Acc X", "--pure", 0),
            "more than 200 different labels",
        ),
    ],
)
def test_what_cannot_be_cut_is_said_in_a_sentence(
    tmp_path: Path, write: Writer, arguments: tuple[object, ...], sentence: str | None
) -> None:
    output = cut(write(tmp_path), *arguments)

    if sentence is not None:
        assert sentence in output
        assert not (tmp_path / "tasks.json").exists()


@pytest.mark.parametrize("option", ["seconds", "rate", "overlap", "pure", "gap"])
@pytest.mark.parametrize("value", ["nan", "inf", "1e308"])
def test_options_without_a_usual_number_are_refused(
    tmp_path: Path, option: str, value: str
) -> None:
    path = csv(tmp_path, frame())

    output = cut(path, f"--{option}", value)

    if value != "1e308":
        assert f"--{option}" in output
    assert (tmp_path / "tasks.json").exists() == ((option, value) == ("gap", "1e308"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rate", [RATE, RATE / 3])
def test_values_that_no_sensor_has_are_missing(tmp_path: Path, rate: float) -> None:
    table = frame()
    table["Acc X"] = table["Acc X"].astype(float)
    table.loc[[50, 51, 70], "Acc X"] = [np.inf, -1e308, 1e308]
    table.loc[250:280, "Acc Y"] = np.where(np.arange(31) % 2, 1.7e308, -1.7e308)

    path = csv(tmp_path, table)
    tasks = tasks_of(path, "--rate", rate)

    assert max(tasks[0]["data"]["recording"]["acc_x"]) < SIZE
    assert len(tasks) == 1_000 // SIZE - 1
    assert "since a channel has no values: 1 ('Acc Y')" in cut(path, "--rate", rate)


def test_a_channel_whose_values_are_too_rare_is_named(tmp_path: Path) -> None:
    """As beside faster sensors in one table: it alone keeps windows from being cut."""
    table = frame()
    table.loc[table.index % 10 != 0, "Acc Y"] = np.nan

    output = cut(csv(tmp_path, table))

    assert "a channel has no values for too long ('Acc Y')" in output


@pytest.mark.parametrize("ending", READERS)
def test_the_help_names_every_kind_of_file(ending: str) -> None:
    output = CliRunner().invoke(main, ["cut", "--help"]).output

    assert re.search(rf" \{ending}[ ,.]", output), output


def test_files_that_exist_are_kept_without_force(tmp_path: Path) -> None:
    path = csv(tmp_path, frame())
    (tmp_path / "tasks.xml").write_text("mine")
    arguments = ["cut", str(path), "--seconds", "2", "-o", str(tmp_path / "tasks.json")]

    run = CliRunner().invoke(main, arguments)

    assert "tasks.xml exists: give another name, or --force" in run.output
    assert (tmp_path / "tasks.xml").read_text() == "mine"


def test_tasks_go_to_a_file_or_a_project(tmp_path: Path) -> None:
    path = csv(tmp_path, frame())

    run = CliRunner().invoke(main, ["cut", str(path), "--seconds", "2"])

    assert "give either -o FILE or --project NUMBER" in run.output
