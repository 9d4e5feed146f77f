"""The way back: whether Label Studio can call us, and tells us what happens."""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from backend.doctor.findings import fault, warning, well
from backend.doctor.patient import age
from backend.doctor.project import connect_again
from backend.labelstudio.connect import SECRET_HEADER
from backend.labelstudio.refusals import TWO_SETTINGS
from backend.state import keys
from backend.supervisor import local_url

if TYPE_CHECKING:
    from backend.doctor.findings import Verdict
    from backend.doctor.patient import Patient, ShownBackend
    from backend.records import Webhook

ALLOW = TWO_SETTINGS.partition(", and ")[0]
NO_EVENTS = "Dubito asks every 30 s instead: orders come late"
POLLS = "Dubito asks Label Studio every 2 s instead: orders come a little later"
LIVE_SECONDS = 4.0
HEALTH_SECONDS = 3.0
LOOK_SECONDS = 0.1


def check_backend(patient: Patient) -> Verdict:
    """Look whether the project names us, by an address that can be told of events."""
    row = patient.row
    held = patient.connection
    if held is not None and held.mode == "polling":
        return replace(_polling(patient, row), blocks=True)
    if row is None:
        return fault(
            "Settings → Model does not hold Dubito",
            "Label Studio shows it no events and asks it nothing",
            connect_again(patient),
            "Label Studio, Settings → Model → Connect Model: Dubito's address",
            mends=True,
        )
    if not _has_dot(row.url):
        return _without_dot(patient, row.url)
    return well(f"{row.title!r} at {row.url}")


def _polling(patient: Patient, row: ShownBackend | None) -> Verdict:
    """Say why Label Studio sends no events, and what would let it."""
    if row is not None and not _has_dot(row.url):
        return _without_dot(patient, row.url)
    return warning(
        "no events: Label Studio refused our address when it was connected",
        POLLS,
        f"{ALLOW}; then {connect_again(patient)}",
        mends=True,
    )


def _without_dot(patient: Patient, url: str) -> Verdict:
    host = urlsplit(url).hostname
    return warning(
        f"the host {host!r} has no dot, so Label Studio makes no webhook to it",
        POLLS,
        "give it a name with a dot, then "
        + _connect_at(patient, f"http://{host}.internal:9090"),
    )


def _connect_at(patient: Patient, url: str) -> str:
    return f"`dubito connect --project {patient.number} --backend-url {url}`"


