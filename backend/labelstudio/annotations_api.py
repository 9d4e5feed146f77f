"""Annotations in Label Studio: made of predictions, read one by one, and removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.errors import LabelStudioRefusedError
from dubito.backend.labelstudio.responses import read
from dubito.backend.records import Annotation, JsonObject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient

UNANSWERED: list[JsonObject] = [
    {
        "filter": f"filter:tasks:{count}",
        "operator": "equal",
        "value": 0,
        "type": "Number",
    }
    for count in ("total_annotations", "cancelled_annotations")
]


@dataclass(frozen=True, slots=True)
class AnnotationsApi:
    """Reads and changes annotations."""

    client: LabelStudioClient

    def answer_as_predicted(
        self, project: int, tasks: Sequence[int], version: str
    ) -> None:
        """Make annotations of some tasks' predictions of a version.

        Label Studio looks while it writes: a task that somebody has answered or
        skipped meanwhile is passed over, and no prediction becomes two annotations.
        """
        if not tasks:
            return  # an empty choice would mean all tasks
        body = {
            "filters": {"conjunction": "and", "items": UNANSWERED},
            "selectedItems": {"all": False, "included": list(tasks)},
            "model_version": version,
        }
        action = {"project": project, "id": "predictions_to_annotations"}
        self.client.ask("POST", "/api/dm/actions", params=action, json=body)

    def annotation(self, annotation: int) -> Annotation | None:
        """Return an annotation; None if it is gone."""
        answer = self._record_at(f"/api/annotations/{annotation}/")
        return None if answer is None else read(Annotation, answer)

    def add(self, task: int, answer: JsonObject) -> Annotation:
        """Store an annotation."""
        path = f"/api/tasks/{task}/annotations"
        return read(Annotation, self.client.ask("POST", path, json=answer))

    def delete(self, annotation: int) -> None:
        """Remove an annotation; it may be gone already."""
        try:
            self.client.ask("DELETE", f"/api/annotations/{annotation}/")
        except LabelStudioRefusedError as error:
            if error.status != 404:
                raise

    def _record_at(self, path: str) -> object:
        try:
            return self.client.ask("GET", path)
        except LabelStudioRefusedError as error:
            if error.status != 404:
                raise
            return None
