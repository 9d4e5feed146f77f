"""One project, as Label Studio tells a model server of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from dubito.backend.records import Annotation
from tests.builders import BORN, annotation, project
from tests.label_studio import JsonObject, choices_config
from tests.official.server import ModelServer
from tests.questions import CLASSES, blobs

NUMBERS = count(1)
ROWS = blobs(60)
CONFIG = choices_config(*CLASSES, attributes='value="$row"')


@dataclass(slots=True, kw_only=True)
class PluginProject:
    """A project of its own in a server that may serve others."""

    server: ModelServer
    config: str = CONFIG
    number: int = field(default_factory=lambda: next(NUMBERS))

    @property
    def key(self) -> str:
        return f"{self.number}.{int(BORN.timestamp())}"

    def setup(self, extra_params: object = None) -> str:
        """Say what the project asks; return the version that is answered."""
        body = {
            "project": self.key,
            "schema": self.config,
            "hostname": "http://127.0.0.1:9",
            "access_token": "none",
            "extra_params": extra_params,
        }
        response = self.server.send("POST", "/setup", body).raise_for_status()
        return str(response.json()["model_version"])

    def predict(
        self, tasks: Sequence[JsonObject], context: JsonObject | None = None
    ) -> list[JsonObject]:
        params = {"login": None, "password": None, "context": context}
        body = {
            "tasks": tasks,
            "project": self.key,
            "label_config": self.config,
            "params": params,
        }
        response = self.server.send("POST", "/predict", body)
        assert response.status_code == 200, self.server.log
        results: list[JsonObject] = response.json()["results"]
        return results

    def tell(self, answer: Annotation, task: JsonObject) -> None:
        """Send the event of an annotation."""
        shown = project(self.number, label_config=self.config)
        body = {
            "action": "ANNOTATION_CREATED",
            "project": shown.model_dump(mode="json"),
            "annotation": answer.model_dump(mode="json"),
            "task": {"id": task["id"], "data": task["data"]},
        }
        response = self.server.send("POST", "/webhook", body)
        assert response.status_code == 201, self.server.log

    def label(self, tasks: Sequence[JsonObject], choices: Sequence[str]) -> None:
        """Let people answer tasks one after the other; "" is a skip."""
        for task, choice in zip(tasks, choices, strict=True):
            self.tell(annotation(task["id"], choice or None, task=task["id"]), task)


def as_sent(
    task: int, data: JsonObject, *annotations: Annotation, minute: float = 0
) -> JsonObject:
    """Build a task as a request for predictions has it, as it was at a minute."""
    changed = BORN + timedelta(minutes=minute)
    return {
        "id": task,
        "data": data,
        "annotations": [one.model_dump(mode="json") for one in annotations],
        "updated_at": changed.isoformat(),
    }


def tasks() -> list[JsonObject]:
    """Make the tasks of `questions.items(ROWS)`, as Label Studio sends them."""
    named = [{f"f{n}": float(x) for n, x in enumerate(row)} for row in ROWS]
    return [as_sent(task, data) for task, data in enumerate(named, start=10)]
