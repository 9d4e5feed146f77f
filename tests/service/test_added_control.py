"""Adding a kind of control is one module and one registration: here is one."""

from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

import pytest

from dubito.backend.controls.codec import Answer, ControlCodec, NoAnswer, Region
from dubito.backend.controls.registry import CODECS
from dubito.backend.errors import SchemaError
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.web.app import create_app
from dubito.model.schema import Schema
from tests.dubito_process import VERSION, Rows, feature_rows
from tests.label_studio import CONTROL, ITEM, JsonObject
from tests.service.stand import Stand

TASKS, LABELS = 36, 18
YEARS = ("1", "2")
CONFIG = (
    f'<View><Text name="{ITEM}" value="$row"/>'
    f'<DateTime name="{CONTROL}" toName="{ITEM}" min="1" max="2"/></View>'
)


class Years(ControlCodec):
    """`<DateTime>` with few years, each of them a class."""

    kind = "years"
    tag = "DateTime"
    type = "datetime"
    description = "a <DateTime> with 2 to 9 years"

    def unsupported_reason(self, control: Element) -> str:
        is_fine = len(self.classes(control)) in range(2, 10)
        return "" if is_fine else "has no 2 to 9 years"

    def classes(self, control: Element) -> tuple[str, ...]:
        most = int(control.get("max", "5"))
        return tuple(str(year) for year in range(1, most + 1))

    def read(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> Answer | NoAnswer:
        own = [item for item in result if item.get("from_name") == schema.control]
        answers = {str(year) for region in own for year in self.answers_in(region)}
        if len(answers) == 1 and answers <= {*schema.classes}:
            return answers.pop()
        return NoAnswer(f"the annotation has no one year for {schema.control!r}")

    def answers_in(self, region: Mapping[str, object]) -> list[object]:
        value = region.get("value")
        years = value.get("datetime") if isinstance(value, dict) else None
        return [str(years)] if isinstance(years, int) else []

    def regions(self, answer: Answer, schema: Schema) -> list[Region]:
        return [
            {
                "from_name": schema.control,
                "to_name": schema.target,
                "type": "datetime",
                "value": {"datetime": int(answer)},
            }
        ]


def dated(years: str) -> list[JsonObject]:
    """Return what the editor stores."""
    value = {"datetime": int(years)}
    return [{"from_name": CONTROL, "to_name": ITEM, "type": "datetime", "value": value}]


@pytest.fixture
def years() -> Iterator[ControlCodec]:
    """Register the kind for one test."""
    CODECS[Years.kind] = codec = Years()
    yield codec
    del CODECS[Years.kind]


@pytest.fixture
def rows(bench: Stand) -> Rows:
    """Make a project some tasks of which people have dated."""
    there = bench.label_studio
    project = there.create_project("years", CONFIG)
    made = feature_rows(TASKS, YEARS)
    ids = there.import_tasks(project, [data for data, _ in made])
    truth = {task: years for task, (_, years) in zip(ids, made, strict=True)}
    for task in sorted(ids)[:LABELS]:
        there.annotate(task, dated(truth[task]))
    there.connect_backend(project, bench.url, extra_params={"preannotate": True})
    return Rows(project=project, truth=truth)


def years_in(results: Mapping[int, list[JsonObject]]) -> dict[int, str]:
    """Return the years that each result shows; each must be one year."""
    rows_of_tasks = {}
    for task, [region] in results.items():
        assert (region["type"], [*region["value"]]) == ("datetime", ["datetime"])
        rows_of_tasks[task] = str(region["value"]["datetime"])
    return rows_of_tasks


def results(bench: Stand, rows: Rows, version: str) -> dict[int, list[JsonObject]]:
    predictions = bench.label_studio.predictions(rows.project)
    return {
        row["task"]: row["result"]
        for row in predictions
        if row["model_version"] == version
    }


@pytest.mark.usefixtures("years")
def test_years_are_learnt_published_and_predicted(bench: Stand, rows: Rows) -> None:
    bench.connect(rows.project)
    bench.settle(rows.project)
    ranking = bench.state(rows.project).ranking()
    body: JsonObject = {
        "tasks": bench.label_studio.tasks(rows.project, fields="all"),
        "project": bench.state(rows.project).key,
        "label_config": CONFIG,
    }
    web = create_app(bench.services).test_client()

    response = web.post("/predict", json=body)

    status = bench.assert_order_holds(rows.project)
    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert ranking is not None
    assert ranking.classes == YEARS
    predicted = {task: ranking.likeliest_of(task) for task in rows.tasks}
    open_tasks = rows.tasks[LABELS:]
    published = years_in(results(bench, rows, VERSION))
    assert published == {task: predicted[task] for task in open_tasks}
    answers = [one["result"] for one in response.get_json()["results"]]
    ids = [task["id"] for task in body["tasks"]]
    assert years_in(dict(zip(ids, answers, strict=True))) == predicted
    right = sum(predicted[task] == rows.truth[task] for task in rows.tasks)
    assert right > 0.8 * TASKS


@pytest.mark.usefixtures("years")
def test_a_year_is_removed_and_put_back(bench: Stand, rows: Rows) -> None:
    bench.connect(rows.project)
    task, web = rows.tasks[0], create_app(bench.services).test_client()
    path = f"/api/projects/{rows.project}/again"

    assert web.post(path, json={"tasks": [task]}).status_code == 202
    bench.settle(rows.project)
    (asked,) = bench.status(rows.project)["again"]
    assert (asked["task"], asked["label"]) == (task, rows.truth[task])
    wish = {"tasks": [task], "action": "restore"}
    assert web.post(path, json=wish).status_code == 202
    bench.settle(rows.project)

    assert bench.status(rows.project)["labels"] == LABELS
    bench.assert_equal_state(rows.project)


def test_without_its_registration_a_year_is_not_learnt() -> None:
    with pytest.raises(SchemaError, match="the label config has no <Choices>"):
        read_schema(CONFIG)
