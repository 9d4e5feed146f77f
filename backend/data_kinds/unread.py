"""What cannot be read: each task is set aside, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.data_kinds.rows import RowKind, check_row
from dubito.backend.data_kinds.sample import parsed_row
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.records import JsonObject
    from dubito.backend.state.pool import TaskInput
    from dubito.model.schema import Schema

NOTHING = "nothing"
"""How tasks are read whose object cannot be, and which hold nothing beside."""


class Unread(RowKind):
    """Tasks whose object cannot be read, and which hold nothing to learn beside."""

    name = NOTHING
    title = NOTHING
    has_columns = False

    def _read(self, data: JsonObject, plan: ReadPlan) -> TaskInput:
        if plan.reads.kind != NOTHING:
            message = f"this Dubito knows no kind of data named {plan.reads.kind!r}"
            raise BadItemError(message)
        check_row(plan.schema, parsed_row(plan.schema.shown_in(data)))
        raise BadItemError(nothing_beside(plan.schema))


def nothing_beside(schema: Schema) -> str:
    """Say why there is nothing to learn from in a task."""
    return (
        f"{schema.source!r} is shown as {schema.unread}, which Dubito cannot read, and"
        " the task has no other usable number or category"
    )


UNREAD = Unread()
