"""What `connect`, `status` and `doctor` say where not every task can be asked for."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
import pytest
from redis import Redis

from dubito.backend.connect_command import (
    connect_project,
    connect_with,
    connector_of,
)
from dubito.backend.doctor.command import DoctorOptions, run
from dubito.backend.errors import BackendError
from dubito.backend.labelstudio.versions import OLDEST
from dubito.backend.progress import show_nothing
from dubito.backend.state.heartbeats import Heartbeats
from dubito.backend.status_table import status_table
from dubito.backend.version import own_version
from dubito.backend.worker import jobs as worker
from tests.dubito_process import rows_project
from tests.fake_label_studio import FakeServer
from tests.fake_label_studio.faults import Fault
from tests.label_studio import JsonObject, choice_result, choices_config
from tests.service.stand import Stand, stand
from tests.sink import sink_listening
from tests.videos import sound_track

IMAGES = choices_config("cat", "dog", tag="Image", attributes='value="$image"')
SOON = 60.0
"""Far below the ten minutes that a missing worker is waited for."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the command printed, and the error it ended with, if any."""

    lines: list[str]
    error: str

    @property
    def whole(self) -> str:
        return "\n".join([*self.lines, self.error])


@contextmanager
def working(bench: Stand) -> Iterator[None]:
    """Let jobs run beside the block, as a worker does."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            bench.run()
            for key in bench.services.projects.known():
                state = bench.services.projects.at(key)
                if state.work.needs_worker():
                    worker.look_after(key)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def connect(bench: Stand, project: int) -> Said:
    """Run the command beside a worker; it must end soon, well or with one sentence."""
    lines: list[str] = []
    began = time.monotonic()
    with working(bench):
        try:
            connect_project(bench.services, project, bench.url, lines.append)
            error = ""
        except BackendError as failure:
            error = str(failure)
    assert time.monotonic() - began < SOON
    assert "worker" not in error
    return Said(lines, error)


def doctor(
    bench: Stand, project: int, capsys: pytest.CaptureFixture[str]
) -> dict[str, JsonObject]:
    Heartbeats(bench.services.redis).beat("here", 1, own_version())
    port = int(bench.url.rpartition(":")[2])
    capsys.readouterr()
    run(
        bench.services.settings.having(port=port),
        DoctorOptions(project=project, as_json=True),
    )
    report = orjson.loads(capsys.readouterr().out)
    return {finding["check"]: finding for finding in report["findings"]}


def printed(status: JsonObject, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    status_table([status])
    return " ".join(capsys.readouterr().out.replace("│", " ").split())


CHANNEL = """
<View>
  <TimeSeries name="item" value="$csv" valueType="json"><Channel column="nope"/></TimeSeries>
  <Choices name="label" toName="item" choice="single"><Choice value="a"/><Choice value="b"/></Choices>
