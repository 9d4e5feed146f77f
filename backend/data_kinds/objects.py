"""Several objects of a task: each is read by its own kind, then they are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.data_kinds.values import LONGEST_TEXT, ValueKind
from dubito.backend.state.pool import TaskInput, vectors_of
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from dubito.backend.data_kinds.kind import ReadPlan


class Objects(ValueKind):
    """What a label config with several objects shows."""

    name = "objects"
    title = "several objects of a task (the features of each)"
    version = 1
    reads_entries = False

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:  # noqa: ARG002
        """Join the objects that could be read.

        Parameters
        ----------
        content : the `TaskInput` of each object, by its name; the name is empty where
            the object's numbers keep their names
        """
        parts = content if isinstance(content, Mapping) else {}
        read = {str(name): one for name, one in parts.items() if _is_read(one)}
        inputs = [one for one in parts.values() if isinstance(one, TaskInput)]
        if not read:
            reasons = (one.left_out or one.refused for one in inputs)
            message = next(reasons, "the task shows no object that can be read")
            raise BadItemError(message)
        texts = [one.text for one in read.values() if one.text]
        room = LONGEST_TEXT // max(1, len(texts))
        return TaskInput(
            numbers={
                f"{name}: {column}" if name else column: value
                for name, one in read.items()
                for column, value in one.numbers.items()
            },
            text="\n\n".join(text[:room] for text in texts) if texts else None,
            marks={k: mark for one in read.values() for k, mark in one.marks.items()},
            vector=_mean([one.vector for one in read.values() if one.vector]),
            left_out=next((one.left_out for one in inputs if one.left_out), ""),
        )


def _is_read(part: object) -> bool:
    """Return whether a part could be read, and holds something."""
    return isinstance(part, TaskInput) and not part.refused


def _mean(vectors: Sequence[bytes]) -> bytes:
    """Return the mean of what some texts mean, each of length 1."""
    if not vectors:
        return b""
    mean = vectors_of(vectors).astype(np.float32).mean(axis=0)
    packed: bytes = mean.astype(np.float16).tobytes()
    return packed


OBJECTS = Objects()
