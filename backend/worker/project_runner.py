"""Looking after one project: read what is new, learn, ask for the next tasks.

All of it is done under the project's lease and may be done twice: the state in Redis
and in Label Studio is the truth, not the message that woke us.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.connection.connect import follow
from dubito.backend.connection.event_handlers import SETTLE_SECONDS
from dubito.backend.connection.reconcile import Reconciler
from dubito.backend.connection.sampling_settings import check_sampling
from dubito.backend.features.ingest import Ingest
from dubito.backend.learning.assessment import assess
from dubito.backend.learning.joint_assessment import assess_jointly
from dubito.backend.learning.round import RoundResult, fingerprint_of, run_round
from dubito.backend.learning.round_input import round_input
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.publishing.publisher import Publisher
from dubito.backend.publishing.window_writer import WindowWriter
from dubito.backend.state.autolabel import ACTIVE
from dubito.backend.state.counters import STEPS
from dubito.backend.state.history import Round
from dubito.backend.turn import PROJECT_TICK
from dubito.backend.worker.filling import Filling

if TYPE_CHECKING:
    from collections.abc import Collection

    from dubito.backend.features.feature_table import FeatureTable
    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.services import Services
    from dubito.backend.state.facts import ProjectFacts, WindowEntry
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.ranking import Ranking
    from dubito.backend.turn import Turn

logger = logging.getLogger(__name__)
WHOLE_TICK = 600.0
"""How often all is read anew, in case something changed that leaves no trace."""

LISTING_PAUSE = 10.0
READ_AT_ONCE = ("project", "tasks", "changes")
"""What need not be read again if a newer label stops the round before its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRunner:
    """Does one project's work, as long as the lease is ours."""

    turn: Turn

    @property
    def state(self) -> ProjectState:
        """The state of the project."""
        return self.turn.state

    @property
    def services(self) -> Services:
        """What this process works with."""
        return self.turn.services

    @property
    def client(self) -> LabelStudioClient:
        """The client of the project's Label Studio."""
        return self.turn.client

    def work(self) -> None:
        """Read and learn until nothing is left that a round has not seen.

        Who waits to connect or disconnect the project comes first. After a round
        so do the rounds of other projects, which may have no other worker.
        """
        if self.turn.lease.taken_over:
            self.state.work.request("rows")
        while not self.state.work.is_lease_wanted():
            asked_until = self.state.work.requested()
            requests = self.state.work.requests()
            with self.services.counters.timed(STEPS, "read"):
                self._read(requests, asked_until)
            want = self.state.work.requested()
            if want == self.state.work.finished():
                self._assess()
                return
            reach = self.state.work.seen_until(asked_until, want)
            if self._round(want, reach, requests):
                self.state.work.clear_requests(asked_until)
                self.state.work.finish(self.turn.lease, reach)
            if self.turn.is_awaited_elsewhere():
                self.turn.yields.has_yielded = True
                return

    def _assess(self) -> None:
        """Find out how well each question is answered, until something comes first."""
        snapshot = self.snapshot()
        if snapshot is None:
            return
        # While we label the rest, ours are no labels to be assessed.
        is_writing = self.state.autolabel.job().state in ACTIVE
        with self.services.counters.timed(STEPS, "assess"):
            for question in snapshot.questions:
                assess(
                    self.services,
                    question,
                    self.turn.lease,
                    self.turn.yield_now,
                    is_quiet=self.turn.is_quiet() and not is_writing,
                )
            assess_jointly(snapshot, self.turn.lease)

    def come_back(self) -> None:
        """Read all anew once the key is taken again, or raise that it is not."""
        if self.client.access.key and self.state.facts().shut_out:
            self.client.project(self.state.id)
            self.state.note(shut_out=False, last_error="")
            self.state.work.request("everything")

    def snapshot(self) -> ProjectSnapshot | None:
        """Return how the project stands; None while nothing is known of it."""
        return ProjectSnapshot.of(self.state)

    def publisher(
        self, snapshot: ProjectSnapshot, ranking: Ranking | None
    ) -> Publisher:
        """Return who writes this project's rows."""
        return Publisher(
            client=self.client,
            state=self.state,
            lease=self.turn.lease,
            formatter=snapshot.formatter(ranking),
            throttle=self.turn.throttle,
        )

    def take_in(self, snapshot: ProjectSnapshot) -> int:
        """Read a share of the tasks that wait for it; return how many were read."""
        with self.services.files(self.client) as files:
            ingest = Ingest(
                state=self.state,
                schema=snapshot.schema,
                preferences=snapshot.preferences,
                files=files,
            )
            # Without a key nothing can be read anew.
            if self.turn.publishes and ingest.is_stale():
                self.state.work.request("anew")
            if not self.state.tasks.pending_count():
                return 0
            with self.services.counters.timed(STEPS, "featurise"):
                return ingest.take()

    def _read(self, requests: Collection[str], asked_until: int) -> None:
        """Read from Label Studio what was asked for, and what is due."""
        if not self.turn.publishes:
            return
        sync = Reconciler(client=self.client, state=self.state)
        if "everything" in requests:
            self.state.refused_rows.clear()
            self.state.tasks.retry_set_aside()
        if self.state.refused_rows.release():
            self.state.work.request()
        facts = self.state.facts()
        is_named = facts.setup_at > facts.settings_at
        if is_named and self.turn.has_passed(SETTLE_SECONDS, facts.setup_at):
            follow(self.services, self.state, self.client)
        is_due = self.turn.is_due(PROJECT_TICK, facts.project_at)
        is_due = is_due or self._has_lost_count()
        if is_due or not {"project", "everything"}.isdisjoint(requests):
            check_sampling(self.services, self.state, sync.project(), self.client)
        if "everything" in requests or self._is_whole_due(facts):
            sync.everything()
        elif "anew" in requests:
            self.state.tasks.forget_readings()
            self.state.note(reads=None)
            sync.tasks()
        elif "tasks" in requests or self._has_lost_count():
            sync.tasks()
        synced_at = self.state.facts().synced_at
        if "changes" in requests or self.turn.is_due(self.turn.tick(), synced_at):
            sync.changes()
        self.state.work.clear_request(asked_until, *READ_AT_ONCE)

    def _is_whole_due(self, facts: ProjectFacts) -> bool:
        if not facts.synced_at:
            return True
        return self.turn.is_quiet() and self.turn.has_passed(WHOLE_TICK, facts.whole_at)

    def _has_lost_count(self) -> bool:
        """Return whether Label Studio has another number of tasks than we know."""
        facts = self.state.facts()
        if not self.turn.has_passed(LISTING_PAUSE, facts.listed_at):
            return False  # it has just been looked into
        count = self.state.tasks.count()
        return facts.project is not None and facts.project.task_number != count

    def _round(self, want: int, reach: int, requests: Collection[str]) -> bool:
        """Learn and publish; return False if newer events came in between.

        Parameters
        ----------
        want : how much had been requested when the round began
        reach : how much of that the round learns from
        requests : what was asked for by name
        """
        snapshot = self.snapshot()
        if snapshot is None:
            return True
        self.take_in(snapshot)
        ranking, window = self._learn(snapshot)
        self.state.work.learn(self.turn.lease, reach)
        facts = self.state.facts()
        if not self.turn.publishes or facts.paused:
            return True
        publisher = self.publisher(snapshot, ranking)
        self._verify_rows(publisher, want, requests)
        if not window:
            self.state.note(last_error="")
            return True
        is_first = not facts.queue_ready
        with self.services.counters.timed(STEPS, "write"):
            is_whole = WindowWriter(publisher).write(
                [place.task for place in window],
                snapshot.open_tasks,
                lambda: not is_first and self.state.work.requested() != want,
            )
        if is_first:
            publisher.open_queue()
            self.state.note(queue_ready=True)
        Filling(self.turn, publisher).fill_a_little(snapshot)
        if is_whole:
            self.state.note(published_at=self.state.clock(), last_error="")
        return is_whole

    def _verify_rows(
        self, publisher: Publisher, want: int, requests: Collection[str]
    ) -> None:
        """List all rows of Dubito's, if that was asked for, now or before."""
        if {*requests, *self.state.work.requests()}.isdisjoint({"rows", "everything"}):
            return
        publisher.verify_rows()
        self.state.work.clear_request(want, "rows")
        self.state.note(tidy_basis="")

    def _learn(
        self, snapshot: ProjectSnapshot
    ) -> tuple[Ranking, tuple[WindowEntry, ...]]:
        """Fit, doubt and choose; what was found for the same basis is kept."""
        with self.services.counters.timed(STEPS, "load"):
            version, items = snapshot.items(self.services.feature_tables)
        self._note_names(items)
        again = self.state.relabel.out()
        aside = tuple(sorted(self.state.refused_rows.resting()))
        parts = snapshot.label_version, version, snapshot.basis, again, aside
        basis = fingerprint_of(*parts)
        ranking, facts = self.state.ranking(), self.state.facts()
        if ranking is not None and ranking.basis == basis:
            return ranking, facts.window
        began, number = time.perf_counter(), self.state.round() + 1
        question = round_input(snapshot, items, again, aside)
        with self.services.counters.timed(STEPS, "learn"):
            result = run_round(question, number, basis)
        self.turn.lease.check()
        self._keep(result, len(snapshot.labelled_tasks), time.perf_counter() - began)
        return result.ranking, result.window

    def _note_names(self, items: FeatureTable) -> None:
        """Keep whether the names of the classes teach, for the status."""
        knows_names = bool((items.bare or items).named.opinions)
        if knows_names != self.state.facts().knows_class_names:
            self.state.note(knows_class_names=knows_names)

    def _keep(self, result: RoundResult, labels: int, seconds: float) -> None:
        """Keep what a round of so many labels has found, and its line of history."""
        number, before = result.ranking.round, self.state.history.last()
        if before is not None and before.labels != labels:
            self.state.note(labelled_at=self.state.clock())
        self.state.save_ranking(result.ranking)
        self.state.note(
            window=result.window, window_written=0, last_round_seconds=seconds
        )
        self.state.history.add(
            Round(
                round=number,
                at=self.state.clock(),
                labels=labels,
                seconds=seconds,
                certainty=result.counts,
            )
        )
        details = (self.state.key, number, labels, seconds)
        message = "project %s round %s: %s labels, %.2f s"
        logger.info(message, *details, extra={"round": number})
