"""Pairs of items: what was read of both, kept as that of one task, and parted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.state.pool import Pool, TaskInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.model.arrays import Features

SIDES = ("left", "right")
SIDE = "\x1c"
"""Parts the texts of both items, and side and name of a column: no name holds it, and
texts are kept without it."""


def paired(left: TaskInput, right: TaskInput) -> TaskInput:
    """Return what was read of two items as that of one task; see `sides_of`."""
    both = left, right
    texts = [(one.text or "").replace(SIDE, " ") for one in both]
    has_text = any(one.text is not None for one in both)
    width = max(len(one.vector) for one in both)
    return TaskInput(
        numbers={
            f"{side}{SIDE}{column}": number
            for side, one in zip(SIDES, both, strict=True)
            for column, number in one.numbers.items()
        },
        text=SIDE.join(texts) if has_text else None,
        marks={**right.marks, **left.marks},
        vector=b"".join(one.vector.ljust(width, b"\0") for one in both),
    )


def sides_of(pair: TaskInput) -> list[TaskInput]:
    """Return what was read of the left and of the right item."""
    texts = _texts_of(pair.text or SIDE)
    half = len(pair.vector) // 2
    vectors = pair.vector[:half], pair.vector[half:]
    parts = {name: name.partition(SIDE) for name in pair.numbers}
    return [
        TaskInput(
            numbers={
                column: pair.numbers[name]
                for name, (own, _, column) in parts.items()
                if own == side
            },
            text=text,
            vector=vector,
        )
        for side, text, vector in zip(SIDES, texts, vectors, strict=True)
    ]


def both_sides(pool: Pool) -> Pool:
    """Return the 2n items of n pairs, each pair's left item before its right one."""
    places = {name: place for place, name in enumerate(pool.columns)}
    columns = sorted({name.partition(SIDE)[2] for name in places})
    numbers = [_numbers(pool.numbers, places, side, columns) for side in SIDES]
    n_items = 2 * len(pool.task_ids)
    return Pool(
        task_ids=np.repeat(2 * pool.task_ids, 2) + np.arange(n_items) % 2,
        columns=tuple(columns),
        numbers=np.stack(numbers, axis=1).reshape(n_items, len(columns)),
        texts=tuple(text for both in pool.texts for text in _texts_of(both)),
        vectors=pool.vectors.reshape(n_items, pool.vectors.shape[1] // 2)
        if pool.vectors.size
        else pool.vectors[:0, :0],
    )


def _numbers(
    table: Features, places: dict[str, int], side: str, columns: Sequence[str]
) -> Features:
    """Return the (n, d) numbers of one side, NaN where no pair has any."""
    numbers = np.full((len(table), len(columns)), np.nan, dtype=np.float32)
    for at, column in enumerate(columns):
        place = places.get(f"{side}{SIDE}{column}")
        if place is not None:
            numbers[:, at] = table[:, place]
    return numbers


def _texts_of(both: str) -> tuple[str, str]:
    left, _, right = both.partition(SIDE)
    return left, right


def differences(items: Features) -> Features:
    """Return (n, d) differences of (2n, d) items: left ones minus right ones."""
    return items[0::2] - items[1::2]
