"""Whatever dies in the middle, no label is lost and the order is right again."""

import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from dubito.backend.demo.label_studio_server import (
    LabelStudioServer,
    RunningLabelStudio,
    free_port,
    personal_access_token,
    sign_in,
)
from dubito.backend.state import keys
from dubito.backend.state.project import Projects
from tests.dubito_process import (
    Dubito,
    Part,
    Rows,
    dubito_running,
    feature_rows,
    rows_project,
)
from tests.label_studio import LabelStudio, signed_in
from tests.patience import PATIENCE_SECONDS
from tests.published_order import assert_order_holds, window_of
from tests.real_label_studio import OWNER, PASSWORD, require_label_studio, warm_data_dir
from tests.truth import assert_equal_state

pytestmark = pytest.mark.end_to_end
FIRST = 8
MORE = 8
LOCKED_SECONDS = 7.0
HUNG_SECONDS = 3.0
"""Longer than Label Studio's own 5 s: after them it begins anew."""


@pytest.fixture(scope="module")
def victim(real_label_studio: LabelStudio) -> Iterator[Dubito]:
    """Two workers, so that one can take over from the other."""
    with dubito_running(
        real_label_studio.url, real_label_studio.token, WORKERS="2"
    ) as dubito:
        yield dubito


@pytest.fixture
def rows(victim: Dubito, real_label_studio: LabelStudio) -> Rows:
    made = rows_project(real_label_studio, 80)
    for task in made.tasks[:FIRST]:
        real_label_studio.annotate(task, made.truth[task])
    victim.adopt(real_label_studio, made.project)
    return made


def told_by(label_studio: LabelStudio, project: int) -> int:
    """Return how many tasks Label Studio says have a label."""
    tasks = label_studio.tasks(project, include="id,is_labeled")
    return sum(task["is_labeled"] for task in tasks)


def assert_nothing_is_lost(
    dubito: Dubito, label_studio: LabelStudio, rows: Rows
) -> None:
    """Check after quiet: every label is counted, and the order is ours."""
    expected = told_by(label_studio, rows.project)
    dubito.when(
        rows.project,
        lambda s: s["labels"] == expected and s["settled"],
    )
    dubito.sync(rows.project)
    for _ in range(2):
        status = assert_order_holds(dubito, label_studio, rows.project)
        assert status["labels"] == told_by(label_studio, rows.project)
        task = label_studio.next_task(rows.project)
        assert task == window_of(status)[0]
        label_studio.annotate(task, rows.truth[task])


def label_on(
    label_studio: LabelStudio, rows: Rows, killed: threading.Event
) -> threading.Thread:
    """Label in the background, as people do who notice nothing of our troubles."""

    def label() -> None:
        for number in range(MORE):
            task = label_studio.next_task(rows.project, user=1)
            assert task is not None
            label_studio.annotate(task, rows.truth[task], user=1)
            if number == MORE // 2:
                killed.set()

    thread = threading.Thread(target=label)
    thread.start()
    return thread


@pytest.mark.parametrize("part", ["worker", "web", "store"])
def test_a_part_killed_in_mid_round_loses_nothing(
    victim: Dubito, real_label_studio: LabelStudio, rows: Rows, part: Part
) -> None:
    """It is started again by itself; people go on labelling meanwhile."""
    halfway = threading.Event()
    labelling = label_on(real_label_studio, rows, halfway)
    assert halfway.wait(PATIENCE_SECONDS)
    before = victim.pids(part)

    killed = victim.kill(part)

    assert killed == before
    assert killed
    labelling.join()
    victim.until(
        lambda: bool(victim.pids(part)) and not set(victim.pids(part)) & set(killed),
        f"the {part} was not started again",
    )
    victim.until_healthy()
    assert told_by(real_label_studio, rows.project) == FIRST + MORE
    assert_nothing_is_lost(victim, real_label_studio, rows)


