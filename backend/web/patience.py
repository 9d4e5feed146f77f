"""gunicorn's threads, with an end to the patience for slow callers.

A thread reads a request as slowly as it is sent: a few callers that send a byte now
and then would hold all threads (Slowloris). Here a request must have arrived in time.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from gunicorn.workers.gthread import TConn, ThreadWorker

if TYPE_CHECKING:
    from gunicorn.http.message import Request


class PatientWorker(ThreadWorker):
    """Stops to listen to a caller whose request does not arrive in time.

    What it has sent is answered as far as it goes; who waits for our answer to a
    request that came whole is not hurt.

    Attributes
    ----------
    head_seconds, whole_seconds : the time for the head, and then for the body: the
        largest that `/predict` takes comes in time at 10 MB/s
    """

    head_seconds = 10.0
    whole_seconds = 30.0

    def init_process(self) -> None:
        """Prepare to watch, and work until told to stop."""
        self._due: dict[TConn, float] = {}
        self._due_lock = threading.Lock()
        super().init_process()

    def handle(self, conn: TConn) -> object:  # type: ignore[override]  # it may defer
        """Answer one request; its head must come in time."""
        self._expect(conn, self.head_seconds)
        try:
            return super().handle(conn)
        finally:
            with self._due_lock:
                self._due.pop(conn, None)

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """Answer a request whose head has come; its body must come in time."""
        self._expect(conn, self.whole_seconds)
        return bool(super().handle_request(req, conn))

    def notify(self) -> None:
        """Say every second that we live, and let go of those that are too slow."""
        super().notify()
        now = time.monotonic()
        with self._due_lock:
            late = [conn for conn, due in self._due.items() if due < now]
            for conn in late:
                del self._due[conn]
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)

    def _expect(self, conn: TConn, seconds: float) -> None:
        with self._due_lock:
            self._due[conn] = time.monotonic() + seconds
