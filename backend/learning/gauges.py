"""How many tasks and labels a project has, noted by who just looked after it.

To count labels, all annotations are read: `/metrics` would do so for every project,
every few seconds. A worker counts once in a while, if anything has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from backend.learning.status import describe
from backend.state import keys

if TYPE_CHECKING:
    from backend.services import Services
    from backend.state.project import ProjectState

COUNTED = ("tasks", "labels", "skipped", "set_aside", "pending", "pool")
PAUSE_SECONDS = 10.0


def note_gauges(state: ProjectState, services: Services) -> None:
    """Count anew, if something changed and the last count is not quite fresh."""
    name, now = keys.of(state.key, keys.GAUGES), state.clock()
    held = orjson.loads(services.redis.get(name) or b"{}")
    basis = [
        state.annotations.version(),
        state.tasks.count(),
        state.tasks.pending_count(),
        state.round(),
    ]
    if held and (held["basis"] == basis or now - held["at"] < PAUSE_SECONDS):
        return
    status = describe(state, services)
    counted = {name: status[name] for name in COUNTED}
    services.redis.set(name, orjson.dumps({"basis": basis, "at": now, **counted}))
