"""Writing many things, so that nobody who labels is turned away twice.

On SQLite one writes at a time. Whoever asks for the next task reads before they
write, and is turned away at once if somebody else is writing. Label Studio tries again
for them after 1 s, after another 1.5 s, 2.25 s and so on: who meets a writer each time
has waited 13 s at the fifth. So we write for less than a second, and then leave it
alone until whoever was turned away has had their second try.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RETRY_SECONDS = 1.0
"""Label Studio tries again so long after a request was turned away."""

BURST_SECONDS = 0.8
"""So long we write at a time: shorter than `RETRY_SECONDS`."""

SHORTEST_TRY, LONGEST_TRY = 0.5, 2.0
"""How long the second try itself is given: the longer, the slower Label Studio is."""

LOOK_SECONDS = 0.1
UNUSED_SECONDS = 60.0
"""A project in which nobody has labelled for so long is written with short rests."""

SHORT_REST = 0.25
"""As a share of the write before: whoever begins to label gets through."""


def rest_seconds(slowest: float) -> float:
    """Return how long to rest after writes of which the slowest took so long."""
    return RETRY_SECONDS + min(max(slowest, SHORTEST_TRY), LONGEST_TRY)


@dataclass(slots=True)
class WriteThrottle:
    """When to stop writing to Label Studio for a while; the clocks are in seconds."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _began: float | None = None
    _ended: float = 0.0
    _took: float = 0.0
    _slowest: float = 0.0

    @contextmanager
    def write(self) -> Iterator[None]:
        """Count a write, and the time it takes."""
        began = self.clock()
        if self._began is None:
            self._began = began
        try:
            yield
        finally:
            self._ended = self.clock()
            self._took = self._ended - began
            self._slowest = max(self._slowest, self._took)

    def wait(self, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Rest, if it is time to; return False if that was cut short.

        Parameters
        ----------
        is_over : asked while resting: whether the writes to come are void
        """
        if self._began is None or self.clock() - self._began < BURST_SECONDS:
            return True
        end = self._ended + rest_seconds(self._slowest)
        while self.clock() < end:
            if is_over():
                return False
            self.sleep(LOOK_SECONDS)
        self._began, self._slowest = None, 0.0
        return True

    def owed(self) -> float:
        """Return how long to rest before anything else that can wait is written."""
        return rest_seconds(self._slowest)

    def breathe(self) -> None:
        """Rest as long as the last write took: nobody labels who may be turned away."""
        self.sleep(min(self._took, LONGEST_TRY))

    def rest(self, took: float, *, is_unused: bool = False) -> None:
        """Rest after one call that did much at once, and took so long."""
        self.sleep(SHORT_REST * took if is_unused else rest_seconds(took))
