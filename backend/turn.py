"""The turn of one project: what a worker holds while it may write there.

A worker takes a project's lease and works until nothing is left to do. Rounds,
maintenance and the optional jobs (auto-labelling, relabelling, the map) share the turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dubito.backend.publishing.write_throttle import UNUSED_SECONDS, WriteThrottle
from dubito.backend.state import keys

if TYPE_CHECKING:
    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.work_queue import Lease

TICKS = {"events": 30.0, "polling": 2.0}
PROJECT_TICK = 30.0
EARLY = 0.1
"""What would be due so soon, as a share of its pause, is read with what is due now: a
look costs as much again as what it reads."""

SOONEST_LOOK = 0.5
QUIET_SECONDS = 5.0
STEP_SECONDS = 5
"""Where rounds never cease to wait, work that can wait takes one step in so long."""


@dataclass(slots=True)
class YieldState:
    """Steps taken of work that can wait, and whether it has yielded to other work."""

    steps: int = 0
    has_yielded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a worker works with while it holds the lease of a project.

    Attributes
    ----------
    lease : nothing is written once it is lost
    is_shut_out : whether Label Studio refused the API key during this turn
    throttle : how fast rows may be written, whatever they are written for
    """

    services: Services
    state: ProjectState
    lease: Lease
    client: LabelStudioClient
    is_shut_out: bool = False
    throttle: WriteThrottle = field(default_factory=WriteThrottle)
    yields: YieldState = field(default_factory=YieldState)

    def yield_now(self) -> bool:
        """Count a step of work that can wait; return whether other work comes first.

        Events, the owner's wishes, who waits to connect or disconnect and what else is
        due come first, and so do rounds of other projects, which may have no other
        worker; after a step their looks, too.
        """
        work = self.state.work
        is_wanted = work.pending() > 0 or work.is_due() or work.is_lease_wanted()
        is_wanted = is_wanted or (self.yields.steps > 0 and self.services.is_awaited())
        if is_wanted or self.gives_way():
            self.yields.has_yielded = True
            return True
        self.yields.steps += 1
        return False

    def gives_way(self) -> bool:
        """Return whether a round of another project comes before a step that can wait.

        Where rounds never cease to wait, all projects together take one step now and
        then: no round waits for two.
        """
        if not self.is_awaited_elsewhere():
            return False
        return not self.services.claim_once(keys.STEP_TURN, STEP_SECONDS)

    def is_awaited_elsewhere(self) -> bool:
        """Return whether a round of another project waits for a worker."""
        return self.services.has_news(besides=self.state)

    @property
    def publishes(self) -> bool:
        """Whether there is an API key that Label Studio accepts."""
        return bool(self.client.access.key) and not self.is_shut_out

    def is_quiet(self) -> bool:
        """Return whether nobody seems to be labelling."""
        return self.has_passed(QUIET_SECONDS, self.state.facts().last_event_at or 0.0)

    def is_unused(self) -> bool:
        """Return whether nobody has labelled for a minute."""
        return self.has_passed(UNUSED_SECONDS, self.state.facts().labelled_at)

    def is_unused_everywhere(self) -> bool:
        """Return whether nobody has labelled for a minute in any project."""
        return self.has_passed(UNUSED_SECONDS, self.services.projects.labelled_at())

    def has_passed(self, seconds: float, since: float) -> bool:
        """Return whether a time is past; a future time is of a clock put back since."""
        return abs(self.state.clock() - since) >= seconds

    def is_due(self, pause: float, since: float) -> bool:
        """Return whether what is read again after a pause is due, or very soon."""
        return self.has_passed((1 - EARLY) * pause, since)

    def tick(self) -> float:
        """Return how many seconds pass between two reads of Label Studio."""
        connection = self.state.facts().connection
        return TICKS["events" if connection is None else connection.mode]

    def next_look(self) -> float:
        """Return in how many seconds the next read is due, counted from the last.

        Counted from now, whatever else happens meanwhile would put it off.
        """
        if not self.publishes:
            return self.tick()
        facts, now = self.state.facts(), self.state.clock()
        due = min(facts.synced_at + self.tick(), facts.project_at + PROJECT_TICK)
        return min(max(due - now, SOONEST_LOOK), self.tick())
