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
    for number, (data, said) in enumerate(rows):
        data.update({"shade": SHADES[number % 3]} | columns)
        if "code" in columns:
            data["code"] = CODES[said]
        if "seldom" in columns:
            data["seldom"] = "n.a." if number % 3 == 0 else number * 0.7
    ids = bench.label_studio.import_tasks(made, [data for data, _ in rows])
    for task, (_, said) in zip(ids, rows, strict=True):
        bench.label_studio.annotate(task, said)
    bench.connect(made)
    truth = {task: said for task, (_, said) in zip(ids, rows, strict=True)}
    return Rows(project=made, truth=truth)


def notes(bench: Stand, rows: Rows) -> str:
    status: JsonObject = bench.status(rows.project)
    assert status["set_aside"] == 0
    return "\n".join(map(str, status["notes"]))


def test_honest_columns_are_not_mentioned(bench: Stand) -> None:
    said = notes(bench, project(bench))

    assert "alone predicts" not in said
    assert "column" not in said


def test_marks_and_a_column_that_predicts_the_labels_alone_are_named(
    bench: Stand,
) -> None:
    rows = project(bench, code=0, seldom=0)

    said = notes(bench, rows)

    assert f"the column 'code' alone predicts 100% of {COUNT} labels" in said
    assert '"shade"' in said.partition('{"features":')[2]
    assert '"code"' not in said
    assert "columns: 'seldom': 'n.a.'" in said
