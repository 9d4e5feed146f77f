"""Label Studio: there, known, and open to our key."""

from __future__ import annotations

import base64
import binascii
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import orjson

from dubito.backend.doctor.context import ANSWER_SECONDS, Greeting
from dubito.backend.doctor.findings import AGAIN, Verdict, fault, warning, well
from dubito.backend.doctor.store import clock_verdict
from dubito.backend.errors import KeyRefusedError
from dubito.backend.http_client.failures import explain, explain_answer
from dubito.backend.labelstudio.auth import NO_SECOND_LOG_IN
from dubito.backend.labelstudio.responses import is_failure
from dubito.backend.labelstudio.versions import NEWEST, OLDEST, TESTED, is_older
from dubito.backend.listening import is_loopback

if TYPE_CHECKING:
    from dubito.backend.doctor.context import DiagnosticContext
    from dubito.backend.http_client.explanation import Explanation

SLOW_SECONDS = 2.0
VERSION_PATH = "/api/version"
LOG_IN_FIRST = frozenset({401, 403})
NO_LABELS = "Dubito can neither read labels nor write the order"
CLOCK_STEP = 1.0
"""Its clock is told in whole seconds."""

RIGHTS = (
    *("projects.change", "tasks.view", "annotations.view", "predictions.any"),
    *("models.change", "webhooks.change", "views.create"),
)
NEW_KEY = (
    "set LABEL_STUDIO_API_KEY to a personal access token (in Label Studio, top right:"
    " Account & Settings → Personal Access Token)"
)


def check_label_studio(patient: DiagnosticContext) -> Verdict:
    """Look whether a Label Studio answers, and which one."""
    url = patient.settings.label_studio_url
    began = time.monotonic()
    try:
        response = patient.client.http.get(VERSION_PATH, timeout=ANSWER_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _no_answer(url, error)
    seconds = time.monotonic() - began
    date = _date(response.headers.get("Date", ""))
    patient.greeting = Greeting(
        response=response, seconds=seconds, read_at=time.time(), date=date
    )
    foreign = explain_answer(response)
    if foreign is not None:
        return _unreachable(url, foreign)
    if response.is_redirect:
        return _redirected(url, response)
    release = _release(response)
    return _judged(url, release, seconds) if release else _no_release(url, response)


def _redirected(url: str, response: httpx.Response) -> Verdict:
    onward = str(response.url.join(response.headers.get("Location", "")))
    address, is_version, _ = onward.partition(VERSION_PATH)
    cure = f"set LABEL_STUDIO_URL={address}" if is_version else NO_SECOND_LOG_IN
    return fault(
        f"{url} redirects to {address.partition('?')[0]}",
        "Dubito sends the API key only to the configured address",
        cure,
    )


def _no_release(url: str, response: httpx.Response) -> Verdict:
    """Say who answers in the place of Label Studio: a proxy may while it is away."""
    status = response.status_code
    if is_failure(status):
        return fault(
            f"{url} answers with status {status}, as Label Studio or a proxy before it"
            " does for a while",
            NO_LABELS,
            "start Label Studio, or wait until it has started",
            "if it runs, read its log and that of the proxy",
        )
    cures = ["set LABEL_STUDIO_URL to the address at which you open Label Studio"]
    if status in LOG_IN_FIRST:
        cures.insert(0, NO_SECOND_LOG_IN)
    return fault(
        f"the server at {url} (status {status}) is not Label Studio",
        "Dubito can neither read tasks nor write the order",
        *cures,
    )


def _judged(url: str, release: str, seconds: float) -> Verdict:
    what = f"{release} at {url}, answers in {seconds:.1f} s"
    if seconds > SLOW_SECONDS:
        return warning(
            what,
            "annotators wait that long for each task, and the order is updated late",
            "find out what keeps Label Studio busy; with more than a few thousand"
            " tasks use PostgreSQL instead of SQLite",
        )
    if release not in TESTED:
        return _untested(what, release)
    return well(what)


def _untested(what: str, release: str) -> Verdict:
    """Warn of a version with which nobody has tried Dubito."""
    versions = f"tested versions: {', '.join(TESTED)}"
    if is_older(release, OLDEST):
        versions = f"too old, the oldest tested version is {OLDEST}"
    return warning(
        f"{what}; {versions}",
        "another version may order tasks or call Dubito differently",
        f"pip install label-studio=={NEWEST}, or check the order with `dubito status`",
    )


def _no_answer(url: str, error: Exception) -> Verdict:
    why = explain(error)
    if why.cure:
        return _unreachable(url, why)
    late = isinstance(error, httpx.TimeoutException)
    reason = f"timeout after {ANSWER_SECONDS:.0f} s" if late else why.what
    cures = [
        f"start Label Studio, {AGAIN}",
        "set LABEL_STUDIO_URL to the address at which this machine reaches it",
    ]
    if is_loopback(urlsplit(url).hostname or ""):
        cures.append(
            "in a container, localhost is the container itself: use the host's name"
        )
    return fault(f"no answer from {url}: {reason}", NO_LABELS, *cures)


def _unreachable(url: str, why: Explanation) -> Verdict:
    """Say what stands between Dubito and Label Studio."""
    what = f"Label Studio at {url} cannot be reached: {why.what}"
    return fault(what, NO_LABELS, *filter(None, why.cure.split("; ")))


def _release(response: httpx.Response) -> str:
    """Return Label Studio's version; nothing if that is no Label Studio."""
    try:
        return str(response.raise_for_status().json()["release"])
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return ""


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header)
    except ValueError:
        return None