def test_one_worker_killed_is_replaced_by_the_other_within_seconds(
    victim: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    began = victim.status(rows.project)["round"]
    real_label_studio.annotate(rows.tasks[FIRST], rows.truth[rows.tasks[FIRST]])

    os.kill(victim.pids("worker")[0], signal.SIGKILL)

    status = victim.settled(rows.project)
    assert status["labels"] == FIRST + 1
    assert status["round"] > began
    assert_nothing_is_lost(victim, real_label_studio, rows)


def test_the_supervisor_killed_takes_the_parts_with_it_and_can_start_again(
    victim: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """The store may live on: it is adopted."""
    victim.kill("supervisor")
    for task in rows.tasks[FIRST : FIRST + 3]:
        real_label_studio.annotate(task, rows.truth[task])
    victim.until(
        lambda: not victim.pids("web") and not victim.pids("worker"),
        "the parts live on without their supervisor",
    )

    victim.start()

    victim.when(rows.project, lambda s: s["labels"] == FIRST + 3)
    assert_nothing_is_lost(victim, real_label_studio, rows)


def test_a_restart_of_everything_continues_where_it_was(
    victim: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    before = victim.settled(rows.project)

    victim.restart()

    after = assert_order_holds(victim, real_label_studio, rows.project)
    same = ("labels", "round", "pool", "classes", "key")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert window_of(after) == window_of(before)
    assert_nothing_is_lost(victim, real_label_studio, rows)


def test_an_emptied_store_is_rebuilt_from_label_studio(
    victim: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    lowest = min(place["score"] for place in victim.status(rows.project)["window"])

    victim.store().flushall()

    status = victim.when(
        rows.project, lambda s: s["labels"] == FIRST and bool(s["published_at"])
    )
    assert status["rebuilt_at"] is not None
    assert any("emptied" in note for note in status["notes"])
    assert status["mode"] == "events"
    assert_nothing_is_lost(victim, real_label_studio, rows)
    after = victim.settled(rows.project)["window"]
    assert max(place["score"] for place in after) < 0.01
    assert lowest < 0.01


def test_a_lost_data_directory_is_rebuilt_with_the_next_label(
    victim: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """Nobody remembers the project; only its ML backend and webhook lead here."""
    victim.stop()
    shutil.rmtree(victim.data_dir)
    victim.data_dir.mkdir()
    victim.start()

    task = rows.tasks[FIRST]
    real_label_studio.annotate(task, rows.truth[task])

    victim.until(
        lambda: victim.http.get(f"/api/projects/{rows.project}").is_success,
        "the project does not come back",
    )
    victim.when(
        rows.project, lambda s: s["labels"] == FIRST + 1 and bool(s["published_at"])
    )
    assert victim.status(rows.project)["mode"] == "events"
    assert_nothing_is_lost(victim, real_label_studio, rows)


def until_workers_have_looked_around(victim: Dubito) -> None:
    """Wait for two beats of each: it looks around between them."""

    def beats() -> dict[bytes, float]:
        return dict(victim.store().zrange(keys.BEATS, 0, -1, withscores=True))

    def has_beaten() -> bool:
        return all(beats()[name] > before[name] for name in before)

    for _ in range(2):
        victim.until(lambda: bool(beats()), "no worker has started")
        before = beats()
        victim.until(has_beaten, "a worker stands still")


def test_what_connect_found_survives_an_emptied_store(
    victim: Dubito, real_label_studio: LabelStudio
) -> None:
    rows = rows_project(real_label_studio, 30, sampling="Uniform sampling")
    victim.adopt(real_label_studio, rows.project)
    until_workers_have_looked_around(victim)
    victim.store().flushall()
    victim.when(rows.project, lambda s: bool(s["published_at"]))

    done = victim.cli("disconnect", "--project", str(rows.project))

    assert done.returncode == 0, done.stderr
    project = real_label_studio.project(rows.project)
    assert project["sampling"] == "Uniform sampling"
    assert real_label_studio.ml_backends(rows.project) == []
    assert real_label_studio.webhooks(rows.project) == []


@dataclass(slots=True, kw_only=True)
class Moody:
    """A Label Studio that can be stopped and started at the same address."""

    server: LabelStudioServer
    running: list[RunningLabelStudio] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @contextmanager
    def up(self) -> Iterator[LabelStudio]:
        with (
            self.server.start() as running,
            closing(sign_in(self.url, OWNER, PASSWORD)) as session,
        ):
            self.running = [running]
            token = personal_access_token(session)
            with signed_in(self.url, [token]) as label_studio:
                yield label_studio


@pytest.fixture
def moody(tmp_path: Path) -> Moody:
    executable = require_label_studio(os.environ)
    shutil.copytree(warm_data_dir(executable), tmp_path / "data")
    server = LabelStudioServer(
        executable=executable,
        data_dir=tmp_path / "data",
        username=OWNER,
        password=PASSWORD,
        port=free_port(),
    )
    return Moody(server=server)


def test_label_studio_may_hang_and_come_back(moody: Moody) -> None:
    """It stands still for longer than we are patient, with a round under way."""
    with moody.up() as label_studio:
        rows = rows_project(label_studio, 40)
        for task in rows.tasks[:FIRST]:
            label_studio.annotate(task, rows.truth[task])
        with dubito_running(label_studio.url, label_studio.token) as dubito:
            dubito.adopt(label_studio, rows.project)
            label_studio.annotate(rows.tasks[FIRST], "walk")
            process = moody.running[0].process
            os.killpg(process.pid, signal.SIGSTOP)
            time.sleep(HUNG_SECONDS)
            answers = _health_answers(dubito)
            os.killpg(process.pid, signal.SIGCONT)

            _assert_well_and_quick(answers)
            assert_nothing_is_lost(dubito, label_studio, rows)
            assert not dubito.status(rows.project)["last_error"]


def _health_answers(dubito: Dubito) -> list[httpx.Response]:
    return [dubito.http.get("/health") for _ in range(10)]


def _assert_well_and_quick(answers: list[httpx.Response]) -> None:
    """Check all but one answer, during which this machine may have stood still."""
    seconds = sorted(answer.elapsed.total_seconds() for answer in answers)
    assert seconds[-2] < HUNG_SECONDS
    assert sorted(answer.status_code for answer in answers)[-2] == 200


def test_label_studio_may_be_away_and_come_back(moody: Moody) -> None:
    """Its restart needs no restart of ours, nor a new connect."""
    with moody.up() as label_studio:
        rows = rows_project(label_studio, 40)
        for task in rows.tasks[:FIRST]:
            label_studio.annotate(task, rows.truth[task])
        token = label_studio.token
        with ExitStack() as stack:
            dubito = stack.enter_context(dubito_running(label_studio.url, token))
            dubito.adopt(label_studio, rows.project)
            running = stack.pop_all()
    with running:
        dubito.post(f"/api/projects/{rows.project}/sync", {}).raise_for_status()
        dubito.when(rows.project, lambda s: "cannot be reached" in s["last_error"])
        with (
            moody.server.start(),
            signed_in(moody.url, [token]) as label_studio,
        ):
            label_studio.annotate(rows.tasks[FIRST], "walk")
            dubito.when(rows.project, lambda s: not s["last_error"])
            assert_nothing_is_lost(dubito, label_studio, rows)


def test_a_store_that_was_full_is_made_up_for(
    victim: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """No part of ours ends; what could not be noted is read from Label Studio."""
    workers = victim.pids("worker")
    victim.store().config_set("maxmemory", 1)
    victim.until(
        lambda: victim.http.get("/health").json().get("store") == "refuses",
        "nobody notices that the store is full",
    )
    for task in rows.tasks[FIRST : FIRST + 3]:
        real_label_studio.annotate(task, rows.truth[task])
    output = victim.cli("status", "--project", str(rows.project)).stdout

    victim.store().config_set("maxmemory", 0)

    victim.when(rows.project, lambda s: s["labels"] == FIRST + 3, seconds=60)
    assert "give Redis more memory" in output
    assert victim.pids("worker") == workers
    assert_nothing_is_lost(victim, real_label_studio, rows)


def test_a_locked_database_of_label_studio_is_waited_for(moody: Moody) -> None:
    """It answers nothing meanwhile: it tries again and again by itself."""
    with moody.up() as label_studio:
        rows = rows_project(label_studio, 40)
        for task in rows.tasks[:FIRST]:
            label_studio.annotate(task, rows.truth[task])
        with dubito_running(label_studio.url, label_studio.token) as dubito:
            dubito.adopt(label_studio, rows.project)
            label_studio.annotate(rows.tasks[FIRST], "walk")
            with locked(moody.server.data_dir / "label_studio.sqlite3"):
                answers = _health_answers(dubito)
                time.sleep(LOCKED_SECONDS)
            label_studio.annotate(rows.tasks[FIRST + 1], "run")

            _assert_well_and_quick(answers)
            assert_nothing_is_lost(dubito, label_studio, rows)
            assert not dubito.status(rows.project)["last_error"]


def test_a_restored_backup_of_label_studio_is_followed_at_once(
    moody: Moody, tmp_path: Path
) -> None:
    """Numbers are used again by others, before anybody has looked."""
    data_dir, backup = moody.server.data_dir, tmp_path / "backup"
    with moody.up() as label_studio:
        rows = rows_project(label_studio, 40)
        for task in rows.tasks[:FIRST]:
            label_studio.annotate(task, rows.truth[task])
        token = label_studio.token
        with ExitStack() as stack:
            dubito = stack.enter_context(dubito_running(label_studio.url, token))
            dubito.adopt(label_studio, rows.project)
            dubito.settled(rows.project)
            running = stack.pop_all()
    with running:
        shutil.copytree(data_dir, backup)
        with moody.server.start(), signed_in(moody.url, [token]) as label_studio:
            label_on_and_import(label_studio, rows, seed=1)
            dubito.sync(rows.project)
            dubito.until(
                lambda: is_equal(dubito, label_studio, rows.project), "not equal"
            )
        shutil.rmtree(data_dir)
        shutil.copytree(backup, data_dir)
        with moody.server.start(), signed_in(moody.url, [token]) as label_studio:
            label_on_and_import(label_studio, rows, seed=2)

            dubito.sync(rows.project)

            assert is_equal(dubito, label_studio, rows.project)
            assert_order_holds(dubito, label_studio, rows.project)
            notes = dubito.status(rows.project)["notes"]
            assert any("was set back" in note for note in notes)


def label_on_and_import(label_studio: LabelStudio, rows: Rows, seed: int) -> None:
    """Label tasks, take a label back, change one, and import other tasks."""
    fresh = feature_rows(4, seed=seed)
    label_studio.import_tasks(rows.project, [{"data": data} for data, _ in fresh])
    for task in label_studio.task_ids(rows.project)[-4:-2]:
        label_studio.annotate(task, "run")
    for task in rows.tasks[FIRST : FIRST + 2 + seed]:
        label_studio.annotate(task, rows.truth[task])
    for task in rows.tasks[:2]:
        (answer,) = label_studio.task(task)["annotations"]
        if task == rows.tasks[0]:
            label_studio.delete_annotation(answer["id"])
        else:
            label_studio.update_annotation(answer["id"], "rest")


def is_equal(dubito: Dubito, label_studio: LabelStudio, project: int) -> bool:
    with closing(dubito.store()) as store:
        state = Projects(store).find(str(project))
        try:
            assert_equal_state(label_studio, state)
        except AssertionError:
            return False
    return True


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Write to a database for the block, as a long import does."""
    with closing(sqlite3.connect(database, timeout=60, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_everything_answers_while_the_store_is_away(victim: Dubito) -> None:
    """A sentence and a 503, never a traceback; and all is well when it is back."""
    store = victim.pids("store")
    for pid in store:
        os.kill(pid, signal.SIGKILL)

    codes = set()
    for _ in range(20):
        with httpx.Client(base_url=victim.url, timeout=60) as http:
            codes.add(http.get("/api/projects").status_code)

    assert codes <= {200, 503}
    victim.until_healthy()
