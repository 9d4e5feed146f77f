"""The tasks that nobody has answered, and what the last round thinks of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.learning.joint_predictions import JointPredictions
from dubito.backend.state.autolabel import AutolabelRow

if TYPE_CHECKING:
    from dubito.backend.controls.codec import Answer
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.state.ranking import Ranking
    from dubito.model.arrays import Certainty, TaskIds


@dataclass(frozen=True, kw_only=True)
class OpenTasks:
    """What the last round thinks of the tasks that nobody has answered.

    Attributes
    ----------
    first : name of the control of the first question
    task_ids : (m,) ascending
    certainty : (m,) of the least certain question
    predictions : the answers to all questions
    """

    first: str
    task_ids: TaskIds
    certainty: Certainty
    predictions: JointPredictions

    @classmethod
    def of(cls, snapshot: ProjectSnapshot, ranking: Ranking) -> OpenTasks:
        """Choose the tasks that are open, could be read, and were not skipped."""
        candidates = answerable(snapshot) - snapshot.state.tasks.set_aside().keys()
        open_tasks = ranking.among(candidates)
        return cls(
            first=snapshot.schema.control,
            task_ids=open_tasks.task_ids,
            certainty=open_tasks.certainty,
            predictions=JointPredictions.of(open_tasks, snapshot.schemas),
        )

    def at_least(self, certainty: float) -> dict[int, AutolabelRow]:
        """Return the labels of those that are so certain."""
        ids, values = self.task_ids.tolist(), self.certainty.tolist()
        rows = zip(ids, self.predictions.rows, values, strict=True)
        return {
            task: self._row(labels, value)
            for task, labels, value in rows
            if value >= certainty
        }

    def _row(self, labels: dict[str, Answer], certainty: float) -> AutolabelRow:
        others = {name: one for name, one in labels.items() if name != self.first}
        return AutolabelRow(
            label=labels[self.first], certainty=certainty, others=others
        )


def answerable(snapshot: ProjectSnapshot) -> frozenset[int]:
    """Return the tasks that nobody has answered or skipped, and that may wait.

    Those that are asked again are for people.
    """
    requests = snapshot.state.relabel.all().keys()
    return snapshot.unanswered_tasks - requests
