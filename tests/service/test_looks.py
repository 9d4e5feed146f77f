"""Whatever else happens: the next look at Label Studio is not put off."""

from dataclasses import replace

import pytest
from redis import Redis

from dubito.backend.state import keys
from dubito.backend.state.project import Projects
from dubito.backend.status.status import describe
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


@pytest.mark.parametrize("looked_at", ["synced_at", "project_at"])
def test_what_happens_meanwhile_does_not_put_off_the_next_look(
    bench: Stand, looked_at: str
) -> None:
    """Counted from then, events that were lost would wait twice as long."""
    rows = bench.labelled_rows()
    tidied(bench, rows.project)
    bench = at_rest(bench)
    state = bench.state(rows.project)
    now = state.clock()
    state.note(**{"synced_at": now, "project_at": now, looked_at: now - 20.0})

    bench.look_after(rows.project)

    assert due_in(bench, rows.project) == pytest.approx(TICKS["events"] - 20.0)


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


@pytest.mark.parametrize("own", ["", "a-key-of-our-own"])
def test_status_says_what_a_key_that_was_handed_over_means(
    bench: Stand, own: str
) -> None:
    project = bench.labelled_rows().project
    bench.state(project).note(token="handed-over")  # noqa: S106 - of a test
    settings = replace(bench.services.settings, label_studio_key=own)
    services = replace(bench.services, settings=settings)

    notes = str(describe(bench.state(project), services).notes)

    assert ("received from Label Studio" in notes) == (not own)
