"""Looking after one project: read what is new, learn, ask for the next tasks.

All of it is done under the project's lease and may be done twice: the state in Redis
and in Label Studio is the truth, not the message that woke us.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.labelstudio.connect import read_settings
from backend.labelstudio.pace import Pace
from backend.labelstudio.predictions import Wording
from backend.labelstudio.publish import Publisher
from backend.labelstudio.queue import check_queue
from backend.labelstudio.sync import Sync
from backend.learning.assessment import assess
from backend.learning.handlers import SETTLE_SECONDS
from backend.learning.intake import Intake
from backend.learning.rounds import Answer, Question, answer, basis_of
from backend.learning.standing import Standing
from backend.state.history import Round
from backend.state.rest import ACTIVE
from backend.state.tally import STEPS

if TYPE_CHECKING:
    from collections.abc import Collection

    from backend.labelstudio.client import LabelStudioClient
    from backend.services import Services
    from backend.state.project import Facts, Place, ProjectState, Ranking
    from backend.state.work import Lease

logger = logging.getLogger(__name__)
TICKS = {"events": 30.0, "polling": 2.0}
PROJECT_TICK = 30.0
SOONEST_LOOK = 0.5
WHOLE_TICK = 600.0
"""How often all is read anew, in case something changed that leaves no trace."""

QUIET_SECONDS = 5.0
LISTING_PAUSE = 10.0


@dataclass(slots=True)
class Way:
    """Steps taken of what can wait, and whether it made way for something else."""

    steps: int = 0
    was_made: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Steward:
    """Does one project's work, as long as the lease is ours."""

    services: Services
    state: ProjectState
    lease: Lease
    client: LabelStudioClient
    is_shut_out: bool = False
    pace: Pace = field(default_factory=Pace)
    way: Way = field(default_factory=Way)

    def work(self) -> None:
        """Read and learn until nothing is left that a round has not seen.

        Who waits to connect or disconnect the project comes first.
        """
        if self.lease.taken_over:
            self.state.work.ask("rows")
        while not self.state.work.is_claimed():
            asked_until, asked = self.state.work.want(), self.state.work.asked()
            with self.services.tally.timed(STEPS, "read"):
                self._read(asked, asked_until)
            want = self.state.work.want()
            if want == self.state.work.done():
                # While we label the rest, ours are no labels to be assessed.
                is_writing = self.state.rest.job().state in ACTIVE
                quiet = self.is_quiet() and not is_writing
                with self.services.tally.timed(STEPS, "assess"):
                    assess(
                        self.services,
                        self.state,
                        self.lease,
                        self.makes_way,
                        is_quiet=quiet,
                    )
                return
            if self._round(want, asked):
                self.state.work.answered(asked_until)
                seen = self.state.work.seen_until(asked_until, want)
                self.state.work.finish(self.lease, seen)

    def makes_way(self) -> bool:
        """Return whether what is done in steps, and can wait, makes way now.

        For what happens in the project, for what its owner wishes and what else is
        due, and after a step for other projects: they may have no other worker.
        """
        is_wanted = self.state.work.pending() > 0 or self.state.work.is_due()
        if is_wanted or (self.way.steps and self.services.is_awaited()):
            self.way.was_made = True
            return True
        self.way.steps += 1
        return False

    @property
    def publishes(self) -> bool:
        """Whether there is a key with which Label Studio lets us in."""
        return bool(self.client.access.key) and not self.is_shut_out

    def come_back(self) -> None:
        """Read all anew once the key is taken again, or raise that it is not."""
        if self.client.access.key and self.state.facts().shut_out:
            self.client.project(self.state.id)
            self.state.note(shut_out=False, last_error="")
            self.state.work.ask("everything")

    def is_quiet(self) -> bool:
        """Return whether nobody seems to be labelling."""
        last = self.state.facts().last_event_at or 0.0
        return self._has_passed(QUIET_SECONDS, last)

    def _has_passed(self, seconds: float, since: float) -> bool:
        """Return whether a time is past; the future is of a clock that was put back."""
        return abs(self.state.clock() - since) >= seconds

    def tick(self) -> float:
        """Return how many seconds pass between two looks at Label Studio."""
        connection = self.state.facts().connection
        return TICKS["events" if connection is None else connection.mode]

    def next_look(self) -> float:
        """Return in how many seconds the next look is due, counted from the last.

        Counted from now, whatever else happens meanwhile would put it off.
        """
        if not self.publishes:
            return self.tick()
        facts, now = self.state.facts(), self.state.clock()
        due = min(facts.synced_at + self.tick(), facts.project_at + PROJECT_TICK)
        return min(max(due - now, SOONEST_LOOK), self.tick())

    def standing(self) -> Standing | None:
        """Return how the project stands; None while nothing is known of it."""
        return Standing.of(self.state)

    def publisher(self, standing: Standing, ranking: Ranking | None) -> Publisher:
        """Return who writes this project's rows."""
        preannotate = standing.preferences.preannotate
        wording = Wording.of(standing.schema, ranking, preannotate=preannotate)
        return Publisher(
            client=self.client,
            state=self.state,
            lease=self.lease,
            wording=wording,
            pace=self.pace,
        )

    def take_in(self, standing: Standing) -> int:
        """Read a share of the tasks that wait for it; return how many were read."""
        with self.services.files(self.client) as files:
            intake = Intake(
                state=self.state,
                schema=standing.schema,
                preferences=standing.preferences,
                files=files,
            )
            if self.publishes and intake.is_stale():  # else nothing can be read anew
                self.state.work.ask("anew")
            if not self.state.tasks.pending_count():
                return 0
            with self.services.tally.timed(STEPS, "featurise"):
                return intake.take()

    def _read(self, asked: Collection[str], asked_until: int) -> None:
        """Read from Label Studio what was asked for, and what is due."""
        if not self.publishes:
            return
        sync = Sync(client=self.client, state=self.state)
        if "everything" in asked:
            self.state.refusals.clear()
        if self.state.refusals.release():
            self.state.work.ask()
        facts = self.state.facts()
        is_named = facts.setup_at > facts.settings_at
        if is_named and self._has_passed(SETTLE_SECONDS, facts.setup_at):
            read_settings(self.state, self.client)
        is_due = self._has_passed(PROJECT_TICK, facts.project_at)
        is_due = is_due or self._has_lost_count()
        if is_due or not {"project", "everything"}.isdisjoint(asked):
            check_queue(self.state, sync.project(), self.client)
        if "everything" in asked or self._is_whole_due(facts):
            sync.everything()
        elif "anew" in asked:
            self.state.tasks.forget_readings()
            self.state.note(reads=None)
            sync.tasks()
        elif "tasks" in asked or self._has_lost_count():
            sync.tasks()
            self.state.work.answered_one("tasks", asked_until)  # whatever comes next
        synced_at = self.state.facts().synced_at
        if "changes" in asked or self._has_passed(self.tick(), synced_at):
            sync.changes()

    def _is_whole_due(self, facts: Facts) -> bool:
        if not facts.synced_at:
            return True
        return self.is_quiet() and self._has_passed(WHOLE_TICK, facts.whole_at)

    def _has_lost_count(self) -> bool:
        """Return whether Label Studio has another number of tasks than we know."""
        facts = self.state.facts()
        if not self._has_passed(LISTING_PAUSE, facts.listed_at):
            return False  # it has just been looked into
        count = self.state.tasks.count()
        return facts.project is not None and facts.project.task_number != count

    def _round(self, want: int, asked: Collection[str]) -> bool:
        """Learn and publish; return False if newer events came in between."""
        standing = self.standing()
        if standing is None:
            return True
        self.take_in(standing)
        ranking, window = self._learn(standing)
        facts = self.state.facts()
        if not self.publishes or facts.paused or not window:
            return True
        publisher = self.publisher(standing, ranking)
        if "rows" in asked or "everything" in asked:
            publisher.verify_rows()
            self.state.note(tidy_basis="")
        is_first = not facts.queue_ready
        with self.services.tally.timed(STEPS, "write"):
            is_whole = publisher.publish(
                [place.task for place in window],
                standing.open_tasks,
                lambda: not is_first and self.state.work.want() != want,
            )
        if is_first:
            publisher.open_queue()
            self.state.note(queue_ready=True)
        if is_whole:
            self.state.note(published_at=self.state.clock(), last_error="")
        return is_whole

    def _learn(self, standing: Standing) -> tuple[Ranking, tuple[Place, ...]]:
        """Fit, doubt and choose; what was found for the same basis is kept."""
        with self.services.tally.timed(STEPS, "load"):
            version, items = self.services.items.items(
                self.state, standing.preferences.seed
            )
        labels, again = standing.labels, self.state.again.out()
        aside = tuple(sorted(self.state.refusals.resting()))
        parts = standing.label_version, version, standing.basis, again, aside
        basis = basis_of(*parts)
        held, facts = self.state.ranking(), self.state.facts()
        if held is not None and held.basis == basis:
            return held, facts.window
        began, number = time.perf_counter(), self.state.round() + 1
        question = Question(
            schema=standing.schema,
            preferences=standing.preferences,
            items=items,
            labels=labels,
            again=again,
            aside=aside,
        )
        with self.services.tally.timed(STEPS, "learn"):
            found = answer(question, number, basis)
        self.lease.check()
        self._keep(found, len(labels.chosen), time.perf_counter() - began)
        return found.ranking, found.window

    def _keep(self, found: Answer, labels: int, seconds: float) -> None:
        """Keep what a round of so many labels has found, and its line of history."""
        number = found.ranking.round
        self.state.save_ranking(found.ranking)
        self.state.note(window=found.window, last_round_seconds=seconds)
        self.state.history.add(
            Round(
                round=number,
                at=self.state.clock(),
                labels=labels,
                seconds=seconds,
                certainty=found.counts,
            )
        )
        told = (self.state.key, number, labels, seconds)
        message = "project %s round %s: %s labels, %.2f s"
        logger.info(message, *told, extra={"round": number})
