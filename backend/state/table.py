"""The numbers of tasks, written as rows of float32 and read as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dubito.model.arrays import Features


def table_of(rows: Sequence[bytes], width: int) -> Features:
    """Put rows of different lengths into one table, NaN where a row ends early."""
    table = np.full((len(rows), width), np.nan, dtype=np.float32)
    for position, row in enumerate(rows):
        values = np.frombuffer(row, dtype=np.float32)
        table[position, : values.size] = values
    return table


def row_of(numbers: Mapping[str, float], columns: Mapping[str, int]) -> bytes:
    """Write numbers as float32 up to the last column that they have."""
    if not numbers:
        return b""
    row = np.full(1 + max(columns[c] for c in numbers), np.nan)
    row[[columns[c] for c in numbers]] = list(numbers.values())
    limit = float(np.finfo(np.float32).max)
    packed: Features = np.clip(row, -limit, limit).astype(np.float32)
    return packed.tobytes()
