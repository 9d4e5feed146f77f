"""Labels and predictions as files: what is in them, in which order, how written."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubito.backend.errors import NotReadyError, SchemaError
from dubito.backend.export.formats import TABLES, as_csv, as_json
from dubito.backend.export.tables import (
    Table,
    labels_of,
    predictions_for_label_studio,
    predictions_of,
)
from dubito.backend.records import JsonObject
from dubito.backend.services import Services
from dubito.backend.state.project import ProjectState
from dubito.backend.state.ranking import Ranking
from tests.builders import KEY, annotation, project, read, receive
from tests.label_studio import choice_result, choices_config

ODD = ("a, b", 'say "no"', "🙂 ünder", "two\nlines", "cr\rhere", "=1+1", "@x", "-1")
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0'"), max_size=12)


@pytest.fixture
def state(services: Services) -> ProjectState:
    """Look after one project whose settings are known."""
    services.projects.add(KEY)
    project_state = services.projects.at(KEY)
    project_state.note(project=project())
    return project_state


def rank(
    state: ProjectState, *tasks: int, classes: tuple[str, ...] = ("a", "b")
) -> None:
    """Let a round have found something of these tasks."""
    receive(state, **{f"t{task}": "data" for task in tasks})
    read(state, *tasks, x=1.0)
    shares = np.random.default_rng(0).dirichlet([1.0] * len(classes), len(tasks))
    ordered = np.sort(shares, axis=1)
    state.save_ranking(
        Ranking(
            round=3,
            basis="x",
            task_ids=np.array(sorted(tasks), dtype=np.int64),
            classes=classes,
            probabilities=shares,
            certainty=np.round(ordered[:, -1] - ordered[:, -2], 6),
        )
    )


def content(state: ProjectState, name: str) -> bytes:
    return b"".join(TABLES[name].pieces(state))


def parsed(written: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written.decode(), newline="")))


def plain(text: str) -> str:
    """Take the apostrophe away that keeps spreadsheets from computing."""
    return text[1:] if text[:1] == "'" and text[1:2] in "=+-@\t\r" else text


def test_each_annotation_that_counts_is_a_line(state: ProjectState) -> None:
    """Neither a skip, nor one without a choice, nor a choice there is no more."""
    state.annotations.save(
        [
            annotation(5, "b", task=2, completed_by=7, minute=1),
            annotation(4, "a", task=9),
            annotation(6, "a", task=2, completed_by=8),
            annotation(7, None, task=3),
            annotation(8, [], task=4),
            annotation(9, "gone", task=5),
        ]
    )

    lines = content(state, "labels.csv").decode().splitlines()

    assert lines == [
        "task,label,annotator,updated_at",
        "2,b,7,2026-01-01T00:01:00.000000Z",
        "2,a,8,2026-01-01T00:00:00.000000Z",
        "9,a,1,2026-01-01T00:00:00.000000Z",
    ]
    assert labels_of(state).count == 3


def test_json_says_what_csv_says(state: ProjectState) -> None:
    rank(state, 4, 2, 9)
    state.annotations.save([annotation(5, "b", task=2, completed_by=None)])

    for what in ("labels", "predictions"):
        rows = json.loads(content(state, f"{what}.json"))
        header, *lines = parsed(content(state, f"{what}.csv"))
        assert [list(row) for row in rows] == [header] * len(lines)
        cells = [["" if v is None else str(v) for v in row.values()] for row in rows]
        assert cells == lines


def test_predictions_are_those_of_the_last_round_by_task(state: ProjectState) -> None:
    rank(state, 30, 10, 20)
    ranking = state.ranking()
    assert ranking is not None

    table = pd.read_csv(io.BytesIO(content(state, "predictions.csv")))

    assert list(table) == ["task", "label", "certainty", "a", "b"]
    assert table["task"].tolist() == [10, 20, 30]
    assert table[["a", "b"]].to_numpy() == pytest.approx(
        ranking.probabilities, abs=1e-6
    )
    assert table["certainty"].tolist() == ranking.certainty.tolist()
    likeliest = [ranking.classes[c] for c in ranking.probabilities.argmax(axis=1)]
    assert table["label"].tolist() == likeliest


def test_a_task_deleted_since_the_round_is_not_predicted(state: ProjectState) -> None:
    """One such id, and Label Studio's bulk import would take nothing."""
    rank(state, 10, 20, 30)
    state.tasks.remove([20])

    predictions = json.loads(content(state, "predictions.ls.json"))

    assert [one["task"] for one in predictions] == [10, 30]
    assert predictions_of(state).count == 2


def test_predictions_for_label_studio_hold_aliases(state: ProjectState) -> None:
    aliased = choices_config("Walking", "Running").replace(
        'value="Walking"', 'value="Walking" alias="walk"'
    )
    state.note(project=project(label_config=aliased))
    rank(state, *range(1, 30), classes=("walk", "Running"))

    predictions = json.loads(content(state, "predictions.ls.json"))

    labels = {one["result"][0]["value"]["choices"][0] for one in predictions}
    assert labels == {"walk", "Running"}
    assert all(0 <= one["score"] <= 1 for one in predictions)
    assert {one["model_version"] for one in predictions} == {"dubito-export"}


def test_predictions_that_label_studio_would_drop_are_not_offered_to_it(
    state: ProjectState,
) -> None:
    config = choices_config("a", "b", as_paths=True)
    state.note(project=project(label_config=config))
    rank(state, 1, 2)

    with pytest.raises(NotReadyError, match="takes no choice that its editor shows"):
        content(state, "predictions.ls.json")

    predictions = json.loads(b"".join(as_json(predictions_for_label_studio(state))))
    written = [one["result"][0]["value"]["choices"] for one in predictions]
    assert len(written) == predictions_of(state).count == 2
    assert all(choices in ([["a"]], [["b"]]) for choices in written)


