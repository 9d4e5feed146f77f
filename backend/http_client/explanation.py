"""Why a call failed, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is wrong, and the cure; no cure is known if it is empty."""

    what: str
    cure: str = ""

    def __str__(self) -> str:
        """Return both in one sentence."""
        return f"{self.what}: {self.cure}" if self.cure else self.what


class NoRouteError(httpx.TransportError):
    """A call cannot even begin: a proxy or the certificates cannot be used."""

    def __init__(self, explanation: Explanation) -> None:
        super().__init__(str(explanation))
        self.explanation = explanation
