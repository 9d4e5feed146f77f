"""What the fake Label Studio does wrong, when a test says so."""

import threading
from dataclasses import dataclass, field
from typing import Literal

Drop = Literal["no", "before", "after"]
Loss = Literal["none", "all", "every second"]
HTML_ERROR = "<!doctype html><html><body><h1>Bad gateway</h1></body></html>"


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to the next requests of one kind instead of an answer.

    Parameters
    ----------
    status : answer this status and touch nothing; None answers as usual
    html : with an HTML page, as a proxy would
    delay_seconds : only after this time
    drop : close the connection without a word; `after` says whether the request is
        carried out before
    """

    path: str
    method: str | None = None
    times: int = 1
    status: int | None = None
    html: bool = False
    delay_seconds: float = 0.0
    drop: Drop = "no"

    def is_for(self, method: str, path: str) -> bool:
        """Tell whether a request is of this kind."""
        return self.method in {None, method} and path.startswith(self.path)


@dataclass(slots=True)
class Faults:
    """The switches of a test; all off at first.

    Attributes
    ----------
    lose_webhooks : lose none, all, or every second one
    write_seconds : what each write costs, with everyone else waiting, as on SQLite
    kept_backends : how many removed ML backends are stored again, as happens to those
        that somebody looks at in the same moment
    requests : method and path of every request so far
    """

    lose_webhooks: Loss = "none"
    write_seconds: float = 0.0
    kept_backends: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    _planned: list[Fault] = field(default_factory=list)
    _webhooks: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, fault: Fault) -> None:
        """Let the next requests of its kind fail; earlier plans come first."""
        with self._guard:
            self._planned.append(fault)

    def clear(self) -> None:
        """Behave again."""
        with self._guard:
            self._planned.clear()
            self.lose_webhooks = "none"
            self.write_seconds = 0.0
            self.kept_backends = 0

    def take(self, method: str, path: str) -> Fault | None:
        """Note a request, and return what is to go wrong with it."""
        with self._guard:
            self.requests.append((method, path))
            for fault in self._planned:
                if fault.is_for(method, path):
                    fault.times -= 1
                    if fault.times == 0:
                        self._planned.remove(fault)
                    return fault
        return None

    def loses_this_webhook(self) -> bool:
        """Count a webhook, and tell whether it gets lost."""
        with self._guard:
            self._webhooks += 1
            if self.lose_webhooks == "every second":
                return self._webhooks % 2 == 0
            return self.lose_webhooks == "all"
