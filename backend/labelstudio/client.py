"""Label Studio's API, as far as Dubito needs it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Self

from dubito.backend.errors import (
    LabelStudioError,
    LabelStudioRefusedError,
    ProjectGoneError,
)
from dubito.backend.http_client.client import open_client
from dubito.backend.labelstudio import task_lists
from dubito.backend.labelstudio.auth import Credentials
from dubito.backend.labelstudio.instrumented_client import (
    CallRecorder,
    InstrumentedClient,
)
from dubito.backend.labelstudio.responses import answer, read, read_list
from dubito.backend.records import Annotation, MlBackend, Project, Row, Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import httpx

    from dubito.backend.records import JsonObject

PATIENCE_SECONDS = 30.0
PAGE = 500
"""Tasks read at a time: reading 1,000 keeps annotators waiting twice as long."""

LOOK_SECONDS = 5.0
"""Somebody looks at the page, and waits."""

WANTED = "id,data,created_at,updated_at,total_annotations,cancelled_annotations"


@dataclass(frozen=True, slots=True)
class LabelStudioClient:
    """One Label Studio, spoken to with one key."""

    url: str
    access: Credentials
    http: httpx.Client = field(repr=False)

    @classmethod
    def open(cls, url: str, key: str, counters: CallRecorder | None = None) -> Self:
        """Prepare to speak to a Label Studio; nothing is sent yet.

        Parameters
        ----------
        counters : where calls are counted; who only asks once counts none
        """
        if counters is None:
            http = open_client(url, seconds=PATIENCE_SECONDS)
        else:
            http = InstrumentedClient(url, counters, PATIENCE_SECONDS)
        return cls(url, Credentials(http, key), http)

    def close(self) -> None:
        """Close all connections."""
        self.http.close()

    def project(self, project: int) -> Project:
        """Return a project; raise `ProjectGoneError` if there is none."""
        try:
            return read(Project, self.ask("GET", f"/api/projects/{project}/"))
        except LabelStudioRefusedError as error:
            if error.status in {403, 404}:
                raise ProjectGoneError(project) from error
            raise

    def patch_project(self, project: int, **changes: object) -> Project:
        """Change settings of a project."""
        path = f"/api/projects/{project}/"
        return read(Project, self.ask("PATCH", path, json=changes))

    def tasks(
        self, project: int, filters: Sequence[JsonObject] = ()
    ) -> Iterator[task_lists.TaskPage]:
        """Yield tasks that pass any of the filters, or all of them, page by page."""
        query = {"filters": {"conjunction": "or", "items": list(filters)}}
        for number in range(1, 1_000_000):
            began = time.monotonic()
            page = self._page(project, query, page=number, page_size=PAGE)
            took = time.monotonic() - began
            yield page
            if len(page.tasks) < PAGE:
                return
            time.sleep(took / 2)  # those who label wait for whoever reads

    def task_data(self, project: int, task: int) -> JsonObject | None:
        """Return what a task holds, soon; None if the project has no such task.

        A list is asked for: to open the task by itself would make Label Studio ask
        its ML backend, us, for a prediction.
        """
        query = task_lists.only(task)
        page = self._page(project, query, seconds=LOOK_SECONDS, page=1, page_size=1)
        return next((one.data for one in page.tasks if one.id == task), None)

    def latest_change(self, project: int) -> task_lists.ListedTask | None:
        """Return the task that changed last; None where there is no task."""
        newest = {"ordering": ["-tasks:updated_at"]}
        page = self._page(project, newest, page=1, page_size=1)
        return page.tasks[0] if page.tasks else None

    def clock(self) -> datetime | None:
        """Return what time it was for Label Studio at its last answer, if it said."""
        try:
            return parsedate_to_datetime(self.access.date).replace(tzinfo=UTC)
        except ValueError:
            return None

    def _page(
        self,
        project: int,
        query: Mapping[str, object],
        *,
        seconds: float = PATIENCE_SECONDS,
        **paging: int,
    ) -> task_lists.TaskPage:
        params = {
            "project": project,
            "include": WANTED,
            "query": json.dumps(query),
            "resolve_uri": "false",
            **paging,
        }
        try:
            reply = self.ask("GET", "/api/tasks", params=params, seconds=seconds)
            return read(task_lists.TaskPage, reply)
        except LabelStudioRefusedError as error:
            if error.status == 404 and "page" in error.detail.lower():
                return task_lists.TaskPage()  # the page after the last one
            if error.status == 404:
                raise ProjectGoneError(project) from error
            raise

    def annotations(self, project: int, tasks: Sequence[int] = ()) -> list[Annotation]:
        """Return the annotations of some tasks, or of all tasks of a project."""
        path = f"/api/projects/{project}/export"
        query = {"exportType": "JSON", "ids[]": list(tasks)}
        reply = read_list(
            task_lists.AnnotatedTask, self.ask("GET", path, params=query, seconds=600)
        )
        return [annotation for task in reply for annotation in task.annotations]

    def rows(self, project: int, task: int | None = None) -> list[Row]:
        """Return the predictions of a project, or of one of its tasks."""
        query = {"project": project} | ({} if task is None else {"task": task})
        reply = self.ask("GET", "/api/predictions/", params=query, seconds=300)
        return read_list(Row, reply)

    def add_row(self, task: int, row: Mapping[str, object]) -> Row:
        """Store a prediction with a task."""
        body = {"task": task, **row}
        return read(Row, self.ask("POST", "/api/predictions/", json=body))

    def row(self, row: int) -> Row | None:
        """Return a prediction; None if it is gone."""
        try:
            return read(Row, self.ask("GET", f"/api/predictions/{row}/"))
        except LabelStudioRefusedError as error:
            if error.status != 404:
                raise
            return None

    def change_row(self, row: int, task: int, **changes: object) -> Row:
        """Change a prediction in place; 404 if it is none of this task's."""
        path = f"/api/predictions/{row}/?task={task}"
        return read(Row, self.ask("PATCH", path, json=changes))

    def delete_row(self, row: int) -> None:
        """Remove a prediction; it may be gone already."""
        self._delete(f"/api/predictions/{row}/")

    def delete_only_rows(self, project: int, tasks: Sequence[int], version: str) -> int:
        """Remove the prediction of tasks that have one alone, of this version.

        The Data Manager's action removes every prediction of the tasks it is shown;
        its filter shows it none that has another one. Label Studio looks while it
        removes: what others add meanwhile stays. On SQLite only: elsewhere Label
        Studio refuses this filter.
        """
        if not tasks:
            return 0  # an empty choice would mean all tasks
        alone = {"filter": "filter:tasks:predictions_model_versions", "type": "List"}
        alone |= {"operator": "equal", "value": version}
        selection = {
            "filters": {"conjunction": "and", "items": [alone]},
            "selectedItems": {"all": False, "included": list(tasks)},
        }
        action = {"project": project, "id": "delete_tasks_predictions"}
        path = "/api/dm/actions"
        reply = self.ask("POST", path, params=action, json=selection)
        count = reply.get("processed_items") if isinstance(reply, dict) else None
        return count if isinstance(count, int) else 0

    def import_rows(
        self, project: int, rows: Iterable[Mapping[str, object]], seconds: float
    ) -> int:
        """Store many predictions in one call; return how many were taken."""
        path = f"/api/projects/{project}/import/predictions"
        reply = self.ask("POST", path, json=list(rows), seconds=seconds)
        count = reply.get("created") if isinstance(reply, dict) else None
        return count if isinstance(count, int) else 0

    def backends(self, project: int) -> list[MlBackend]:
        """Return the ML backends of a project; Label Studio calls each of them."""
        reply = self.ask("GET", "/api/ml", params={"project": project})
        return read_list(MlBackend, reply)

    def add_backend(self, project: int, **fields: object) -> MlBackend:
        """Connect an ML backend; Label Studio calls it first."""
        body = {"project": project, **fields}
        return read(MlBackend, self.ask("POST", "/api/ml", json=body))

    def delete_backend(self, backend: int) -> None:
        """Disconnect an ML backend; it may be gone already."""
        self._delete(f"/api/ml/{backend}")

    def webhooks(self, project: int) -> list[Webhook]:
        """Return the webhooks of a project."""
        reply = self.ask("GET", "/api/webhooks/", params={"project": project})
        return read_list(Webhook, reply)

    def add_webhook(self, project: int, **fields: object) -> Webhook:
        """Make a webhook."""
        body = {"project": project, **fields}
        return read(Webhook, self.ask("POST", "/api/webhooks/", json=body))

    def change_webhook(self, webhook: int, **fields: object) -> Webhook:
        """Change a webhook; Label Studio forgets the fields that are not sent."""
        return read(
            Webhook, self.ask("PATCH", f"/api/webhooks/{webhook}/", json=fields)
        )

    def delete_webhook(self, webhook: int) -> None:
        """Remove a webhook; it may be gone already."""
        self._delete(f"/api/webhooks/{webhook}/")

    def tabs(self, project: int) -> list[JsonObject]:
        """Return the tabs of the Data Manager."""
        reply = self.ask("GET", "/api/dm/views/", params={"project": project})
        return reply if isinstance(reply, list) else []

    def add_tab(self, project: int, data: Mapping[str, object]) -> int:
        """Make a tab in the Data Manager; return its id."""
        body = {"project": project, "data": dict(data)}
        return read(task_lists.TabId, self.ask("POST", "/api/dm/views/", json=body)).id

    def change_tab(self, tab: int, data: Mapping[str, object]) -> None:
        """Change what a tab of the Data Manager shows."""
        self.ask("PATCH", f"/api/dm/views/{tab}/", json={"data": dict(data)})

    def delete_tab(self, tab: int) -> None:
        """Remove a tab of the Data Manager; it may be gone already."""
        self._delete(f"/api/dm/views/{tab}/")

    def _delete(self, path: str) -> None:
        try:
            self.ask("DELETE", path)
        except LabelStudioRefusedError as error:
            if error.status != 404:
                raise

    def ask(
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
        if response.is_redirect:
            other = response.headers.get("Location", "nowhere")[:200]
            message = (
                f"{self.url} redirects to {other}, and Dubito does not send the API"
                " key there: set LABEL_STUDIO_URL to the final address"
            )
            raise LabelStudioError(message)
        return answer(f"{method} {path}", response)
