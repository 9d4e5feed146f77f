"""People mark stretches of recordings and texts: the whole loop of such a question."""

from collections.abc import Callable
from functools import cache

import numpy as np
import orjson
import pytest

from dubito.backend.controls.stretches import unpacked_stretches
from dubito.backend.data_kinds.unit_sequences import unpacked
from dubito.backend.export.formats import TABLES
from dubito.backend.export.tables import snapshot_of
from dubito.backend.learning.assessment import assess
from dubito.backend.status.learning_report import learning_report
from dubito.backend.status.task_detail import task_detail
from dubito.backend.taskmap.view import map_view
from dubito.backend.web.app import create_app
from dubito.model.query.seed_set import permutation
from dubito.model.stretches.evaluation import FOLDS
from tests.dubito_process import VERSION, Rows
from tests.label_studio import CONTROL, ITEM, JsonObject, LabelStudio
from tests.patience import PATIENCE_SECONDS
from tests.service.stand import Stand
from tests.stretches import (
    IN_TURN,
    RATE,
    SAMPLES,
    SERIES,
    WORDS,
    dialogue_with_names,
    page_region,
    page_with_names,
    region,
    sentence,
    share_met,
    signal_with_stretches,
    turn_region,
)

pytestmark = pytest.mark.real_learner

TASKS, LABELS = 24, 10
ENDS = ("start", "end")
NAMES = ("Run", "Walk")
TAGS = "".join(f'<Label value="{name}"/>' for name in NAMES)
RECORDINGS = (
    f'<View><TimeSeriesLabels name="{CONTROL}" toName="{ITEM}">{TAGS}'
    f'</TimeSeriesLabels><TimeSeries name="{ITEM}" value="$ts" valueType="json"'
    ' timeColumn="time"><Channel column="x"/></TimeSeries></View>'
)
TEXTS = (
    f'<View><Labels name="{CONTROL}" toName="{ITEM}"><Label value="LOC"/>'
    f'<Label value="PER"/></Labels><Text name="{ITEM}" value="$text"/></View>'
)
PLACES = '<Label value="LOC"/><Label value="PER"/>'
PAGES = (
    f'<View><HyperTextLabels name="{CONTROL}" toName="{ITEM}">{PLACES}'
    f'</HyperTextLabels><HyperText name="{ITEM}" value="$page"/></View>'
)
DIALOGUES = (
    f'<View><ParagraphLabels name="{CONTROL}" toName="{ITEM}">{PLACES}'
    f'</ParagraphLabels><Paragraphs name="{ITEM}" value="$turns"/></View>'
)


def recording(random: np.random.Generator) -> tuple[JsonObject, list[JsonObject]]:
    signal, stretches = signal_with_stretches(random)
    times = [row / RATE for row in range(SAMPLES)]
    regions = [
        region(SERIES, (times[first], times[last]), name)
        for first, last, name in stretches
    ]
    return {"ts": {"time": times, "x": signal}}, regions


def text(random: np.random.Generator) -> tuple[JsonObject, list[JsonObject]]:
    words, stretches = sentence(random)
    regions = [region(WORDS, (start, end), name) for start, end, name in stretches]
    return {"text": words}, regions


def page(random: np.random.Generator) -> tuple[JsonObject, list[JsonObject]]:
    source, stretches = page_with_names(random)
    regions = [
        page_region((start, end), name, path) for start, end, name, path in stretches
    ]
    return {"page": source}, regions


def dialogue(random: np.random.Generator) -> tuple[JsonObject, list[JsonObject]]:
    turns, stretches = dialogue_with_names(random)
    regions = [
        turn_region((turn, start, end), name) for turn, start, end, name in stretches
    ]
    return {"turns": turns}, regions


KINDS = {
    "recordings": (RECORDINGS, recording),
    "texts": (TEXTS, text),
    "pages": (PAGES, page),
    "dialogues": (DIALOGUES, dialogue),
}
IN_WORDS = {"texts": "text-words", "pages": "html-words", "dialogues": "dialogue-words"}
"""Kinds of tasks in which words are marked, and what reads them."""

every_kind_of_words = pytest.mark.parametrize("kind", IN_WORDS)


def told_ends(one: JsonObject) -> tuple[object, object]:
    """Return the ends of a region as exports tell them."""
    value = one["value"]
    if one["type"] == IN_TURN:
        start, end = (f"{value[key]}+{value[f'{key}Offset']}" for key in ENDS)
        return start, end
    places = value.get("globalOffsets", value)
    return places["start"], places["end"]


def rows_of(kind: str, there: LabelStudio) -> Rows:
    config, make = KINDS[kind]
    random = np.random.default_rng(0)
    made = [make(random) for _ in range(TASKS)]
    project = there.create_project(kind, config)
    ids = there.import_tasks(project, [data for data, _ in made])
    truth = {
        task: orjson.dumps(regions).decode()
        for task, (_, regions) in zip(ids, made, strict=True)
    }
    return Rows(project=project, truth=truth)