def _has_dot(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host == "localhost" or bool({".", ":"} & set(host))


def check_reach(patient: Patient) -> Verdict:
    """Let Label Studio call us, as opening Settings → Model does; see it arrive."""
    row = patient.row
    if row is None:
        return well("nothing to call")
    arrived = patient.setup_at() > patient.called_at
    if arrived:
        return well(f"Label Studio has just called {row.url}")
    if row.state == "CO" and patient.services is None:
        return well(f"Label Studio says it reaches {row.url}")
    if row.state == "CO":
        return fault(
            f"something else than this Dubito answers at {row.url}",
            "the call that Label Studio has just made did not come here",
            f"name our address, {_connect_at(patient, local_url(patient.settings))}",
            "set REDIS_URL, or MODEL_DIR, to what the Dubito at that address uses",
        )
    return _unreached(patient, row)


def _unreached(patient: Patient, row: ShownBackend) -> Verdict:
    """Say why Label Studio's call failed, as far as can be seen from here."""
    why = "events do not come in, and Label Studio cannot ask for predictions"
    if row.state == "ER":
        return _turned_away(row, why)
    cures = [
        f"try on Label Studio's machine: curl {_without_user(row.url)}/health",
        f"with Dubito's address as Label Studio sees it, {_connect_at(patient, 'URL')}",
    ]
    answers = _answers(patient.client.http, row.url)
    if _is_reserved(row.url):
        cures.insert(0 if answers else 1, f"{ALLOW}: it refuses private addresses")
    if not answers:
        cures.insert(0, "start Dubito there: `dubito serve`")
    here = "although it answers from here" if answers else "nor does it answer here"
    return fault(f"Label Studio cannot call {row.url}, {here}", why, *cures)


def _turned_away(row: ShownBackend, why: str) -> Verdict:
    """Say that Dubito answered Label Studio, but not as it should."""
    said = f"Dubito at {row.url} answered Label Studio with: {row.error_message}"
    if "401" in row.error_message or "403" in row.error_message:
        cure = (
            "Label Studio, Settings → Model → ⋯ → Edit → Basic Authentication: the"
            " BASIC_AUTH_USER and BASIC_AUTH_PASS of Dubito"
        )
    else:
        cure = "cure what is said of the store; else see the log of `dubito serve`"
    return fault(said, why, cure)


def _answers(http: httpx.Client, url: str) -> bool:
    """Return whether Dubito answers from here; no key is shown to it."""
    try:
        address = f"{url.rstrip('/')}/health"
        return http.get(address, timeout=HEALTH_SECONDS).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def _is_reserved(url: str) -> bool:
    """Return whether an address is one that Label Studio refuses by default."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None)
        addresses = [ipaddress.ip_address(str(entry[4][0])) for entry in found]
    except (OSError, ValueError):
        return False
    return any(not address.is_global for address in addresses)


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl().rstrip("/")


def check_webhook(patient: Patient) -> Verdict:
    """Look whether Label Studio would tell us of all that happens, with its secret."""
    row = patient.row
    address = f"{'' if row is None else row.url.rstrip('/')}/webhook"
    found = [hook for hook in patient.webhooks if hook.url == address]
    if not found:
        return fault(
            f"there is none to {address}", NO_EVENTS, connect_again(patient), mends=True
        )
    wrong = _wrong(found[0], patient)
    if wrong:
        return fault(
            f"the webhook {wrong}",
            NO_EVENTS,
            connect_again(patient),
            mends=True,
        )
    if len(found) > 1:
        return warning(
            f"there are {len(found)} to {address}",
            "each event comes as often, and annotators wait for each",
            connect_again(patient),
            mends=True,
        )
    return well(f"to {address}, active, for all events, with its secret")


def _wrong(hook: Webhook, patient: Patient) -> str:
    """Return what is wrong with our webhook; nothing if all is right."""
    if not hook.is_active:
        return "is switched off"
    if not hook.send_payload:
        return "sends no payload, so it does not say what happened"
    if not hook.send_for_all_actions:
        return "is not sent for all events"
    shown = (hook.headers or {}).get(SECRET_HEADER, "")
    if not shown:
        return "shows no secret, so strangers' events could not be told from it"
    kept = _secret(patient)
    return "" if kept in {shown, None} else "shows another secret than Dubito's"


def _secret(patient: Patient) -> str | None:
    """Return the secret that events must show; None if that cannot be known."""
    if patient.settings.webhook_secret:
        return patient.settings.webhook_secret
    if patient.services is None:
        return None
    kept: bytes = patient.services.redis.get(keys.WEBHOOK_SECRET) or b""
    return kept.decode()


def check_other_webhooks(patient: Patient) -> Verdict:
    """Look for webhooks of ours to an address that is no longer ours."""
    row = patient.row
    address = f"{'' if row is None else row.url.rstrip('/')}/webhook"
    old = [
        _without_user(hook.url)
        for hook in patient.webhooks
        if SECRET_HEADER in (hook.headers or {}) and hook.url != address
    ]
    if not old:
        return well("none is left behind")
    return warning(
        f"left behind: {', '.join(old)}",
        "annotators wait up to 1 s for each at every submit, and it holds a secret",
        "Label Studio, Settings → Webhooks: delete it",
    )


def check_event(patient: Patient) -> Verdict:
    """Look when the last event came; if allowed, let one be sent and see it arrive."""
    if patient.live:
        return _sent_live(patient)
    state, facts = patient.state, patient.facts()
    if state is not None and facts is not None and facts.last_event_at:
        when = age(facts.last_event_at, state.clock())
        return well(f"the last came {when}")
    return warning(
        "none has come yet",
        "connecting causes one: it did not arrive here",
        f"let one be sent: `dubito doctor --project {patient.number} --live`",
        connect_again(patient),
    )


def _sent_live(patient: Patient) -> Verdict:
    """Save the project with no change at all, of which Label Studio tells all."""
    facts = patient.facts()
    before = (facts.last_event_at if facts is not None else None) or 0.0
    began = time.monotonic()
    patient.client.patch_project(patient.number)
    while time.monotonic() - began < LIVE_SECONDS:
        facts = patient.facts()
        if facts is not None and (facts.last_event_at or 0.0) > before:
            seconds = time.monotonic() - began
            return well(f"one was sent, and was here after {seconds:.1f} s")
        time.sleep(LOOK_SECONDS)
    cures = [connect_again(patient), "see Label Studio's log: it names failed webhooks"]
    row = patient.row
    if row is not None and _is_reserved(row.url):
        cures.insert(0, f"{ALLOW}: it sends none to private addresses")
    why = f"what people label is noticed late: {NO_EVENTS}"
    return fault(f"one was sent, and did not arrive in {LIVE_SECONDS} s", why, *cures)
