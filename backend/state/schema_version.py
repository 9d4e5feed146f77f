"""Which layout the store has: that of this code, an older one, or a newer one.

The mark that tells an emptied store from a full one holds the number of the layout.
An older state is brought up to date by whoever opens it first: what people said and
how projects are connected stays, what was computed is dropped, and all is read anew
from Label Studio. A newer one is not touched.

While versions are exchanged one by one, workers of both run side by side. Bringing the
state up to date takes all leases away, so what an older worker is at is lost, not
written; and an older worker that takes a lease later looks at the mark first, and ends.
"""

from __future__ import annotations

import logging
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import orjson
from redis import Redis
from redis.exceptions import RedisError

from dubito.backend.errors import NewerStateError
from dubito.backend.state import keys
from dubito.backend.state.work_queue import ASK

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis.client import Pipeline

logger = logging.getLogger(__name__)
LAYOUT = 5
"""Grows when what stands under a key, or is computed from it, means something else."""

PATIENCE_SECONDS = 2.0
ROUND = "round"
COMPUTED = (
    *(keys.RANKING, keys.FINDING, keys.SNAPSHOT, keys.STEPS, keys.GAUGES, keys.SIZES),
    *(keys.SAMPLES, keys.LEASE, keys.RESTING, keys.DUE),
    *(keys.MAP, keys.MAP_STEP, keys.MODEL, keys.MODEL_MAKING),
    *(keys.HELD_OUT, keys.JOINT),
)
"""What is made anew from what stays, and who was at it."""


def is_newer(client: Redis) -> bool:
    """Return whether the state is of a newer Dubito, which is not to be touched."""
    return _layout(client.get(keys.MARK)) > LAYOUT


def refuse_newer(url: str) -> None:
    """Raise `NewerStateError` if the store at an address is a newer Dubito's."""
    client = Redis.from_url(url, socket_timeout=PATIENCE_SECONDS)
    with closing(client), suppress(RedisError):  # one that is away is looked at later
        layout = _layout(client.get(keys.MARK))
        if layout > LAYOUT:
            raise NewerStateError(layout, LAYOUT)


def settle(client: Redis, clock: Callable[[], float] = time.time) -> None:
    """Bring an older state up to date, once, whoever else does the same meanwhile.

    Raises
    ------
    NewerStateError
        if the state is of a newer Dubito; nothing was changed
    """
    layout = _layout(client.get(keys.MARK))
    if layout == LAYOUT:
        return
    watched_keys = (keys.MARK, keys.PROJECTS)
    upgraded_projects: list[str] = client.transaction(
        lambda pipe: _upgrade(pipe, clock()), *watched_keys, value_from_callable=True
    )
    for key in upgraded_projects:
        logger.warning(
            "project %s: an older Dubito wrote the state (format %s, now %s); Dubito"
            " rereads the project from Label Studio",
            *(key, layout, LAYOUT),
        )


def _upgrade(pipe: Pipeline, now: float) -> list[str]:
    """Queue what brings the state up to date; return the projects it concerns."""
    layout = _layout(pipe.get(keys.MARK))
    if layout > LAYOUT:
        raise NewerStateError(layout, LAYOUT)
    projects = sorted(key.decode() for key in pipe.smembers(keys.PROJECTS))
    rounds = [pipe.hget(keys.of(key, keys.RANKING), ROUND) for key in projects]
    pipe.multi()
    if layout == LAYOUT:
        return []
    pipe.set(keys.MARK, LAYOUT)
    for key, number in zip(projects, rounds, strict=True):
        pipe.delete(*(keys.of(key, name) for name in COMPUTED))
        pipe.hset(keys.of(key, keys.RANKING), ROUND, number or 0)
        pipe.hset(keys.of(key, keys.RECORD), "upgraded_at", orjson.dumps(now))
        pipe.incr(keys.of(key, keys.DATA_VERSION))
        names = (keys.of(key, keys.WANT), keys.of(key, keys.ASKED))
        pipe.eval(ASK, 2, *names, "everything")
    return projects


def _layout(mark: bytes | None) -> int:
    """Return the number in the mark; ours where nobody has left one yet."""
    return LAYOUT if mark is None else int(mark)
