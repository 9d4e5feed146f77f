"""What `status` says of columns: marks of missing values, and labels given away."""

from tests.dubito_process import CLASSES, Rows, feature_rows
from tests.label_studio import JsonObject, choices_config
from tests.service.stand import Stand

COUNT = 60
CODES = {name: 10 - place for place, name in enumerate(CLASSES)}
SHADES = ("red", "green", "blue")


def project(bench: Stand, **columns: object) -> Rows:
    """Make a connected project with further columns, whose tasks are all labelled."""
    shown = choices_config(*CLASSES, attributes='value="$row"')
    made = bench.label_studio.create_project("rows", shown)
    rows = feature_rows(COUNT)
    for number, (data, label) in enumerate(rows):
        data.update({"shade": SHADES[number % 3]} | columns)
        if "size" in columns:
            data["size"] = ("0,5", "1,0")[number % 2]
        if "length" in columns:
            data["length"] = f"{number * 0.7:.2f}".replace(".", ",")
        if "code" in columns:
            data["code"] = CODES[label]
        if "seldom" in columns:
            data["seldom"] = "n.a." if number % 3 == 0 else number * 0.7
    ids = bench.label_studio.import_tasks(made, [data for data, _ in rows])
    for task, (_, label) in zip(ids, rows, strict=True):
        bench.label_studio.annotate(task, label)
    bench.connect(made)
    truth = {task: answer for task, (_, answer) in zip(ids, rows, strict=True)}
    return Rows(project=made, truth=truth)


def notes(bench: Stand, rows: Rows) -> str:
    status: JsonObject = bench.status(rows.project)
    assert status["set_aside"] == 0
    return "\n".join(map(str, status["notes"]))


def test_honest_columns_are_not_mentioned(bench: Stand) -> None:
    status_notes = notes(bench, project(bench))

    assert "alone predicts" not in status_notes
    assert "column" not in status_notes


def test_marks_and_a_column_that_predicts_the_labels_alone_are_named(
    bench: Stand,
) -> None:
    rows = project(bench, code=0, seldom=0)

    status_notes = notes(bench, rows)

    assert f"the column 'code' alone predicts 100% of {COUNT} labels" in status_notes
    assert '"shade"' in status_notes.partition('{"features":')[2]
    assert '"code"' not in status_notes
    assert "columns: 'seldom': 'n.a.'" in status_notes


def test_a_column_of_numbers_with_decimal_commas_is_named(bench: Stand) -> None:
    """Unless it holds a few values only, which are read as categories."""
    status_notes = notes(bench, project(bench, length="", size="0,5"))

    assert "does not use the column 'length': its numbers have decimal" in status_notes
