"""Which webhooks, tabs and ML backends of a project are this Dubito's, which another's.

A webhook shows the secret of the Dubito that made it; a tab holds a mark made of it.
A secret changes, and a store is lost, so the address counts as well: what leads to this
Dubito is its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dubito.backend.state import keys
from dubito.backend.state.facts import Connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import JsonObject, MlBackend, Webhook
    from dubito.backend.services import Services

SECRET_HEADER = "X-Dubito-Secret"  # noqa: S105  # a header's name, not a secret
MARKED = "dubito"
"""The entry in a tab's data that says which Dubito made it, and where that is."""


@lru_cache(maxsize=64)
def mark_of(secret: str) -> str:
    """Return what a Dubito is known by; it does not give the secret away."""
    digest = hashlib.scrypt(secret.encode(), salt=b"dubito", n=4096, r=8, p=1, dklen=12)
    return digest.hex()


def remember_mark(services: Services) -> str:
    """Note the mark of this Dubito, for the time when its secret is another one."""
    mark = mark_of(services.webhook_secret())
    services.redis.sadd(keys.MARKS, mark)
    return mark


def own_marks(redis: Redis) -> frozenset[str]:
    """Return the marks by which this Dubito is, or was, known."""
    marks = {mark.decode() for mark in redis.smembers(keys.MARKS)}
    secret: bytes = redis.get(keys.WEBHOOK_SECRET) or b""
    return frozenset(marks | ({mark_of(secret.decode())} if secret else set()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """The webhooks and tabs of a project.

    Attributes
    ----------
    urls : the addresses of this Dubito
    marks : those of this Dubito
    """

    connection: Connection
    urls: Sequence[str]
    marks: frozenset[str]
    hooks: Sequence[Webhook] = ()
    tabs: Sequence[JsonObject] = ()
    _known: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        """Know a mark that was lost with the store by what leads to this Dubito."""
        hook_marks = {
            mark_of(_secret(hook)) for hook in self.hooks if self._leads_here(hook)
        }
        tab_marks = {
            _mark(tab) for tab in self.tabs if tab.get("id") == self.connection.tab
        }
        marks = self.marks | hook_marks | tab_marks
        object.__setattr__(self, "_known", marks - {"", mark_of("")})

    @classmethod
    def read(
        cls,
        client: LabelStudioClient,
        project: int,
        marks: frozenset[str],
        connection: Connection | None,
        url: str = "",
    ) -> Attachments:
        """Read what is attached to a project.

        Parameters
        ----------
        connection : how the project is connected, as far as is known
        url : an address of this Dubito beside the one that is known
        """
        connection = connection or Connection()
        return cls(
            connection=connection,
            urls=[one for one in (url, connection.backend_url) if one],
            marks=marks,
            hooks=client.webhooks(project),
            tabs=client.tabs(project),
        )

    @property
    def own_hooks(self) -> list[Webhook]:
        """Return this Dubito's webhooks, whatever their address."""
        return [hook for hook in self.hooks if self._is_own_hook(hook)]

    @property
    def other_hooks(self) -> list[Webhook]:
        """Return the webhooks of other Dubitos."""
        hooks = [hook for hook in self.hooks if _secret(hook)]
        return [hook for hook in hooks if not self._is_own_hook(hook)]

    @property
    def own_tabs(self) -> list[JsonObject]:
        """Return this Dubito's tabs."""
        return [tab for tab in self.tabs if self._is_own_tab(tab)]

    @property
    def other_tabs(self) -> list[JsonObject]:
        """Return the tabs of other Dubitos."""
        marked_tabs = [tab for tab in self.tabs if _mark(tab)]
        return [tab for tab in marked_tabs if not self._is_own_tab(tab)]

    @property
    def other_addresses(self) -> list[str]:
        """Return where other Dubitos are; empty if there is none."""
        hooks = [_backend_url(hook) for hook in self.other_hooks]
        tabs = [str(_marked(tab).get("url", "")) for tab in self.other_tabs]
        return list(dict.fromkeys(without_user(url) for url in [*hooks, *tabs]))

    def is_own(self, backend: MlBackend) -> bool:
        """Tell whether an ML backend is this Dubito, at whatever address."""
        if our_row([backend], self.connection) is not None:
            return True
        urls = [*self.urls, *map(_backend_url, self.own_hooks)]
        return any(is_same(backend.url, url) for url in urls)

    def is_others(self, backend: MlBackend) -> bool:
        """Tell whether an ML backend is another Dubito."""
        others = self.other_addresses
        is_theirs = any(is_same(backend.url, url) for url in others)
        return is_theirs and not self.is_own(backend)

    def _is_own_hook(self, hook: Webhook) -> bool:
        return self._leads_here(hook) or mark_of(_secret(hook)) in self._known

    def _leads_here(self, hook: Webhook) -> bool:
        return any(is_same(hook.url, webhook_url(url)) for url in self.urls)

    def _is_own_tab(self, tab: JsonObject) -> bool:
        if tab.get("id") == self.connection.tab or _mark(tab) in self._known:
            return True
        url = str(_marked(tab).get("url", ""))  # its mark may be lost with the store
        return bool(url) and any(is_same(url, one) for one in self.urls)


def our_row(rows: Sequence[MlBackend], connection: Connection) -> MlBackend | None:
    """Return our row: the one we know, or one made anew with our address.

    One that has our number, but neither our address nor our title, is another's: a
    backup was restored, and the number given again.
    """
    by_number = (
        row
        for row in rows
        if row.id == connection.backend
        and (is_same(row.url, connection.backend_url) or row.title == connection.title)
    )
    by_address = (row for row in rows if is_same(row.url, connection.backend_url))
    return next(by_number, None) or next(by_address, None)


def webhook_url(backend_url: str) -> str:
    """Return where events are sent to a Dubito at an address."""
    return f"{backend_url.rstrip('/')}/webhook"


def host_of(url: str) -> str:
    """Return host and port of an address, without credentials."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def is_same(one: str, other: str) -> bool:
    """Tell whether two addresses lead to the same place."""
    path = urlsplit(one).path.rstrip("/") == urlsplit(other).path.rstrip("/")
    return host_of(one) == host_of(other) and path


def without_user(url: str) -> str:
    """Return an address as it may be shown, without credentials."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")


def _backend_url(hook: Webhook) -> str:
    return hook.url.rstrip("/").removesuffix("/webhook")


def _secret(hook: Webhook) -> str:
    headers = {name.lower(): value for name, value in (hook.headers or {}).items()}
    return headers.get(SECRET_HEADER.lower(), "")


def _marked(tab: JsonObject) -> JsonObject:
    data = tab.get("data")
    mark = data.get(MARKED) if isinstance(data, dict) else None
    return mark if isinstance(mark, dict) else {}


def _mark(tab: JsonObject) -> str:
    return str(_marked(tab).get("mark", ""))
