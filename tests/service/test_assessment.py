"""How good the model is, and whether to stop: found out while nobody waits."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from redis import Redis

from dubito.backend import turn
from dubito.backend.export.tables import snapshot_of
from dubito.backend.features.feature_table_cache import FeatureTableCache
from dubito.backend.learning.assessment import FEWEST_NEW, assess
from dubito.backend.learning.assessment_input import FEWEST_LABELS
from dubito.backend.state import keys
from dubito.backend.state.assessments import AssessmentStore
from dubito.backend.state.project import ProjectState
from dubito.backend.state.work_queue import WorkQueue
from dubito.backend.turn import Turn
from dubito.model.query.seed_set import permutation
from tests.dubito_process import CLASSES, Rows, feature_rows, rows_project
from tests.quick_learner import NAME as QUICK
from tests.quick_learner import quick_learner_installed
from tests.service.stand import Stand

LABELS = 36
PATIENCE_SECONDS = 300.0
LONG_AGO = -1.0


@pytest.fixture(autouse=True)
def _people_go_on_labelling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be quiet only where a test says so, not where the machine is slow."""
    monkeypatch.setattr(turn, "QUIET_SECONDS", float("inf"))


@pytest.fixture(scope="module")
def learner() -> Iterator[str]:
    """Give a learner that takes no time: an assessment fits dozens of models."""
    with quick_learner_installed():
        yield QUICK


@pytest.fixture
def rows(bench: Stand, learner: str) -> Rows:
    """Make a project whose first tasks, in random order, have their label."""
    made = rows_project(bench.label_studio, 50)
    for task in in_random_order(made)[:LABELS]:
        bench.label_studio.annotate(task, made.truth[task])
    settings = {"learner": learner}
    bench.label_studio.connect_backend(made.project, bench.url, extra_params=settings)
    bench.connect(made.project)
    return made


def in_random_order(rows: Rows) -> list[int]:
    ids = np.array(rows.tasks, dtype=np.int64)
    return [int(task) for task in ids[permutation(ids, seed=0)]]


def assess_now(bench: Stand, state: ProjectState, *, is_quiet: bool = True) -> None:
    """Let a worker assess to whom nothing else is due soon."""
    state.work.due_in(PATIENCE_SECONDS)
    with state.work.lease() as lease:
        assert lease is not None
        client = bench.services.label_studio()
        own = Turn(services=bench.services, state=state, lease=lease, client=client)
        question = snapshot_of(state)
        assess(bench.services, question, lease, own.yield_now, is_quiet=is_quiet)


def label(bench: Stand, rows: Rows, count: int) -> None:
    """Label the next tasks, and let a round learn from them."""
    done = bench.status(rows.project)["labels"]
    for task in in_random_order(rows)[done : done + count]:
        bench.label_studio.annotate(task, rows.truth[task])
    bench.run()


def assessed(bench: Stand, rows: Rows) -> Any:  # noqa: ANN401 - the JSON border
    return bench.status(rows.project)["assessed"]["labels"]


def test_labels_are_assessed(bench: Stand, rows: Rows) -> None:
    status = bench.status(rows.project)

    estimate = status["accuracy"]
    assert 0.5 < estimate["low"] < estimate["estimate"] < estimate["high"] <= 1
    assert estimate["n"] >= 5
    assert status["curve"] == [{"labels": LABELS, **estimate}]
    assert status["assessed"] == {"labels": LABELS, "round": status["round"]}
    assert f"{50 - LABELS} more labels would add" in " ".join(status["stop"]["reasons"])


def test_a_handful_of_labels_is_too_few(bench: Stand) -> None:
    few = bench.labelled_rows(count=30, labels=FEWEST_LABELS - 1)

    status = bench.status(few.project)

    assert status["accuracy"] == {"estimate": None, "low": None, "high": None, "n": 0}
    assert (status["curve"], status["doubtful"]) == ([], [])
    assert status["stop"] == {"advised": False, "reasons": []}


def test_a_wrong_label_is_listed_for_another_look(bench: Stand) -> None:
    rows = rows_project(bench.label_studio, 50)
    task = rows.tasks[clearest()]
    wrong = next(name for name in CLASSES if name != rows.truth[task])
    for other in rows.tasks[:LABELS]:
        answer = wrong if other == task else rows.truth[other]
        bench.label_studio.annotate(other, answer)
    bench.connect(rows.project)

    suspect = bench.status(rows.project)["doubtful"][0]

    assert (suspect["task"], suspect["label"]) == (task, wrong)
    assert suspect["suggested"] == rows.truth[task]
    assert repr(wrong) in suspect["reason"]


