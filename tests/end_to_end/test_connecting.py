"""Being connected and let go: by the command, by the dialog, and where it fails."""

import subprocess

import pytest

from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.state import keys
from tests.dubito_process import (
    VERSION,
    Dubito,
    Rows,
    dubito_running,
    feature_rows,
    rows_project,
)
from tests.label_studio import JsonObject, LabelStudio, choice_result, choices_config
from tests.published_order import assert_order_holds, scores, window_of
from tests.sink import Sink

pytestmark = pytest.mark.end_to_end
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def rows(real_label_studio: LabelStudio) -> Rows:
    """Make a project in which six tasks have their label."""
    made = rows_project(real_label_studio, 40)
    for task in made.tasks[:6]:
        real_label_studio.annotate(task, made.truth[task])
    return made


def footprint(label_studio: LabelStudio, project: int) -> JsonObject:
    """Return all of a project that connecting changes."""
    shown = label_studio.project(project)
    rows = label_studio.predictions(project)
    settings = ("model_version", "sampling", "show_collab_predictions", "label_config")
    return {
        **{name: shown[name] for name in settings},
        "backends": [row["id"] for row in label_studio.ml_backends(project)],
        "webhooks": [row["id"] for row in label_studio.webhooks(project)],
        "tabs": [row["id"] for row in label_studio.views(project)],
        "rows": sorted((row["id"], row["model_version"]) for row in rows),
    }


def fails_with(done: subprocess.CompletedProcess[str], *words: str) -> str:
    """Check that a command has failed with one sentence; return it."""
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in done.stderr
    return done.stderr


def connect(
    dubito: Dubito, project: int, **environment: str
) -> subprocess.CompletedProcess[str]:
    url = environment.pop("url", dubito.url)
    arguments = ("connect", "--project", str(project), "--backend-url", url)
    return dubito.cli(*arguments, environment=environment)


