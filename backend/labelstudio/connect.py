"""Making and repairing everything Dubito needs in a project, and removing it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from backend.errors import LabelStudioError, LabelStudioRefusedError
from backend.labelstudio.config import read_schema
from backend.labelstudio.refusals import TWO_SETTINGS, cure, is_reserved
from backend.labelstudio.scores import VERSION
from backend.records import UNCERTAINTY
from backend.state import keys
from backend.state.project import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from backend.labelstudio.client import LabelStudioClient
    from backend.records import JsonObject, MlBackend, Project, Webhook
    from backend.services import Services
    from backend.state.project import ProjectState

TITLE = "Dubito"
SECRET_HEADER = "X-Dubito-Secret"  # noqa: S105  # a header's name, not a secret
LEASE_PATIENCE = 60.0
ROW_PATIENCE = 10.0
POLL_SECONDS = 0.3
ADOPT_SECONDS = 15
DEFAULT_SAMPLING = "Sequential sampling"


def _quiet(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """Connects one Label Studio's projects with this Dubito.

    Attributes
    ----------
    say : told each step, and what it changed, in one line
    """

    services: Services
    client: LabelStudioClient
    say: Callable[[str], None] = _quiet

    def connect(self, number: int, backend_url: str) -> ProjectState:
        """Connect a project as the command does; safe to repeat.

        Raises
        ------
        SchemaError
            if its label config has nothing Dubito can learn; nothing is changed then
        """
        project = self.client.project(number)
        schema = read_schema(project.label_config)
        self.say(f"learns {schema.control!r}: {', '.join(schema.classes)}")
        state = self.services.projects.at(project.key)
        # The call that connecting causes is ours: nobody else needs to look into it,
        # and a look at a row that is being removed makes Label Studio keep it.
        self.services.is_first(f"{keys.ADOPTING}:{project.key}", ADOPT_SECONDS)
        with state.work.hold(LEASE_PATIENCE):
            backend = self._backend(project, backend_url.rstrip("/"))
            self._set_up(state, project, backend)
        return state

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
                    self._set_up(state, project, backend)
            time.sleep(POLL_SECONDS)
        return True

    def _row_with(self, number: int, host: str) -> MlBackend | None:
        rows = self.client.backends(number)
        return next((row for row in rows if _host(row.url) == host), None)

    def _set_up(
        self, state: ProjectState, project: Project, backend: MlBackend | None
    ) -> None:
        """Make the rest, note how it was before, and ask for a first round."""
        held = state.facts().connection
        webhook = None if backend is None else self._webhook(project, backend)
        connection = Connection(
            mode="polling" if webhook is None else "events",
            backend=None if backend is None else backend.id,
            backend_url="" if backend is None else backend.url,
            title=TITLE if backend is None else backend.title,
            webhook=None if webhook is None else webhook.id,
            tab=self._tab(project, held),
            found_sampling=_found_sampling(project, held),
            found_version=_found_version(project, backend, held),
        )
        state.note(
            project=project,
            connection=connection,
            extra_params=None if backend is None else backend.extra_params,
            paused="",
            queue_ready=False,
            last_error="",
        )
        self.services.projects.add(state.key)
        state.work.ask("everything")
        self.services.wake(state)

    def _backend(self, project: Project, url: str) -> MlBackend | None:
        """Return our row in the project; None where our address is refused."""
        for row in self.client.backends(project.id):
            if _same(row.url, url):
                self.say(f"the ML backend {row.title!r} is there")
                return row
        try:
            made = self._made_backend(project, url)
        except LabelStudioRefusedError as error:
            if not is_reserved(error):
                raise LabelStudioError(cure(error, url)) from error
            self._remove_half_made(project, url)
            self.say(f"Label Studio refuses {url}, so Dubito asks it: {TWO_SETTINGS}")
            return None
        self.say(f"made the ML backend {made.title!r} at {url}")
        return made

    def _made_backend(self, project: Project, url: str) -> MlBackend:
        settings = self.services.settings
        fields: JsonObject = {"url": url, "title": TITLE, "is_interactive": False}
        if settings.guarded:
            fields["auth_method"] = "BASIC_AUTH"
            fields["basic_auth_user"] = settings.basic_auth_user
            fields["basic_auth_pass"] = settings.basic_auth_pass
        return self.client.add_backend(project.id, **fields)

    def _remove_half_made(self, project: Project, url: str) -> None:
        """Remove what Label Studio keeps of a backend whose address it refused."""
        for row in self.client.backends(project.id):
            if _same(row.url, url):
                self.client.delete_backend(row.id)

    def _webhook(self, project: Project, backend: MlBackend) -> Webhook | None:
        """Make or repair the webhook; None if Label Studio takes no such address."""
        address = f"{backend.url.rstrip('/')}/webhook"
        headers = {SECRET_HEADER: self.services.webhook_secret()}
        fields: JsonObject = {
            "url": address,
            "headers": headers,
            "is_active": True,
            "send_payload": True,
            "send_for_all_actions": True,
        }
        try:
            return self._webhook_at(project, address, fields)
        except LabelStudioRefusedError as error:
            if is_reserved(error):
                self.say(f"no webhook: Label Studio refuses {address}; {TWO_SETTINGS}")
            elif error.status == 400:
                self.say(
                    f"no webhook: Label Studio takes no address like {address}; give"
                    " Dubito's host a name with a dot"
                )
            else:
                raise
            return None

    def _webhook_at(
        self, project: Project, address: str, fields: JsonObject
    ) -> Webhook:
        found = [w for w in self.client.webhooks(project.id) if w.url == address]
        for extra in found[1:]:
            self.client.delete_webhook(extra.id)
        if not found:
            self.say(f"made the webhook to {address}")
            return self.client.add_webhook(project.id, **fields)
        hook = found[0]
        right = hook.is_active and hook.send_payload and hook.send_for_all_actions
        if right and hook.headers == fields["headers"]:
            self.say("the webhook is there")
            return hook
        self.say("set the webhook right: active, for all events, with its secret")
        return self.client.change_webhook(hook.id, **fields, actions=[])

    def _tab(self, project: Project, held: Connection | None) -> int | None:
        """Make a tab that shows tasks as they will be asked for."""
        ids = {tab.get("id") for tab in self.client.tabs(project.id)}
        if held is not None and held.tab in ids:
            self.say("the tab in the Data Manager is there")
            return held.tab
        tab = self.client.add_tab(project.id, TAB)
        self.say(f"made the tab {TITLE!r} in the Data Manager")
        return tab


TAB: JsonObject = {
    "title": TITLE,
    "ordering": ["tasks:predictions_score"],
    "filters": {"conjunction": "and", "items": []},
}


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
        held = {"backend": row.id, "backend_url": row.url, "title": row.title}
        state.note(
            extra_params=row.extra_params,
            connection=connection.model_copy(update=held),
        )
        if row.extra_params != facts.extra_params:
            state.work.ask()
        return
    state.work.ask()
    state.note(
        connection=connection.model_copy(update={"backend": None}),
        queue_ready=False,
        paused="Dubito was removed from Settings → Model: run `dubito disconnect` to"
        " remove the rest, or `dubito connect` to connect it again",
    )


def our_row(rows: Sequence[MlBackend], connection: Connection) -> MlBackend | None:
    """Return our row: the one we know, or one made anew with our address."""
    known = (row for row in rows if row.id == connection.backend)
    anew = (row for row in rows if _same(row.url, connection.backend_url))
    return next(known, None) or next(anew, None)


def _found_sampling(project: Project, held: Connection | None) -> str:
    if held is not None:
        return held.found_sampling
    was_ours = project.model_version == VERSION and project.sampling == UNCERTAINTY
    return DEFAULT_SAMPLING if was_ours else project.sampling


def _found_version(
    project: Project, backend: MlBackend | None, held: Connection | None
) -> str:
    if held is not None:
        return held.found_version
    ours = {VERSION, None if backend is None else backend.title}
    return "" if project.model_version in ours else project.model_version or ""


def _host(url: str) -> str:
    """Return host and port of an address, without credentials."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def _same(one: str, other: str) -> bool:
    path = urlsplit(one).path.rstrip("/") == urlsplit(other).path.rstrip("/")
    return _host(one) == _host(other) and path