</View>
"""  # noqa: E501 - as people write it


@dataclass(frozen=True, slots=True)
class Case:
    """A project no task of which can be learnt from, and what is said of it."""

    data: list[JsonObject]
    words: str
    cure: str
    config: str = IMAGES


ALL_ASIDE = {
    "links into a bucket": Case(
        [{"image": f"s3://bucket/{n}.png"} for n in range(6)],
        "6 tasks: files at s3:// cannot be read",
        "https:// addresses",
    ),
    "a host that is not allowed": Case(
        [{"image": f"https://pics.example/{n}.png"} for n in range(6)],
        "6 tasks: pics.example is neither LABEL_STUDIO_URL nor in FILE_HOSTS",
        "FILE_HOSTS=pics.example",
    ),
    "missing files": Case(
        [{"image": f"/data/upload/1/gone {n}.png"} for n in range(6)],
        "6 tasks, for example: /data/upload/1/gone 0.png cannot be fetched",
        "put the missing files",
    ),
    "no address": Case(
        [{"image": ""} for _ in range(3)],
        "3 tasks: the task has no image address",
        "correct the tasks' data",
    ),
    "another channel": Case(
        [{"csv": {"t": [0, 1, 2], "x": [1, 2, n]}} for n in range(4)],
        "4 tasks: the recording has no column nope; it has t, x",
        "Labeling Interface",
        CHANNEL,
    ),
    "two reasons": Case(
        [{"image": ""}, *({"image": f"s3://bucket/{n}.png"} for n in range(3))],
        "3 tasks: files at s3:// cannot be read; 1 task: the task has no image",
        "https:// addresses",
    ),
}


@pytest.mark.parametrize("case", ALL_ASIDE.values(), ids=ALL_ASIDE)
def test_where_every_task_is_set_aside_all_name_the_same_reasons(
    bench: Stand, capsys: pytest.CaptureFixture[str], case: Case
) -> None:
    project = bench.label_studio.create_project("of no use", case.config)
    bench.label_studio.import_tasks(project, case.data)

    output = connect(bench, project)

    assert "no task can be used for training" in output.error
    assert case.words in output.error
    assert "connected: events arrive" in output.lines
    status = bench.status(project)
    assert (status["phase"], status["last_error"]) == ("paused", output.error)
    assert status["set_aside"] == len(case.data)
    assert sum(cause["count"] for cause in status["set_aside_causes"]) == len(case.data)
    assert f"phase paused: {output.error[:30]}" in printed(status, capsys)
    findings = doctor(bench, project, capsys)
    assert (findings["tasks"]["mark"], findings["tasks"]["what"]) == (
        "fault",
        output.error,
    )
    assert case.cure in " ".join(findings["tasks"]["cures"])
    assert findings["event"]["mark"] == "ok"
    for check in ("sampling", "model_version", "work"):
        assert findings[check]["mark"] == "skipped", "connecting again cures nothing"


def test_where_a_library_is_missing_its_installation_is_the_cure(
    bench: Stand, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a.m4a": sound_track()}  # made first: PyAV imports parts of itself late
    monkeypatch.setitem(sys.modules, "av", None)
    config = choices_config("a", "b", tag="Audio", attributes='value="$clip"')
    project = bench.label_studio.create_project("sound tracks", config)
    bench.label_studio.upload(project, files, "audio/mp4")

    output = connect(bench, project)

    assert 'sounds in such a file need the extra "video"' in output.error
    cures = doctor(bench, project, capsys)["tasks"]["cures"]
    assert "`pip install av`" in " ".join(cures)


def test_the_project_goes_on_when_its_tasks_are_put_right(bench: Stand) -> None:
    project = bench.label_studio.create_project("images", IMAGES)
    bench.label_studio.import_tasks(project, [{"image": "s3://bucket/1.png"}])
    assert connect(bench, project).error

    bench.label_studio.import_tasks(project, [{"image": TINY}, {"image": TINY}])
    bench.look_after(project)

    status = bench.assert_order_holds(project)
    assert (status["phase"], status["set_aside"], status["pool"]) == ("start", 1, 2)


TINY = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def test_connecting_again_reads_what_was_set_aside(
    fake_server: FakeServer, store_url: str, redis: Redis
) -> None:
    """The cure for a host that is not allowed is a setting, not other tasks."""
    assert not redis.dbsize()
    with sink_listening() as host, stand(fake_server, store_url) as bench:
        name = host.url.partition("//")[2]
        project = bench.label_studio.create_project("images", IMAGES)
        bench.label_studio.import_tasks(project, [{"image": f"{host.url}/1.png"}])
        assert "in FILE_HOSTS" in connect(bench, project).error

        allowed = {"file_hosts": (name,)}
        with stand(fake_server, store_url, allowed) as again:
            output = connect(again, project)

        assert "in FILE_HOSTS" not in output.whole
        assert "no task can be used for training" in output.error, (
            "the sink has no image"
        )


def test_a_task_that_waits_for_its_file_is_set_aside_no_more(
    fake_server: FakeServer, store_url: str, redis: Redis
) -> None:
    """It was refused by its address, which is allowed now, and the host fails."""
    assert not redis.dbsize()
    host = fake_server.url.replace("http://127.0.0.1", "localhost")
    fake_server.faults.plan(Fault(path="/pics", status=500, times=99))
    with stand(fake_server, store_url) as bench:
        project = bench.label_studio.create_project("images", IMAGES)
        images = [TINY, TINY, f"http://{host}/pics/1.png", "s3://bucket/1.png"]
        bench.label_studio.import_tasks(project, [{"image": one} for one in images])
        bench.connect(project)
        before = bench.status(project)
        assert (before["set_aside"], before["pending"], before["pool"]) == (2, 0, 2)

        with stand(fake_server, store_url, {"file_hosts": (host,)}) as again:
            output = connect(again, project)
            status = again.status(project)

        start = "waiting for their files: 1 of 4 tasks: "
        assert any(line.startswith(start) for line in output.lines), output.whole
        assert (status["set_aside"], status["pending"], status["pool"]) == (1, 1, 2)
        assert "FILE_HOSTS" not in " ".join(status["set_aside_reasons"])
        assert any("status 500" in note for note in status["notes"])


BOTH = IMAGES.replace("<Choices", '<Text name="words" value="$words"/><Choices')


def test_an_object_that_cannot_be_read_of_any_task_is_named(
    fake_server: FakeServer,
    store_url: str,
    redis: Redis,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The tasks are learnt by their other object, and nothing else shows the gap."""
    assert not redis.dbsize()
    with stand(fake_server, store_url) as bench:
        project = bench.label_studio.create_project("images", BOTH)
        image = "http://nowhere.example/1.png"
        tasks = [{"image": image, "words": f"words {n}"} for n in range(3)]
        tasks.append({"image": "", "words": "a task may show fewer objects"})
        bench.label_studio.import_tasks(project, tasks)

        output = connect(bench, project)

        status = bench.assert_order_holds(project)
        assert (status["pool"], status["set_aside"]) == (4, 0)
        note = (
            "some tasks are learnt without one of their objects (3 tasks:"
            " nowhere.example is neither LABEL_STUDIO_URL nor in FILE_HOSTS, so Dubito"
            " does not fetch its files)"
        )
        assert note in status["notes"]
        assert note in output.lines
        finding = doctor(bench, project, capsys)["tasks"]
        assert (finding["mark"], finding["what"]) == ("warning", note)
        assert "FILE_HOSTS=nowhere.example" in finding["cures"][0]
        allowed = {"file_hosts": ("nowhere.example",)}
        with stand(fake_server, store_url, allowed) as again:
            connect(again, project)
            assert again.state(project).tasks.pending_count() == 3


