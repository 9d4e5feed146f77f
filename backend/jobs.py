"""The jobs there are: a queue may name these, and nothing else is ever run.

The queue's library runs whatever function a job names, calls the functions and the
addresses that a job wants told of its end, and reads all that from the store. So who
can write to the store could run code in our workers. Here a job is one of ours, with
words for arguments, or it is none.
"""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

from rq.exceptions import DeserializationError, NoSuchJobError
from rq.job import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)
JOBS: Mapping[str, str] = MappingProxyType(
    {
        "look_after": "dubito.backend.worker.jobs",
        "fill": "dubito.backend.worker.jobs",
        "adopt": "dubito.backend.worker.jobs",
        "seek": "dubito.backend.worker.jobs",
        "make_model": "dubito.backend.export.job",
    }
)
"""The module in which each job is found."""

MOVED = MappingProxyType(
    {
        "backend.learning.worker": "dubito.backend.worker.jobs",
        "backend.takeaway.job": "dubito.backend.export.job",
    }
)
"""Where a module is that a job names which was queued before layout 3 of the store."""

WANTED = frozenset(
    {
        *(b"success_callback_name", b"failure_callback_name"),
        *(b"stopped_callback_name", b"webhooks"),
    }
)
"""What a job may want called when it ends; ours want nothing."""


class OwnJob(Job):
    """One of our jobs, as the store holds it."""

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        """Read a job from the store.

        Raises
        ------
        NoSuchJobError
            if it is none of ours: the worker then passes it over
        """
        try:
            super().restore(raw_data)
            module, _, name = str(self.func_name).rpartition(".")
            self.func_name = f"{MOVED.get(module, module)}.{name}"
            is_ours = self._is_ours()
        except (DeserializationError, LookupError, TypeError, ValueError):
            is_ours = False
        if not is_ours or any(raw_data.get(name) for name in WANTED):
            message = f"the queue contained a job of another program: {self.id!r:.100}"
            logger.error(message)
            raise NoSuchJobError(message)

    def _is_ours(self) -> bool:
        module, _, name = str(self.func_name).rpartition(".")
        are_words = all(isinstance(one, str) for one in self.args)
        is_bare = self.instance is None and not self.kwargs
        return JOBS.get(name) == module and are_words and is_bare
