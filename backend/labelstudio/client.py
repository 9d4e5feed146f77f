"""Label Studio's API, as far as Dubito needs it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx

from backend.errors import (
    LabelStudioError,
    LabelStudioRefusedError,
    ProjectGoneError,
)
from backend.labelstudio.access import Access
from backend.labelstudio.answers import answer, read, read_list
from backend.labelstudio.listed import AnnotatedTask, TaskPage
from backend.labelstudio.witness import WitnessedClient
from backend.records import Annotation, MlBackend, Project, Reading, Row, Webhook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from backend.records import JsonObject
    from backend.state.tally import Tally

PATIENCE_SECONDS = 30.0
PAGE = 500
"""Tasks read at a time: reading 1,000 keeps annotators waiting twice as long."""

LOOK_SECONDS = 5.0
"""Somebody looks at the page, and waits."""

WANTED = "id,data,updated_at,total_annotations,cancelled_annotations"


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
    def open(cls, url: str, key: str, tally: Tally | None = None) -> Self:
        """Prepare to speak to a Label Studio; nothing is sent yet.

        Parameters
        ----------
        tally : where calls are counted; who only asks once counts none
        """
        if tally is None:
            http = httpx.Client(base_url=url, timeout=PATIENCE_SECONDS)
        else:
            http = WitnessedClient(url, tally, PATIENCE_SECONDS)
        return cls(url, Access(http, key), http)

    def close(self) -> None:
        """Close all connections."""
        self.http.close()

    def project(self, project: int) -> Project:
        """Return a project; raise `ProjectGoneError` if it is not there."""
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

    def tasks(self, project: int, changed_after: str = "") -> Iterator[TaskPage]:
        """Yield tasks with their data, page by page.

        Parameters
        ----------
        changed_after : some task's own ``updated_at``; all tasks if empty
        """
        newer = {"filter": "filter:tasks:updated_at", "operator": "greater"}
        newer |= {"type": "Datetime", "value": changed_after}
        items = [newer] if changed_after else []
        query = {"filters": {"conjunction": "and", "items": items}}
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
        one: JsonObject = {"filter": "filter:tasks:id", "operator": "equal"}
        one |= {"type": "Number", "value": task}
        query = {"filters": {"conjunction": "and", "items": [one]}}
        page = self._page(project, query, seconds=LOOK_SECONDS, page=1, page_size=1)
        found = [listed.data for listed in page.tasks if listed.id == task]
        return found[0] if found else None

    def latest_change(self, project: int) -> str:
        """Return the ``updated_at`` of the task that changed last; empty if none."""
        query = {"ordering": ["-tasks:updated_at"]}
        page = self._page(project, query, page=1, page_size=1)
        return max((task.updated_at for task in page.tasks), default="")

    def _page(
        self,
        project: int,
        query: Mapping[str, object],
        *,
        seconds: float = PATIENCE_SECONDS,
        **paging: int,
    ) -> TaskPage:
        asked = {
            "project": project,
            "include": WANTED,
            "query": json.dumps(query),
            "resolve_uri": "false",
            **paging,
        }
        try:
            found = self.ask("GET", "/api/tasks", params=asked, seconds=seconds)
            return read(TaskPage, found)
        except LabelStudioRefusedError as error:
            if error.status == 404 and "page" in error.detail.lower():
                return TaskPage()  # the page after the last one
            if error.status == 404:
                raise ProjectGoneError(project) from error
            raise

    def annotations(self, project: int, tasks: Sequence[int] = ()) -> list[Annotation]:
        """Return the annotations of some tasks, or of all tasks of a project."""
        path = f"/api/projects/{project}/export"
        query = {"exportType": "JSON", "ids[]": list(tasks)}
        found = read_list(
            AnnotatedTask, self.ask("GET", path, params=query, seconds=600)
        )
        return [annotation for task in found for annotation in task.annotations]

    def rows(self, project: int, task: int | None = None) -> list[Row]:
        """Return the predictions of a project, or of one of its tasks."""
        query = {"project": project} | ({} if task is None else {"task": task})
        found = self.ask("GET", "/api/predictions/", params=query, seconds=300)
        return read_list(Row, found)

    def add_row(self, task: int, row: Mapping[str, object]) -> Row:
        """Store a prediction with a task."""
        body = {"task": task, **row}
        return read(Row, self.ask("POST", "/api/predictions/", json=body))

    def change_row(self, row: int, **changes: object) -> Row:
        """Change a prediction in place."""
        path = f"/api/predictions/{row}/"
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
        chosen = {
            "filters": {"conjunction": "and", "items": [alone]},
            "selectedItems": {"all": False, "included": list(tasks)},
        }
        action = {"project": project, "id": "delete_tasks_predictions"}
        path = "/api/dm/actions"
        told = self.ask("POST", path, params=action, json=chosen)
        removed = told.get("processed_items") if isinstance(told, dict) else None
        return removed if isinstance(removed, int) else 0

    def import_rows(
        self, project: int, rows: Iterable[Mapping[str, object]], seconds: float
    ) -> int:
        """Store many predictions in one call; return how many were taken."""
        path = f"/api/projects/{project}/import/predictions"
        told = self.ask("POST", path, json=list(rows), seconds=seconds)
        created = told.get("created") if isinstance(told, dict) else None
        return created if isinstance(created, int) else 0

    def backends(self, project: int) -> list[MlBackend]:
        """Return the ML backends of a project; Label Studio calls each of them."""
        found = self.ask("GET", "/api/ml", params={"project": project})
        return read_list(MlBackend, found)

    def add_backend(self, project: int, **fields: object) -> MlBackend:
        """Connect an ML backend; Label Studio calls it first."""
        body = {"project": project, **fields}
        return read(MlBackend, self.ask("POST", "/api/ml", json=body))

    def delete_backend(self, backend: int) -> None:
        """Disconnect an ML backend; it may be gone already."""
        self._delete(f"/api/ml/{backend}")

    def webhooks(self, project: int) -> list[Webhook]:
        """Return the webhooks of a project."""
        found = self.ask("GET", "/api/webhooks/", params={"project": project})
        return read_list(Webhook, found)

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
        found = self.ask("GET", "/api/dm/views/", params={"project": project})
        return found if isinstance(found, list) else []

    def add_tab(self, project: int, data: Mapping[str, object]) -> int:
        """Make a tab in the Data Manager; return its id."""
        body = {"project": project, "data": dict(data)}
        return read(TabId, self.ask("POST", "/api/dm/views/", json=body)).id

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
                f"{self.url} sends us on to {other}, where"
                " our key is not shown: set LABEL_STUDIO_URL to its true address"
            )
            raise LabelStudioError(message)
        return answer(f"{method} {path}", response)
