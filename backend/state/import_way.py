"""How Label Studio imports rows, as it said when it was last asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.state import keys

if TYPE_CHECKING:
    from redis import Redis

KEPT_SECONDS = 600
"""So long an answer counts: Label Studio may be restarted without being missed."""

QUICK, SLOW = b"quick", b"slow"


@dataclass(frozen=True, slots=True)
class ImportWay:
    """Whether Label Studio imports rows quickly, for all projects and processes.

    `Counters.note_label_studio` forgets it when Label Studio does not answer: whoever
    starts it with another environment stops it first.
    """

    client: Redis

    def is_quick(self) -> bool | None:
        """Return what Label Studio said; None if that is too long ago."""
        way = self.client.get(keys.IMPORT_WAY)
        return None if way is None else way == QUICK

    def note(self, *, is_quick: bool) -> None:
        """Keep what Label Studio has said."""
        way = QUICK if is_quick else SLOW
        self.client.set(keys.IMPORT_WAY, way, ex=KEPT_SECONDS)