def connect(bench: Stand, rows: Rows, n_labels: int = LABELS) -> None:
    for task in rows.tasks[:n_labels]:
        bench.label_studio.annotate(task, orjson.loads(rows.truth[task]))
    extra = {"preannotate": True}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=extra)
    bench.connect(rows.project)
    bench.settle(rows.project)


@pytest.fixture(scope="module")
def learnt(shared: Stand) -> Callable[[str], Rows]:
    """Return a project of a kind whose first tasks have labels, learnt from once."""

    @cache
    def project_of(kind: str) -> Rows:
        rows = rows_of(kind, shared.label_studio)
        connect(shared, rows)
        return rows

    return project_of


@pytest.mark.parametrize("kind", KINDS)
def test_stretches_are_learnt_published_and_predicted(
    shared: Stand, learnt: Callable[[str], Rows], kind: str
) -> None:
    rows = learnt(kind)
    data = KINDS[kind][1](np.random.default_rng(99))
    tasks = shared.label_studio.tasks(rows.project, fields="all")
    body: JsonObject = {
        "tasks": [*tasks, {"id": 99_999, "data": data[0]}],
        "project": shared.state(rows.project).key,
        "label_config": KINDS[kind][0],
    }

    response = create_app(shared.services).test_client().post("/predict", json=body)

    status = shared.assert_order_holds(rows.project)
    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    published = {
        row["task"]: row["result"]
        for row in shared.label_studio.predictions(rows.project)
        if row["model_version"] == VERSION
    }
    assert published.keys() == {*rows.tasks[LABELS:]}
    hits = [
        share_met(orjson.loads(rows.truth[task]), result)
        for task, result in published.items()
    ]
    assert np.mean(hits) > 0.7
    *known, unseen = response.get_json()["results"]
    shown = {task["id"]: one["result"] for task, one in zip(tasks, known, strict=True)}
    assert {task: shown[task] for task in published} == published
    assert share_met(data[1], unseen["result"]) > 0.4
    assert unseen["score"] < 1


