"""Leaving a project as it was found."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import (
    LabelStudioError,
    LabelStudioRefusedError,
    ProjectGoneError,
)
from backend.labelstudio.again import Recaller
from backend.labelstudio.connect import DEFAULT_SAMPLING, LEASE_PATIENCE, our_row
from backend.labelstudio.removal import Remover
from backend.labelstudio.scores import LABELS_VERSION, VERSION
from backend.progress import Show, show_nothing
from backend.records import UNCERTAINTY
from backend.state.project import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from backend.labelstudio.client import LabelStudioClient
    from backend.state.project import Projects, ProjectState
    from backend.state.work import Lease

MOST_LOOKS = 20
CALM_LOOKS = 2
LOOK_SECONDS = 0.5

LEAVING = (
    "Dubito is being removed from this project: run `dubito disconnect` again to"
    " finish, or `dubito connect` to stay"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnector:
    """Removes from a project what connecting made.

    Attributes
    ----------
    say : told each step in one line
    show : told how far the removal of our scores has come
    """

    client: LabelStudioClient
    projects: Projects
    say: Callable[[str], None]
    show: Show = show_nothing

    def disconnect(self, state: ProjectState) -> None:
        """Remove all that was made in a project, and forget it.

        Whoever is stopped in the middle leaves a project that is paused, and that can
        be disconnected again.
        """
        connection = state.facts().connection or Connection()
        with state.work.hold(LEASE_PATIENCE) as lease:
            try:
                self._undo(state, connection, lease)
            except ProjectGoneError:
                self.say("the project is gone from Label Studio")
            self.projects.remove(state.key)
        self.say("forgot the project")

    def _undo(self, state: ProjectState, connection: Connection, lease: Lease) -> None:
        number = state.id
        project = self.client.project(number)
        state.note(queue_ready=False, paused=LEAVING)
        if project.sampling == UNCERTAINTY:
            sampling = connection.found_sampling or DEFAULT_SAMPLING
            self.client.patch_project(number, sampling=sampling)
            self.say(f"Task Sampling is {sampling!r} again")
        if connection.tab is not None:
            self.client.delete_tab(connection.tab)
            self.say("removed the tab")
        self._remove_hooks(number, connection)
        self._remove_backend(number, connection)
        if project.model_version in {VERSION, "", None, connection.title}:
            self._restore_version(number, connection.found_version)
        self._put_back(state, lease)
        self._await_bulk(state)
        Remover(
            client=self.client, state=state, lease=lease, say=self.say, show=self.show
        ).remove_rows()
        self._tell_of_labels(state)

    def _tell_of_labels(self, state: ProjectState) -> None:
        """Say that labels of the rest stay: they are the owner's."""
        rows = self.client.rows(state.id)
        count = sum(row.model_version == LABELS_VERSION for row in rows)
        if count:
            self.say(f"left {count} labels of version {LABELS_VERSION}: they are yours")

    def _put_back(self, state: ProjectState, lease: Lease) -> None:
        """Put answers back that were taken out, where nobody has answered since."""
        recaller = Recaller(client=self.client, state=state, lease=lease)
        answered = {answer.task for answer in state.annotations.all()}
        for task, asked in state.again.all().items():
            if task in answered:
                recaller.let_go(task, asked)
            else:
                recaller.put_back(task, asked)
                self.say(f"put the label of task {task} back")

    def _await_bulk(self, state: ProjectState) -> None:
        """Wait for first rows that Label Studio is still storing."""
        deadline = time.monotonic() + LEASE_PATIENCE
        while state.published.is_bulk_running() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def _remove_backend(self, number: int, connection: Connection) -> None:
        """Remove our row, and look until it stays away.

        Label Studio stores a row again that somebody was looking at meanwhile.
        """
        removed = calm = 0
        for _ in range(MOST_LOOKS):
            row = our_row(self.client.backends(number), connection)
            if row is None:
                calm += 1
            else:
                self.client.delete_backend(row.id)
                removed, calm = removed + 1, 0
            if calm == CALM_LOOKS or not removed:
                break
            time.sleep(LOOK_SECONDS)
        else:
            text = (
                f"Label Studio keeps the ML backend {connection.title!r}: close pages"
                " that show Settings → Model, and disconnect again"
            )
            raise LabelStudioError(text)
        if removed:
            self.say("removed the ML backend")

    def _remove_hooks(self, number: int, connection: Connection) -> None:
        address = f"{connection.backend_url.rstrip('/')}/webhook"
        for hook in self.client.webhooks(number):
            if connection.backend_url and hook.url == address:
                self.client.delete_webhook(hook.id)
                self.say("removed the webhook")

    def _restore_version(self, number: int, version: str) -> None:
        """Set the version found before; none if its predictions are gone."""
        try:
            self.client.patch_project(number, model_version=version)
        except LabelStudioRefusedError:
            self.client.patch_project(number, model_version="")
