"""Every call to Label Studio is counted, and whether it answers is noted for all."""

from __future__ import annotations

import time
from typing import Protocol

import httpx

from dubito.backend.http_client.client import open_transport
from dubito.backend.labelstudio.responses import is_failure

CALLS = "label_studio_calls"
SECONDS = "label_studio_call_seconds"
NOTED_SECONDS = 5.0

API = "api"

PROXY_REFUSES = "407"

RESOURCES = frozenset(
    {
        *("projects", "projects/export", "projects/import/predictions"),
        *("tasks", "predictions", "ml", "webhooks"),
        *("dm/actions", "dm/views", "token/refresh"),
    }
)


class CallRecorder(Protocol):
    """Where calls are counted."""

    def count(self, name: str, *labels: str, by: float = 1.0) -> None:
        """Count something that happened."""

    def took(self, name: str, *labels: str, seconds: float) -> None:
        """Count something that took a while."""

    def note_label_studio(self, health: str) -> bool:
        """Note how Label Studio is; return whether that could be noted."""
        ...


class InstrumentedClient(httpx.Client):
    """Speaks HTTP to one Label Studio, and says how that went."""

    def __init__(self, url: str, counters: CallRecorder, seconds: float) -> None:
        super().__init__(
            base_url=url, timeout=seconds, transport=open_transport(), trust_env=False
        )
        self._counters = counters
        self._last_state, self._last_time = "", 0.0

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
            self._counters.count(CALLS, method, resource, status)
            seconds = time.perf_counter() - began
            self._counters.took(SECONDS, method, resource, seconds=seconds)
            self._note(request, status)
        return response

    def _resource(self, url: httpx.URL) -> str:
        """Return what is asked for; files, whose addresses people choose, are one."""
        first, *others = self._words(url)
        name = "/".join(word for word in others if not word.isdigit())
        return name if first == API and name in RESOURCES else "file"

    def _words(self, url: httpx.URL) -> list[str]:
        base = self.base_url.path.rstrip("/")
        return url.path.removeprefix(base).strip("/").split("/")

    def _note(self, request: httpx.Request, status: str) -> None:
        """Note for `/health` whether Label Studio answers; not at every call."""
        is_bought = request.headers.get("Authorization", "").startswith("Bearer")
        if status == "401" and is_bought:
            return  # such a token lives for minutes: another is bought
        state = _state(status)
        if state == "failing" and self._words(request.url)[0] != API:
            return  # Label Studio itself may be well: one file may fail for good
        now = time.monotonic()
        if state == self._last_state and now - self._last_time < NOTED_SECONDS:
            return
        self._last_state, self._last_time = state, now
        if not self._counters.note_label_studio(state):
            self._last_state = ""  # noted with the next call


def _state(status: str) -> str:
    """Return how Label Studio is, from how it answered."""
    if status in {"none", PROXY_REFUSES}:
        return "away"
    if status == "401":
        return "refuses the key"
    return "failing" if is_failure(int(status)) else "up"
