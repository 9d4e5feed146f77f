"""Tasks that were read, put into one table without a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.state.pool import Pool, vectors_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dubito.backend.state.pool import TaskInput


def pool_of(readings: Mapping[int, TaskInput]) -> Pool:
    """Put what could be read into one table, by task id, as `TaskStore.pool` does."""
    usable = {task: readings[task] for task in sorted(readings)}
    usable = {task: one for task, one in usable.items() if not one.refused}
    columns = sorted({name for one in usable.values() for name in one.numbers})
    rows = [[one.numbers.get(c, np.nan) for c in columns] for one in usable.values()]
    limit = float(np.finfo(np.float32).max)
    table = np.clip(np.array(rows, dtype=np.float64), -limit, limit)
    texts = [one.text for one in usable.values()]
    sequences = tuple(one.sequence for one in usable.values())
    return Pool(
        task_ids=np.array(list(usable), dtype=np.int64),
        columns=tuple(columns),
        numbers=table.astype(np.float32).reshape(len(usable), len(columns)),
        texts=tuple(text or "" for text in texts) if any(texts) else (),
        vectors=vectors_of([one.vector for one in usable.values()]),
        sequences=sequences if any(sequences) else (),
    )
