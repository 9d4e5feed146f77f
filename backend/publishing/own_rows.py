"""Changing and removing predictions whose numbers were noted some time ago.

After Label Studio was restored from a backup such a number may be that of another
prediction, perhaps of somebody else's. So each is looked at before it is touched: those
of many tasks in one call, another one by itself.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dubito.backend.errors import LabelStudioFailedError, LabelStudioRefusedError
from dubito.backend.publishing.listed_rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import Row

logger = logging.getLogger(__name__)
GONE = 404
FRESH_SECONDS = 10.0
"""So long a look at many rows counts.

Whoever restores a backup stops Label Studio first, and even on an idle machine it takes
11 s until it answers again: numbers mean the same so long.
"""


@dataclass(slots=True)
class SeenRows:
    """What a look at the rows of many tasks has shown, for a few seconds.

    Attributes
    ----------
    owners : the task and the version of each row, by its id
    """

    clock: Callable[[], float] = time.monotonic
    owners: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    _until: float = 0.0

    @property
    def is_fresh(self) -> bool:
        """Whether the last look still counts."""
        return self.clock() < self._until

    def look(
        self, client: LabelStudioClient, project: int, tasks: Collection[int]
    ) -> Mapping[int, Sequence[Row]]:
        """Look at the rows of these tasks, instead of those seen before.

        Where Label Studio does not list them, each is looked at by itself.

        Returns
        -------
        the rows of each task, also others'
        """
        began = self.clock()
        rows: Mapping[int, Sequence[Row]] = {}
        try:
            rows = rows_of(client, project, tasks)
        except (LabelStudioRefusedError, LabelStudioFailedError) as error:
            logger.info("rows are looked at one by one: %s", error)
        self.owners = {
            row.id: (task, row.model_version)
            for task, rows_there in rows.items()
            for row in rows_there
        }
        self._until = began + FRESH_SECONDS
        return rows

    def owner(self, row: int) -> tuple[int, str] | None:
        """Return the task and the version of a row; None if it was not seen of late."""
        return self.owners.get(row) if self.is_fresh else None


@dataclass(frozen=True, slots=True)
class OwnRows:
    """Changes and removes the predictions of one version."""

    client: LabelStudioClient
    version: str
    seen_rows: SeenRows = field(default_factory=SeenRows)

    def change(self, row: int, task: int, **changes: object) -> Row | None:
        """Change the prediction of a task in place; None if it is there no more."""
        if not self._is_own(row, task):
            return None
        try:
            return self.client.change_row(row, task, **changes)
        except LabelStudioRefusedError as error:
            if error.status != GONE:
                raise
            return None

    def delete(self, row: int, task: int) -> None:
        """Remove the prediction of a task; it may be gone already."""
        if self._is_own(row, task):
            self.client.delete_row(row)

    def _is_own(self, row: int, task: int) -> bool:
        owner = self.seen_rows.owner(row)
        if owner is None:
            prediction = self.client.row(row)
            if prediction is not None:
                owner = prediction.task, prediction.model_version
        return owner == (task, self.version)
