"""Whether Label Studio reaches Dubito, and if not, why."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from dubito.backend.connection.attachments import without_user
from dubito.backend.doctor.findings import fault, well
from dubito.backend.labelstudio.address_errors import TWO_SETTINGS
from dubito.backend.listening import local_url

if TYPE_CHECKING:
    from dubito.backend.doctor.context import DiagnosticContext, ShownBackend
    from dubito.backend.doctor.findings import Verdict

ALLOW = TWO_SETTINGS.partition(", and ")[0]
REFUSED_STATUS = re.compile(r"\D*40[13]\b")
HEALTH_SECONDS = 3.0


def connect_at(patient: DiagnosticContext, url: str) -> str:
    """Return the command that connects Dubito at an address."""
    return f"`dubito connect --project {patient.number} --backend-url {url}`"


def check_reach(patient: DiagnosticContext) -> Verdict:
    """Let Label Studio call Dubito, as opening Settings → Model does."""
    row = patient.row
    if row is None:
        return well("Label Studio has no ML backend to call")
    has_arrived = patient.setup_at() > patient.called_at
    if has_arrived:
        return well(f"Label Studio called {row.url} successfully")
    if row.state == "CO" and patient.services is None:
        return well(f"Label Studio reports that it reaches {row.url}")
    if row.state == "CO":
        return fault(
            f"another program than this Dubito answers at {row.url}",
            "Label Studio's test call did not reach this Dubito",
            "connect this Dubito's address:"
            f" {connect_at(patient, local_url(patient.settings))}",
            "set REDIS_URL, or MODEL_DIR, to the store of the Dubito at that address",
        )
    return _unreached(patient, row)


def _unreached(patient: DiagnosticContext, row: ShownBackend) -> Verdict:
    """Say why Label Studio's call failed, as far as can be seen from here."""
    why = "Dubito receives no events, and Label Studio cannot request predictions"
    if row.state == "ER":
        return _turned_away(row, why)
    cures = [
        f"on Label Studio's machine, run: curl {without_user(row.url)}/health",
        f"give Dubito's address as Label Studio sees it: {connect_at(patient, 'URL')}",
    ]
    answers = _answers(patient.client.http, row.url)
    if is_reserved(row.url):
        cures.insert(0 if answers else 1, f"{ALLOW}, for private addresses")
    if not answers:
        cures.insert(0, "start Dubito there: `dubito serve`")
    here = "but this machine can" if answers else "and neither can this machine"
    return fault(f"Label Studio cannot call {row.url}, {here}", why, *cures)


def _turned_away(row: ShownBackend, why: str) -> Verdict:
    """Say that Dubito answered Label Studio, but not as it should."""
    what = f"Dubito at {row.url} answered Label Studio with: {row.error_message}"
    if is_refusal(row.error_message):
        cure = (
            "in Label Studio, Settings → Model → ⋯ → Edit → Basic Authentication:"
            " enter Dubito's BASIC_AUTH_USER and BASIC_AUTH_PASS"
        )
    else:
        cure = "fix the store if it has a problem; else read `dubito serve`'s log"
    return fault(what, why, cure)


def is_refusal(error_message: str) -> bool:
    """Return whether a call of Label Studio ended with 401 or 403.

    The status is the first number of such a message. The message also has the address,
    whose port may contain the same digits.
    """
    return REFUSED_STATUS.match(error_message) is not None


def _answers(http: httpx.Client, url: str) -> bool:
    """Return whether Dubito answers from here; no key is shown to it."""
    try:
        address = f"{url.rstrip('/')}/health"
        return http.get(address, timeout=HEALTH_SECONDS).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def is_reserved(url: str) -> bool:
    """Return whether an address is one that Label Studio refuses by default."""
    try:
        entries = socket.getaddrinfo(urlsplit(url).hostname, None)
        addresses = [ipaddress.ip_address(str(entry[4][0])) for entry in entries]
    except (OSError, ValueError):
        return False
    return any(not address.is_global for address in addresses)