def test_a_class_named_like_a_column_is_told_apart(state: ProjectState) -> None:
    rank(state, 1, 2, classes=("task", "label", "x"))

    columns = predictions_of(state).columns

    assert columns == ("task", "label", "certainty", "p(task)", "p(label)", "x")


def any_of(state: ProjectState, *classes: str) -> None:
    """Let people choose several of these classes, or none."""
    config = choices_config(*classes).replace('"single"', '"multiple"')
    state.note(project=project(label_config=config))


def chosen(*classes: str) -> list[JsonObject]:
    [region] = choice_result("")
    return [{**region, "value": {"choices": [*classes]}}]


def test_a_set_is_a_list_in_json_and_a_column_for_each_class_in_csv(
    state: ProjectState,
) -> None:
    any_of(state, "a", "b, c", "d")
    sets: dict[int, list[str]] = {2: ["a", "b, c"], 3: [], 5: ["d"]}
    state.annotations.save(
        [annotation(t, chosen(*s) if s else [], task=t) for t, s in sets.items()]
    )

    records = json.loads(content(state, "labels.json"))
    table = pd.read_csv(io.BytesIO(content(state, "labels.csv")))

    assert {one["task"]: one["label"] for one in records} == sets
    assert [*records[0]] == ["task", "label", "annotator", "updated_at"]
    assert [*table][4:] == ["has(a)", "has(b, c)", "has(d)"]
    assert table["label"].map(json.loads).tolist() == [*sets.values()]
    assert table.iloc[:, 4:].to_numpy().tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_predicted_sets_are_written_like_labels(state: ProjectState) -> None:
    """Also where a class is named like the column of another one."""
    any_of(state, "a", "has(a)")
    rank(state, 1, 2, 3, classes=("a", "has(a)"))
    ranking = state.ranking()
    assert ranking is not None
    state.save_ranking(replace(ranking, kind="any of"))
    sets = [
        [name for name, share in zip(ranking.classes, row, strict=True) if share > 0.5]
        for row in ranking.probabilities
    ]

    records = json.loads(content(state, "predictions.json"))
    header, *lines = parsed(content(state, "predictions.csv"))

    assert [one["label"] for one in records] == sets
    assert all(isinstance(one["has(a)"], float) for one in records)
    assert header[3:] == ["a", "has(a)", "has(has(a))", "has(has(has(a)))"]
    has = [
        [
            name
            for name, is_in in zip(ranking.classes, line[5:], strict=True)
            if is_in == "1"
        ]
        for line in lines
    ]
    assert has == sets == [json.loads(line[1]) for line in lines]


@pytest.mark.parametrize("name", TABLES)
def test_before_there_is_anything_a_sentence_says_so(
    services: Services, name: str
) -> None:
    unread = services.projects.at(KEY)
    with pytest.raises(NotReadyError, match=r"project 1 .*yet"):
        TABLES[name].pieces(unread)


def test_a_config_with_nothing_to_learn_is_named(state: ProjectState) -> None:
    state.note(project=project(label_config="<View/>"))

    with pytest.raises(SchemaError, match="no <Choices>"):
        labels_of(state)


@pytest.mark.parametrize("label", ODD)
def test_odd_labels_come_back_from_csv_and_json(label: str) -> None:
    def table() -> Table:
        return Table(columns=("task", label), rows=[(1, label), (2, None)], count=2)

    written = b"".join(as_csv(table()))

    assert [[plain(x) for x in row] for row in parsed(written)] == [
        ["task", label],
        ["1", label],
        ["2", ""],
    ]
    assert orjson.loads(b"".join(as_json(table().records)))[0][label] == label


@pytest.mark.parametrize(
    ("label", "written"),
    [
        ("=HYPERLINK(0)", "'=HYPERLINK(0)"),
        ("+cmd|x", "'+cmd|x"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-2+3", "'-2+3"),
        ("\t=1", "'\t=1"),
        ("-1.5", "-1.5"),
        ("+", "+"),
        ("a=b", "a=b"),
    ],
)
def test_no_cell_is_a_formula_to_a_spreadsheet(label: str, written: str) -> None:
    """Class names are other people's words; numbers and signs alone are harmless."""
    table = Table(columns=("label",), rows=[(label,)], count=1)

    assert b"".join(as_csv(table)).decode() == f"label\n{written}\n"


@pytest.mark.slow
@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_reading_what_was_written_gives_what_there_was(
    rows: list[tuple[str, str]],
) -> None:
    table = Table(columns=("one", "other"), rows=rows, count=len(rows))

    written = parsed(b"".join(as_csv(table)))

    assert [tuple(map(plain, row)) for row in written[1:]] == rows


def test_what_was_written_is_read_by_pandas_too(tmp_path: Path) -> None:
    table = Table(columns=("n", "label"), rows=list(enumerate(ODD)), count=len(ODD))
    path = tmp_path / "odd.csv"
    path.write_bytes(b"".join(as_csv(table)))

    frame = pd.read_csv(path, dtype=str)

    assert [plain(label) for label in frame["label"]] == list(ODD)


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1_200])
def test_json_is_whole_however_many_rows_there_are(count: int) -> None:
    rows: list[dict[str, object]] = [{"task": number} for number in range(count)]

    pieces = list(as_json(rows))

    assert [row["task"] for row in json.loads(b"".join(pieces))] == list(range(count))
    assert max(map(len, pieces)) < 20_000
