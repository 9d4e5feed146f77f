"""What was read of the tasks of a project: of each, and of all together."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.model.arrays import Features, TaskIds

RAW = ("vector", "sequence")
"""The fields of a `TaskInput` that are bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInput:
    """What was read from one task's data: numbers, a text, or why neither.

    Attributes
    ----------
    refused : why the task cannot be learnt from; empty if it can
    left_out : why one of its objects is not learnt from; empty if all are
    marks : what stands for a missing number, by key of the data
    vector : numbers that have no names and say something together, as float16: what
        the text means. It follows from the rest.
    sequence : the parts of the task in order, where people mark stretches: see
        `data_kinds.unit_sequences`
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    text: str | None = None
    refused: str = ""
    left_out: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)
    vector: bytes = field(default=b"", repr=False, compare=False)
    sequence: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """All tasks that could be read, by task id.

    Attributes
    ----------
    task_ids : (n_tasks,) ascending
    columns : names of the numbers, sorted
    numbers : (n_tasks, n_columns) float32, NaN where a task has none
    texts : (n_tasks,) or empty
    vectors : (n_tasks, d), 0 where a task has none; or empty
    sequences : (n_tasks,) parts of each task, or empty; see `TaskInput`
    """

    task_ids: TaskIds
    columns: tuple[str, ...]
    numbers: Features
    texts: tuple[str, ...]
    vectors: NDArray[np.float16] = field(
        default_factory=lambda: np.empty((0, 0), np.float16)
    )
    sequences: tuple[bytes, ...] = ()


def vectors_of(packed: Sequence[bytes]) -> NDArray[np.float16]:
    """Return the (n, d) vectors of tasks, 0 where one has none of the usual length."""
    width = max(map(len, packed), default=0)
    rows = (one if len(one) == width else bytes(width) for one in packed)
    table = np.frombuffer(b"".join(rows), dtype=np.float16)
    return table.reshape(len(packed), width // table.itemsize)


def reading_as_json(reading: TaskInput) -> bytes:
    """Write what was read of a task; see `reading_from`."""
    raw = {name: getattr(reading, name).hex() for name in RAW}
    return orjson.dumps({**asdict(reading), **raw})


def reading_from(packed: bytes) -> TaskInput:
    """Return what `reading_as_json` has written."""
    fields = orjson.loads(packed)
    raw = {name: bytes.fromhex(fields.get(name, "")) for name in RAW}
    return TaskInput(**{**fields, **raw})
