"""What the contract tests share: projects that serve by score."""

import json

from tests.label_studio import JsonObject, LabelStudio

VERSION = "ours"


def project_with(
    label_studio: LabelStudio, count: int, **fields: object
) -> tuple[int, list[int]]:
    """Make a project that serves by score, and its tasks."""
    fields = {"sampling": "Uncertainty sampling", **fields}
    project = label_studio.create_project("contract", None, **fields)
    rows = [{"text": f"text {number}"} for number in range(count)]
    return project, label_studio.import_tasks(project, rows)


def publish(label_studio: LabelStudio, project: int, scores: dict[int, float]) -> None:
    """Push scores and make their version the one that counts."""
    assert label_studio.publish(project, scores, VERSION) == len(scores)
    label_studio.patch_project(project, model_version=VERSION)


def changed_since(
    label_studio: LabelStudio, project: int, since: str
) -> list[JsonObject]:
    """Ask for the tasks that moved after a moment, with all they hold."""
    item = {
        "filter": "filter:tasks:updated_at",
        "operator": "greater",
        "type": "Datetime",
        "value": since,
    }
    filters = {"conjunction": "and", "items": [item]}
    query = json.dumps({"filters": filters, "ordering": ["tasks:updated_at"]})
    return label_studio.tasks(project, fields="all", query=query)
