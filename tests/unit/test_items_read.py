"""New items as people have them: rows, lists, single files and folders of them."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from dubito.backend.errors import ItemsError
from dubito.backend.export.fitted_model import FittedModel, ItemPrediction
from dubito.backend.export.new_items import LONGEST_CELL, read_items
from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import Pool
from dubito.model.learners.registry import learner
from tests.builders import schema

RECORDING = "t,x\n0,1\n1,2\n2,1\n"


def fitted(kind: str, tag: str, key: str, *keys: str) -> FittedModel:
    """Fit to something: what is read of items is what matters here."""
    numbers = np.arange(24, dtype=np.float32).reshape(12, 2)
    pool = Pool(task_ids=np.arange(12), columns=("x", "y"), numbers=numbers, texts=())
    items = FeatureTable.of(pool, seed=0)
    codes = np.arange(12) % 2
    return FittedModel(
        schema=schema(tag=tag, key=key),
        reads=InputSpec(kind=kind, keys=keys or (key,)),
        strategy="margin",
        featuriser=items.featuriser,
        predictor=learner("auto", 0).fit(items.features, codes, 2),
    )


@pytest.fixture(scope="module")
def rows() -> FittedModel:
    return fitted("numbers", "Table", "row", "x", "y")


@pytest.fixture(scope="module")
def texts() -> FittedModel:
    return fitted("text", "Text", "text")


@pytest.fixture(scope="module")
def recordings() -> FittedModel:
    return fitted("recording", "TimeSeries", "csv")


def test_a_csv_has_an_item_in_each_row(rows: FittedModel, tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(
        'id,x,flag,vector,word\n7,1.5,True,"[1, 2]",a\n8,,no,[,\n', "utf-8-sig"
    )

    items = read_items(path, rows)

    assert items.names == ["7", "8"]
    assert items.data == [
        {"id": "7", "x": "1.5", "flag": True, "vector": [1, 2], "word": "a"},
        {"id": "8", "x": "", "flag": "no", "vector": "[", "word": ""},
    ]


def test_a_table_may_be_parted_by_tabs(rows: FittedModel, tmp_path: Path) -> None:
    path = tmp_path / "items.tsv"
    path.write_text("x\ty\n1\t2\n")

    assert read_items(path, rows).data == [{"x": "1", "y": "2"}]


def test_an_export_of_label_studio_is_read_as_it_is(
    rows: FittedModel, tmp_path: Path
) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps([{"id": 12, "data": {"x": 1}}, {"x": 2}]))

    items = read_items(path, rows)

    assert list(zip(items.names, items.data, strict=True)) == [
        ("12", {"x": 1}),
        ("2", {"x": 2}),
    ]


def test_half_a_character_spoils_no_other_item(
    texts: FittedModel, tmp_path: Path
) -> None:
    path = tmp_path / "export.json"
    path.write_text('[{"text": "half \\ud83d"}, {"text": "whole"}]', "utf-8-sig")

    items = read_items(path, texts)

    assert [one["text"] for one in items.data] == ["half \ud83d", "whole"]


def test_a_folder_has_an_item_in_each_file(texts: FittedModel, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("für b", encoding="utf-8")
    (tmp_path / "a.txt").write_text("für a", encoding="utf-8")
    (tmp_path / ".hidden").write_text("none")
    (tmp_path / "folder").mkdir()

    items = read_items(tmp_path, texts)

    assert items.names == ["a.txt", "b.txt"]
    assert items.data == [{"text": "für a"}, {"text": "für b"}]
    assert read_items(tmp_path / "b.txt", texts).data == [{"text": "für b"}]


def test_a_recording_is_told_from_a_list_of_recordings(
    recordings: FittedModel, tmp_path: Path
) -> None:
    """Both are CSV files; a list names files under the project's key."""
    (tmp_path / "one, #1.csv").write_text(RECORDING)
    (tmp_path / "list.csv").write_text('csv\n"one%2C%20%231.csv"\n')

    single = read_items(tmp_path / "one, #1.csv", recordings)
    several = read_items(tmp_path / "list.csv", recordings)

    for items in (single, several):
        (item,) = items.data
        assert items.files.fetch(str(item["csv"])).decode() == RECORDING


