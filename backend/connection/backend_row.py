"""Dubito's row among the ML backends of a project: made, moved, or removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.connection.attachments import is_same, our_row, without_user
from dubito.backend.errors import LabelStudioError, LabelStudioRefusedError
from dubito.backend.labelstudio.address_errors import (
    TWO_SETTINGS,
    address_hint,
    is_reserved,
)
from dubito.backend.labelstudio.responses import read
from dubito.backend.records import MlBackend

if TYPE_CHECKING:
    from collections.abc import Callable

    from dubito.backend.connection.attachments import Attachments
    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import JsonObject
    from dubito.backend.settings import Settings

TITLE = "Dubito"
CONNECTED = "CO"
"""What Label Studio says of a backend that has just answered its call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendRow:
    """Sees to it that a project holds Dubito once, at one address.

    Parameters
    ----------
    extra_params : the project's settings; None leaves them as they are
    """

    client: LabelStudioClient
    settings: Settings
    say: Callable[[str], None]
    project: int
    extra_params: JsonObject | None = None

    def put(self, attachments: Attachments, url: str) -> MlBackend | None:
        """Return our row, at this address; None where Label Studio refuses it.

        A row of ours at another address is moved; further ones are removed.

        Raises
        ------
        LabelStudioError
            if Label Studio does not take the address; what was there stays then
        """
        own = [
            row for row in self.client.backends(self.project) if attachments.is_own(row)
        ]
        own_row = next((row for row in own if is_same(row.url, url)), None)
        own_row = (
            own_row or our_row(own, attachments.connection) or next(iter(own), None)
        )
        row = self._new_row(url) if own_row is None else self._moved(own_row, url)
        for extra in own:
            if row is None or extra.id != row.id:
                self.client.delete_backend(extra.id)
                self.say(f"removed the ML backend at {without_user(extra.url)}")
        return row

    def _new_row(self, url: str) -> MlBackend | None:
        fields = {"title": TITLE, "is_interactive": False, **self._fields(url)}
        try:
            backend = self.client.add_backend(self.project, **fields)
        except LabelStudioRefusedError as error:
            if not is_reserved(error):
                raise LabelStudioError(address_hint(error, url)) from error
            self._remove_half_made(url)
            self.say(f"Label Studio refuses {url}, so Dubito polls; {TWO_SETTINGS}")
            return None
        self.say(f"made the ML backend {backend.title!r} at {url}")
        return backend

    def _moved(self, row: MlBackend, url: str) -> MlBackend | None:
        """Give a row another address; one that does not answer is of no more use."""
        if is_same(row.url, url):
            self.say(f"the ML backend {row.title!r} exists")
            if self.extra_params is None or self.extra_params == row.extra_params:
                return row
        old = without_user(row.url)
        body: JsonObject = {"project": self.project, **self._fields(url)}
        try:
            new_row = read(
                MlBackend, self.client.ask("PATCH", f"/api/ml/{row.id}", json=body)
            )
        except LabelStudioRefusedError as error:
            if not is_reserved(error):
                raise LabelStudioError(address_hint(error, url)) from error
            if row.state == CONNECTED:
                text = (
                    f"Label Studio refuses {url}, so Dubito stays connected at {old};"
                    f" {TWO_SETTINGS}"
                )
                raise LabelStudioError(text) from error
            self.say(f"Label Studio refuses {url}, so Dubito polls; {TWO_SETTINGS}")
            return None
        if not is_same(row.url, url):
            self.say(f"moved the ML backend {new_row.title!r} from {old} to {url}")
        return new_row

    def _fields(self, url: str) -> JsonObject:
        """Return the address, what Label Studio needs to be let in, and settings."""
        fields: JsonObject = {"url": url}
        if self.extra_params is not None:
            fields["extra_params"] = self.extra_params
        if self.settings.guarded:
            fields["auth_method"] = "BASIC_AUTH"
            fields["basic_auth_user"] = self.settings.basic_auth_user
            fields["basic_auth_pass"] = self.settings.basic_auth_pass
        return fields

    def _remove_half_made(self, url: str) -> None:
        """Remove what Label Studio keeps of a backend whose address it refused."""
        for row in self.client.backends(self.project):
            if is_same(row.url, url):
                self.client.delete_backend(row.id)
