"""Putting the next tasks in front of all others, the first place first."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING

from dubito.backend.errors import LabelStudioAwayError, LabelStudioRefusedError
from dubito.backend.publishing.quick_import import QuickImport, is_import_quick
from dubito.backend.publishing.scores import plan_window

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from dubito.backend.publishing.publisher import Publisher
    from dubito.backend.state.project import ProjectState

    Writes = list[tuple[int, float]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WindowWriter:
    """Writes the window of one project, as long as the lease is ours."""

    publisher: Publisher

    def write(
        self,
        window: Sequence[int],
        open_tasks: Collection[int],
        is_stale: Callable[[], bool],
    ) -> bool:
        """Bring the window to the front, the first place first, with its labels.

        Parameters
        ----------
        window : the next tasks, first place first
        open_tasks : all tasks Label Studio may ask for
        is_stale : asked after each write: whether a newer window is due

        Returns
        -------
        whether the whole window stands; False if it was dropped for a newer one
        """
        published_scores = self.publisher.scores_of(open_tasks)
        writes = self._writes(window, published_scores)
        calls, right = deque(self._calls(writes, published_scores)), len(window)
        self._state.note(window_written=right - len(writes))
        while calls:
            if not self.publisher.throttle.wait(is_stale):
                return False
            call = calls.popleft()
            if call[0] != writes[0]:  # the first place stands as soon as it can
                self._look([task for task, _ in chain(call, *calls)])
            if not self._write(call):
                calls.extendleft([write] for write in reversed(call))
                continue
            remaining_count = sum(map(len, calls))
            self._state.note(window_written=right - remaining_count)
            if is_stale():
                return False
        return True

    @property
    def _state(self) -> ProjectState:
        return self.publisher.state

    def _writes(
        self, window: Sequence[int], published_scores: Mapping[int, float]
    ) -> Writes:
        """Return the fewest writes after which the window is in front and shows labels.

        A row that stands right but shows another label than the model's keeps its
        score, so that the order is the same before and after.
        """
        new_scores = dict(plan_window(window, published_scores))
        stale = self.publisher.showing_wrongly(window) - new_scores.keys()
        scores = new_scores | {task: published_scores[task] for task in stale}
        return [(task, scores[task]) for task in window if task in scores]

    def _calls(
        self, writes: Writes, published_scores: Mapping[int, float]
    ) -> list[Writes]:
        """Return the writes, in their order, by call.

        New rows in a row are one call where Label Studio imports them quickly.
        """
        runs = groupby(writes, lambda write: write[0] not in published_scores)
        calls: list[Writes] = []
        for is_new, run in runs:
            some = list(run)
            is_one = is_new and len(some) > 1 and self._imports_quickly()
            calls += [some] if is_one else [[write] for write in some]
        return calls

    def _imports_quickly(self) -> bool:
        store = self._state.published
        if store.is_bulk_incomplete() or store.is_bulk_running():
            return False
        try:
            return is_import_quick(self.publisher.client, self._state)
        except (LabelStudioAwayError, LabelStudioRefusedError) as error:
            logger.warning("rows are written one by one: %s", error)
            return False

    def _write(self, call: Writes) -> bool:
        """Write rows; return False if Label Studio did not take many new ones."""
        if len(call) == 1:
            self.publisher.write_score(*call[0])
            return True
        scores = dict(call)
        quick, tasks = QuickImport(self.publisher, is_unused=False), [*scores]
        try:
            return quick.add_rows(tasks, scores, lambda: False)
        except (LabelStudioAwayError, LabelStudioRefusedError) as error:
            logger.warning("rows of the window are written one by one: %s", error)
            return False

    def _look(self, tasks: Iterable[int]) -> None:
        """See whose the rows of the next tasks are, all in one call if it is time."""
        written_tasks = self._state.published.tasks().intersection(tasks)
        if len(written_tasks) > 1 and not self.publisher.seen_rows.is_fresh:
            self.publisher.look([*written_tasks])