def check_label_studio_clock(patient: DiagnosticContext) -> Verdict:
    """Compare Label Studio's clock with ours."""
    greeting = patient.greeting
    if greeting is None or greeting.date is None:
        return well("Label Studio sends no time")
    before = greeting.read_at - greeting.seconds - CLOCK_STEP
    theirs = greeting.date.timestamp()
    return clock_verdict(theirs, before, greeting.read_at, "Label Studio")


def check_key(patient: DiagnosticContext) -> Verdict:
    """Look of which kind the key is, whether it is taken, and what it may do."""
    access = patient.client.access
    if not access.key:
        return fault(
            "no API key is set",
            "Dubito receives events, but can neither read labels nor write the order",
            f"{NEW_KEY}; then start `dubito serve` again",
        )
    kind = "a personal access token" if access.is_personal else "a legacy token"
    try:
        who = patient.get("/api/current-user/whoami")
    except KeyRefusedError as error:
        return _refused(kind, access.key, str(error))
    owner = who if isinstance(who, dict) else {}
    may = owner.get("permissions")
    missing = [right for right in RIGHTS if isinstance(may, list) and right not in may]
    what = f"{kind} of {owner.get('email') or 'an unknown user'}"
    if missing:
        return fault(
            f"{what}, without the rights: {', '.join(missing)}",
            "Dubito cannot set up projects, or cannot read their labels",
            "set LABEL_STUDIO_API_KEY to a token of a user with these rights",
        )
    if not patient.settings.label_studio_key:
        return warning(
            f"{what}, received from Label Studio's dialog",
            "the key belongs to the person who connected Dubito, and may get lost",
            NEW_KEY,
        )
    return well(what)


def _refused(kind: str, key: str, detail: str) -> Verdict:
    why = "Dubito can neither read labels nor write the order"
    if "legacy tokens" in detail:
        return fault(
            f"{kind}, but legacy tokens are switched off in Label Studio",
            why,
            NEW_KEY,
            "switch legacy tokens on: in Label Studio, Organization → Access Token"
            " Settings → Legacy Tokens",
        )
    end = _expiry(key)
    is_expired = end is not None and end < datetime.now(UTC)
    state = f"expired on {end:%Y-%m-%d}" if is_expired else "Label Studio rejects it"
    return fault(f"{kind}: {state}", why, f"{NEW_KEY}; then start `dubito serve`")


def _expiry(key: str) -> datetime | None:
    """Return when a personal access token ends, as it says itself."""
    part = key.split(".")[1] if key.count(".") == 2 else ""
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (binascii.Error, ValueError, LookupError, TypeError, OSError, OverflowError):
        return None
