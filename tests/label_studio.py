"""Talk to a Label Studio, real or fake, as people, browsers and scripts do."""

import ssl
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from tests.patience import until

Json = Any  # what a server may answer; read with care
JsonObject = dict[str, Any]

CONTROL = "label"
ITEM = "item"
REQUEST_TIMEOUT_SECONDS = 120.0
EVERYTHING = 1_000_000
# Loopback only: without certificates to load a client opens in no time.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def choices_config(
    *labels: str,
    tag: str = "Text",
    attributes: str = 'value="$text"',
    as_paths: bool = False,
) -> str:
    """Return a config of one single-choice control, named as in `choice_result`."""
    choices = "".join(f'<Choice value="{label}"/>' for label in labels)
    nested = ' allowNested="true"' if as_paths else ""
    control = f'<Choices name="{CONTROL}" toName="{ITEM}" choice="single"{nested}>'
    shown = f'<{tag} name="{ITEM}" {attributes}/>'
    return f"<View>{shown}{control}{choices}</Choices></View>"


def choice_result(choice: str | list[str]) -> list[JsonObject]:
    """Return what the editor stores for one choice: a path where `allowNested` is."""
    value = {"choices": [choice]}
    item = {"from_name": CONTROL, "to_name": ITEM, "type": "choices", "value": value}
    return [item]


class PersonalAccessToken(httpx.Auth):
    """Trade a personal access token for short-lived ones, again on each refusal."""

    requires_response_body = True

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._access = "none yet"

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._access}"
        response = yield request
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return
        refresh = f"{self._url}/api/token/refresh"
        response = yield httpx.Request("POST", refresh, json={"refresh": self._token})
        self._access = response.raise_for_status().json()["access"]
        request.headers["Authorization"] = f"Bearer {self._access}"
        yield request


