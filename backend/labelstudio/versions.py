"""Versions of Label Studio: with which Dubito was tried, and what to say of others."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from dubito.backend.errors import LabelStudioError

if TYPE_CHECKING:
    from dubito.backend.labelstudio.client import LabelStudioClient

TESTED = ("1.12.1", "1.13.1", "1.17.0", "1.20.0", "1.23.2")
"""Versions with which connecting, the loop, edits, polling and leaving were tried."""

OLDEST, NEWEST = TESTED[0], TESTED[-1]
LOOK_SECONDS = 5.0


def is_older(release: str, other: str) -> bool:
    """Return whether a version came before another one; other texts did not."""
    with suppress(InvalidVersion):
        return Version(release) < Version(other)
    return False


def about_version(client: LabelStudioClient) -> str:
    """Say that a version is too old to rely on; nothing of any other one."""
    try:
        reply = client.ask("GET", "/api/version", seconds=LOOK_SECONDS)
    except LabelStudioError:
        return ""  # what keeps it from answering is said by who asks next
    release = str(reply.get("release")) if isinstance(reply, dict) else ""
    if not is_older(release, OLDEST):
        return ""
    return (
        f"Label Studio {release} is older than {OLDEST}, the oldest version with which"
        " Dubito was tried: the order may be wrong, and labels may be missed. Upgrade:"
        f" pip install label-studio=={NEWEST}"
    )
