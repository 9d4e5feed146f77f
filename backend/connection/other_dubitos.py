"""Other Dubitos in a project: what they have there, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.connection.attachments import is_same, webhook_url, without_user
from dubito.backend.connection.backend_row import CONNECTED
from dubito.backend.state.facts import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dubito.backend.connection.attachments import Attachments
    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import JsonObject, MlBackend, Webhook

ANOTHER = "another Dubito is connected to this project"


def about_others(project: int, addresses: Sequence[str]) -> str:
    """Say why a project is not ordered by this Dubito, and what to do."""
    where = ", ".join(addresses)
    return (
        f"{ANOTHER}, at {where}, so this Dubito does not order its tasks: run `dubito"
        f" disconnect --project {project}` on the other Dubito and `dubito connect"
        f" --project {project}` on this one, or replace the other Dubito: `dubito"
        f" connect --project {project} --take-over`"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherDubitos:
    """What other Dubitos have in a project."""

    backends: Sequence[MlBackend]
    hooks: Sequence[Webhook]
    tabs: Sequence[JsonObject]
    addresses: Sequence[str]

    @classmethod
    def find(
        cls, client: LabelStudioClient, project: int, attachments: Attachments, url: str
    ) -> OtherDubitos:
        """Look for other Dubitos before this one is connected at an address.

        A Dubito that remembers nothing of the project may show the secret of another
        one, if both were given the same: then that one answers at its address.
        """
        rows = client.backends(project)
        backends = [row for row in rows if attachments.is_others(row)]
        hooks = list(attachments.other_hooks)
        addresses = list(attachments.other_addresses)
        for row in rows if attachments.connection == Connection() else ():
            is_alive = row.state == CONNECTED and not is_same(row.url, url)
            if is_alive and attachments.is_own(row):
                theirs = webhook_url(row.url)
                hooks += [h for h in attachments.own_hooks if is_same(h.url, theirs)]
                backends.append(row)
                addresses.append(without_user(row.url))
        return cls(
            backends=backends,
            hooks=hooks,
            tabs=attachments.other_tabs,
            addresses=addresses,
        )

    @property
    def are_there(self) -> bool:
        """Whether there is another Dubito."""
        return bool(self.addresses)

    def remove(self, client: LabelStudioClient, say: Callable[[str], None]) -> None:
        """Remove what other Dubitos have; their scores are taken over in place."""
        for hook in self.hooks:
            client.delete_webhook(hook.id)
        for row in self.backends:
            client.delete_backend(row.id)
        for tab in self.tabs:
            client.delete_tab(int(str(tab["id"])))
        where = ", ".join(self.addresses)
        say(f"removed the ML backend, webhook and tab of the other Dubito at {where}")
