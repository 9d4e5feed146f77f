"""Leaving a project as it was found."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dubito.backend.connection.attachments import (
    Attachments,
    own_marks,
    webhook_url,
    without_user,
)
from dubito.backend.connection.backend_row import TITLE
from dubito.backend.connection.connect import LEASE_PATIENCE, TAB
from dubito.backend.connection.earlier_settings import DEFAULT_SAMPLING
from dubito.backend.connection.labelling_watch import LabellingWatch
from dubito.backend.errors import (
    LabelStudioError,
    LabelStudioRefusedError,
    NotAllUndoneError,
    ProjectGoneError,
)
from dubito.backend.progress import Show, show_nothing, time_left
from dubito.backend.publishing.removal import Remover
from dubito.backend.publishing.scores import KEPT_VERSION, LABELS_VERSION, VERSION
from dubito.backend.records import UNCERTAINTY
from dubito.backend.relabel.recall import AnswerRecall
from dubito.backend.state.facts import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import JsonObject, Project, Webhook
    from dubito.backend.state.project import Projects, ProjectState
    from dubito.backend.state.relabel import RelabelRequest
    from dubito.backend.state.work_queue import Lease

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
    leftovers : what could not be undone, and what to do about it by hand
    """

    client: LabelStudioClient
    projects: Projects
    say: Callable[[str], None]
    show: Show = show_nothing
    leftovers: list[str] = field(default_factory=list)

    def disconnect(self, state: ProjectState) -> None:
        """Remove all that was made in a project, and forget it.

        What Label Studio refuses keeps nothing else from being undone. Whoever is
        stopped in the middle leaves a project that is paused, and that can be
        disconnected again.

        Raises
        ------
        NotAllUndoneError
            if something is left in Label Studio; the project is not forgotten then
        """
        connection = state.facts().connection or Connection()
        with state.work.acquire(LEASE_PATIENCE) as lease:
            try:
                self._undo(state, connection, lease)
            except ProjectGoneError as error:
                if _is_only_hidden(error):
                    raise
                self.leftovers.clear()
                self.say("the project no longer exists in Label Studio")
            if self.leftovers:
                raise NotAllUndoneError(len(self.leftovers), state.id)
            self.projects.remove(state.key)
        self.say("disconnected: Dubito stores nothing of this project any more")

    @contextmanager
    def _attempt(self, what: str, by_hand: str) -> Iterator[None]:
        """Do one thing; say what a person has to do if Label Studio does not do it."""
        try:
            yield
        except ProjectGoneError:
            raise
        except LabelStudioError as error:
            text = f"could not {what}: {error}. Do this by hand: {by_hand}"
            self.leftovers.append(text)
            self.say(text)

    def _undo(self, state: ProjectState, connection: Connection, lease: Lease) -> None:
        project = self.client.project(state.id)
        state.note(queue_ready=False, paused=LEAVING)
        attachments = self._attached(state, connection)
        others = attachments.other_addresses
        if not others:
            self._restore_sampling(project, connection)
        self._detach(state.id, connection, attachments)
        if not others:
            self._restore_version(project, connection)
        self._put_back(state, lease)
        self._await_bulk(state)
        if others:
            where = ", ".join(others)
            self.say(f"kept the order and the scores for the other Dubito at {where}")
        else:
            self._remove_scores(state, lease)
        self._tell_of_labels(state)

    def _attached(self, state: ProjectState, connection: Connection) -> Attachments:
        """Return what is attached; what cannot be read is told, and left."""
        url = connection.backend_url
        hooks: list[Webhook] = []
        by_hand = f"delete {webhook_url(url)} in Settings → Webhooks"
        with self._attempt("look for the webhook", by_hand):
            hooks = self.client.webhooks(state.id)
        tabs: list[JsonObject] = []
        by_hand = f"delete the tab {TITLE!r} in the Data Manager"
        with self._attempt("look for the tab", by_hand):
            tabs = self.client.tabs(state.id)
        return Attachments(
            connection=connection,
            urls=[url] if url else [],
            marks=own_marks(self.projects.client),
            hooks=hooks,
            tabs=tabs,
        )

    def _detach(
        self, number: int, connection: Connection, attachments: Attachments
    ) -> None:
        """Remove this Dubito's tab, webhooks and ML backends, at any address."""
        by_hand = f"delete the tab {TITLE!r} in the Data Manager"
        with self._attempt("remove the tab", by_hand):
            self._remove_tab(attachments)
        self._remove_hooks(attachments)
        by_hand = f"delete {connection.title!r} in Settings → Model"
        with self._attempt("remove the ML backend", by_hand):
            self._remove_backend(number, connection, attachments)

    def _remove_scores(self, state: ProjectState, lease: Lease) -> None:
        by_hand = f"delete the version {VERSION!r} in Settings → Predictions"
        with self._attempt("remove all scores", by_hand):
            watch = LabellingWatch(self.client, self.projects, state.id)
            remover = Remover(
                client=self.client,
                state=state,
                lease=lease,
                say=self.say,
                show=self._progress(state),
                is_unused=watch.is_unused,
            )
            try:
                remover.remove_rows()
            finally:  # also where it was interrupted
                state.note(removal="")

    def _progress(self, state: ProjectState) -> Show:
        """Return who shows how far the removal is, and notes it for the status."""
        began = time.monotonic()

        def show(step: str, done: int, total: int) -> None:
            remaining_time = time_left(time.monotonic() - began, done, total)
            state.note(removal=f"{step}: {done} of {total}, {remaining_time}")
            self.show(step, done, total)

        return show

    def _restore_sampling(self, project: Project, connection: Connection) -> None:
        if project.sampling != UNCERTAINTY:
            return
        sampling = connection.found_sampling or DEFAULT_SAMPLING
        by_hand = f"choose {sampling!r} in Settings → General → Task Sampling"
        with self._attempt("restore Task Sampling", by_hand):
            self.client.patch_project(project.id, sampling=sampling)
            self.say(f"restored Task Sampling: {sampling!r}")

    def _remove_tab(self, attachments: Attachments) -> None:
        """Remove our tab; after a restored backup its number may be another one's."""
        for tab in attachments.own_tabs:
            data = tab.get("data")
            ordering = data.get("ordering") if isinstance(data, dict) else None
            if ordering == TAB["ordering"]:
                self.client.delete_tab(int(str(tab["id"])))
                self.say("removed the tab")

    def _tell_of_labels(self, state: ProjectState) -> None:
        """Say that labels of the rest stay: they are the owner's."""
        with suppress(LabelStudioError):  # there is nothing to be done about them
            versions = [row.model_version for row in self.client.rows(state.id)]
            if count := versions.count(LABELS_VERSION):
                text = f"kept {count} labels of version {LABELS_VERSION}"
                self.say(f"{text}: delete them in Label Studio if you do not need them")

    def _put_back(self, state: ProjectState, lease: Lease) -> None:
        """Put answers back that were taken out, where nobody has answered since."""
        recall = AnswerRecall(client=self.client, state=state, lease=lease)
        answered_tasks = {
            a.task for a in state.annotations.all() if not a.is_unconfirmed
        }
        for task, request in state.relabel.all().items():
            by_hand = (
                f"label task {task} as {request.label!r}, and delete its prediction of"
                f" version {KEPT_VERSION!r}"
            )
            with self._attempt(f"put the label of task {task} back", by_hand):
                if task in answered_tasks:
                    recall.let_go(task, request)
                else:
                    self._put_back_one(recall, task, request)

    def _put_back_one(
        self, recall: AnswerRecall, task: int, request: RelabelRequest
    ) -> None:
        try:
            notes = recall.put_back(task, request)
        except LabelStudioRefusedError as error:
            if error.status != 404:
                raise
            recall.state.relabel.forget([task])
            self.say(f"task {task} was deleted, so its label was not restored")
            return
        for note in notes or [f"put the label of task {task} back"]:
            self.say(note)

    def _await_bulk(self, state: ProjectState) -> None:
        """Wait for first rows that Label Studio is still storing."""
        deadline = time.monotonic() + LEASE_PATIENCE
        while state.published.is_bulk_running() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def _remove_backend(
        self, number: int, connection: Connection, attachments: Attachments
    ) -> None:
        """Remove our rows, and look until they stay away.

        Label Studio stores a row again that somebody was looking at meanwhile.
        """
        removed_count = calm = 0
        for _ in range(MOST_LOOKS):
            rows = [r for r in self.client.backends(number) if attachments.is_own(r)]
            for row in rows:
                self.client.delete_backend(row.id)
            removed_count += len(rows)
            calm = 0 if rows else calm + 1
            if calm == CALM_LOOKS or not removed_count:
                break
            time.sleep(LOOK_SECONDS)
        else:
            text = (
                f"Label Studio keeps the ML backend {connection.title!r}: close all"
                " browser pages that show Settings → Model"
            )
            raise LabelStudioError(text)
        if removed_count:
            self.say("removed the ML backend")

    def _remove_hooks(self, attachments: Attachments) -> None:
        for hook in attachments.own_hooks:
            by_hand = f"delete {without_user(hook.url)} in Settings → Webhooks"
            with self._attempt("remove the webhook", by_hand):
                self.client.delete_webhook(hook.id)
                self.say("removed the webhook")

    def _restore_version(self, project: Project, connection: Connection) -> None:
        """Set the version found before; none if its predictions are gone."""
        version = connection.found_version
        if project.model_version not in {VERSION, "", None, connection.title}:
            return
        by_hand = (
            "choose the model version in Settings → Annotation, or save that page"
            " without one"
        )
        with self._attempt("restore the model version", by_hand):
            try:
                self.client.patch_project(project.id, model_version=version)
            except LabelStudioRefusedError:
                self.client.patch_project(project.id, model_version="")


def _is_only_hidden(error: ProjectGoneError) -> bool:
    """Tell whether the project may be there, but not for the key's owner."""
    cause = error.__cause__
    return isinstance(cause, LabelStudioRefusedError) and cause.status == 403
