"""Pairs of objects: each is read by its own kind, and both must be there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.values import ValueKind
from dubito.backend.state.pairs import SIDES, paired
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from dubito.backend.data_kinds.kind import ReadPlan


class Pairs(ValueKind):
    """Two items of one kind, of which people say which is better."""

    name = "pair"
    title = "pairs of items (the difference of what describes each)"
    reads_entries = False

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:  # noqa: ARG002
        """Put both items together.

        Parameters
        ----------
        content : the `TaskInput` of the left and of the right item, by their names
        """
        parts = [*content.values()] if isinstance(content, Mapping) else []
        items = [part for part in parts if isinstance(part, TaskInput)]
        if len(items) != len(SIDES):
            message = "the task does not show two items"
            raise BadItemError(message)
        for side, item in zip(SIDES, items, strict=True):
            if item.refused:
                message = f"the {side} item cannot be read: {item.refused}"
                raise BadItemError(message)
        left, right = items
        return paired(left, right)


PAIRS = Pairs()
