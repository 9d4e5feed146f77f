"""What the fake Label Studio does wrong, when a test says so."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Drop = Literal["no", "before", "after"]
Loss = Literal["none", "all", "every second"]
Letter = tuple[str, dict[str, str], str]
"""A webhook on its way: address, headers, body."""

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
    let_pass : so many requests of the kind are answered as usual first
    without : the request is carried out, and this field is left out of the answer
    before, after : what others do in the very moment before the request is carried
        out, or between that and the answer
    """

    path: str
    method: str | None = None
    times: int = 1
    let_pass: int = 0
    status: int | None = None
    html: bool = False
    delay_seconds: float = 0.0
    drop: Drop = "no"
    without: str = ""
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None

    def is_for(self, method: str, path: str) -> bool:
        """Tell whether a request is of this kind."""
        return self.method in {None, method} and path.startswith(self.path)


@dataclass(slots=True)
class Faults:
    """The switches of a test; all off at first.

    Attributes
    ----------
    lose_webhooks : lose none, all, or every second one
    delay_webhooks : keep those that are not lost until they are let through
    delayed : what was kept, oldest first
    write_seconds : what each write costs, with everyone else waiting, as on SQLite
    kept_backends : how many removed ML backends are stored again, as happens to those
        that somebody looks at in the same moment
    requests : method and path of every request so far
    listed : what each list of tasks so far was asked to include
    """

    lose_webhooks: Loss = "none"
    delay_webhooks: bool = False
    delayed: list[Letter] = field(default_factory=list)
    write_seconds: float = 0.0
    kept_backends: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    _planned: list[Fault] = field(default_factory=list)
    _webhooks: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, fault: Fault) -> None:
        """Let the next requests of its kind fail; earlier plans come first."""
        with self._guard:
            self._planned.append(fault)

    def clear(self) -> None:
        """Behave again; webhooks that are delayed still wait."""
        with self._guard:
            self._planned.clear()
            self.lose_webhooks = "none"
            self.delay_webhooks = False
            self.write_seconds = 0.0
            self.kept_backends = 0

    def take(self, method: str, path: str) -> Fault | None:
        """Note a request, and return what is to go wrong with it."""
        with self._guard:
            self.requests.append((method, path))
            for fault in self._planned:
                if not fault.is_for(method, path):
                    continue
                if fault.let_pass:
                    fault.let_pass -= 1
                    continue
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
