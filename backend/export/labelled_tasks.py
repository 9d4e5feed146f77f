"""Tasks with their predictions, as Label Studio imports them into another project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.export.formats import as_json
from dubito.backend.export.tables import predictions_for_label_studio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dubito.backend.records import JsonObject
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState


def tasks_with_predictions(services: Services, state: ProjectState) -> Iterator[bytes]:
    """Return tasks by id, with their data, as pieces of JSON.

    The data is read from Label Studio: we keep none of it. That takes long where there
    are many tasks, so it is for a command, not for a request. Files that the data names
    stay where they are.

    Raises
    ------
    LabelStudioError
        if the tasks cannot be read
    """
    # What stands in the way is said before the long reading.
    predictions = predictions_for_label_studio(state)
    client = services.label_studio(state.facts().token)
    pages = client.tasks(state.id)
    data = {task.id: task.data for page in pages for task in page.tasks}
    return as_json(_joined(predictions, data))


def _joined(
    predictions: Iterator[JsonObject], data: dict[int, JsonObject]
) -> Iterator[JsonObject]:
    for prediction in predictions:
        task = prediction.pop("task")
        if isinstance(task, int) and task in data:
            yield {"data": data[task], "predictions": [prediction]}
