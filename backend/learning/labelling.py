"""Labelling the rest, a little at a time: in the pauses between rounds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.labelstudio.bulk import BULK_TASKS
from backend.labelstudio.rest import RestWriter
from backend.labelstudio.rest_bulk import RestBulk
from backend.learning.rest import answerable
from backend.state import keys
from backend.state.rest import ACTIVE

if TYPE_CHECKING:
    from backend.labelstudio.client import LabelStudioClient
    from backend.learning.standing import Standing
    from backend.learning.steward import Steward

SLICE_SECONDS = 10.0
BUSY_SLICE_SECONDS = 0.5
PAUSE_SECONDS = 1.0
BUSY_PAUSE_SECONDS = 3.0
"""Labels are written for a while, then not; less while somebody labels."""

TURN_SECONDS = 3
FEWEST = 5
"""So many writes in so many seconds do not make way, even where labels never cease."""

MANY = 50
"""Of so many rows that are missing in a small project, all are written in one call."""

BULK_CALL_SECONDS = 10

FOUND = (
    "these labels were in Label Studio already: of a store that was emptied, or of"
    " before Dubito was removed from the project; undo removes them"
)


@dataclass(frozen=True, kw_only=True)
class Rest:
    """Goes on with the job of one project, in the pauses between rounds."""

    steward: Steward
    standing: Standing

    def go_on(self) -> float | None:
        """Work for a while; return how long to rest then, None if nothing is left."""
        state = self.steward.state
        doing = state.rest.job().state
        if doing not in ACTIVE and state.rest.has_looked():
            return None
        pause = PAUSE_SECONDS if self.steward.is_quiet() else BUSY_PAUSE_SECONDS
        if state.published.is_bulk_running():
            return pause
        writer = self._writer()
        if not state.rest.has_looked():
            writer.look()
            if doing == "none":
                writer.look_for_answers()
                self._adopt()
        if doing == "writing":
            self._write(writer)
        elif doing == "undoing" and writer.undo():
            self._undone()
        return pause

    def _writer(self) -> RestWriter:
        is_quiet = self.steward.is_quiet()
        longest = min(SLICE_SECONDS, self.steward.tick())  # who polls hears of nothing
        end = time.monotonic() + (longest if is_quiet else BUSY_SLICE_SECONDS)
        state = self.steward.state
        doing = state.rest.job().state

        turn = f"{keys.REST_TURN}:{state.key}"
        is_first = self.steward.services.is_first
        is_due = doing in ACTIVE and is_first(turn, TURN_SECONDS)
        own = iter(range(FEWEST if is_due else 0))

        def is_late() -> bool:
            is_claimed = time.monotonic() > end or state.work.is_claimed()
            return is_claimed or state.rest.job().state != doing

        def is_over() -> bool:
            if is_late() or (next(own, None) is None and state.work.pending() > 0):
                return True
            return not self.steward.pace.wait(is_late)

        return RestWriter(
            client=self.steward.client,
            state=state,
            lease=self.steward.lease,
            schema=self.standing.schema,
            is_over=is_over,
            pace=self.steward.pace,
        )

    def _adopt(self) -> None:
        """Take over what was there before we knew of any job."""
        rest = self.steward.state.rest
        held = rest.rows().keys() | rest.answers().keys()
        if held:
            answers = bool(rest.answers())
            found = {"state": "done", "of": len(held), "as_annotations": answers}
            rest.move({"none"}, **found, note=FOUND)

    def _write(self, writer: RestWriter) -> None:
        state, tasks = self.steward.state, answerable(self.standing)
        job = state.rest.job()
        missing = set(state.rest.left()) - state.rest.rows().keys()
        is_small = state.tasks.count() <= BULK_TASKS and not job.singly
        if is_small and len(missing) > MANY:
            self._call_bulk()
            return
        if job.as_annotations:
            writer.withdraw(self.standing.labels.chosen.keys())
            is_done = writer.answer(tasks)
        else:
            is_done = writer.write(tasks)
        if is_done:
            writer.look()
            state.rest.move({"writing"}, state="done")
            state.work.ask()

    def _call_bulk(self) -> None:
        """Have the rows written at once, beside the rounds."""
        services, key = self.steward.services, self.steward.state.key
        if services.is_first(f"{keys.FILLING}:{key}", BULK_CALL_SECONDS):
            services.call("fill", key)

    def _undone(self) -> None:
        state = self.steward.state
        state.rest.move({"undoing"}, state="undone", passed_over=0)
        state.rest.finish(state.rest.left())
        state.work.ask()


def fill_rest(standing: Standing, client: LabelStudioClient) -> None:
    """Write the rows of a small project in one call, if that is called for."""
    bulk = RestBulk(client=client, state=standing.state, schema=standing.schema)
    bulk.fill(answerable(standing))
