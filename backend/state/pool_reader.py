"""All that was read of the tasks of a project, from the store into one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.state import keys
from dubito.backend.state.pool import Pool, vectors_of
from dubito.backend.state.table import table_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from dubito.model.arrays import Features

BATCH = 2_000


def read_pool(client: Redis, project: str) -> Pool:
    """Return all tasks of a project that could be read."""
    texts = client.hgetall(keys.of(project, keys.TEXTS))
    column_names = client.lrange(keys.of(project, keys.COLUMNS), 0, -1)
    columns = [column.decode() for column in column_names]
    numbers = keys.of(project, keys.NUMBERS)
    names = sorted({*client.hkeys(numbers), *texts}, key=int)
    sequences = _bytes_of(client, keys.of(project, keys.SEQUENCES), names)
    return Pool(
        task_ids=np.array([int(name) for name in names], dtype=np.int64),
        columns=tuple(sorted(columns)),
        numbers=_numbers(client, numbers, names, columns),
        texts=tuple(texts.get(n, b"").decode() for n in names) if texts else (),
        vectors=vectors_of(_bytes_of(client, keys.of(project, keys.VECTORS), names)),
        sequences=tuple(sequences) if any(sequences) else (),
    )


def _bytes_of(client: Redis, key: str, names: Sequence[bytes]) -> list[bytes]:
    """Return what a hash holds of each task; empty where it holds nothing."""
    packed = [b""] * len(names)
    if client.exists(key):
        for start in range(0, len(names), BATCH):
            some = client.hmget(key, names[start : start + BATCH])
            packed[start : start + BATCH] = [one or b"" for one in some]
    return packed


def _numbers(
    client: Redis, key: str, names: Sequence[bytes], columns: Sequence[str]
) -> Features:
    """Read the numbers of some tasks, a batch at a time: there may be a million.

    Returns
    -------
    (n, d) array, columns sorted; NaN where a task has no number
    """
    order = sorted(range(len(columns)), key=columns.__getitem__)
    table = np.empty((len(names), len(columns)), dtype=np.float32)
    for start in range(0, len(names), BATCH):
        rows = client.hmget(key, names[start : start + BATCH])
        read = table_of([row or b"" for row in rows], len(columns))
        table[start : start + BATCH] = read[:, order]
    return table
