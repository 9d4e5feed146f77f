"""Label Studio's API, as far as Dubito needs it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx

from backend.errors import LabelStudioRefusedError, ProjectGoneError
from backend.labelstudio.access import Access
from backend.labelstudio.answers import answer, read, read_list
from backend.records import Annotation, MlBackend, Project, Reading, Row, Task, Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from backend.records import JsonObject

PATIENCE_SECONDS = 30.0
PAGE = 1_000


class AnnotatedTask(Task):
    """A task with everything people answered to it."""

    updated_at: str = ""
    annotations: tuple[Annotation, ...] = ()


class TaskPage(Reading):
    """Some of a project's tasks, and how many there are."""

    total: int = 0
    tasks: tuple[AnnotatedTask, ...] = ()


class TabId(Reading):
    """A tab of the Data Manager."""

    id: int


@dataclass(frozen=True, slots=True)
class LabelStudioClient:
    """One Label Studio, spoken to with one key."""

    url: str
    access: Access
    http: httpx.Client = field(repr=False)

    @classmethod
    def open(cls, url: str, key: str) -> Self:
        """Prepare to speak to a Label Studio; nothing is sent yet."""
        http = httpx.Client(base_url=url, timeout=PATIENCE_SECONDS)
        return cls(url, Access(http, key), http)

    def close(self) -> None:
        """Close all connections."""
        self.http.close()

    def project(self, project: int) -> Project:
        """Return a project; raise `ProjectGoneError` if it is not there."""
        try:
            return read(Project, self._ask("GET", f"/api/projects/{project}/"))
        except LabelStudioRefusedError as error:
            if error.status in {403, 404}:
                raise ProjectGoneError(project) from error
            raise

    def patch_project(self, project: int, **changes: object) -> Project:
        """Change settings of a project."""
        path = f"/api/projects/{project}/"
        return read(Project, self._ask("PATCH", path, json=changes))

    def task_pages(self, project: int) -> Iterator[TaskPage]:
        """Yield the id and data of every task, page by page."""
        seen = 0
        for number in range(1, 1_000_000):
            query = {"project": project, "include": "id,data", "page_size": PAGE}
            page = self._page({**query, "page": number})
            yield page
            seen += len(page.tasks)
            if len(page.tasks) < PAGE or seen >= page.total:
                return

    def changed_tasks(self, project: int, since: str) -> Iterator[TaskPage]:
        """Yield every task changed after a time, with its annotations.

        Parameters
        ----------
        since : a task's own ``updated_at``; empty for a glance at the latest change
        """
        if not since:
            latest = {"ordering": ["-tasks:updated_at"]}
            glance = {"project": project, "include": "id,updated_at", "page_size": 1}
            yield self._page({**glance, "query": json.dumps(latest)})
            return
        newer = {"filter": "filter:tasks:updated_at", "operator": "greater"}
        newer |= {"type": "Datetime", "value": since}
        wanted = {
            "filters": {"conjunction": "and", "items": [newer]},
            "ordering": ["tasks:updated_at"],
        }
        query = {"project": project, "fields": "all", "page_size": PAGE}
        for number in range(1, 1_000_000):
            page = self._page({**query, "query": json.dumps(wanted), "page": number})
            yield page
            if len(page.tasks) < PAGE:
                return

    def _page(self, query: Mapping[str, object]) -> TaskPage:
        raw = {**query, "resolve_uri": "false"}
        try:
            return read(TaskPage, self._ask("GET", "/api/tasks", params=raw))
        except LabelStudioRefusedError as error:
            if error.status == 404 and "page" in error.detail.lower():
                return TaskPage()  # the page after the last one
            raise

    def annotations(self, project: int) -> list[Annotation]:
        """Return every annotation of a project."""
        path = f"/api/projects/{project}/export"
        tasks = self._ask("GET", path, params={"exportType": "JSON"}, seconds=600)
        found = read_list(AnnotatedTask, tasks)
        return [annotation for task in found for annotation in task.annotations]

    def rows(self, project: int, task: int | None = None) -> list[Row]:
        """Return the predictions of a project, or of one of its tasks."""
        query = {"project": project} | ({} if task is None else {"task": task})
        found = self._ask("GET", "/api/predictions/", params=query, seconds=300)
        return read_list(Row, found)

    def add_row(self, task: int, row: Mapping[str, object]) -> Row:
        """Store a prediction with a task."""
        body = {"task": task, **row}
        return read(Row, self._ask("POST", "/api/predictions/", json=body))

    def change_row(self, row: int, **changes: object) -> Row:
        """Change a prediction in place."""
        path = f"/api/predictions/{row}/"
        return read(Row, self._ask("PATCH", path, json=changes))

    def delete_row(self, row: int) -> None:
        """Remove a prediction; it may be gone already."""
        self._delete(f"/api/predictions/{row}/")

    def delete_version(self, project: int, version: str) -> None:
        """Remove all predictions of one version; slow, and blocks annotators."""
        path = f"/api/projects/{project}/model-versions/"
        self._ask("DELETE", path, json={"model_version": version}, seconds=3_600)

    def import_rows(
        self, project: int, rows: Iterable[Mapping[str, object]], seconds: float
    ) -> int:
        """Store many predictions in one call; return how many were taken."""
        path = f"/api/projects/{project}/import/predictions"
        told = self._ask("POST", path, json=list(rows), seconds=seconds)
        created = told.get("created") if isinstance(told, dict) else None
        return created if isinstance(created, int) else 0

    def backends(self, project: int) -> list[MlBackend]:
        """Return the ML backends of a project; Label Studio calls each of them."""
        found = self._ask("GET", "/api/ml", params={"project": project})
        return read_list(MlBackend, found)

    def add_backend(self, project: int, **fields: object) -> MlBackend:
        """Connect an ML backend; Label Studio calls it first."""
        body = {"project": project, **fields}
        return read(MlBackend, self._ask("POST", "/api/ml", json=body))

    def delete_backend(self, backend: int) -> None:
        """Disconnect an ML backend; it may be gone already."""
        self._delete(f"/api/ml/{backend}")

    def webhooks(self, project: int) -> list[Webhook]:
        """Return the webhooks of a project."""
        found = self._ask("GET", "/api/webhooks/", params={"project": project})
        return read_list(Webhook, found)

    def add_webhook(self, project: int, **fields: object) -> Webhook:
        """Make a webhook."""
        body = {"project": project, **fields}
        return read(Webhook, self._ask("POST", "/api/webhooks/", json=body))

    def change_webhook(self, webhook: int, **fields: object) -> Webhook:
        """Change a webhook; Label Studio forgets the fields that are not sent."""
        return read(
            Webhook, self._ask("PATCH", f"/api/webhooks/{webhook}/", json=fields)
        )

    def delete_webhook(self, webhook: int) -> None:
        """Remove a webhook; it may be gone already."""
        self._delete(f"/api/webhooks/{webhook}/")

    def tabs(self, project: int) -> list[JsonObject]:
        """Return the tabs of the Data Manager."""
        found = self._ask("GET", "/api/dm/views/", params={"project": project})
        return found if isinstance(found, list) else []

    def add_tab(self, project: int, data: Mapping[str, object]) -> int:
        """Make a tab in the Data Manager; return its id."""
        body = {"project": project, "data": dict(data)}
        return read(TabId, self._ask("POST", "/api/dm/views/", json=body)).id

    def delete_tab(self, tab: int) -> None:
        """Remove a tab of the Data Manager; it may be gone already."""
        self._delete(f"/api/dm/views/{tab}/")

    def _delete(self, path: str) -> None:
        try:
            self._ask("DELETE", path)
        except LabelStudioRefusedError as error:
            if error.status != 404:
                raise

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        json: object = None,
        seconds: float = PATIENCE_SECONDS,
    ) -> object:
        """Send one request; return the JSON of the answer, or raise."""
        request = self.http.build_request(
            method,
            path,
            params=params,  # type: ignore[arg-type]
            json=json,
            timeout=seconds,
        )
        response = self.access.send(request)
        return answer(f"{method} {path}", response)
