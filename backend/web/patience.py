"""gunicorn's threads, with an end to the patience for slow callers.

A thread reads a request as slowly as it is sent: a few callers that send a byte now
and then would hold all threads (Slowloris). Here a request must have arrived in time.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gunicorn.workers.gthread import TConn, ThreadWorker

if TYPE_CHECKING:
    from types import FrameType

    from gunicorn.http.message import Request


@dataclass(frozen=True, slots=True)
class Hearing:
    """Since when we listen to a caller, and for how long at most.

    Attributes
    ----------
    last_seconds : for how long once we are told to stop
    """

    began: float
    seconds: float
    last_seconds: float

    def ends(self, stopping: float) -> float:
        """Return until when we listen if we are told to stop at a time."""
        last = max(self.began, stopping) + self.last_seconds
        return min(self.began + self.seconds, last)


class PatientWorker(ThreadWorker):
    """Stops to listen to a caller whose request does not arrive in time.

    What it has sent is answered as far as it goes; who waits for our answer to a
    request that came whole is not hurt.

    Attributes
    ----------
    head_seconds, whole_seconds : the time for the head, and then for the body: the
        largest that `/predict` takes comes in time at 10 MB/s
    last_head_seconds, last_whole_seconds : the same once we are told to stop: who has
        sent nothing yet is not waited for
    """

    head_seconds = 10.0
    whole_seconds = 30.0
    last_head_seconds = 1.0
    last_whole_seconds = 5.0

    def init_process(self) -> None:
        """Prepare to watch, and work until told to stop."""
        self._listening: dict[TConn, Hearing] = {}
        self._lock = threading.Lock()
        self._stopping = math.inf
        super().init_process()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finish what came whole, and wait only shortly for the rest."""
        self._stopping = min(self._stopping, time.monotonic())
        super().handle_exit(sig, frame)

    def handle(self, conn: TConn) -> object:  # type: ignore[override]  # it may defer
        """Answer one request; its head must come in time."""
        self._listen(conn, self.head_seconds, self.last_head_seconds)
        try:
            return super().handle(conn)
        finally:
            with self._lock:
                self._listening.pop(conn, None)

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """Answer a request whose head has come; its body must come in time."""
        self._listen(conn, self.whole_seconds, self.last_whole_seconds)
        return bool(super().handle_request(req, conn))

    def notify(self) -> None:
        """Say every second that we live, and let go of those that are too slow."""
        super().notify()
        now = time.monotonic()
        with self._lock:
            heard = self._listening.items()
            late = [conn for conn, one in heard if one.ends(self._stopping) < now]
            for conn in late:
                del self._listening[conn]
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)

    def _listen(self, conn: TConn, seconds: float, last_seconds: float) -> None:
        with self._lock:
            self._listening[conn] = Hearing(time.monotonic(), seconds, last_seconds)
