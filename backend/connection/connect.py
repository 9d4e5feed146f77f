"""Making and repairing everything Dubito needs in a project, and removing it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.connection.attachments import (
    MARKED,
    Attachments,
    host_of,
    our_row,
    own_marks,
    remember_mark,
    without_user,
)
from dubito.backend.connection.backend_row import TITLE, BackendRow
from dubito.backend.connection.earlier_settings import (
    sampling_before,
    version_before,
)
from dubito.backend.connection.other_dubitos import OtherDubitos, about_others
from dubito.backend.connection.own_webhook import OwnWebhook
from dubito.backend.connection.what_is_learnt import what_is_learnt
from dubito.backend.errors import OtherDubitoError
from dubito.backend.state import keys
from dubito.backend.state.facts import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import JsonObject, MlBackend, Project, Webhook
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState

LEASE_PATIENCE = 60.0
ROW_PATIENCE = 10.0
POLL_SECONDS = 0.3
ADOPT_SECONDS = 15
REMOVED = (
    "Dubito was removed from Settings → Model: run `dubito disconnect` to remove the"
    " rest, or `dubito connect` to connect it again"
)


def _quiet(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """Connects one Label Studio's projects with this Dubito.

    Attributes
    ----------
    say : told each step, and what it changed, in one line
    takes_over : whether another Dubito in the project is replaced
    extra_params : settings to give to the project; None leaves them as they are
    """

    services: Services
    client: LabelStudioClient
    say: Callable[[str], None] = _quiet
    takes_over: bool = False
    extra_params: JsonObject | None = None

    def connect(self, number: int, backend_url: str) -> ProjectState:
        """Connect a project as the command does; safe to repeat.

        Raises
        ------
        SchemaError
            if its label config has nothing Dubito can learn, or shows what cannot be
            read, with nothing beside; nothing is changed then
        OtherDubitoError
            if another Dubito is connected, which is not to be replaced; nothing is
            changed then
        """
        project = self.client.project(number)
        state = self.services.projects.at(project.key)
        params = (self.extra_params, state.facts().extra_params)
        for line in what_is_learnt(
            self.client, project, next((p for p in params if p is not None), None)
        ):
            self.say(line)
        # The call that connecting causes is ours: nobody else needs to look into it,
        # and a look at a row that is being removed makes Label Studio keep it.
        self.services.claim_once(f"{keys.ADOPTING}:{project.key}", ADOPT_SECONDS)
        with state.work.acquire(LEASE_PATIENCE):
            url = backend_url.rstrip("/")
            attachments = self._without_others(state, url)
            backend = BackendRow(
                client=self.client,
                settings=self.services.settings,
                say=self.say,
                project=project.id,
                extra_params=self.extra_params,
            ).put(attachments, url)
            self._set_up(state, project, backend, url)
        return state

    def _extra_params(self, state: ProjectState, backend: MlBackend | None) -> object:
        """Return the settings: Dubito keeps those of a project without a row."""
        if backend is not None:
            return backend.extra_params
        if self.extra_params is not None:
            return self.extra_params
        connection = state.facts().connection
        had_row = connection is not None and connection.backend is not None
        return None if had_row else state.facts().extra_params

    def adopt(self, key: str, host: str, token: str) -> bool:
        """Connect a project whose own dialog has just named us; False if it did not.

        The dialog calls us before it has noted us: we wait until it has. That the
        project's list of backends holds our address is what makes us believe it.
        """
        state = self.services.projects.at(key)
        project = self.client.project(state.id)
        if project.key != key:
            return False
        deadline = time.monotonic() + ROW_PATIENCE
        while self._row_with(state.id, host) is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        while not self.services.is_connected(state):  # or the command is at it
            with state.work.lease() as lease:
                if lease is not None:
                    backend = self._row_with(state.id, host)
                    if backend is None:  # refused after all, and removed again
                        return False
                    state.note(token=token)
                    attachments = self._attached(state, backend.url)
                    if attachments.other_addresses:
                        self._wait(state, project, backend, attachments)
                        return True
                    self._set_up(state, project, backend, backend.url)
            time.sleep(POLL_SECONDS)
        return True

    def _row_with(self, number: int, host: str) -> MlBackend | None:
        rows = self.client.backends(number)
        return next((row for row in rows if host_of(row.url) == host), None)

    def _attached(self, state: ProjectState, url: str) -> Attachments:
        remember_mark(self.services)
        marks, connection = own_marks(self.services.redis), state.facts().connection
        return Attachments.read(self.client, state.id, marks, connection, url)

    def _without_others(self, state: ProjectState, url: str) -> Attachments:
        """Return what is attached once no other Dubito is; raise if one stays."""
        attachments = self._attached(state, url)
        others = OtherDubitos.find(self.client, state.id, attachments, url)
        if not others.are_there:
            return attachments
        if not self.takes_over:
            raise OtherDubitoError(state.id, others.addresses)
        others.remove(self.client, self.say)
        return self._attached(state, url)

    def _wait(
        self,
        state: ProjectState,
        project: Project,
        backend: MlBackend,
        attachments: Attachments,
    ) -> None:
        """Note a project that another Dubito orders: nothing is written there."""
        fallback = Connection(backend_url=backend.url, title=backend.title)
        state.note(
            project=project,
            connection=state.facts().connection or fallback,
            paused=about_others(state.id, attachments.other_addresses),
            queue_ready=False,
        )
        self.services.projects.add(state.key)

    def _set_up(
        self, state: ProjectState, project: Project, backend: MlBackend | None, url: str
    ) -> None:
        """Make the rest, note how it was before, and ask for a first round."""
        before = state.facts().connection
        url_there = "" if backend is None else backend.url
        webhook = self.put_webhook(state, url_there, before)
        connection = Connection(
            mode="polling" if webhook is None else "events",
            backend=None if backend is None else backend.id,
            backend_url="" if backend is None else backend.url,
            title=TITLE if backend is None else backend.title,
            webhook=None if webhook is None else webhook.id,
            tab=self._tab(state, url),
            found_sampling=sampling_before(project, before),
            found_version=version_before(project, backend, before),
        )
        state.note(
            project=project,
            connection=connection,
            extra_params=self._extra_params(state, backend),
            paused="",
            queue_ready=False,
            last_error="",
        )
        self.services.projects.add(state.key)
        state.work.request("everything")
        self.services.wake(state)

    def put_webhook(
        self, state: ProjectState, url: str, before: Connection | None
    ) -> Webhook | None:
        """Make or repair the webhook; None if there is none at this address.

        Parameters
        ----------
        url : the address in our row; empty if there is no row
        before : how the project was connected before
        """
        marks = own_marks(self.services.redis)
        # Read anew: Label Studio has made a webhook of its own accord.
        attachments = Attachments.read(self.client, state.id, marks, before, url)
        return OwnWebhook(
            client=self.client,
            secret=self.services.webhook_secret(),
            say=self.say,
            project=state.id,
        ).put(attachments, url)

    def _tab(self, state: ProjectState, url: str) -> int | None:
        """Make a tab that shows tasks as they will be asked for, and who made it."""
        mark = {"mark": remember_mark(self.services), "url": without_user(url)}
        own = self._attached(state, url).own_tabs
        if not own:
            tab = self.client.add_tab(state.id, {**TAB, MARKED: mark})
            self.say(f"made the tab {TITLE!r} in the Data Manager")
            return tab
        self.say("the tab in the Data Manager exists")
        number, data = int(str(own[0]["id"])), own[0].get("data")
        if isinstance(data, dict) and data.get(MARKED) != mark:
            self.client.change_tab(number, {**data, MARKED: mark})
        return number


TAB: JsonObject = {
    "title": TITLE,
    "ordering": ["tasks:predictions_score"],
    "filters": {"conjunction": "and", "items": []},
}


def follow(services: Services, state: ProjectState, client: LabelStudioClient) -> None:
    """Read what the owner chose from our row; follow it to another address."""
    before = state.facts().connection
    read_settings(state, client)
    connection = state.facts().connection
    if before is None or connection is None or connection.backend is None:
        return
    if connection.backend_url == before.backend_url or state.facts().paused:
        return
    connector = Connector(services=services, client=client)
    hook = connector.put_webhook(state, connection.backend_url, before)
    changes: JsonObject = {"webhook": None, "mode": "polling"}
    if hook is not None:
        changes = {"webhook": hook.id, "mode": "events"}
    state.note(connection=connection.model_copy(update=changes))


def read_settings(state: ProjectState, client: LabelStudioClient) -> None:
    """Read what the owner chose from our row; pause if somebody removed it."""
    facts = state.facts()
    connection = facts.connection
    if connection is None or connection.backend is None:
        return
    rows = client.backends(state.id)
    # Being asked for them, Label Studio has called us again: that call is answered.
    state.note(settings_at=state.clock())
    row = our_row(rows, connection)
    if row is not None:
        fields = {"backend": row.id, "backend_url": row.url, "title": row.title}
        state.note(
            extra_params=row.extra_params,
            connection=connection.model_copy(update=fields),
        )
        if row.extra_params != facts.extra_params:
            state.work.request()
        return
    state.note(
        connection=connection.model_copy(update={"backend": None}),
        queue_ready=False,
        paused=REMOVED,
    )
    state.work.request("project")  # another Dubito may have taken its place