class LegacyToken(httpx.Auth):
    """Send a legacy token, the only kind that old versions of Label Studio have."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Token {self._token}"
        yield request


def signature(url: str, token: str) -> httpx.Auth:
    """Return how a client signs its requests: personal tokens are of three parts."""
    is_personal = token.count(".") == 2
    return PersonalAccessToken(url, token) if is_personal else LegacyToken(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStudio:
    """One Label Studio with at least two people in it.

    Parameters
    ----------
    tokens : a personal access token for each user; the first owns everything
    users : a signed-in client for each user, in the same order
    """

    url: str
    tokens: tuple[str, ...]
    users: tuple[httpx.Client, ...]

    @property
    def token(self) -> str:
        """What an operator would configure Dubito with."""
        return self.tokens[0]

    def request(
        self, method: str, path: str, *, user: int = 0, **options: Json
    ) -> httpx.Response:
        """Send anything, and return whatever comes back."""
        return self.users[user].request(method, path, **options)

    def call(self, method: str, path: str, *, user: int = 0, **options: Json) -> Json:
        """Send a request that must succeed; return its JSON, None if it has none."""
        response = self.request(method, path, user=user, **options)
        if response.is_error:
            message = f"{method} {path}: {response.status_code} {response.text[:500]}"
            raise httpx.HTTPStatusError(
                message, request=response.request, response=response
            )
        return response.json() if response.content else None

    def create_project(
        self, title: str, label_config: str | None = None, **fields: object
    ) -> int:
        """Make a project; without a config its tasks are texts of class a or b."""
        config = label_config or choices_config("a", "b")
        body = {"title": title, "label_config": config, **fields}
        return int(self.call("POST", "/api/projects", json=body)["id"])

    def project(self, project: int) -> JsonObject:
        return dict(self.call("GET", f"/api/projects/{project}"))

    def patch_project(self, project: int, **fields: object) -> JsonObject:
        return dict(self.call("PATCH", f"/api/projects/{project}", json=fields))

    def delete_project(self, project: int) -> None:
        self.call("DELETE", f"/api/projects/{project}")

    def import_tasks(self, project: int, tasks: Iterable[JsonObject]) -> list[int]:
        """Import tasks, bare data or whole tasks; return their ids in this order."""
        rows = [task if "data" in task else {"data": task} for task in tasks]
        path = f"/api/projects/{project}/import?return_task_ids=true"
        return list(self.call("POST", path, json=rows)["task_ids"])

    def upload_csv(self, project: int, files: Mapping[str, str | bytes]) -> list[int]:
        """Make one time-series task of each file, the way that works."""
        return self.upload(project, files, "text/csv")

    def upload(
        self, project: int, files: Mapping[str, str | bytes], kind: str
    ) -> list[int]:
        """Make one task of each file, whose address it shows."""
        before = set(self.task_ids(project))
        ids = self._upload(project, files, kind)
        body = {"file_upload_ids": ids, "files_as_tasks_list": False}
        self.call("POST", f"/api/projects/{project}/reimport", json=body)
        return [task for task in self.task_ids(project) if task not in before]

    def upload_files(
        self, project: int, files: Mapping[str, str | bytes]
    ) -> dict[str, str]:
        """Upload files that no task shows yet; return the address of each."""
        ids = self._upload(project, files, "application/octet-stream")
        path = f"/api/projects/{project}/file-uploads?all=true"
        uploads = {one["id"]: one["file"] for one in self.call("GET", path)}
        addresses = (f"/data/{uploads[number]}" for number in ids)
        return dict(zip(files, addresses, strict=True))

    def _upload(
        self, project: int, files: Mapping[str, str | bytes], kind: str
    ) -> list[int]:
        uploads = {name: (name, content, kind) for name, content in files.items()}
        path = f"/api/projects/{project}/import?commit_to_project=false"
        return list(self.call("POST", path, files=uploads)["file_upload_ids"])

    def tasks(self, project: int, **params: object) -> list[JsonObject]:
        """Return all tasks, as the Data Manager's list shows them."""
        query = {"project": project, "page_size": EVERYTHING, **params}
        return list(self.call("GET", "/api/tasks", params=query)["tasks"])

    def task_ids(self, project: int) -> list[int]:
        return [int(task["id"]) for task in self.tasks(project, include="id")]

    def task(self, task: int) -> JsonObject:
        """Open one task, which may ask the ML backend for a prediction."""
        return dict(self.call("GET", f"/api/tasks/{task}"))

    def patch_task(self, task: int, **fields: object) -> JsonObject:
        return dict(self.call("PATCH", f"/api/tasks/{task}/", json=fields))

    def delete_task(self, task: int) -> None:
        self.call("DELETE", f"/api/tasks/{task}")

    def delete_tasks(self, project: int) -> None:
        """Delete all tasks of a project, which sends no webhook."""
        self.call("DELETE", f"/api/projects/{project}/tasks/")

    def next_task(self, project: int, user: int = 0) -> int | None:
        """Press "Label All Tasks": the task shown, None when all is done."""
        response = self.request("GET", f"/api/projects/{project}/next", user=user)
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        return int(response.raise_for_status().json()["id"])

    def annotate(
        self, task: int, choice: str | Sequence[JsonObject], user: int = 0
    ) -> int:
        """Submit a label, a choice or a whole result; return the annotation's id."""
        body = {"result": _result(choice), "lead_time": 1.5}
        return self._submit(task, body, user)

    def skip(self, task: int, user: int = 0) -> int:
        return self._submit(task, {"result": [], "was_cancelled": True}, user)

    def _submit(self, task: int, body: JsonObject, user: int) -> int:
        path = f"/api/tasks/{task}/annotations"
        return int(self.call("POST", path, user=user, json=body)["id"])

    def update_annotation(
        self, annotation: int, choice: str | Sequence[JsonObject], **fields: object
    ) -> JsonObject:
        body = {"result": _result(choice), **fields}
        return dict(self.call("PATCH", f"/api/annotations/{annotation}/", json=body))

    def delete_annotation(self, annotation: int) -> None:
        self.call("DELETE", f"/api/annotations/{annotation}/")

    def export(self, project: int, **params: object) -> list[JsonObject]:
        """Return the JSON export: annotated tasks only, unless `download_all_tasks`.

        While another export of the project is made, Label Studio may answer with an
        empty body: that is asked again.
        """
        query = {"exportType": "JSON", **params}
        path = f"/api/projects/{project}/export"
        rows: list[JsonObject] = []

        def is_whole() -> bool:
            answer = self.call("GET", path, params=query)
            rows[:] = answer or []
            return answer is not None

        until(is_whole)
        return rows

    def publish(self, project: int, scores: Mapping[int, float], version: str) -> int:
        """Store a score per task in one bulk call; return how many it reports."""
        rows = [
            {"task": task, "score": score, "result": [], "model_version": version}
            for task, score in scores.items()
        ]
        path = f"/api/projects/{project}/import/predictions"
        return int(self.call("POST", path, json=rows)["created"])

    def predictions(self, project: int, **params: object) -> list[JsonObject]:
        query = {"project": project, **params}
        return list(self.call("GET", "/api/predictions/", params=query))

    def add_prediction(self, task: int, score: float, version: str) -> int:
        body = {"task": task, "score": score, "result": [], "model_version": version}
        return int(self.call("POST", "/api/predictions/", json=body)["id"])

    def patch_prediction(self, prediction: int, **fields: object) -> JsonObject:
        return dict(self.call("PATCH", f"/api/predictions/{prediction}/", json=fields))

    def ml_backends(self, project: int) -> list[JsonObject]:
        return list(self.call("GET", "/api/ml", params={"project": project}))

    def connect_backend(
        self, project: int, url: str, title: str = "Dubito", **fields: object
    ) -> JsonObject:
        """Fill in Settings → Model → Connect Model."""
        body = {"project": project, "url": url, "title": title, **fields}
        return dict(self.call("POST", "/api/ml", json=body))

    def delete_backend(self, backend: int) -> None:
        self.call("DELETE", f"/api/ml/{backend}")

    def start_training(self, backend: int) -> None:
        self.call("POST", f"/api/ml/{backend}/train", json={})

    def webhooks(self, project: int) -> list[JsonObject]:
        return list(self.call("GET", "/api/webhooks/", params={"project": project}))

    def add_webhook(self, project: int, url: str, **fields: object) -> JsonObject:
        body = {"project": project, "url": url, **fields}
        return dict(self.call("POST", "/api/webhooks/", json=body))

    def views(self, project: int) -> list[JsonObject]:
        """Return the Data Manager's tabs."""
        return list(self.call("GET", "/api/dm/views/", params={"project": project}))


def _result(choice: str | Sequence[JsonObject]) -> Sequence[JsonObject]:
    return choice_result(choice) if isinstance(choice, str) else choice


@contextmanager
def signed_in(url: str, tokens: Sequence[str]) -> Iterator[LabelStudio]:
    """Open a client for each token, and close them all at the end."""
    with ExitStack() as stack:
        clients = [
            stack.enter_context(
                httpx.Client(
                    base_url=url,
                    auth=signature(url, token),
                    timeout=REQUEST_TIMEOUT_SECONDS,
                    verify=NO_TLS,
                    trust_env=False,
                )
            )
            for token in tokens
        ]
        yield LabelStudio(url=url, tokens=tuple(tokens), users=tuple(clients))
