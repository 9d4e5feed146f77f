"""Labelling the rest, a little at a time: in the pauses between rounds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.autolabel.bulk import AutolabelBulk
from dubito.backend.autolabel.marked_rows import passes_bulk_import
from dubito.backend.autolabel.open_tasks import answerable
from dubito.backend.autolabel.plan import in_order_of, other_questions
from dubito.backend.autolabel.writer import AutolabelWriter
from dubito.backend.publishing.bulk import BULK_TASKS
from dubito.backend.state import keys
from dubito.backend.state.autolabel import ACTIVE

if TYPE_CHECKING:
    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.turn import Turn

SLICE_SECONDS = 10.0
BUSY_SLICE_SECONDS = 0.5
PAUSE_SECONDS = 1.0
BUSY_PAUSE_SECONDS = 3.0
"""Labels are written for a while, then not; less while somebody labels, or another
project waits, which may have no other worker."""

TURN_SECONDS = 3
FEWEST = 5
"""So many writes in so many seconds do not make way, even where labels never cease."""

MANY = 50
"""Of so many rows that are missing in a small project, all are written in one call."""

BULK_CALL_SECONDS = 10

FOUND = (
    "Dubito wrote these labels earlier (before its store was emptied or the project"
    " was disconnected). Undo removes them"
)


@dataclass(frozen=True, kw_only=True)
class AutolabelRunner:
    """Goes on with the job of one project, in the pauses between rounds."""

    turn: Turn
    snapshot: ProjectSnapshot

    def go_on(self) -> float | None:
        """Work for a while; return how long to rest then, None if nothing is left."""
        state = self.turn.state
        doing = state.autolabel.job().state
        if doing not in ACTIVE and state.autolabel.has_looked():
            return None
        pause = PAUSE_SECONDS if self.turn.is_quiet() else BUSY_PAUSE_SECONDS
        if state.published.is_bulk_running():
            return pause
        writer = self._writer()
        if not state.autolabel.has_looked():
            writer.look()
            if doing == "none":
                writer.look_for_answers()
                self._adopt()
        if doing == "writing" and (reason := other_questions(self.snapshot)):
            pause_fields = {"state": "paused", "goes_on_as": "writing", "note": reason}
            state.autolabel.move({"writing"}, **pause_fields)
        elif doing == "writing":
            self._write(writer)
        elif doing == "undoing" and writer.undo():
            self._undone()
        return pause

    def _writer(self) -> AutolabelWriter:
        is_quiet, is_unused = self.turn.is_quiet(), self.turn.is_unused_everywhere()
        longest = min(SLICE_SECONDS, self.turn.tick())  # who polls hears of nothing
        began, state = time.monotonic(), self.turn.state
        job = state.autolabel.job()
        own = iter(range(FEWEST if self._is_due() else 0))

        def is_late() -> bool:
            took, services = time.monotonic() - began, self.turn.services
            is_awaited = not is_quiet or services.is_awaited()
            is_short = took > BUSY_SLICE_SECONDS and is_awaited
            is_claimed = took > longest or state.work.is_lease_wanted()
            return is_short or is_claimed or state.autolabel.job().state != job.state

        def is_over() -> bool:
            if is_late() or self.turn.gives_way():
                return True
            if next(own, None) is None and state.work.pending() > 0:
                return True
            return not (is_unused or self.turn.throttle.wait(is_late))

        return AutolabelWriter(
            client=self.turn.client,
            state=state,
            lease=self.turn.lease,
            schemas=in_order_of(job, self.snapshot.schemas),
            is_over=is_over,
            throttle=self.turn.throttle,
        )

    def _is_due(self) -> bool:
        """Return whether a few writes are due, even where labels never cease."""
        state, claim_once = self.turn.state, self.turn.services.claim_once
        is_active = state.autolabel.job().state in ACTIVE
        return is_active and claim_once(f"{keys.REST_TURN}:{state.key}", TURN_SECONDS)

    def _adopt(self) -> None:
        """Take over what was there before we knew of any job."""
        rest = self.turn.state.autolabel
        tasks = rest.written_tasks()
        if tasks:
            answers = bool(rest.answers())
            job = {"state": "done", "of": len(tasks), "as_annotations": answers}
            rest.move({"none"}, **job, note=FOUND)

    def _write(self, writer: AutolabelWriter) -> None:
        state, tasks = self.turn.state, answerable(self.snapshot)
        job = state.autolabel.job()
        missing = set(state.autolabel.left()) - state.autolabel.rows().keys()
        is_singly = job.singly or not passes_bulk_import(self.snapshot.schemas)
        is_small = state.tasks.count() <= BULK_TASKS and not is_singly
        if is_small and len(missing) > MANY:
            self._call_bulk()
            return
        if job.as_annotations:
            writer.withdraw(self.snapshot.labels.chosen.keys())
            is_done = writer.answer(tasks)
        else:
            is_done = writer.write(tasks)
        if is_done:
            writer.look()
            state.autolabel.move({"writing"}, state="done")
            state.work.request()

    def _call_bulk(self) -> None:
        """Have the rows written at once, beside the rounds."""
        services, key = self.turn.services, self.turn.state.key
        if services.claim_once(f"{keys.FILLING}:{key}", BULK_CALL_SECONDS):
            services.call("fill", key)

    def _undone(self) -> None:
        state = self.turn.state
        state.autolabel.move({"undoing"}, state="undone", passed_over=0)
        state.autolabel.finish(state.autolabel.left())
        state.work.request()


def run_autolabel(snapshot: ProjectSnapshot, client: LabelStudioClient) -> None:
    """Write the rows of a small project in one call, if that is called for."""
    if other_questions(snapshot):
        return
    schemas = in_order_of(snapshot.state.autolabel.job(), snapshot.schemas)
    bulk = AutolabelBulk(client=client, state=snapshot.state, schemas=schemas)
    bulk.fill(answerable(snapshot))
