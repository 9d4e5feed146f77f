"""Why Label Studio did not take what it was given, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from dubito.backend.errors import LabelStudioRefusedError

RESERVED = ("reserved network", "local ip", "private ip", "banned", "local network")
TWO_SETTINGS = (
    "to allow events, start Label Studio with ML_BLOCK_LOCAL_IP=false and"
    " SSRF_PROTECTION_ENABLED=false, and run `dubito connect` again"
)


def is_reserved(error: LabelStudioRefusedError) -> bool:
    """Return whether Label Studio calls no addresses such as ours."""
    words = error.detail.lower()
    return error.status in {400, 403} and any(word in words for word in RESERVED)


def address_hint(error: LabelStudioRefusedError, url: str) -> str:
    """Say why Label Studio did not take our address, and what to do."""
    if "authentication parameters" in error.detail:
        return (
            f"Dubito at {url} requires credentials: set the same BASIC_AUTH_USER and"
            " BASIC_AUTH_PASS here and where that Dubito runs"
        )
    if "url was not allowed" in error.detail.lower():
        return (
            f"Label Studio does not allow the address {url}: give another one"
            f" (--backend-url). {error.detail}"
        )
    if error.status == 403:
        return (
            "the owner of the API key may not connect models to this project:"
            f" {error.detail}"
        )
    if "proxy" in error.detail.lower():
        return (
            f"Label Studio calls Dubito at {url} through a proxy that blocks the call:"
            f" start Label Studio with {urlsplit(url).hostname} in its NO_PROXY."
            f" {error.detail}"
        )
    return (
        f"Label Studio cannot reach Dubito at {url}: check that Dubito runs there, and"
        f" that Label Studio can use this address (--backend-url). {error.detail}"
    )
