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

from backend.doctor.findings import AGAIN, Verdict, fault, warning, well
from backend.doctor.patient import ANSWER_SECONDS, Greeting
from backend.doctor.store import clock_verdict
from backend.errors import KeyRefusedError
from backend.settings import LOOPBACK

if TYPE_CHECKING:
    from backend.doctor.patient import Patient

KNOWN_TO_WORK = "1.23.2"
SLOW_SECONDS = 2.0
CLOCK_STEP = 1.0
"""Its clock is told in whole seconds."""

RIGHTS = (
    *("projects.change", "tasks.view", "annotations.view", "predictions.any"),
    *("models.change", "webhooks.change", "views.create"),
)
NEW_KEY = (
    "set LABEL_STUDIO_API_KEY to a personal access token: Label Studio, top right,"
    " Account & Settings → Personal Access Token"
)


def check_label_studio(patient: Patient) -> Verdict:
    """Look whether a Label Studio answers, and which one."""
    url = patient.settings.label_studio_url
    began = time.monotonic()
    try:
        response = patient.client.http.get("/api/version", timeout=ANSWER_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _no_answer(url, error)
    seconds = time.monotonic() - began
    date = _date(response.headers.get("Date", ""))
    patient.greeting = Greeting(
        response=response, seconds=seconds, read_at=time.time(), date=date
    )
    if response.is_redirect:
        onward = urlsplit(response.headers.get("Location", ""))
        return fault(
            f"{url} sends us on to {onward.scheme}://{onward.netloc}",
            "our key is shown to the address that was set, and to no other",
            f"set LABEL_STUDIO_URL={onward.scheme}://{onward.netloc}",
        )
    release = _release(response)
    if not release:
        return fault(
            f"what answers at {url} ({response.status_code}) is no Label Studio",
            "without Label Studio there is nothing to order, and nowhere to write it",
            "set LABEL_STUDIO_URL to the address at which you open Label Studio",
        )
    return _judged(url, release, seconds)


def _judged(url: str, release: str, seconds: float) -> Verdict:
    said = f"{release} at {url}, answers in {seconds:.1f} s"
    if seconds > SLOW_SECONDS:
        return warning(
            said,
            "annotators wait as long for each task, and new orders come late",
            "see what keeps it busy; with more than some thousand tasks run it on"
            " PostgreSQL instead of SQLite",
        )
    if release != KNOWN_TO_WORK:
        return warning(
            f"{said}; known to work: {KNOWN_TO_WORK}",
            "another version may order tasks, or call us, in another way",
            f"pip install label-studio=={KNOWN_TO_WORK}, or look whether the order is"
            " right: `dubito status` shows it",
        )
    return well(said)


def _no_answer(url: str, error: Exception) -> Verdict:
    late = isinstance(error, httpx.TimeoutException)
    reason = f"not within {ANSWER_SECONDS:.0f} s" if late else str(error)
    cures = [
        f"start Label Studio, {AGAIN}",
        "set LABEL_STUDIO_URL to the address at which this machine reaches it",
    ]
    if urlsplit(url).hostname in LOOPBACK:
        cures.append("in a container, localhost is the container: use the host's name")
    return fault(
        f"no answer from {url}: {reason}",
        "labels cannot be read, and no order can be written",
        *cures,
    )


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


def check_label_studio_clock(patient: Patient) -> Verdict:
    """Compare Label Studio's clock with ours."""
    greeting = patient.greeting
    if greeting is None or greeting.date is None:
        return well("it does not say")
    before = greeting.read_at - greeting.seconds - CLOCK_STEP
    theirs = greeting.date.timestamp()
    return clock_verdict(theirs, before, greeting.read_at, "Label Studio")


def check_key(patient: Patient) -> Verdict:
    """Look of which kind the key is, whether it is taken, and what it may do."""
    access = patient.client.access
    if not access.key:
        return fault(
            "none is set",
            "Dubito learns from events, but cannot read labels nor write an order",
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
    said = f"{kind} of {owner.get('email') or 'somebody'}"
    if missing:
        return fault(
            f"{said}, who may not: {', '.join(missing)}",
            "Dubito cannot set projects up, or not read their labels",
            "set LABEL_STUDIO_API_KEY to a token of somebody who may",
        )
    if not patient.settings.label_studio_key:
        return warning(
            f"{said}, handed over by Label Studio's dialog",
            "it is another person's, and lost when Label Studio stops handing it out",
            NEW_KEY,
        )
    return well(said)


def _refused(kind: str, key: str, said: str) -> Verdict:
    why = "Dubito cannot read labels nor write an order"
    if "legacy tokens" in said:
        return fault(
            f"{kind}, and Label Studio has these switched off",
            why,
            NEW_KEY,
            "switch them on: Label Studio, Organization → Access Token Settings →"
            " Legacy Tokens",
        )
    end = _expiry(key)
    expired = end is not None and end < datetime.now(UTC)
    state = f"expired on {end:%Y-%m-%d}" if expired else "Label Studio refuses it"
    return fault(f"{kind}: {state}", why, f"{NEW_KEY}; then start `dubito serve`")


def _expiry(key: str) -> datetime | None:
    """Return when a personal access token ends, as it says itself."""
    part = key.split(".")[1] if key.count(".") == 2 else ""
    try:
        said = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return datetime.fromtimestamp(said["exp"], UTC)
    except (binascii.Error, ValueError, LookupError, TypeError, OSError, OverflowError):
        return None
