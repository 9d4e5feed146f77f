"""Stretches are auto-labelled, undone, and never learnt from as a person's labels."""

from itertools import pairwise

import numpy as np
import orjson
import pytest

from dubito.backend.autolabel import runner
from dubito.backend.autolabel.estimate import ERRORS_IN_PART
from dubito.backend.autolabel.models import AutolabelStatus
from dubito.backend.autolabel.plan import describe_autolabel
from dubito.backend.connection.disconnect import Disconnector
from dubito.backend.publishing.scores import LABELS_VERSION
from dubito.model.query.seed_set import permutation
from tests.dubito_process import Rows
from tests.label_studio import CONTROL, JsonObject
from tests.service.stand import Stand
from tests.service.test_rest import answered, open_tasks, order, rest, settle, start
from tests.service.test_stretches_learnt import KINDS
from tests.stretches import ends_of, share_met

TASKS, LABELS = 36, 24
QUIET = "It rained all day, and nobody said a word."


def labelled_rows(bench: Stand, kind: str, *, n_labels: int = LABELS) -> Rows:
    """Make a project of which tasks drawn at random are labelled.

    In every fourth text nobody goes anywhere.
    """
    there, (config, make) = bench.label_studio, KINDS[kind]
    random = np.random.default_rng(0)
    made = [make(random) for _ in range(TASKS)]
    if kind == "texts":
        made[::4] = [({"text": QUIET}, [])] * len(made[::4])
    project = there.create_project(kind, config)
    ids = there.import_tasks(project, [data for data, _ in made])
    truth = {
        task: orjson.dumps(regions).decode()
        for task, (_, regions) in zip(ids, made, strict=True)
    }
    for place in permutation(np.array(ids, dtype=np.int64), seed=0)[:n_labels]:
        there.annotate(ids[place], orjson.loads(truth[ids[place]]))
    there.connect_backend(project, bench.url)
    bench.connect(project)
    rows = Rows(project=project, truth=truth)
    settle(bench, rows)
    return rows


def auto_labels(bench: Stand, rows: Rows) -> dict[int, JsonObject]:
    """Return the annotations that Dubito has made, by task."""
    made = {*bench.state(rows.project).autolabel.answers().values()}
    return {
        task["id"]: one
        for task in bench.label_studio.export(rows.project)
        for one in task["annotations"]
        if one["id"] in made
    }


def regions_in(annotation: JsonObject) -> list[JsonObject]:
    return [one for one in annotation["result"] if one["from_name"] == CONTROL]


@pytest.mark.parametrize("kind", KINDS)
def test_the_rest_gets_the_stretches_that_are_predicted(
    bench: Stand, kind: str
) -> None:
    rows = labelled_rows(bench, kind)
    before = open_tasks(bench, rows)

    job = start(bench, rows, annotations=True)
    made, status = auto_labels(bench, rows), bench.status(rows.project)
    assert (job["state"], job["written"]) == ("done", TASKS - LABELS)
    assert made.keys() == before
    hits = [
        share_met(orjson.loads(rows.truth[task]), regions_in(one))
        for task, one in made.items()
        if orjson.loads(rows.truth[task])
    ]
    assert np.mean(hits) > 0.7
    assert all(ends_of(one) for each in made.values() for one in regions_in(each))
    for one in made.values():  # the editor takes items of one id for one region
        assert len({item["id"] for item in one["result"]}) == len(one["result"]) > 0
    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert not open_tasks(bench, rows)

    assert order(bench, rows, action="undo").status_code == 202
    settle(bench, rows)
    assert open_tasks(bench, rows) == before
    assert sum(answered(bench, rows).values()) == LABELS
    versions = {
        one["model_version"] for one in bench.label_studio.predictions(rows.project)
    }
    assert LABELS_VERSION not in versions


