"""When an event of a project was last refused, for it did not show the secret.

It is counted rather than kept: whoever is refused changes nothing of a project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.state import keys

if TYPE_CHECKING:
    from dubito.backend.state.project import ProjectState

KEPT_SECONDS = 7 * 86_400


def note_refused_event(state: ProjectState) -> None:
    """Note that an event of a project has just been refused."""
    state.client.set(_key(state), state.clock(), ex=KEPT_SECONDS)


def refused_event_at(state: ProjectState) -> float:
    """Return when an event was last refused; 0 if none was taken since, or none was."""
    value: bytes = state.client.get(_key(state)) or b"0"
    at = float(value)
    return at if at > (state.facts().last_event_at or 0.0) else 0.0


def _key(state: ProjectState) -> str:
    return f"{keys.REFUSED_EVENT}:{state.key}"