def clearest() -> int:
    """Return which of the labelled rows lies deepest in its cloud."""
    values = [
        [float(str(data[f"f{code}"])) for code in range(len(CLASSES))]
        for data, _ in feature_rows(50)[:LABELS]
    ]
    ordered = np.sort(values, axis=1)
    return int((ordered[:, -1] - ordered[:, -2]).argmax())


def test_while_people_label_only_some_new_labels_are_worth_an_assessment(
    bench: Stand, rows: Rows
) -> None:
    state = bench.state(rows.project)

    label(bench, rows, FEWEST_NEW - 1)
    assess_now(bench, state, is_quiet=False)
    before = assessed(bench, rows)
    label(bench, rows, 1)
    after = assessed(bench, rows)

    assert (before, after) == (LABELS, LABELS + FEWEST_NEW)
    curve = [point["labels"] for point in bench.status(rows.project)["curve"]]
    assert curve == [before, after]


def test_while_people_label_changed_settings_are_worth_an_assessment(
    bench: Stand, rows: Rows
) -> None:
    state = bench.state(rows.project)
    settings = {"learner": QUICK, "group": "f0"}
    state.note(extra_params=settings)

    assess_now(bench, state, is_quiet=False)
    assess_now(bench, state, is_quiet=False)

    assert len(state.assessments.curve()) == 2


def test_an_accuracy_of_new_groups_needs_labels_of_three(
    bench: Stand, rows: Rows
) -> None:
    """What is missing is named where people look for the accuracy."""
    state = bench.state(rows.project)
    state.note(extra_params={"learner": QUICK, "group": "person"})

    state.groups.save({task: f"person {task % 2}" for task in rows.tasks})
    assess_now(bench, state, is_quiet=False)

    status = bench.status(rows.project)
    reason = httpx.get(f"{bench.url}/api/projects/{rows.project}/rest").json()["reason"]
    needs = status["accuracy_needs"]
    assert status["accuracy"]["estimate"] is None
    assert "from 3 groups, as the setting `group` is 'person', and come from 2" in needs
    assert reason.endswith(needs)


def test_labels_that_are_not_assessed_yet_are_said_to_be(
    bench: Stand, rows: Rows
) -> None:
    """Else the page asks for 20 labels where 36 are."""
    state = bench.state(rows.project)
    state.assessments.drop()

    before = bench.status(rows.project)["accuracy_needs"]
    assess_now(bench, state, is_quiet=False)
    after = bench.status(rows.project)["accuracy_needs"]

    assert before == f"{after}; the {LABELS} labels so far are being assessed"


@pytest.mark.parametrize(
    ("tasks", "end"),
    [
        (8, "; the project has only 8 tasks"),
        (30, "; the 21 labels so far are all alike"),
    ],
)
def test_what_keeps_labels_from_an_assessment_is_named(
    bench: Stand, learner: str, tasks: int, end: str
) -> None:
    made = rows_project(bench.label_studio, tasks)
    for task in in_random_order(made)[: FEWEST_LABELS + 1]:
        bench.label_studio.annotate(task, CLASSES[0])
    settings = {"learner": learner}
    bench.label_studio.connect_backend(made.project, bench.url, extra_params=settings)
    bench.connect(made.project)

    assert bench.status(made.project)["accuracy_needs"].endswith(end)


def test_while_people_label_what_an_older_dubito_found_is_kept(
    bench: Stand, rows: Rows
) -> None:
    """It did not say with which settings, and is replaced with the next labels."""
    state = bench.state(rows.project)
    finding = state.assessments.finding()
    assert finding is not None
    key = keys.of(state.key, keys.FINDING)
    older = finding.model_copy(update={"basis": "older", "settings": ""})
    bench.services.redis.set(key, older.model_dump_json(exclude={"settings"}))

    assess_now(bench, state, is_quiet=False)
    before = len(state.assessments.curve())
    assess_now(bench, state)

    assert (before, len(state.assessments.curve())) == (1, 2)


def test_when_it_is_quiet_every_label_is_worth_it(bench: Stand, rows: Rows) -> None:
    label(bench, rows, 1)

    assess_now(bench, bench.state(rows.project))

    assert assessed(bench, rows) == LABELS + 1


def test_what_was_assessed_is_not_assessed_again(bench: Stand, rows: Rows) -> None:
    state = bench.state(rows.project)

    assess_now(bench, state)

    assert len(state.assessments.curve()) == 1


