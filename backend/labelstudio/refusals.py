"""Why Label Studio did not take what it was given, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.errors import LabelStudioRefusedError

RESERVED = ("reserved network", "local ip", "private ip", "banned", "local network")
TWO_SETTINGS = (
    "to allow events, start Label Studio with ML_BLOCK_LOCAL_IP=false and"
    " SSRF_PROTECTION_ENABLED=false, and run `dubito connect` again"
)


def is_reserved(error: LabelStudioRefusedError) -> bool:
    """Return whether Label Studio calls no addresses such as ours."""
    words = error.detail.lower()
    return error.status in {400, 403} and any(word in words for word in RESERVED)


def cure(error: LabelStudioRefusedError, url: str) -> str:
    """Say why Label Studio did not take our address, and what to do."""
    if "authentication parameters" in error.detail:
        return (
            f"Dubito at {url} asks for credentials: set the same BASIC_AUTH_USER and"
            " BASIC_AUTH_PASS here and where it runs"
        )
    if error.status == 403:
        return f"the key's owner may not connect models to this project: {error.detail}"
    return (
        f"Label Studio cannot reach Dubito at {url}: is it running, and is this its"
        f" address as Label Studio sees it (--backend-url)? {error.detail}"
    )
