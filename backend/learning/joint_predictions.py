"""What is predicted of tasks as wholes: the answers to all questions about each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from dubito.backend.controls.conditions import shown_questions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.controls.codec import Answer
    from dubito.backend.state.ranking import Ranking
    from dubito.model.schema import Schema


@dataclass(frozen=True, kw_only=True, eq=False)
class JointPredictions:
    """What is predicted of n tasks, by the control of each question.

    Attributes
    ----------
    schemas : the questions, the first one first
    labels : (n,) the predicted answers to each question
    sure : (n,) how probable each of them is; see `Ranking.sure`
    """

    schemas: Sequence[Schema]
    labels: Mapping[str, list[Answer]]
    sure: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, ranking: Ranking, schemas: Sequence[Schema]) -> Self:
        """Return what a ranking says of its tasks; each question must have a model."""
        first, *others = (one.control for one in schemas)
        rankings = {first: ranking, **{name: ranking.others[name] for name in others}}
        return cls(
            schemas=schemas,
            labels={name: one.labels() for name, one in rankings.items()},
            sure={name: one.sure() for name, one in rankings.items()},
        )

    @cached_property
    def rows(self) -> list[dict[str, Answer]]:
        """The predicted answers to each task, those that the editor hides too."""
        columns = zip(*self.labels.values(), strict=True)
        return [dict(zip(self.labels, row, strict=True)) for row in columns]

    def all_right(self) -> NDArray[np.float64]:
        """Return (n,) how probable it is that all answers to a task are right.

        That is as if the errors of the questions had nothing to do with each other.
        What the editor would hide beside the other answers cannot be wrong.
        """
        chances = np.column_stack([self.sure[name] for name in self.labels])
        return np.asarray(np.where(self._are_shown(), chances, 1.0).prod(axis=1))

    def _are_shown(self) -> NDArray[np.bool_]:
        """Return (n or 1, n_questions) whether the editor shows each answer."""
        conditions = [one.condition for one in self.schemas if one.condition]
        names = {one.control for one in conditions}
        deciding = [name for name in self.labels if name in names]

        @cache
        def are_shown(*answers: Answer) -> list[bool]:
            labels = dict(zip(deciding, answers, strict=True))
            shown = {one.control for one in shown_questions(labels, self.schemas)}
            return [name in shown for name in self.labels]

        if not deciding:
            return np.array([are_shown()], dtype=np.bool_)
        columns = zip(*(self.labels[name] for name in deciding), strict=True)
        rows = [are_shown(*answers) for answers in columns]
        return np.array(rows, dtype=np.bool_).reshape(-1, len(self.labels))
