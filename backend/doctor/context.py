"""What is examined, and everything read of it; each thing is read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dubito.backend.connection.attachments import (
    Attachments,
    mark_of,
    our_row,
    own_marks,
)
from dubito.backend.connection.backend_row import TITLE
from dubito.backend.errors import StoreUnavailableError, UnknownProjectError
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.responses import answer, read_list
from dubito.backend.listening import local_url
from dubito.backend.records import MlBackend, Text
from dubito.backend.state.facts import Connection

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

    from dubito.backend.records import JsonObject, Project, Webhook
    from dubito.backend.services import Services
    from dubito.backend.settings import Settings
    from dubito.backend.state.facts import ProjectFacts
    from dubito.backend.state.project import ProjectState

ANSWER_SECONDS = 6.0
"""A Label Studio that needs longer is of no use to annotators either."""


class ShownBackend(MlBackend):
    """A model connected to a project, and how Label Studio's last call of it went."""

    error_message: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """How Label Studio answered its first question.

    Attributes
    ----------
    seconds : how long that took
    read_at : when the answer was here, by our clock
    date : when it was written, by Label Studio's clock, if it says so
    """

    response: httpx.Response
    seconds: float
    read_at: float
    date: datetime | None = None


@dataclass(kw_only=True, eq=False)
class DiagnosticContext:
    """One Dubito with its store and its Label Studio, and maybe one project.

    Parameters
    ----------
    services : None if the store cannot be used
    number : of the project in Label Studio; 0 while the whole is looked at
    live : whether a real event may be sent through Label Studio
    """

    settings: Settings
    services: Services | None = None
    store_fault: str = ""
    number: int = 0
    live: bool = False
    greeting: Greeting | None = None
    called_at: float = 0.0

    @property
    def store(self) -> Services:
        """Return the services over the store; raise if it cannot be used."""
        if self.services is None:
            raise StoreUnavailableError(self.store_fault)
        return self.services

    @cached_property
    def client(self) -> LabelStudioClient:
        """Return Label Studio, spoken to with the key that Dubito would use."""
        key = self.settings.label_studio_key or self.handed_over
        return LabelStudioClient.open(self.settings.label_studio_url, key)

    @property
    def handed_over(self) -> str:
        """Return the key that Label Studio's dialog handed over, if any."""
        if self.services is None:
            return ""
        projects = self.services.projects
        tokens = (projects.at(key).facts().token for key in projects.known())
        return next((token for token in tokens if token), "")

    @cached_property
    def info(self) -> JsonObject:
        """Return what the store says of itself."""
        return dict(self.store.redis.info())

    @cached_property
    def state(self) -> ProjectState | None:
        """Return what is kept of the project; None if it is not looked after."""
        if self.services is None:
            return None
        try:
            return self.services.projects.find(str(self.number))
        except UnknownProjectError:
            return None

    def facts(self) -> ProjectFacts | None:
        """Return what is known of the project now."""
        return None if self.state is None else self.state.facts()

    @property
    def connection(self) -> Connection | None:
        """Return how the project is connected, as far as we know."""
        facts = self.facts()
        return None if facts is None else facts.connection

    @cached_property
    def project(self) -> Project:
        """Return the project as Label Studio shows it."""
        return self.client.project(self.number)

    @cached_property
    def backends(self) -> list[ShownBackend]:
        """Return the project's ML backends; Label Studio calls each of them first."""
        self.called_at = self.setup_at()
        reply = self.get("/api/ml", project=self.number)
        return read_list(ShownBackend, reply)

    @cached_property
    def webhooks(self) -> list[Webhook]:
        """Return the project's webhooks."""
        return self.client.webhooks(self.number)

    @cached_property
    def attached(self) -> Attachments:
        """Return the project's webhooks and tabs, ours told from another Dubito's."""
        secret = self.settings.webhook_secret
        marks = frozenset({mark_of(secret)} if secret else ())
        if self.services is not None:
            marks |= own_marks(self.services.redis)
        connection = self.connection or Connection()
        return Attachments(
            connection=connection,
            urls=[connection.backend_url or local_url(self.settings)],
            marks=marks,
            hooks=self.webhooks,
            tabs=self.client.tabs(self.number),
        )

    @property
    def row(self) -> ShownBackend | None:
        """Return our row among the project's ML backends.

        Without a store we go by its title.
        """
        if self.connection is None:
            return next((row for row in self.backends if row.title == TITLE), None)
        own = our_row(self.backends, self.connection)
        return None if own is None else self._listed_backend(own)

    def _listed_backend(self, backend: MlBackend) -> ShownBackend:
        return next(row for row in self.backends if row.id == backend.id)

    def setup_at(self) -> float:
        """Return when Label Studio last called us for the project."""
        facts = self.facts()
        return 0.0 if facts is None else facts.setup_at

    def get(self, path: str, **query: int) -> object:
        """Return what Label Studio answers to a question with our key."""
        request = self.client.http.build_request(
            "GET", path, params=query, timeout=ANSWER_SECONDS
        )
        return answer(f"GET {path}", self.client.access.send(request))

    def of(self, number: int) -> DiagnosticContext:
        """Return the same Dubito, to look at one of its projects."""
        context = DiagnosticContext(
            settings=self.settings,
            services=self.services,
            store_fault=self.store_fault,
            number=number,
            live=self.live,
        )
        context.__dict__["client"] = self.client  # which has bought its access token
        return context

    def close(self) -> None:
        """Close the connections to Label Studio."""
        if "client" in self.__dict__:
            self.client.close()


def age(at: float, now: float) -> str:
    """Return how long ago something was, in words."""
    seconds = max(0.0, now - at)
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}{'s' * (count != 1)} ago"
    return f"{seconds:.0f} s ago"
