"""Whatever else happens: the next look at Label Studio is not put off."""

from dataclasses import replace

import pytest
from redis import Redis

from dubito.backend.state import keys
from dubito.backend.state.project import Projects, ProjectState
from dubito.backend.turn import TICKS
from dubito.backend.worker.watchdog import SavedConnection, look_around
from tests.service.stand import Stand

MOST_LOOKS = 60


def due_in(bench: Stand, project: int) -> float:
    state = bench.state(project)
    due = bench.services.redis.get(keys.of(state.key, keys.DUE))
    return float(due) - state.clock()


def at_rest(bench: Stand) -> Stand:
    """Let no time pass, however slow the machine is."""
    now = bench.services.projects.clock()
    projects = Projects(bench.services.redis, lambda: now)
    return replace(bench, services=replace(bench.services, projects=projects))


def tidied(bench: Stand, project: int) -> None:
    """Let time pass until nothing is left to be written."""
    state = bench.state(project)
    state.note(last_event_at=None)
    for _ in range(MOST_LOOKS):
        if state.facts().tidy_basis:
            return
        bench.look_after(project)
    pytest.fail("it goes on writing")


def project_at_rest(bench: Stand) -> tuple[Stand, ProjectState]:
    """Make a project in which nothing is left to be done, and let time stand still."""
    rows = bench.labelled_rows()
    tidied(bench, rows.project)
    bench = at_rest(bench)
    return bench, bench.state(rows.project)


@pytest.mark.parametrize("looked_at", ["synced_at", "project_at"])
def test_what_happens_meanwhile_does_not_put_off_the_next_look(
    bench: Stand, looked_at: str
) -> None:
    """Counted from then, events that were lost would wait twice as long."""
    bench, state = project_at_rest(bench)
    now = state.clock()
    state.note(**{"synced_at": now, "project_at": now, looked_at: now - 20.0})

    bench.look_after(state.id)

    assert due_in(bench, state.id) == pytest.approx(TICKS["events"] - 20.0)


@pytest.mark.parametrize("looked_at", ["synced_at", "project_at"])
def test_what_is_due_very_soon_is_read_in_the_same_look(
    bench: Stand, looked_at: str
) -> None:
    """Else each project would be looked at twice in a tick, half a second apart."""
    bench, state = project_at_rest(bench)
    now = state.clock()
    state.note(synced_at=now - 30.0, project_at=now - 30.0)
    state.note(**{looked_at: now - 29.0})

    bench.look_after(state.id)

    assert due_in(bench, state.id) == pytest.approx(TICKS["events"])


def test_a_look_that_was_missed_is_made_at_once(bench: Stand) -> None:
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    state.note(synced_at=state.clock() - 500.0)

    bench.look_after(rows.project)

    assert state.clock() - state.facts().synced_at < TICKS["events"]


def test_a_key_that_was_handed_over_outlives_the_store(
    bench: Stand, redis: Redis
) -> None:
    """Workers remember it with the project's connection; nobody else could say it."""
    rows = bench.labelled_rows()
    bench.state(rows.project).note(token="handed-over")  # noqa: S106 - of a test
    remembered: dict[str, SavedConnection] = {}
    bench.services.projects.mark()
    look_around(bench.services, remembered)

    redis.flushall()
    look_around(bench.services, remembered)

    facts = bench.state(rows.project).facts()
    assert facts.token == "handed-over"  # noqa: S105 - of a test
    assert facts.rebuilt_at is not None


def with_key(bench: Stand, key: str) -> Stand:
    """Return the same Dubito, started with another key of its own, or with none."""
    settings = replace(bench.services.settings, label_studio_key=key)
    return replace(bench, services=replace(bench.services, settings=settings))


@pytest.mark.parametrize("has_own", [False, True])
def test_status_says_what_a_key_that_was_handed_over_means(
    bench: Stand, *, has_own: bool
) -> None:
    project, token = bench.labelled_rows().project, bench.server.tokens[0]
    bench.state(project).note(token=token)
    with_key(bench, token if has_own else "").look_after(project)

    notes = str(bench.status(project)["notes"])

    assert ("received from Label Studio" in notes) == (not has_own)


def test_a_command_without_a_key_shows_what_the_workers_do(bench: Stand) -> None:
    project = bench.labelled_rows().project

    status = with_key(bench, "").status(project)

    assert status == bench.status(project)
    assert status["mode"] == "events"


def test_a_command_with_a_key_shows_that_the_workers_have_none(bench: Stand) -> None:
    project = bench.labelled_rows().project
    bench.state(project).work.request("everything")
    with_key(bench, "").look_after(project)

    status = bench.status(project)

    assert status["mode"] == "not_publishing"
    assert any("there is no API key" in note for note in status["notes"])
