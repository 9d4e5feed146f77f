"""The sample project, made in a Label Studio, and what people would say to it."""

from contextlib import closing

from dubito.backend.demo import sample
from dubito.backend.demo.sample_project import make_project, upload_recordings
from dubito.backend.labelstudio.client import LabelStudioClient
from tests.dubito_process import Rows
from tests.label_studio import JsonObject, LabelStudio


def activities_project(label_studio: LabelStudio) -> Rows:
    """Make the project, and tell what each of its tasks shows.

    The name of an uploaded file is ours after eight digits.
    """
    url, token = label_studio.url, label_studio.token
    with closing(LabelStudioClient.open(url, token)) as client:
        project = make_project(client)
        upload_recordings(client, project)
    answers = sample.answers()
    tasks = label_studio.tasks(project, include="id,data")
    files = {t["id"]: t["data"][sample.DATA_KEY].rpartition("/")[2] for t in tasks}
    truth = {task: answers[name[9:]] for task, name in files.items()}
    return Rows(project=project, truth=truth)


def activity(choice: str) -> list[JsonObject]:
    """Return what the editor stores for an activity."""
    return [
        {
            "from_name": "activity",
            "to_name": "recording",
            "type": "choices",
            "value": {"choices": [choice]},
        }
    ]
