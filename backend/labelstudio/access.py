"""The key to Label Studio: of which kind it is, and how it is shown."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import httpx

from backend.errors import KeyRefusedError, LabelStudioAwayError, LabelStudioError
from backend.labelstudio.answers import whole

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")
REFRESH = "/api/token/refresh"
UNAUTHORIZED = 401


@dataclass(slots=True)
class Access:
    """Signs requests with a legacy token or with a personal access token.

    A personal access token is a refresh token: it buys access tokens that live for
    five minutes, so a request refused with 401 is sent once more with a new one.
    """

    http: httpx.Client = field(repr=False)
    key: str = field(repr=False)
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
                "there is no key to Label Studio: set LABEL_STUDIO_API_KEY to a token"
                " from its Account & Settings page"
            )
            raise KeyRefusedError(message)
        used = self._token()
        response = self._sent(request, used, stream=stream)
        if response.status_code == UNAUTHORIZED and self.is_personal:
            bought = self._token(instead_of=used)
            response = self._sent(request, bought, stream=stream)
        if response.status_code == UNAUTHORIZED:
            raise KeyRefusedError(self._refusal(response))
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

        return exchange(send, str(self.http.base_url))

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
            str(self.http.base_url),
        )
        if response.status_code in {400, UNAUTHORIZED, 403}:
            raise KeyRefusedError(self._refusal(response))
        try:
            return str(response.json()["access"])
        except (ValueError, LookupError, TypeError) as error:
            message = (
                f"{self.http.base_url} gave no access token for the personal access"
                f" token (status {response.status_code}): is it a Label Studio?"
            )
            raise LabelStudioError(message) from error

    def _refusal(self, response: httpx.Response) -> str:
        if "legacy token" in response.text:
            return (
                "Label Studio takes no legacy tokens: set LABEL_STUDIO_API_KEY to a"
                " personal access token (Account & Settings → Personal Access Token),"
                " or allow legacy tokens under Organization → Access Token Settings"
            )
        return (
            "Label Studio does not accept the key: set LABEL_STUDIO_API_KEY to a valid"
            " token from its Account & Settings page"
        )


def exchange(send: Callable[[], Answer], url: str) -> Answer:
    """Send something to Label Studio; raise `LabelStudioAwayError` if it is away."""
    try:
        return send()
    except httpx.TimeoutException as error:
        message = f"Label Studio at {url} did not answer in time"
        raise LabelStudioAwayError(message) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f"Label Studio at {url} cannot be reached: {error}"
        raise LabelStudioAwayError(message) from error
