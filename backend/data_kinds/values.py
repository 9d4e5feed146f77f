"""What the kinds share that decode a task straight to what is learnt from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.kind import DataKind
from dubito.backend.data_kinds.sentence_vectors import sentence_vector
from dubito.backend.state.pool import TaskInput

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_TEXT = 100_000


class ValueKind(DataKind[TaskInput]):
    """A kind whose items are numbers and texts already."""

    reads_entries = True

    def describe(self, items: Sequence[TaskInput]) -> list[TaskInput]:
        """Return the items: they are what is learnt from."""
        return list(items)


class TextKind(ValueKind):
    """A kind whose items hold texts: what they mean is told beside their words."""

    version = 1
    takes_time = True

    def describe(self, items: Sequence[TaskInput]) -> list[TaskInput]:
        """Return the items, with what their texts mean."""
        return [replace(one, vector=sentence_vector(one.text or "")) for one in items]
