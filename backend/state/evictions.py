"""What a store has thrown away by itself: noticed, and asked for anew.

A store that was told to (maxmemory-policy), or somebody at its console, may drop one
key and leave the others. Then what is left no longer fits together. So the sizes of
what is held are noted after each look at a project; what has shrunk by more than was
taken out of it is lost.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeAlias

import orjson

from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from redis import Redis
    from redis.client import Pipeline

    from dubito.backend.state.project import Projects, ProjectState

logger = logging.getLogger(__name__)
Sizes: TypeAlias = "Mapping[str, int]"

HASHES = (
    keys.ANNOTATIONS,
    keys.TASKS,
    keys.NUMBERS,
    keys.TEXTS,
    keys.VECTORS,
    keys.SEQUENCES,
    keys.ROWS,
)
OTHERS = (keys.COLUMNS, keys.SCORES, keys.RANKING, keys.SET_ASIDE)
TAKEN_OUT = {
    keys.ANNOTATIONS: keys.DELETED_ANNOTATIONS,
    keys.TASKS: keys.DELETED_TASKS,
    keys.NUMBERS: keys.DELETED_TASKS,
    keys.TEXTS: keys.DELETED_TASKS,
    keys.VECTORS: keys.DELETED_TASKS,
    keys.SEQUENCES: keys.DELETED_TASKS,
    keys.ROWS: keys.DELETED_TASKS,
}
"""Where what leaves one of these is noted, with the time."""

CALLS_FOR = {
    keys.ANNOTATIONS: "everything",
    keys.TASKS: "everything",
    keys.NUMBERS: "anew",
    keys.TEXTS: "anew",
    keys.VECTORS: "anew",
    keys.SEQUENCES: "anew",
    keys.COLUMNS: "anew",
    keys.ROWS: "rows",
    keys.SCORES: "rows",
    keys.RANKING: "",
}
CATCH_UP = """
local want = tonumber(redis.call('GET', KEYS[1]) or 0)
local done = tonumber(redis.call('GET', KEYS[2]) or 0)
if done <= want then return 0 end
redis.call('SET', KEYS[1], done + 1)
return 1
"""
"""What was counted is lost: else nothing would be done until that was reached again."""


def check_for_losses(state: ProjectState) -> None:
    """Ask anew for what the store has thrown away of a project.

    Called by who holds the project's lease. If nothing is lost, what is held now is
    noted for the next look.
    """
    names = _losses(state)
    for call in sorted({CALLS_FOR.get(name, "") for name in names}):
        state.work.request(call)
    if keys.ANNOTATIONS in names:  # what was found on them is not taken for current
        state.annotations.note_change()
    if names:
        state.client.delete(keys.of(state.key, keys.SIZES))
        details = state.key, ", ".join(names)
        logger.warning(
            "project %s: the store lost %s; Dubito rereads the project", *details
        )
    else:
        at = state.clock()
        sizes = orjson.dumps({**_sizes(state.client, state.key), "at": at})
        state.client.set(keys.of(state.key, keys.SIZES), sizes)


def _losses(state: ProjectState) -> list[str]:
    """Return the names of what is lost of a project; put its counters right."""
    client, key = state.client, state.key
    counters = keys.of(key, keys.WANT), keys.of(key, keys.DONE)
    losses = [keys.WANT] if client.eval(CATCH_UP, 2, *counters) else []
    record = client.get(keys.of(key, keys.SIZES))
    if record is not None:
        before = orjson.loads(record)
        losses += _shrunk(before, _sizes(client, key), _taken_out(state, before["at"]))
    return losses


def _shrunk(before: Sizes, now: Sizes, taken_out: Sizes) -> list[str]:
    """Return what holds less than it must."""
    grown = max(0, now[keys.SET_ASIDE] - before[keys.SET_ASIDE])
    allowances = {name: taken_out[log] for name, log in TAKEN_OUT.items()}
    allowances[keys.NUMBERS] += grown
    allowances[keys.TEXTS] += grown
    allowances[keys.SEQUENCES] += grown
    # A text that changes may lose its vector, and an older Dubito counted none.
    allowances[keys.VECTORS] += grown + before.get(keys.VECTORS, 0) // 2
    allowances[keys.SCORES] = before[keys.SCORES] // 2  # some are unknown for a while
    return [n for n in CALLS_FOR if now[n] < before.get(n, 0) - allowances.get(n, 0)]


def _sizes(client: Redis, key: str) -> dict[str, int]:
    with client.pipeline(transaction=True) as pipe:
        for name in HASHES:
            pipe.hlen(keys.of(key, name))
        pipe.llen(keys.of(key, keys.COLUMNS))
        pipe.zcard(keys.of(key, keys.SCORES))
        pipe.exists(keys.of(key, keys.RANKING))
        pipe.hlen(keys.of(key, keys.SET_ASIDE))
        return dict(zip((*HASHES, *OTHERS), map(int, pipe.execute()), strict=True))


def _taken_out(state: ProjectState, since: float) -> dict[str, int]:
    logs = (keys.DELETED_ANNOTATIONS, keys.DELETED_TASKS)
    with state.client.pipeline(transaction=True) as pipe:
        for log in logs:
            pipe.zcount(keys.of(state.key, log), since, "+inf")
        return dict(zip(logs, map(int, pipe.execute()), strict=True))


def halves(projects: Projects, names: Iterable[str]) -> dict[str, tuple[bool, bool]]:
    """Return whether each project is in the list of all, and whether it has a record.

    One without the other is no state that we leave (see `Projects.remove`).
    """
    names = list(names)
    with projects.client.pipeline(transaction=True) as pipe:
        for name in names:
            _ask_halves(pipe, name)
        answers = pipe.execute() if names else []
    pairs = zip(answers[::2], answers[1::2], strict=True)
    return {name: (bool(a), bool(b)) for name, (a, b) in zip(names, pairs, strict=True)}


def _ask_halves(pipe: Pipeline, name: str) -> None:
    pipe.sismember(keys.PROJECTS, name)
    pipe.exists(keys.of(name, keys.RECORD))
