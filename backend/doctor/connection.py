"""The way back: whether Label Studio tells Dubito what happens."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dubito.backend.connection.attachments import (
    SECRET_HEADER,
    webhook_url,
    without_user,
)
from dubito.backend.doctor.context import age
from dubito.backend.doctor.findings import fault, warning, well
from dubito.backend.doctor.project import connect_again
from dubito.backend.doctor.reach import ALLOW, connect_at, is_reserved
from dubito.backend.listening import local_url
from dubito.backend.state import keys
from dubito.backend.state.refused_events import refused_event_at

if TYPE_CHECKING:
    from dubito.backend.doctor.context import DiagnosticContext, ShownBackend
    from dubito.backend.doctor.findings import Verdict
    from dubito.backend.records import Webhook

NO_EVENTS = "Dubito checks Label Studio every 30 s instead: the order comes late"
POLLS = "Dubito checks Label Studio every 2 s instead: the order comes a little late"
LIVE_SECONDS = 4.0
LOOK_SECONDS = 0.1


def check_backend(patient: DiagnosticContext) -> Verdict:
    """Look whether the project names us, by an address that can be told of events."""
    row = patient.row
    connection = patient.connection
    if connection is not None and connection.mode == "polling":
        return replace(_polling(patient, row), blocks=True)
    if row is None:
        return fault(
            "Settings → Model does not contain Dubito",
            "Label Studio sends Dubito no events and requests no predictions",
            connect_again(patient),
            "in Label Studio, Settings → Model → Connect Model: enter Dubito's address",
            mends=True,
        )
    if not _has_dot(row.url):
        return _without_dot(patient, row.url)
    return well(f"{row.title!r} at {row.url}")


def _polling(patient: DiagnosticContext, row: ShownBackend | None) -> Verdict:
    """Say why Label Studio sends no events, and what would let it."""
    if row is not None and not _has_dot(row.url):
        return _without_dot(patient, row.url)
    return warning(
        "no events: on connecting, Label Studio refused Dubito's address",
        POLLS,
        f"{ALLOW}; then {connect_again(patient)}",
        mends=True,
    )


def _without_dot(patient: DiagnosticContext, url: str) -> Verdict:
    host = urlsplit(url).hostname
    return warning(
        f"the host name {host!r} has no dot, so Label Studio makes no webhook to it",
        POLLS,
        "give Dubito's host a name with a dot, then "
        + connect_at(patient, f"http://{host}.internal:9090"),
    )


def _has_dot(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "localhost" or bool({".", ":"} & set(host))


def check_webhook(patient: DiagnosticContext) -> Verdict:
    """Look whether Label Studio would tell us of all that happens, with its secret."""
    row = patient.row
    address = f"{'' if row is None else row.url.rstrip('/')}/webhook"
    hooks = [hook for hook in patient.webhooks if hook.url == address]
    if not hooks:
        missing = f"there is no webhook to {address}"
        return fault(missing, NO_EVENTS, connect_again(patient), mends=True)
    wrong = _wrong(hooks[0], patient)
    if wrong:
        return fault(
            f"the webhook {wrong}",
            NO_EVENTS,
            connect_again(patient),
            mends=True,
        )
    if len(hooks) > 1:
        return warning(
            f"there are {len(hooks)} webhooks to {address}",
            f"Label Studio sends each event {len(hooks)} times, and annotators"
            " wait for each",
            connect_again(patient),
            mends=True,
        )
    return well(f"to {address}, active, for all events, with the secret")


def _wrong(hook: Webhook, patient: DiagnosticContext) -> str:
    """Return what is wrong with our webhook; nothing if all is right."""
    if not hook.is_active:
        return "is switched off"
    if not hook.send_payload:
        return "sends no payload, so events have no content"
    if not hook.send_for_all_actions:
        return "is not sent for all events"
    secret = (hook.headers or {}).get(SECRET_HEADER, "")
    if not secret:
        return "sends no secret, so Dubito cannot recognise forged events"
    own_secret = _secret(patient)
    return "" if own_secret in {secret, None} else "sends another secret than Dubito's"


def _secret(patient: DiagnosticContext) -> str | None:
    """Return the secret that events must show; None if that cannot be known."""
    if patient.settings.webhook_secret:
        return patient.settings.webhook_secret
    if patient.services is None:
        return None
    secret: bytes = patient.services.redis.get(keys.WEBHOOK_SECRET) or b""
    return secret.decode()


def check_other_webhooks(patient: DiagnosticContext) -> Verdict:
    """Look for webhooks of ours to an address that is no longer ours."""
    row = patient.row
    address = webhook_url("" if row is None else row.url)
    own = patient.attached.own_hooks
    old = [without_user(hook.url) for hook in own if hook.url != address]
    if not old:
        return well("no old webhook is left")
    return warning(
        f"old webhooks of Dubito: {', '.join(old)}",
        "annotators wait up to 1 s for each of them at every submit, and they"
        " contain a secret",
        connect_again(patient),
        "in Label Studio, Settings → Webhooks: delete them",
        mends=True,
    )


def check_other_dubitos(patient: DiagnosticContext) -> Verdict:
    """Look whether another Dubito is connected to the project, and where."""
    others = patient.attached.other_addresses
    if not others:
        return well("no other Dubito is connected")
    connection = patient.connection
    own = "" if connection is None else connection.backend_url
    own = without_user(own) if own else local_url(patient.settings)
    project = f"--project {patient.number}"
    replacement = f"replace the other one: `dubito connect {project} --take-over`"
    if connection is None:
        return fault(
            f"the project is connected to a Dubito at {', '.join(others)}; this one,"
            f" at {own}, does not know the project",
            "either its store was lost, or that is another Dubito",
            "if that address leads to this Dubito: `dubito connect"
            f" {project} --backend-url {others[0]}`",
            replacement,
        )
    return fault(
        f"another Dubito at {', '.join(others)} is connected; this one is at {own}",
        "two Dubitos would overwrite each other's order, so this one does not"
        " order the tasks",
        f"run `dubito disconnect {project}` on the other one, and `dubito connect"
        f" {project}` here",
        replacement,
    )


def check_event(patient: DiagnosticContext) -> Verdict:
    """Look when the last event came; if allowed, let one be sent and see it arrive."""
    if patient.live:
        return _sent_live(patient)
    state, facts = patient.state, patient.facts()
    if state is not None and (refused_at := refused_event_at(state)):
        when = age(refused_at, state.clock())
        return fault(
            f"Dubito refused the last event {when}: it did not contain the webhook's"
            " secret",
            NO_EVENTS,
            connect_again(patient),
            "start Dubito's web server and this command with the same WEBHOOK_SECRET",
            mends=True,
        )
    if state is not None and facts is not None and facts.last_event_at:
        when = age(facts.last_event_at, state.clock())
        return well(f"the last event arrived {when}")
    return warning(
        "no event has arrived yet",
        "connecting triggers an event, and it did not arrive",
        f"trigger a test event: `dubito doctor --project {patient.number} --live`",
        connect_again(patient),
    )


def _sent_live(patient: DiagnosticContext) -> Verdict:
    """Save the project with no change at all, of which Label Studio tells all."""
    facts = patient.facts()
    before = (facts.last_event_at if facts is not None else None) or 0.0
    began = time.monotonic()
    patient.client.patch_project(patient.number)
    is_over = False
    while not is_over:
        is_over = time.monotonic() - began > LIVE_SECONDS  # what came by then counts
        facts = patient.facts()
        if facts is not None and (facts.last_event_at or 0.0) > before:
            seconds = time.monotonic() - began
            return well(f"a test event arrived after {seconds:.1f} s")
        time.sleep(LOOK_SECONDS)
    cures = [connect_again(patient), "look for failed webhooks in Label Studio's log"]
    row = patient.row
    if row is not None and is_reserved(row.url):
        cures.insert(0, f"{ALLOW}: Label Studio sends no events to private addresses")
    why = f"Dubito notices new labels late: {NO_EVENTS}"
    return fault(f"a test event did not arrive within {LIVE_SECONDS} s", why, *cures)
