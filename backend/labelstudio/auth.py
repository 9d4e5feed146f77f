"""The key to Label Studio: of which kind it is, and how it is shown."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import httpx

from dubito.backend.errors import (
    KeyRefusedError,
    LabelStudioAwayError,
    LabelStudioError,
)
from dubito.backend.http_client.failures import TOO_LATE, explain
from dubito.backend.labelstudio.responses import refuse_failure, whole

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")
REFRESH = "/api/token/refresh"
UNAUTHORIZED = 401
NO_SECOND_LOG_IN = (
    "let Dubito pass the proxy before Label Studio without another log-in"
)


@dataclass(slots=True)
class Credentials:
    """Signs requests with a legacy token or with a personal access token.

    A personal access token is a refresh token: it buys access tokens that live for
    five minutes, so a request refused with 401 is sent once more with a new one.

    Attributes
    ----------
    date : what Label Studio's clock said in its last answer, as HTTP writes it
    """

    http: httpx.Client = field(repr=False)
    key: str = field(repr=False)
    date: str = field(default="", repr=False)
    _bought: str = field(default="", repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def is_personal(self) -> bool:
        """Whether the key is a personal access token (a JWT: three parts)."""
        return self.key.count(".") == 2

    def send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """Send a request with the key; raise if Label Studio is away or refuses it.

        Parameters
        ----------
        stream : leave the body to be read; the caller closes the response
        """
        if not self.key:
            message = (
                "there is no API key for Label Studio: set LABEL_STUDIO_API_KEY to a"
                " token from its Account & Settings page"
            )
            raise KeyRefusedError(message)
        old_token = self._token()
        response = self._sent(request, old_token, stream=stream)
        if response.status_code == UNAUTHORIZED and self.is_personal:
            new_token = self._token(instead_of=old_token)
            response = self._sent(request, new_token, stream=stream)
        if response.status_code == UNAUTHORIZED:
            raise self._refusal(response)
        self.date = response.headers.get("Date", "")
        return response

    def _sent(
        self, request: httpx.Request, token: str, *, stream: bool
    ) -> httpx.Response:
        scheme = "Bearer" if self.is_personal else "Token"
        request.headers["Authorization"] = f"{scheme} {token}"

        def send() -> httpx.Response:
            response = self.http.send(request, stream=True)
            if stream and response.status_code != UNAUTHORIZED:
                return response
            return whole(response)  # a refusal's reason is wanted, and its connection

        return exchange(send, self._place())

    def _token(self, instead_of: str = "") -> str:
        """Return a token to show; a new one if `instead_of` was refused."""
        if not self.is_personal:
            return self.key
        with self._lock:
            if not self._bought or self._bought == instead_of:
                self._bought = self._buy()
            return self._bought

    def _buy(self) -> str:
        request = self.http.build_request("POST", REFRESH, json={"refresh": self.key})
        response = exchange(
            lambda: whole(self.http.send(request, stream=True)),
            self._place(),
        )
        if response.status_code in {400, UNAUTHORIZED, 403}:
            raise self._refusal(response)
        refuse_failure(f"POST {REFRESH}", response)
        try:
            return str(response.json()["access"])
        except (ValueError, LookupError, TypeError) as error:
            message = (
                f"{self.http.base_url} issued no access token for the personal access"
                f" token (status {response.status_code}): check that LABEL_STUDIO_URL"
                " is the address of Label Studio; versions before 1.17 take the legacy"
                " token of the page Account & Settings instead"
            )
            raise LabelStudioError(message) from error

    def _place(self) -> str:
        return f"Label Studio at {self.http.base_url}"

    def _refusal(self, response: httpx.Response) -> LabelStudioError:
        if "json" not in response.headers.get("Content-Type", ""):
            message = (
                f"{self._place()} cannot be reached: a page with status"
                f" {response.status_code} came instead, as from a proxy:"
                f" {NO_SECOND_LOG_IN}"
            )
            return LabelStudioAwayError(message)
        if "legacy token" in response.text:
            message = (
                "Label Studio accepts no legacy tokens: set LABEL_STUDIO_API_KEY to a"
                " personal access token (Account & Settings → Personal Access Token),"
                " or allow legacy tokens under Organization → Access Token Settings"
            )
            return KeyRefusedError(message)
        message = (
            "Label Studio rejects the API key: set LABEL_STUDIO_API_KEY to a valid"
            " token from its Account & Settings page"
        )
        return KeyRefusedError(message)


def exchange(send: Callable[[], Answer], place: str) -> Answer:
    """Send something; raise `LabelStudioAwayError` if that fails.

    Parameters
    ----------
    place : who is called, for the message
    """
    try:
        return send()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = explain(error)
        is_late = isinstance(error, httpx.TimeoutException)
        if is_late and why.what == TOO_LATE:
            message = f"{place} did not answer in time"
        else:
            message = f"{place} cannot be reached: {why}"
        raise LabelStudioAwayError(message) from error