def test_a_file_outside_the_folder_is_not_read(
    recordings: FittedModel, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_text(RECORDING)
    folder = tmp_path / "items"
    folder.mkdir()
    (folder / "list.csv").write_text("csv\n../secret.csv\n")

    items = read_items(folder / "list.csv", recordings)
    (answers,) = recordings.answers(items.data, items.files)

    assert isinstance(answers, str)
    assert "is not in" in answers


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("none.csv", None, "there is no"),
        ("x.json", "{", "is not valid JSON"),
        ("x.txt", "one", "the model needs rows"),
    ],
)
def test_what_holds_no_items_is_said_in_a_sentence(
    rows: FittedModel, tmp_path: Path, name: str, content: str | None, reason: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)

    with pytest.raises(ItemsError, match=reason):
        read_items(tmp_path / name, rows)


def test_a_folder_is_nothing_to_a_model_of_rows(
    rows: FittedModel, texts: FittedModel, tmp_path: Path
) -> None:
    with pytest.raises(ItemsError, match="the model needs rows"):
        read_items(tmp_path, rows)
    with pytest.raises(ItemsError, match="contains no files"):
        read_items(tmp_path, texts)


def test_an_item_that_cannot_be_read_spoils_no_other(
    rows: FittedModel, tmp_path: Path
) -> None:
    path = tmp_path / "items.json"
    path.write_text(json.dumps([{"x": 1, "y": 2}, {"x": "word"}, {"x": 3, "y": "?"}]))

    items = read_items(path, rows)
    good, bad, half = rows.answers(items.data, items.files)

    assert isinstance(good, ItemPrediction)
    assert good.label in {"a", "b"}
    assert sum(good.probabilities) == pytest.approx(1)
    assert bad == "the value of 'x' is not a number"
    assert isinstance(half, ItemPrediction)


def test_no_items_have_no_answers(rows: FittedModel, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[]")
    items = read_items(tmp_path / "x.json", rows)

    assert list(rows.answers(items.data, items.files)) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("items.csv", "id,body\n7,good\n"),
        ("items.json", '[{"id": 7, "body": "good"}]'),
        ("items.json", '[{"id": 7, "data": {"id": 1, "body": "good"}}]'),
    ],
)
def test_a_table_without_what_the_model_reads_is_no_text(
    texts: FittedModel, tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)

    with pytest.raises(ItemsError) as error:
        read_items(tmp_path / name, texts)

    assert "has no column 'text', which the model reads; its columns" in str(
        error.value
    )
    assert str(error.value).endswith("are 'body', 'id'")


def test_a_table_without_any_column_of_numbers_is_said_to_have_none(
    rows: FittedModel, tmp_path: Path
) -> None:
    path = tmp_path / "items.csv"
    path.write_text("width;height\n1;2\n")

    with pytest.raises(ItemsError, match=r"no column 'x', 'y', .* 'width;height'"):
        read_items(path, rows)


@pytest.mark.parametrize("content", ['{"text": "good"}', '["good", "bad"]', "3"])
def test_json_that_is_no_list_of_objects_is_no_text(
    texts: FittedModel, tmp_path: Path, content: str
) -> None:
    (tmp_path / "x.json").write_text(content)

    with pytest.raises(ItemsError, match=r"x\.json is not a list of items"):
        read_items(tmp_path / "x.json", texts)


def test_a_recording_in_json_is_an_item_of_its_own(
    recordings: FittedModel, tmp_path: Path
) -> None:
    (tmp_path / "one.json").write_text('{"t": [0, 1], "x": [1, 2]}')

    assert read_items(tmp_path / "one.json", recordings).data == [{"csv": "one.json"}]


def test_a_file_whose_name_is_not_utf_8_is_read(
    recordings: FittedModel, tmp_path: Path
) -> None:
    path = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9 1.csv"))
    path.write_text(RECORDING)

    items = read_items(tmp_path, recordings)

    (item,) = items.data
    assert items.files.fetch(str(item["csv"])).decode() == RECORDING


@pytest.mark.slow
def test_a_table_that_cannot_be_read_is_said_to_be_so(
    rows: FittedModel, tmp_path: Path
) -> None:
    path = tmp_path / "items.csv"
    path.write_text("x,y\n" + "1" * (LONGEST_CELL + 1))

    with pytest.raises(ItemsError, match=r"items\.csv is not a table: field larger"):
        read_items(path, rows)
