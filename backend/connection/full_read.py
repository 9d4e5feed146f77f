"""One look at Label Studio: what it shows is the truth of its moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.labelstudio.task_lists import ListedTask
    from dubito.backend.records import Annotation
    from dubito.backend.state.project import ProjectState

MANY = 100
"""More tasks than this are not named one by one: an address may not be endless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullRead:
    """Takes over what is read of one project.

    Attributes
    ----------
    began : the number of the look; of what arrived later events know better
    """

    client: LabelStudioClient
    state: ProjectState
    began: int

    def take_tasks(self, tasks: Sequence[ListedTask]) -> bool:
        """Take tasks over; return whether Label Studio went back in time."""
        comparison = self.state.sightings.compare(tasks)
        if comparison.others:
            self.state.tasks.forget(comparison.others)
            self.state.work.request()
        self.state.sightings.note(tasks)
        numbers = [task.id for task in tasks]
        there, revived_ids = self.state.sightings.revive(numbers, self.began)
        if revived_ids:
            self.look_at_rows()
        if self.state.tasks.receive(task for task in tasks if task.id in there):
            self.state.work.request()
        return comparison.went_back

    def look_at_rows(self) -> None:
        """Ask what we have in Label Studio before anything is written there again."""
        self.state.autolabel.look_again()
        self.state.work.request("rows")

    def take_answers(self, tasks: Sequence[ListedTask]) -> bool:
        """Read the annotations of tasks and take them over.

        Returns
        -------
        whether Label Studio went back in time: a number was used again
        """
        if not tasks:
            return False
        numbers = frozenset(task.id for task in tasks)
        answered_ids = [task.id for task in tasks if task.is_answered]
        annotations: list[Annotation] = []
        if len(answered_ids) > MANY:
            everything = self.client.annotations(self.state.id)
            annotations = [one for one in everything if one.task in numbers]
        elif answered_ids:
            annotations = self.client.annotations(self.state.id, answered_ids)
        return self.state.annotations.merge(self.began, annotations, numbers).is_reused

    def miss(self, tasks: Collection[int]) -> None:
        """Forget tasks that are not there, and their annotations."""
        if tasks:
            self.state.tasks.remove(tasks)
            self.state.annotations.drop_of_tasks(tasks)
            self.state.work.request()