def test_recordings_are_read_anew_when_units_get_another_length(bench: Stand) -> None:
    rows = rows_of("recordings", bench.label_studio)
    connect(bench, rows)
    there, state = bench.label_studio, bench.state(rows.project)
    before = {*state.tasks.pool().sequences}

    (backend,) = there.call("GET", "/api/ml", params={"project": rows.project})
    body = {**backend, "extra_params": {"unit_length": 5}}
    there.call("PATCH", f"/api/ml/{backend['id']}", json=body)
    bench.sync(rows.project)

    status = bench.assert_order_holds(rows.project)
    assert (status["labels"], status["pending"]) == (LABELS, 0)
    sequences = unpacked(state.tasks.pool().sequences)
    assert {len(one.features) for one in sequences} == {SAMPLES // (5 * RATE)}
    assert not before & {*state.tasks.pool().sequences}


def test_words_are_not_read_anew_for_the_length_of_a_unit_of_time(
    bench: Stand,
) -> None:
    rows = rows_of("texts", bench.label_studio)
    connect(bench, rows)
    there, state = bench.label_studio, bench.state(rows.project)
    version = state.tasks.version()

    (backend,) = there.call("GET", "/api/ml", params={"project": rows.project})
    body = {**backend, "extra_params": {"unit_length": 5}}
    there.call("PATCH", f"/api/ml/{backend['id']}", json=body)
    bench.sync(rows.project)

    assert state.tasks.version() == version


@every_kind_of_words
def test_every_view_speaks_of_stretches(
    shared: Stand, learnt: Callable[[str], Rows], kind: str
) -> None:
    rows = learnt(kind)
    state = shared.state(rows.project)
    labelled, open_task = rows.tasks[0], rows.tasks[-1]

    detail = task_detail(state, labelled, shared.services)
    status = shared.status(rows.project)

    names = [stretch.name for stretch in unpacked_stretches(detail.label or "")]
    assert sorted(names) == ["LOC", "PER"]
    assert detail.predicted
    assert status["kind"] == "any of"
    assert status["classes"] == ["LOC", "PER"]
    assert status["reads"]["kind"] == IN_WORDS[kind]
    assert any("share of the time" in note for note in status["notes"])
    counts = {one.name: one.labelled for one in learning_report(state).classes}
    assert counts == {"LOC": LABELS, "PER": LABELS}
    assert "exactly one class" in map_view(state).note
    assert task_detail(state, open_task, shared.services).predicted


@every_kind_of_words
def test_tables_have_a_row_for_each_stretch(bench: Stand, kind: str) -> None:
    rows = rows_of(kind, bench.label_studio)
    connect(bench, rows)
    state = bench.state(rows.project)
    empty = rows.tasks[LABELS]
    bench.label_studio.annotate(empty, [])
    bench.sync(rows.project)

    files = {name: b"".join(made.pieces(state)) for name, made in TABLES.items()}

    lines = files["labels.csv"].decode().splitlines()
    regions = orjson.loads(rows.truth[rows.tasks[0]])
    ends = sorted(told_ends(one) for one in regions)
    assert lines[0] == "task,start,end,label,annotator,updated_at"
    assert len(lines) == 1 + 2 * LABELS + 1
    for line, (start, end), name in zip(lines[1:], ends, ("PER", "LOC"), strict=False):
        assert line.startswith(f"{rows.tasks[0]},{start},{end},{name},")
    assert lines[-1].startswith(f"{empty},,,,")
    labels = {one["task"]: one["label"] for one in orjson.loads(files["labels.json"])}
    assert labels[empty] == []
    names = [one["name"] for one in labels[rows.tasks[0]]]
    assert sorted(names) == ["LOC", "PER"]
    predictions = orjson.loads(files["predictions.json"])
    assert {*predictions[0]} == {"task", "label", "certainty", "LOC", "PER"}
    assert {*predictions[0]["label"][0]} == {"start", "end", "name"}
    entries = orjson.loads(files["predictions.ls.json"])
    path = f"/api/projects/{rows.project}/import/predictions"
    created = bench.label_studio.call("POST", path, json=entries)["created"]
    assert created == len(entries) == TASKS


@every_kind_of_words
def test_the_accuracy_is_the_share_whose_labels_are_right(
    bench: Stand, kind: str
) -> None:
    rows = rows_of(kind, bench.label_studio)
    order = permutation(np.array(rows.tasks, dtype=np.int64), seed=0)
    random_tasks = [rows.tasks[place] for place in order[:22]]
    for task in random_tasks:
        bench.label_studio.annotate(task, orjson.loads(rows.truth[task]))
    bench.connect(rows.project)
    bench.settle(rows.project)

    status = bench.status(rows.project)

    accuracy = status["accuracy"]
    assert status["assessed"]["labels"] == accuracy["n"] == len(random_tasks)
    assert 0.8 < accuracy["estimate"] <= accuracy["high"]
    assert accuracy["low"] < accuracy["estimate"]
    assert status["f1"] is None
    report = learning_report(bench.state(rows.project))
    assert all((one.f1 or 0) > 0.5 for one in report.classes)


def labelled_at_random(bench: Stand) -> Rows:
    rows = rows_of("texts", bench.label_studio)
    order = permutation(np.array(rows.tasks, dtype=np.int64), seed=0)
    for place in order[:22]:
        task = rows.tasks[place]
        bench.label_studio.annotate(task, orjson.loads(rows.truth[task]))
    return rows


def test_an_assessment_goes_on_where_it_made_way(bench: Stand) -> None:
    rows = labelled_at_random(bench)
    bench.connect(rows.project)
    state = bench.state(rows.project)
    state.assessments.drop()
    turns = 0

    with state.work.acquire(PATIENCE_SECONDS) as lease:
        while state.assessments.finding() is None and turns < 100:
            answers = iter([False])
            assess(
                bench.services,
                snapshot_of(state),
                lease,
                lambda answers=answers: next(answers, True),  # type: ignore[misc]
                is_quiet=True,
            )
            turns += 1

    finding = state.assessments.finding()
    assert finding is not None
    assert finding.stretch_scores is not None
    assert turns > FOLDS


def test_without_labels_of_random_tasks_there_is_no_accuracy(bench: Stand) -> None:
    """The assessment ends all the same, so that the next one can begin."""
    rows = rows_of("texts", bench.label_studio)
    order = permutation(np.array(rows.tasks, dtype=np.int64), seed=0)
    first, *others = (rows.tasks[place] for place in order[:22])
    for task in others:
        bench.label_studio.annotate(task, orjson.loads(rows.truth[task]))
    bench.connect(rows.project)
    bench.settle(rows.project)

    status = bench.status(rows.project)

    assert first not in others
    assert status["assessed"]["labels"] == len(others)
    assert status["accuracy"]["estimate"] is None
    assert bench.state(rows.project).assessments.frozen() is None


def test_annotators_who_mark_other_places_are_not_said_to_agree(bench: Stand) -> None:
    rows = rows_of("texts", bench.label_studio)
    for task in rows.tasks[:6]:
        regions = orjson.loads(rows.truth[task])
        bench.label_studio.annotate(task, regions)
        bench.label_studio.annotate(task, [regions[0]], user=1)
    bench.connect(rows.project)

    status = bench.status(rows.project)

    assert status["labels"] == 6
    assert status["agreement"] is None