@pytest.mark.core
def test_the_dialog_alone_is_enough(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """Whatever title is typed."""
    real_label_studio.connect_backend(rows.project, dubito.url, "abc")

    status = dubito.when(rows.project, lambda status: bool(status["published_at"]))

    assert (status["mode"], status["labels"]) == ("events", 6)
    (backend,) = real_label_studio.ml_backends(rows.project)
    assert backend["title"] == "abc"
    assert len(real_label_studio.webhooks(rows.project)) == 1
    for _ in range(3):
        window = window_of(assert_order_holds(dubito, real_label_studio, rows.project))
        task = real_label_studio.next_task(rows.project)
        assert task == window[0]
        real_label_studio.annotate(task, rows.truth[task])
    assert dubito.settled(rows.project)["labels"] == 9


def test_the_dialogs_title_put_back_as_version_is_repaired(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    real_label_studio.connect_backend(rows.project, dubito.url, "abc")
    dubito.when(rows.project, lambda status: bool(status["published_at"]))

    real_label_studio.patch_project(rows.project, model_version="abc")

    dubito.until(
        lambda: real_label_studio.project(rows.project)["model_version"] == VERSION,
        "the version was not repaired",
    )


def test_connecting_twice_changes_nothing(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    first = dubito.connect(rows.project)
    dubito.until(
        lambda: len(scores(real_label_studio, rows.project)) == 34, "rows are missing"
    )
    before = footprint(real_label_studio, rows.project)

    second = dubito.connect(rows.project)

    assert "made the ML backend" in first
    assert "events arrive" in first
    assert "made" not in second
    dubito.settled(rows.project)
    assert footprint(real_label_studio, rows.project) == before


def test_an_empty_project_is_connected_and_served_when_tasks_come(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    project = real_label_studio.create_project("empty", choices_config("a", "b"))

    for _ in range(2):
        output = dubito.connect(project)

        assert "events arrive" in output
        assert "waiting for tasks" in output
    assert dubito.status(project)["phase"] == "waiting"
    texts = [{"text": f"some words, number {n}"} for n in range(6)]
    real_label_studio.import_tasks(project, texts)
    dubito.when(project, lambda status: bool(status["published_at"]))
    assert_order_holds(dubito, real_label_studio, project)


def test_where_every_task_is_set_aside_connect_says_why(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    config = choices_config("a", "b", tag="Image", attributes='value="$image"')
    project = real_label_studio.create_project("images in a bucket", config)
    images = [{"image": f"s3://bucket/{n}.png"} for n in range(5)]
    real_label_studio.import_tasks(project, images)

    message = fails_with(
        connect(dubito, project), "no task can be used for training", "5 tasks: "
    )

    status = dubito.status(project)
    assert status["phase"] == "paused"
    assert message.strip() == f"Error: {status['last_error']}"


def test_another_backends_title_pauses_the_project(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows, sink: Sink
) -> None:
    dubito.adopt(real_label_studio, rows.project)
    real_label_studio.connect_backend(rows.project, sink.url, title="Another model")

    real_label_studio.patch_project(rows.project, model_version="Another model")

    status = dubito.when(rows.project, lambda status: status["phase"] == "paused")
    assert "'Another model'" in status["last_error"]
    shown = real_label_studio.project(rows.project)
    assert shown["model_version"] == "Another model"


def test_connect_repairs_what_is_missing(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """A deaf webhook and a deleted tab; an annotator notices nothing."""
    dubito.connect(rows.project)
    (hook,) = real_label_studio.webhooks(rows.project)
    path = f"/api/webhooks/{hook['id']}/"
    real_label_studio.call("PATCH", path, json={"is_active": False})
    for tab in real_label_studio.views(rows.project):
        real_label_studio.call("DELETE", f"/api/dm/views/{tab['id']}/")

    output = dubito.connect(rows.project)

    assert "repaired the webhook" in output
    assert "made the tab" in output
    (hook,) = real_label_studio.webhooks(rows.project)
    assert hook["is_active"]
    assert hook["send_for_all_actions"]
    assert_order_holds(dubito, real_label_studio, rows.project)


@pytest.mark.core
def test_disconnect_leaves_no_trace(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """Removing the backend makes Label Studio name us once more: that is no request."""
    theirs = rows.tasks[10]
    real_label_studio.add_prediction(theirs, 0.4, "theirs")
    real_label_studio.patch_project(
        rows.project, sampling="Uniform sampling", model_version="theirs"
    )
    before = footprint(real_label_studio, rows.project)
    dubito.connect(rows.project)
    key = assert_order_holds(dubito, real_label_studio, rows.project)["key"]

    done = dubito.cli("disconnect", "--project", str(rows.project))

    assert done.returncode == 0, done.stderr
    dubito.store().delete(f"{keys.ADOPTING}:{key}")
    dubito.post("/setup", {"project": key}).raise_for_status()
    dubito.until(
        lambda: f"project {key} does not list Dubito" in dubito.log,
        "the call of the removal was not looked into",
    )
    assert footprint(real_label_studio, rows.project) == before
    assert dubito.http.get(f"/api/projects/{rows.project}").status_code == 404
    assert not list(dubito.store().scan_iter(match=f"dubito:{{{key}}}:*"))


def test_a_project_can_be_connected_again(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    dubito.connect(rows.project)
    dubito.cli("disconnect", "--project", str(rows.project))

    dubito.connect(rows.project)

    status = assert_order_holds(dubito, real_label_studio, rows.project)
    assert status["labels"] == 6


def test_a_backend_removed_by_hand_pauses_the_project(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    dubito.adopt(real_label_studio, rows.project)
    (backend,) = real_label_studio.ml_backends(rows.project)

    real_label_studio.delete_backend(backend["id"])

    status = dubito.when(rows.project, lambda status: status["phase"] == "paused")
    assert "dubito connect" in status["last_error"]
    dubito.sync(rows.project)
    assert dubito.status(rows.project)["phase"] == "paused"
    dubito.connect(rows.project)
    assert_order_holds(dubito, real_label_studio, rows.project)


def test_a_backend_added_again_by_the_dialog_goes_on(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    dubito.adopt(real_label_studio, rows.project)
    (backend,) = real_label_studio.ml_backends(rows.project)
    real_label_studio.delete_backend(backend["id"])
    dubito.when(rows.project, lambda status: status["phase"] == "paused")

    real_label_studio.connect_backend(rows.project, dubito.url, "back")

    dubito.when(rows.project, lambda status: status["phase"] == "learning")
    assert_order_holds(dubito, real_label_studio, rows.project)


def test_a_wrong_key_is_said(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    before = footprint(real_label_studio, rows.project)

    done = connect(dubito, rows.project, LABEL_STUDIO_API_KEY="0" * 40)
    personal = connect(dubito, rows.project, LABEL_STUDIO_API_KEY="a.b.c")

    fails_with(done, "LABEL_STUDIO_API_KEY")
    fails_with(personal, "LABEL_STUDIO_API_KEY")
    assert footprint(real_label_studio, rows.project) == before


def test_an_unreachable_label_studio_is_said(dubito: Dubito) -> None:
    fails_with(connect(dubito, 1, LABEL_STUDIO_URL=NOWHERE), NOWHERE)


def test_something_that_is_no_label_studio_is_said(dubito: Dubito) -> None:
    fails_with(connect(dubito, 1, LABEL_STUDIO_URL=dubito.url), "Label Studio")


def test_a_project_that_is_not_there_is_said(dubito: Dubito) -> None:
    fails_with(connect(dubito, 999_999), "999999")
    fails_with(dubito.cli("disconnect", "--project", "999999"), "999999")
    fails_with(dubito.cli("status", "--project", "999999"), "999999")


def test_a_wrong_address_of_ours_is_said_and_leaves_nothing(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    before = footprint(real_label_studio, rows.project)

    done = connect(dubito, rows.project, url=NOWHERE)

    fails_with(done, NOWHERE, "--backend-url")
    assert footprint(real_label_studio, rows.project) == before


def test_commands_do_not_start_a_store_of_their_own(dubito: Dubito) -> None:
    done = connect(dubito, 1, MODEL_DIR="/nowhere")

    fails_with(done, "dubito serve")


def test_a_config_without_a_learnable_control_is_said(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    config = (
        '<View><Text name="item" value="$text"/>'
        '<TextArea name="words" toName="item"/></View>'
    )
    project = real_label_studio.create_project("words", config)
    before = footprint(real_label_studio, project)

    done = connect(dubito, project)

    fails_with(done, "Choices")
    assert footprint(real_label_studio, project) == before


def test_a_config_that_can_be_learnt_no_more_pauses(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    """Nothing is lost: the labels are there again when the control is."""
    rows = rows_project(real_label_studio, 30)
    dubito.adopt(real_label_studio, rows.project)
    config = real_label_studio.project(rows.project)["label_config"]
    dynamic = config.replace('choice="single"', 'value="$row"')
    real_label_studio.patch_project(rows.project, label_config=dynamic)

    status = dubito.when(rows.project, lambda status: status["phase"] == "paused")

    assert "choices from each task's data" in status["last_error"]
    for task in rows.tasks[:6]:
        real_label_studio.annotate(task, rows.truth[task])
    real_label_studio.patch_project(rows.project, label_config=config)
    status = dubito.when(rows.project, lambda status: status["labels"] == 6)
    assert status["phase"] in {"start", "learning"}
    dubito.when(rows.project, lambda status: not status["last_error"])
    assert_order_holds(dubito, real_label_studio, rows.project)


def test_a_project_deleted_under_us_is_said_and_harms_no_other(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    gone = rows_project(real_label_studio, 30)
    for project in (gone.project, rows.project):
        dubito.adopt(real_label_studio, project)
    real_label_studio.delete_project(gone.project)

    dubito.post(f"/api/projects/{gone.project}/sync", {})

    status = dubito.when(gone.project, lambda status: bool(status["last_error"]))
    assert "there is no project" in status["last_error"]
    real_label_studio.annotate(rows.tasks[6], rows.truth[rows.tasks[6]])
    assert_order_holds(dubito, real_label_studio, rows.project)
    done = dubito.cli("disconnect", "--project", str(gone.project))
    assert done.returncode == 0, done.stderr
    assert dubito.http.get(f"/api/projects/{gone.project}").status_code == 404


@pytest.mark.core
def test_a_host_without_a_dot_gets_no_events_and_is_asked_instead(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """127.0.0.1 as one number: a name without a dot that every machine knows."""
    url = dubito.url.replace("127.0.0.1", str(0x7F00_0001))

    done = connect(dubito, rows.project, url=url)

    assert done.returncode == 0, done.stderr
    assert "a name with a dot" in done.stdout
    assert dubito.settled(rows.project)["mode"] == "polling"
    real_label_studio.annotate(rows.tasks[6], rows.truth[rows.tasks[6]])
    dubito.when(rows.project, lambda status: status["labels"] == 7)
    assert_order_holds(dubito, real_label_studio, rows.project)


def test_without_a_key_it_still_learns_and_answers(
    real_label_studio: LabelStudio,
) -> None:
    """Stock Label Studio hands over a legacy token, and refuses it."""
    rows = rows_project(real_label_studio, 10)
    with dubito_running(real_label_studio.url, "") as dubito:
        fails_with(connect(dubito, rows.project), "LABEL_STUDIO_API_KEY")
        real_label_studio.connect_backend(rows.project, dubito.url, "abc")
        dubito.when(rows.project, lambda status: status["mode"] == "not_publishing")
        tasks = [
            {
                "data": data,
                "annotations": [],
            }
            for data, _ in feature_rows(12, seed=2)
        ]
        ids = real_label_studio.import_tasks(rows.project, tasks)
        for number, task in enumerate(ids[:8]):
            real_label_studio.annotate(task, ("rest", "walk")[number % 2])

        status = dubito.when(rows.project, lambda status: status["labels"] == 8)

        assert any("no API key" in note for note in status["notes"])
        assert "personal access token" in status["last_error"]
        shown = real_label_studio.tasks(rows.project, fields="all")
        asked = [task for task in shown if task["id"] in ids]
        answers = dubito.predict(real_label_studio, rows.project, asked)
        assert len(answers) == 12
        assert len({answer["score"] for answer in answers}) > 1
        assert real_label_studio.predictions(rows.project) == []


def test_two_projects_never_mix(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    other = rows_project(real_label_studio, 30, ("left", "right"), seed=3)
    for project in (rows.project, other.project):
        dubito.adopt(real_label_studio, project)
    for task in other.tasks[:5]:
        real_label_studio.annotate(task, choice_result(other.truth[task]))

    theirs = assert_order_holds(dubito, real_label_studio, other.project)
    ours = assert_order_holds(dubito, real_label_studio, rows.project)

    assert (theirs["labels"], theirs["classes"]) == (5, ["left", "right"])
    assert (ours["labels"], ours["classes"]) == (6, ["rest", "walk", "run"])
    assert not set(window_of(theirs)) & set(window_of(ours))


def test_another_port_is_followed_and_leaving_leaves_nothing(
    real_label_studio: LabelStudio, rows: Rows
) -> None:
    untouched = footprint(real_label_studio, rows.project)
    with dubito_running(real_label_studio.url, real_label_studio.token) as moving:
        moving.connect(rows.project)
        (before,) = real_label_studio.ml_backends(rows.project)
        moving.stop()
        moving.port = free_port()
        moving.http.base_url = moving.url
        moving.start()

        moving.connect(rows.project)

        (after,) = real_label_studio.ml_backends(rows.project)
        assert (after["id"], after["url"]) == (before["id"], moving.url)
        (hook,) = real_label_studio.webhooks(rows.project)
        assert hook["url"] == f"{moving.url}/webhook"
        status = assert_order_holds(moving, real_label_studio, rows.project)
        task = window_of(status)[0]
        assert real_label_studio.next_task(rows.project) == task
        real_label_studio.annotate(task, rows.truth[task])
        assert moving.settled(rows.project)["labels"] == 7
        left = moving.cli("disconnect", "--project", str(rows.project))

    assert left.returncode == 0, left.stderr
    assert footprint(real_label_studio, rows.project) == untouched


def test_a_second_dubito_is_refused_and_may_take_over(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    dubito.connect(rows.project)
    with dubito_running(real_label_studio.url, real_label_studio.token) as second:
        fails_with(connect(second, rows.project), dubito.url, "--take-over")

        second.connect(rows.project, "--take-over")

        (row,) = real_label_studio.ml_backends(rows.project)
        assert row["url"] == second.url
        paused = dubito.when(rows.project, lambda s: second.url in s["last_error"])
        assert paused["phase"] == "paused"
        dubito.cli("disconnect", "--project", str(rows.project))
        assert_order_holds(second, real_label_studio, rows.project)
        second.cli("disconnect", "--project", str(rows.project))
