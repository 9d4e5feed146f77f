"""What an operator sees of the work: counters, seconds, lag, and what is wrong."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from dubito.backend.publishing import write_throttle
from dubito.backend.state import keys
from dubito.backend.state.heartbeats import Heartbeats
from dubito.backend.state.lag import sample_all
from dubito.backend.web.app import create_app
from dubito.backend.worker import jobs as worker
from tests.builders import KEY, event
from tests.dubito_process import rows_project
from tests.fake_label_studio import Fault
from tests.quick_learner import NAME, WHILE_LEARNING, quick_learner_installed
from tests.service.stand import Stand
from tests.store import store_client

SCRAPE_SECONDS = 10.0
"""So long Prometheus waits, if nothing else is said."""

Samples = dict[tuple[str, ...], float]


@pytest.fixture
def http(bench: Stand) -> FlaskClient:
    return create_app(bench.services).test_client()


@pytest.fixture
def quick_learner() -> Iterator[None]:
    with quick_learner_installed():
        yield
    WHILE_LEARNING.clear()


def scraped(http: FlaskClient) -> Samples:
    """Return what Prometheus would read: name and labels, in their order."""
    response = http.get("/metrics")
    assert response.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_a_round_is_counted_step_by_step(bench: Stand, http: FlaskClient) -> None:
    rows = bench.labelled_rows()
    before = scraped(http)
    task = bench.status(rows.project)["window"][0]["task"]

    bench.label_studio.annotate(task, rows.truth[task])
    bench.look_after(rows.project)
    after = scraped(http)

    key = bench.state(rows.project).key
    assert after["dubito_rounds_total", key] == before["dubito_rounds_total", key] + 1
    for step in ("read", "load", "learn", "write"):
        count = ("dubito_round_step_seconds_count", step)
        seconds = ("dubito_round_step_seconds_sum", step)
        assert after[count] > before[count]
        assert after[seconds] > before[seconds] > 0
    written = ("dubito_label_studio_calls_total", "PATCH", "predictions", "200")
    assert after[written] > before.get(written, 0)
    assert after["dubito_label_studio_call_seconds_count", "PATCH", "predictions"]
    assert after["dubito_tasks", key] == 60
    assert after["dubito_labels", key] in {8, 9}  # not counted anew all the time
    assert after["dubito_lag_seconds", key] == after["dubito_events_pending", key] == 0


def test_the_metrics_are_called_as_prometheus_asks(
    bench: Stand, http: FlaskClient
) -> None:
    """Base units, `_total` where it only grows, a help text each."""
    bench.labelled_rows()
    families = list(text_string_to_metric_families(http.get("/metrics").text))

    assert len(families) > 15
    for family in families:
        assert family.name.startswith("dubito_")
        assert family.documentation
        assert not family.name.endswith(("_ms", "_minutes", "_count", "_at"))
        names = {sample.name for sample in family.samples}
        if family.type == "counter":
            assert names <= {f"{family.name}_total"}


def test_a_stranger_cannot_make_the_metrics_grow(
    bench: Stand, http: FlaskClient
) -> None:
    """Neither by actions nor projects nor addresses nor methods of its own."""
    rows = bench.labelled_rows()
    shown = bench.label_studio.project(rows.project)

    def attack(number: int) -> int:
        body = {"action": f"EVIL_{number}", "project": shown}
        http.post("/webhook", json=body)
        http.post("/webhook", json=event(f"EVIL_{number}"))
        http.post("/webhook", json={"action": number})
        http.get(f"/evil/{number}", headers={"Host": f"evil{number}.example"})
        http.get(f"/api/projects/{number + 1_000}")
        http.open("/health", method=f"EVIL{number}")
        return len(scraped(http))

    first = attack(1)

    assert [attack(number) for number in range(2, 30)] == [first] * 28


def test_files_of_tasks_are_counted_as_one(bench: Stand) -> None:
    """People choose their addresses; also what looks like a call of the API."""
    client = bench.services.label_studio()
    for path in ("/data/upload/1/a.csv", "/api/evil", "/api/projects/1/evil", "/x/api"):
        client.http.get(path)

    bench.services.counters.flush()

    counted = bench.services.redis.hkeys(keys.TALLY)
    assert {b"file" in field for field in counted} == {True}


def test_a_file_that_fails_says_nothing_of_label_studio(bench: Stand) -> None:
    bench.services.redis.delete(keys.LABEL_STUDIO)
    bench.faults.plan(Fault(path="/data", status=500))

    answer = bench.services.label_studio().http.get("/data/upload/1/a.csv")

    assert answer.status_code == 500
    assert bench.services.redis.get(keys.LABEL_STUDIO) is None


def test_a_call_without_an_answer_is_counted_and_label_studio_said_to_be_away(
    bench: Stand, http: FlaskClient
) -> None:
    rows = bench.labelled_rows()
    Heartbeats(bench.services.redis).beat("here", 1)
    well = health(http)
    bench.faults.plan(Fault(path="/api/", method="GET", drop="before", times=100))

    bench.sync(rows.project)
    away = health(http)
    counted = scraped(http)
    bench.faults.clear()
    bench.look_after(rows.project)

    assert (well, away) == ("up", "away")
    assert health(http) == "up"
    assert counted["dubito_errors_total", "LabelStudioAwayError"] >= 1
    lost = ("dubito_label_studio_calls_total", "GET")
    assert sum(n for name, n in counted.items() if name[:2] == lost and "none" in name)


def health(http: FlaskClient) -> str:
    time.sleep(0.6)
    response = http.get("/health").json
    assert response is not None
    return str(response["label_studio"])


def test_lag_is_the_age_of_the_oldest_event_that_waits(
    bench: Stand, http: FlaskClient
) -> None:
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    state.work.request()
    began = time.monotonic()
    sample_all(bench.services.redis, [state.key])
    time.sleep(0.3)
    state.work.request()

    waiting = scraped(http)
    seconds = time.monotonic() - began
    bench.look_after(rows.project)

    assert waiting["dubito_events_pending", state.key] == 2
    assert 0.3 <= waiting["dubito_lag_seconds", state.key] < seconds + 0.1
    assert scraped(http)["dubito_lag_seconds", state.key] == 0


@pytest.mark.usefixtures("quick_learner")
@pytest.mark.parametrize("others", [0, 1])
def test_no_event_stays_unlearnt_while_people_label_without_a_pause(
    bench: Stand, http: FlaskClient, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """Each round learns all events, even if the next one stops it from writing.

    `others` label while each round learns: those alone wait for the next round.
    """
    monkeypatch.setattr(write_throttle, "BURST_SECONDS", float("inf"))
    rows = rows_project(bench.label_studio, 60)
    for task in rows.tasks[:8]:
        bench.label_studio.annotate(task, rows.truth[task])
    params = {"learner": NAME}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=params)
    during: list[dict[str, Any]] = []
    state = bench.connect(rows.project)

    def label_the_next() -> None:
        labelled = {one.task for one in state.annotations.all()}
        window = [place.task for place in state.facts().window]
        task = next(task for task in window if task not in labelled)
        bench.label_studio.annotate(task, rows.truth[task])

    def look_and_label() -> None:
        during.append(bench.status(rows.project))
        label_the_next()

    rounds = 4
    path = "/api/predictions"
    bench.faults.plan(
        Fault(path=path, method="PATCH", times=rounds, before=look_and_label)
    )
    WHILE_LEARNING.extend([label_the_next] * (others * rounds))
    label_the_next()
    bench.look_after(rows.project)

    assert len(during) == rounds
    assert not WHILE_LEARNING
    places = len(state.facts().window)
    for status in during:
        assert (status["events_pending"], status["settled"]) == (others, False)
        assert status["window_written"] < places
    after = bench.assert_order_holds(rows.project)
    assert after["events_pending"] == 0
    assert after["window_written"] == places
    assert scraped(http)["dubito_window_written", state.key] == places


def test_lag_is_not_counted_from_events_that_a_round_has_seen(redis: Redis) -> None:
    """While people go on labelling there is always one that waits: not for long."""
    want, done = keys.of(KEY, keys.WANT), keys.of(KEY, keys.DONE)
    redis.set(want, 5)
    sample_all(redis, [KEY])
    time.sleep(0.2)
    second = time.monotonic()
    redis.set(want, 6)
    sample_all(redis, [KEY])

    redis.set(done, 5)

    (pending, seconds) = sample_all(redis, [KEY])[0]
    assert pending == 1
    assert seconds < time.monotonic() - second + 0.1


def test_the_metrics_of_fifty_projects_come_in_time(
    bench: Stand, http: FlaskClient
) -> None:
    rows = bench.labelled_rows(count=200, labels=50)
    state, redis = bench.state(rows.project), bench.services.redis
    copies = {
        name: redis.dump(name) for name in redis.keys(f"dubito:{{{state.key}}}:*")
    }
    for number in range(1_000, 1_050):
        for name, packed in copies.items():
            copy = name.decode().replace(state.key, f"{number}.1")
            redis.restore(copy, 0, packed)
        bench.services.projects.add(f"{number}.1")

    began = time.monotonic()
    metrics = scraped(http)

    assert time.monotonic() - began < SCRAPE_SECONDS
    assert metrics["dubito_tasks", "1049.1"] == 200


def test_counts_wait_while_the_store_is_away(bench: Stand, store_url: str) -> None:
    """A counter must not fail what it counts, nor forget it."""
    counters, redis = bench.services.counters, bench.services.redis
    redis.set(keys.TALLY, "no hash: every write of a count fails")

    counters.count("errors", "Test")
    counters.flush()
    redis.delete(keys.TALLY)
    counters.count("errors", "Test")
    counters.flush()

    with store_client(store_url) as client:
        assert client.hget(keys.TALLY, '["errors","Test"]') == b"2"


def test_a_refused_key_is_said_and_events_are_learnt_from_all_the_same(
    bench: Stand,
) -> None:
    rows = bench.labelled_rows()
    bench.faults.plan(
        Fault(path="/api/projects", method="GET", status=401, times=1_000)
    )
    bench.state(rows.project).work.request("everything")
    bench.look_after(rows.project)
    refused = bench.status(rows.project)
    task = refused["window"][0]["task"]

    bench.label_studio.annotate(task, rows.truth[task])
    bench.run()
    learnt = bench.status(rows.project)
    bench.faults.clear()
    bench.look_after(rows.project)
    healed = bench.status(rows.project)

    assert "rejects the API key" in refused["last_error"]
    assert learnt["labels"] == refused["labels"] + 1
    assert learnt["round"] == refused["round"] + 1
    assert "rejects the API key" in learnt["last_error"]
    assert learnt["events_pending"] == 0
    assert not healed["last_error"]
    bench.assert_order_holds(rows.project)


def test_a_project_that_is_gone_is_looked_for_now_and_then(bench: Stand) -> None:
    """What is known of it is kept: it may only be out of sight for a while."""
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    bench.label_studio.delete_project(rows.project)

    bench.sync(rows.project)

    status = bench.status(rows.project)
    rests = bench.services.redis.pttl(keys.of(state.key, keys.RESTING))
    assert f"there is no project {rows.project}, or" in status["last_error"]
    assert f"`dubito disconnect --project {rows.project}`" in status["last_error"]
    assert "every 5 minutes" in status["last_error"]
    assert status["phase"] == "paused"
    assert status["scores"] == {"written": 0, "of": 0}
    assert status["labels"] == 8
    assert rests > 10 * worker.RETRY_SECONDS * 1_000
