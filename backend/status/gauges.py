"""How many tasks and labels a project has, noted by who just looked after it.

To count labels, all annotations are read: `/metrics` would do so for every project,
every few seconds. A worker counts once in a while, if anything has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from dubito.backend.state import keys
from dubito.backend.status.status import describe

if TYPE_CHECKING:
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState

COUNTED = (
    *("tasks", "labels", "skipped", "set_aside", "pending", "pool"),
    "scores_written",
)
PAUSE_SECONDS = 10.0


def note_gauges(state: ProjectState, services: Services) -> None:
    """Count anew, if something changed and the last count is not quite fresh."""
    name, now = keys.of(state.key, keys.GAUGES), state.clock()
    gauges = orjson.loads(services.redis.get(name) or b"{}")
    basis = [
        state.annotations.version(),
        state.tasks.count(),
        state.tasks.pending_count(),
        state.round(),
        state.published.count(),
    ]
    if gauges and (gauges["basis"] == basis or now - gauges["at"] < PAUSE_SECONDS):
        return
    status = describe(state, services)
    counts = status.model_dump(include=set(COUNTED))
    services.redis.set(name, orjson.dumps({"basis": basis, "at": now, **counts}))
