"""Leaving a project comes to its end, whatever Label Studio refuses on the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

import pytest

from dubito.backend.connection import disconnect
from dubito.backend.connection.disconnect import Disconnector
from dubito.backend.errors import LabelStudioError, NotAllUndoneError
from dubito.backend.publishing import write_throttle as throttle
from tests.dubito_process import Rows
from tests.fake_label_studio import Fault
from tests.label_studio import JsonObject
from tests.service.stand import Stand
from tests.service.test_again import answers, ask

FOREVER = 1_000


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnect, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(throttle, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(throttle, "SHORTEST_TRY", 0.0)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is undone: which request does it, and what to do by hand."""

    method: str
    path: str
    by_hand: str


STEPS = {
    "sampling": Step("PATCH", "/api/projects/", "Settings → General"),
    "tab": Step("DELETE", "/api/dm/views/", "in the Data Manager"),
    "hooks": Step("GET", "/api/webhooks", "Settings → Webhooks"),
    "hook": Step("DELETE", "/api/webhooks/", "Settings → Webhooks"),
    "backends": Step("GET", "/api/ml", "Settings → Model"),
    "backend": Step("DELETE", "/api/ml/", "Settings → Model"),
    "answer": Step("POST", "/api/tasks/", "label task"),
    "scores": Step("POST", "/api/dm/actions", "Settings → Predictions"),
    "score": Step("DELETE", "/api/predictions/", "Settings → Predictions"),
    "rows": Step("GET", "/api/predictions", "Settings → Predictions"),
}


@pytest.fixture
def rows(bench: Stand) -> Rows:
    """Make a project in which there is one thing of each kind to be undone."""
    made = bench.labelled_rows(count=40, labels=9)
    bench.settle(made.project)
    ask(bench, made, made.tasks[3])
    bench.label_studio.add_prediction(made.tasks[20], 0.5, "a rival")  # not alone
    return made


def leave(bench: Stand, project: int) -> list[str]:
    messages: list[str] = []
    Disconnector(
        client=bench.services.label_studio(),
        projects=bench.services.projects,
        say=messages.append,
    ).disconnect(bench.state(project))
    return messages


def leave_in_part(bench: Stand, project: int) -> list[str]:
    messages: list[str] = []
    with pytest.raises(NotAllUndoneError, match="could not be undone"):
        Disconnector(
            client=bench.services.label_studio(),
            projects=bench.services.projects,
            say=messages.append,
        ).disconnect(bench.state(project))
    return [text for text in messages if text.startswith("could not")]


def refuse(bench: Stand, step: Step, status: int) -> None:
    bench.faults.plan(
        Fault(path=step.path, method=step.method, status=status, times=FOREVER)
    )


def traces(bench: Stand, rows: Rows) -> dict[str, object]:
    """Return what Dubito has left behind in a project."""
    there, number = bench.label_studio, rows.project
    project = there.project(number)
    return {
        "sampling": project["sampling"],
        "version": project["model_version"],
        "tabs": [view["data"]["title"] for view in there.views(number)],
        "hooks": there.webhooks(number),
        "backends": there.ml_backends(number),
        "rows": sorted({row["model_version"] for row in there.predictions(number)}),
        "answers": sum(len(task["annotations"]) for task in there.export(number)),
    }


CLEAN = {
    "sampling": "Sequential sampling",
    "version": "",
    "tabs": [],
    "hooks": [],
    "backends": [],
    "rows": ["a rival"],
    "answers": 9,
}
TOUCHED = {
    "sampling": {"sampling", "version"},
    "tab": {"tabs"},
    "hooks": {"hooks"},
    "hook": {"hooks"},
    "backends": {"backends"},
    "backend": {"backends"},
    "answer": {"answers", "rows"},
    "scores": set(),
    "score": {"rows"},
    "rows": {"rows"},
}


