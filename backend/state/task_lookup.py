"""One task by itself: what was read from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLookup:
    """What we hold of a task.

    Attributes
    ----------
    numbers : those it has, by the names of their columns
    is_pending : whether its data waits to be read
    refused : why it could not be read; empty if it could
    """

    numbers: Mapping[str, float]
    text: str | None
    is_pending: bool
    refused: str


def look_up(client: Redis, project: str, task: int) -> TaskLookup | None:
    """Return what we hold of a task; None if the project has no such task."""
    names = (keys.TASKS, keys.PENDING, keys.NUMBERS, keys.TEXTS, keys.SET_ASIDE)
    with client.pipeline(transaction=True) as pipe:
        for name in names:
            pipe.hget(keys.of(project, name), str(task))
        pipe.lrange(keys.of(project, keys.COLUMNS), 0, -1)
        mark, waits, row, text, refusal, columns = pipe.execute()
    if mark is None:
        return None
    values = np.frombuffer(row or b"", dtype=np.float32).tolist()
    numbers = zip((column.decode() for column in columns), values, strict=False)
    return TaskLookup(
        numbers={name: value for name, value in numbers if not np.isnan(value)},
        text=None if text is None else text.decode(),
        is_pending=waits is not None,
        refused=(refusal or b"").decode(),
    )