def test_it_makes_way_for_a_round_and_goes_on_where_it_was(
    bench: Stand, rows: Rows
) -> None:
    """Another worker goes on with the same labels, however many have come since."""
    label(bench, rows, 1)
    state = bench.state(rows.project)
    state.work.request()
    assess_now(bench, state)
    begun, taken = state.assessments.frozen(), state.assessments.steps()
    bench.run()
    label(bench, rows, 1)

    assert begun is not None
    assert (len(begun.chosen), taken) == (LABELS + 1, {})
    assert assessed(bench, rows) == LABELS + 1


def wish_at_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the owner press a button of the page at each step of an assessment."""
    keep = AssessmentStore.keep

    def keep_and_wish(
        self: AssessmentStore, step: str, probabilities: NDArray[np.float64]
    ) -> None:
        keep(self, step, probabilities)
        WorkQueue(self.client, self.project, self.clock).due_in(LONG_AGO)

    monkeypatch.setattr(AssessmentStore, "keep", keep_and_wish)


def test_it_makes_way_for_what_the_owner_wishes(
    bench: Stand, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    label(bench, rows, 1)
    state = bench.state(rows.project)
    wish_at_each_step(monkeypatch)

    assess_now(bench, state)
    first = len(state.assessments.steps())
    assess_now(bench, state)

    assert (first, len(state.assessments.steps())) == (1, 2)


def test_it_goes_on_once_it_has_made_way(
    bench: Stand, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish_at_each_step(monkeypatch)

    label(bench, rows, FEWEST_NEW)

    assert assessed(bench, rows) == LABELS + FEWEST_NEW


def test_rounds_of_other_projects_wait_for_one_step_of_it(
    bench: Stand, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be no other worker; and where they never cease, it still gets on."""
    monkeypatch.setattr(turn, "STEP_SECONDS", 3_600)
    label(bench, rows, 1)
    state = bench.state(rows.project)
    bench.services.call("look_after", "another")
    steps = []

    for _time in range(2):
        assess_now(bench, state)
        steps.append(len(state.assessments.steps()))
    bench.services.redis.delete(keys.STEP_TURN)
    assess_now(bench, state)

    assert [*steps, len(state.assessments.steps())] == [1, 1, 2]


def test_who_waits_to_disconnect_does_not_wait_for_it(bench: Stand, rows: Rows) -> None:
    label(bench, rows, 1)
    state = bench.state(rows.project)
    bench.services.redis.set(keys.of(state.key, keys.CLAIMED), 1)

    assess_now(bench, state)

    assert state.assessments.steps() == {}


def test_looks_at_other_projects_wait_for_one_step_of_it(
    bench: Stand, rows: Rows
) -> None:
    label(bench, rows, 1)
    state, another = bench.state(rows.project), bench.services.projects.at("2.1")
    another.work.due_in(LONG_AGO)
    bench.services.wake_when_due(another)

    assess_now(bench, state)
    first = len(state.assessments.steps())
    assess_now(bench, state)

    assert (first, len(state.assessments.steps())) == (1, 2)


def test_without_labels_nothing_is_claimed(bench: Stand, rows: Rows) -> None:
    state = bench.state(rows.project)
    state.annotations.drop(state.annotations.ids())

    assess_now(bench, state)

    assert bench.status(rows.project)["accuracy"]["estimate"] is None


def test_an_emptied_store_finds_the_same_again(
    bench: Stand, rows: Rows, redis: Redis
) -> None:
    before = bench.status(rows.project)
    redis.flushall()

    bench.connect(rows.project)

    after = bench.status(rows.project)
    for name in ("accuracy", "stop", "doubtful", "agreement"):
        assert after[name] == before[name]


def tables_loaded(bench: Stand, state: ProjectState) -> int:
    """Return how many tables another worker loads to assess what is due."""
    services = replace(bench.services, feature_tables=FeatureTableCache())
    assess_now(replace(bench, services=services), state)
    return len(services.feature_tables._kept)  # noqa: SLF001 - what is loaded is kept


def test_a_worker_loads_no_tasks_where_no_assessment_is_due(
    bench: Stand, rows: Rows
) -> None:
    """It looks at all projects again and again, and keeps the tables of a few."""
    assert assessed(bench, rows) == LABELS

    assert tables_loaded(bench, bench.state(rows.project)) == 0


def test_a_worker_loads_no_tasks_for_too_few_labels(bench: Stand) -> None:
    few = bench.labelled_rows(labels=FEWEST_LABELS - 1)

    assert tables_loaded(bench, bench.state(few.project)) == 0


def test_a_worker_loads_the_tasks_for_new_labels(bench: Stand, rows: Rows) -> None:
    label(bench, rows, 1)

    assert tables_loaded(bench, bench.state(rows.project)) == 1