def test_an_upload_that_is_gone_leaves_its_task_to_the_other_object(
    bench: Stand,
) -> None:
    """Label Studio answers 500, but not because it cannot answer now."""
    project = bench.label_studio.create_project("images", BOTH)
    image = f"/data/upload/{project}/gone.png"
    tasks: list[JsonObject] = [
        {"image": image, "words": "some words"},
        {"image": image, "words": ""},
    ]
    bench.label_studio.import_tasks(project, tasks)

    bench.connect(project)

    status = bench.assert_order_holds(project)
    assert (status["pool"], status["set_aside"], status["pending"]) == (1, 1, 0)


def test_where_some_tasks_are_set_aside_connect_says_how_many_and_why(
    bench: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    config = choices_config("a", "b", attributes='value="$text"')
    project = bench.label_studio.create_project("texts", config)
    texts = [{"text": f"some words, number {n}"} for n in range(8)]
    bench.label_studio.import_tasks(project, [*texts, {"text": ""}, {"text": " "}])

    output = connect(bench, project)

    assert output.error == ""
    at = output.lines.index("2 of 10 tasks are set aside:")
    assert output.lines[at + 1] == "  2 tasks: the task has no text under 'text'"
    assert "connected: events arrive" in output.lines
    status = bench.status(project)
    assert status["phase"] == "start"
    assert status["set_aside_reasons"] == ["2 tasks: the task has no text under 'text'"]
    findings = doctor(bench, project, capsys)
    assert findings["tasks"]["mark"] == "warning"
    assert "2 of 10 tasks" in findings["tasks"]["what"]


def test_an_empty_project_is_connected_and_waits_for_tasks(
    bench: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    config = choices_config("a", "b", attributes='value="$text"')
    project = bench.label_studio.create_project("empty", config)

    for _ in range(2):
        output = connect(bench, project)

        assert output.error == ""
        assert "connected: events arrive" in output.lines
        assert "waiting for tasks" in output.whole
        assert "Label All Tasks" not in output.whole
        assert bench.status(project)["phase"] == "waiting"
    marks = {name: one["mark"] for name, one in doctor(bench, project, capsys).items()}
    for check in ("tasks", "annotations", "sampling", "model_version", "work"):
        assert marks[check] == "ok"

    bench.label_studio.import_tasks(project, [{"text": "one"}, {"text": "two"}])
    bench.run()

    bench.assert_order_holds(project)
    assert bench.label_studio.project(project)["sampling"] == "Uncertainty sampling"


def test_the_round_trip_changes_nothing_in_an_empty_project(bench: Stand) -> None:
    """Not the owner's hidden predictions: saving those would reset the version."""
    config = choices_config("a", "b", attributes='value="$text"')
    project = bench.label_studio.create_project(
        "empty", config, show_collab_predictions=False
    )
    kept = ("title", "sampling", "show_collab_predictions", "label_config")
    before = bench.label_studio.project(project)

    assert connect(bench, project).error == ""

    after = bench.label_studio.project(project)
    assert [after[name] for name in kept] == [before[name] for name in kept]


def test_a_changed_setting_is_waited_for_until_all_tasks_are_read_anew(
    bench: Stand,
) -> None:
    """An order of the earlier readings is set first, and then no task is known."""
    rows = bench.labelled_rows(count=20, labels=4)
    state, lines, is_over = bench.state(rows.project), list[str](), threading.Event()

    def dawdle() -> None:
        if not state.tasks.count():
            is_over.wait(2.0)

    bench.faults.plan(Fault(path="/api/tasks", times=99, before=dawdle))
    connector = connector_of(bench.services, lines.append, '{"group": "file"}')
    with working(bench):
        connect_with(connector, rows.project, bench.url, show_nothing)
        is_over.set()

    assert f"open project {rows.project} and press “Label All Tasks”" in lines
    assert state.tasks.count() == 20


def test_a_project_whose_tasks_are_all_answered_is_connected(bench: Stand) -> None:
    rows = rows_project(bench.label_studio, 6)
    for task in rows.tasks:
        bench.label_studio.annotate(task, rows.truth[task])

    output = connect(bench, rows.project)

    assert output.error == ""
    assert "no open task is left" in output.whole
    assert bench.status(rows.project)["phase"] == "done"


def test_done_is_a_project_of_which_only_useless_tasks_are_open(bench: Stand) -> None:
    config = choices_config("a", "b", attributes='value="$text"')
    project = bench.label_studio.create_project("texts", config)
    useful = bench.label_studio.import_tasks(
        project, [{"text": "one"}, {"text": "two"}]
    )
    bench.label_studio.import_tasks(project, [{"text": ""}])
    bench.connect(project)
    assert bench.status(project)["phase"] == "start"

    for task in useful:
        bench.label_studio.annotate(task, "a")
    bench.look_after(project)

    assert bench.status(project)["phase"] == "done"


def test_doctor_warns_when_most_annotations_are_set_aside(
    bench: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_project(bench.label_studio, 8)
    several = [*choice_result("walk"), *choice_result("run")]
    for task in rows.tasks[:3]:
        bench.label_studio.annotate(task, several)
    for task in rows.tasks[3:5]:
        bench.label_studio.annotate(task, rows.truth[task])
    reason = "3 annotations: the annotation has several choices for 'label'"

    bench.connect(rows.project)

    status = bench.status(rows.project)
    assert (status["labels"], status["set_aside"]) == (2, 3)
    assert status["set_aside_reasons"] == [reason]
    finding = doctor(bench, rows.project, capsys)["annotations"]
    assert (finding["mark"], reason in finding["what"]) == ("warning", True)
    assert "3 of 5 annotations" in finding["what"]
    assert 'choice="single"' in " ".join(finding["cures"])


def test_few_annotations_set_aside_are_no_reason_to_warn(
    bench: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = rows_project(bench.label_studio, 8)
    bench.label_studio.annotate(rows.tasks[0], [])
    for task in rows.tasks[1:4]:
        bench.label_studio.annotate(task, rows.truth[task])

    bench.connect(rows.project)

    finding = doctor(bench, rows.project, capsys)["annotations"]
    assert finding["mark"] == "ok"
    assert "1 of 4 annotations are set aside" in finding["what"]


@pytest.mark.parametrize(("release", "is_named"), [("1.9.2.post0", True), ("2", False)])
def test_a_label_studio_that_is_too_old_is_named_before_all(
    bench: Stand, release: str, *, is_named: bool
) -> None:
    bench.server.options.release = release
    rows = rows_project(bench.label_studio, 10)

    output = connect(bench, rows.project)

    words = f"Label Studio {release} is older than {OLDEST}"
    assert output.lines[0].startswith(words) == is_named
    assert not output.error