@pytest.mark.parametrize(("name", "status"), [*zip(STEPS, cycle([400, 403, 500]))])
def test_what_is_refused_keeps_nothing_else(
    bench: Stand, rows: Rows, name: str, status: int
) -> None:
    step = STEPS[name]
    refuse(bench, step, status)

    if name == "scores":  # those that stand alone go one by one then
        leave(bench, rows.project)
    else:
        output = leave_in_part(bench, rows.project)
        assert any(step.by_hand in text and str(status) in text for text in output)
        assert bench.status(rows.project)["phase"] == "paused"
    bench.faults.clear()

    left = traces(bench, rows)
    assert {name for name in CLEAN if left[name] != CLEAN[name]} <= TOUCHED[name]
    if name != "scores":
        leave(bench, rows.project)
    assert traces(bench, rows) == CLEAN
    assert not bench.services.projects.known()


def test_all_that_is_refused_is_listed(bench: Stand, rows: Rows) -> None:
    for step in STEPS.values():
        refuse(bench, step, 403)

    output = leave_in_part(bench, rows.project)

    assert len(output) == len(set(output)) == 7
    assert all("by hand: " in text for text in output)


def test_what_is_gone_already_is_no_complaint(bench: Stand, rows: Rows) -> None:
    there, number = bench.label_studio, rows.project
    for view in there.views(number):
        there.call("DELETE", f"/api/dm/views/{view['id']}/")
    for hook in there.webhooks(number):
        there.call("DELETE", f"/api/webhooks/{hook['id']}/")
    for backend in there.ml_backends(number):
        there.delete_backend(backend["id"])

    leave(bench, number)

    assert traces(bench, rows) == CLEAN


def test_a_task_that_is_gone_has_no_label_put_back(bench: Stand, rows: Rows) -> None:
    bench.faults.lose_webhooks = "all"
    bench.label_studio.delete_task(rows.tasks[3])

    output = leave(bench, rows.project)

    assert any(f"task {rows.tasks[3]} was deleted" in text for text in output)
    assert not bench.services.projects.known()


def test_a_project_that_is_hidden_is_not_forgotten(bench: Stand, rows: Rows) -> None:
    path = f"/api/projects/{rows.project}"
    bench.faults.plan(Fault(path=path, method="GET", status=403))

    with pytest.raises(LabelStudioError, match="has no access to it"):
        leave(bench, rows.project)

    leave(bench, rows.project)
    assert traces(bench, rows) == CLEAN


def test_a_few_refusals_of_scores_are_tried_again(bench: Stand, rows: Rows) -> None:
    step = STEPS["score"]
    fault = Fault(path=step.path, method="DELETE", status=500, times=2)
    fault.let_pass = 1  # that of the prediction which keeps the answer
    bench.faults.plan(fault)

    leave(bench, rows.project)

    assert traces(bench, rows) == CLEAN


class TestAnnotatorIsDeleted:
    @pytest.fixture
    def task(self, bench: Stand, rows: Rows) -> int:
        """Take the answer of a person out, who is deleted then."""
        task = rows.tasks[12]
        bench.label_studio.annotate(task, rows.truth[task], user=1)
        bench.run()
        ask(bench, rows, task)
        person = bench.label_studio.call("GET", "/api/current-user/whoami", user=1)
        bench.label_studio.call("DELETE", f"/api/users/{person['id']}/")
        return task

    def is_back(self, stored_answers: Sequence[JsonObject], truth: str) -> bool:
        (answer,) = stored_answers
        owner = answer["completed_by"] == 1
        return owner and bool(answer["result"][0]["value"]["choices"] == [truth])

    def test_the_answer_is_put_back_under_the_keys_user(
        self, bench: Stand, rows: Rows, task: int
    ) -> None:
        status = ask(bench, rows, task, action="restore")

        assert self.is_back(answers(bench, rows, task), rows.truth[task])
        assert [one["task"] for one in status["again"]] == [rows.tasks[3]]
        assert any(f"task {task}" in n and "user 2" in n for n in status["notes"])
        assert status["labels"] == 9
        bench.assert_equal_state(rows.project)

    def test_leaving_puts_it_back_and_says_so(
        self, bench: Stand, rows: Rows, task: int
    ) -> None:
        output = leave(bench, rows.project)

        assert self.is_back(answers(bench, rows, task), rows.truth[task])
        assert any(f"task {task}" in text and "user 2" in text for text in output)
        assert traces(bench, rows) == {**CLEAN, "answers": 10}
