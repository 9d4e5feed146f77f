"""Dubito's webhook in a project: made, moved, set right, or removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.connection.attachments import SECRET_HEADER, is_same, webhook_url
from dubito.backend.errors import LabelStudioRefusedError
from dubito.backend.labelstudio.address_errors import TWO_SETTINGS, is_reserved

if TYPE_CHECKING:
    from collections.abc import Callable

    from dubito.backend.connection.attachments import Attachments
    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import JsonObject, Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWebhook:
    """Sees to it that a project tells Dubito of events once, at one address."""

    client: LabelStudioClient
    secret: str
    say: Callable[[str], None]
    project: int

    def put(self, attachments: Attachments, backend_url: str) -> Webhook | None:
        """Make or repair the webhook; None if Label Studio takes no such address.

        Where there is no address, or none that is taken, none of ours is left.
        """
        hook = self._put(attachments, webhook_url(backend_url)) if backend_url else None
        for extra in attachments.own_hooks:
            if hook is None or extra.id != hook.id:
                self.client.delete_webhook(extra.id)
        return hook

    def _put(self, attachments: Attachments, address: str) -> Webhook | None:
        try:
            return self._put_right(attachments, address)
        except LabelStudioRefusedError as error:
            if is_reserved(error):
                self.say(f"no webhook: Label Studio refuses {address}; {TWO_SETTINGS}")
            elif error.status == 400:
                self.say(
                    "no webhook: Label Studio refuses host names without a dot"
                    f" ({address}); give Dubito's host a name with a dot"
                )
            else:
                raise
            return None

    def _put_right(self, attachments: Attachments, address: str) -> Webhook:
        fields: JsonObject = {
            "url": address,
            "headers": {SECRET_HEADER: self.secret},
            "is_active": True,
            "send_payload": True,
            "send_for_all_actions": True,
        }
        own = sorted(
            attachments.own_hooks, key=lambda hook: not is_same(hook.url, address)
        )
        if not own:
            self.say(f"made the webhook to {address}")
            return self.client.add_webhook(self.project, **fields)
        hook = own[0]
        right = hook.is_active and hook.send_payload and hook.send_for_all_actions
        if right and hook.headers == fields["headers"] and hook.url == address:
            self.say("the webhook exists")
            return hook
        new_hook = self.client.change_webhook(hook.id, **fields, actions=[])
        if is_same(hook.url, address):
            # One that is not known was made by Label Studio, with the ML backend.
            is_known = hook.id == attachments.connection.webhook
            done = "repaired" if is_known else "set up"
            self.say(f"{done} the webhook: active, for all events, with its secret")
        else:
            self.say(f"moved the webhook to {address}")
        return new_hook
