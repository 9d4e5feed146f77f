"""Every call to Label Studio is counted, and whether it answers is noted for all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
from redis.exceptions import RedisError

from backend.state import keys

if TYPE_CHECKING:
    from backend.state.tally import Tally

CALLS = "label_studio_calls"
SECONDS = "label_studio_call_seconds"
NOTED_SECONDS = 5.0
KEPT_SECONDS = 120
"""Each project is looked at every 30 s: what is older is not known any more."""

RESOURCES = frozenset(
    {
        *("projects", "projects/export", "projects/import/predictions"),
        *("tasks", "predictions", "ml", "webhooks"),
        *("dm/actions", "dm/views", "token/refresh"),
    }
)


class WitnessedClient(httpx.Client):
    """Speaks HTTP to one Label Studio, and says how that went."""

    def __init__(self, url: str, tally: Tally, seconds: float) -> None:
        super().__init__(base_url=url, timeout=seconds)
        self._tally = tally
        self._noted, self._noted_at = "", 0.0

    def send(
        self, request: httpx.Request, *, stream: bool = False, **options: object
    ) -> httpx.Response:
        """Send a request, and note how that went; options are those of httpx."""
        method, resource = request.method, self._resource(request.url)
        began, status = time.perf_counter(), "none"
        try:
            response = super().send(request, stream=stream, **options)  # type: ignore[arg-type]  # as it was given
            status = str(response.status_code)
        finally:
            self._tally.count(CALLS, method, resource, status)
            seconds = time.perf_counter() - began
            self._tally.took(SECONDS, method, resource, seconds=seconds)
            self._note(request, status)
        return response

    def _resource(self, url: httpx.URL) -> str:
        """Return what is asked for; files, whose addresses people choose, are one."""
        base = self.base_url.path.rstrip("/")
        words = url.path.removeprefix(base).strip("/").split("/")
        name = "/".join(word for word in words[1:] if not word.isdigit())
        return name if words[0] == "api" and name in RESOURCES else "file"

    def _note(self, request: httpx.Request, status: str) -> None:
        """Note for `/health` whether Label Studio answers; not at every call."""
        is_bought = request.headers.get("Authorization", "").startswith("Bearer")
        if status == "401" and is_bought:
            return  # such a token lives for minutes: another is bought
        found = _state(status)
        now = time.monotonic()
        if found == self._noted and now - self._noted_at < NOTED_SECONDS:
            return
        self._noted, self._noted_at = found, now
        try:
            self._tally.client.set(keys.LABEL_STUDIO, found, ex=KEPT_SECONDS)
        except RedisError:
            self._noted = ""  # noted with the next call


def _state(status: str) -> str:
    """Return how Label Studio is, from how it answered."""
    if status == "none":
        return "away"
    if status == "401":
        return "refuses the key"
    return "failing" if int(status) >= 500 else "up"