def test_no_stretch_is_an_answer_that_is_known_and_undone(bench: Stand) -> None:
    rows = labelled_rows(bench, "texts")
    start(bench, rows, annotations=True)
    quiet = {task for task in rows.tasks if rows.truth[task] == "[]"}

    made = auto_labels(bench, rows)
    empty = {task for task, one in made.items() if not regions_in(one)}
    assert empty
    assert empty == made.keys() & quiet

    Disconnector(
        client=bench.services.label_studio(),
        projects=bench.services.projects,
        say=list[str]().append,
    ).disconnect(bench.state(rows.project))
    bench.connect(rows.project)  # it is known by what stands in Label Studio alone
    settle(bench, rows)
    assert rest(bench, rows)["job"]["written"] == len(made)
    order(bench, rows, action="undo")
    settle(bench, rows)
    assert sum(answered(bench, rows).values()) == LABELS


def test_rows_without_a_stretch_are_written_where_a_bulk_import_drops_them(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "MANY", 1)
    rows = labelled_rows(bench, "texts")

    job = start(bench, rows)

    ours = [
        row["result"]
        for row in bench.label_studio.predictions(rows.project)
        if row["model_version"] == LABELS_VERSION
    ]
    assert (job["state"], job["written"], len(ours)) == (
        "done",
        TASKS - LABELS,
        TASKS - LABELS,
    )
    counts = {sum(one["from_name"] == CONTROL for one in result) for result in ours}
    assert counts == {0, 2}


def test_a_label_of_which_a_person_changes_one_stretch_is_the_persons(
    bench: Stand,
) -> None:
    rows = labelled_rows(bench, "texts")
    start(bench, rows, annotations=True)
    made = auto_labels(bench, rows)
    full, other, *_ = [one for one in made.values() if len(regions_in(one)) == 2]
    [empty, *_] = [one for one in made.values() if not regions_in(one)]
    first, second = full["result"]
    changed = {**first, "value": {**first["value"], "end": first["value"]["end"] - 1}}

    for one, body in (
        (full, {"result": [changed, second]}),
        (other, {"result": other["result"][:1], "lead_time": 2.0}),
        (empty, {"result": [second], "lead_time": 2.0}),
    ):
        path = f"/api/annotations/{one['id']}"
        bench.label_studio.call("PATCH", path, json=body)
    status = bench.sync(rows.project)
    assert (status["labels"], status["set_aside"]) == (LABELS + 3, 0)

    order(bench, rows, action="undo")
    settle(bench, rows)
    assert sum(answered(bench, rows).values()) == LABELS + 3


def test_the_errors_are_of_the_time_or_the_words(bench: Stand) -> None:
    rows = labelled_rows(bench, "texts")

    shown = describe_autolabel(bench.state(rows.project))

    assert shown.reason == ""
    assert shown.errors == ERRORS_IN_PART
    levels = [one for one in shown.thresholds if one.tasks]
    assert levels[0].tasks == TASKS - LABELS
    for less, more in pairwise(levels):
        assert less.tasks >= more.tasks
    for one in levels:
        assert (one.low or 0.0) <= (one.error or 0.0) <= (one.high or 0.0)
    assert (levels[0].error or 1.0) < 0.2


def test_only_tasks_above_the_certainty_are_labelled(bench: Stand) -> None:
    rows = labelled_rows(bench, "recordings")
    levels = describe_autolabel(bench.state(rows.project)).thresholds
    chosen = next(one for one in levels if 0 < one.tasks < TASKS - LABELS)

    job = start(bench, rows, certainty=chosen.certainty, annotations=True)

    assert job["written"] == len(auto_labels(bench, rows)) == chosen.tasks
    assert len(open_tasks(bench, rows)) == TASKS - LABELS - chosen.tasks


def test_too_few_labels_are_said_in_a_sentence(bench: Stand) -> None:
    rows = labelled_rows(bench, "texts", n_labels=10)

    shown = describe_autolabel(bench.state(rows.project))
    refused = order(bench, rows, action="start", certainty=0.5)

    assert shown == AutolabelStatus.model_validate({**dict(shown), "thresholds": []})
    assert "it needs 20 labels" in shown.reason
    assert refused.status_code == 409
    assert refused.json()["detail"] == shown.reason
