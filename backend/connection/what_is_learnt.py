"""What is learnt in a project, told when it is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.features.learnt_questions import learnt_questions
from dubito.backend.features.media import learnt_beside

if TYPE_CHECKING:
    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import Project


def what_is_learnt(
    client: LabelStudioClient, project: Project, extra_params: object
) -> list[str]:
    """Return lines that say which questions are learnt, which are not, and why.

    Raises
    ------
    SchemaError
        if nothing can be learnt, or not what the settings choose
    """
    first, lines = learnt_questions(project.label_config, extra_params)
    if not first.unread:
        return lines
    page = next(client.tasks(project.id))
    sample = [task.data for task in page.tasks]
    return [*lines, learnt_beside(first, extra_params, sample)]
