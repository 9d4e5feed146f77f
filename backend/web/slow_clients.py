"""waitress, with an end to the patience for slow callers.

waitress listens to all callers in one thread, and hands to another thread only a
request that has come whole: a connection that sends nothing, or a byte now and then
(Slowloris), costs a file descriptor and holds nobody up. Here that has an end too:
a request must arrive in time, and of very many connections some are let go.
"""

from __future__ import annotations

import copy
import math
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer

from dubito.backend.web.limits import LARGEST_BODY, MEGABYTE, largest_body

if TYPE_CHECKING:
    import socket


SERVER = "Dubito"
"""No header says which software, and which of its faults, there is to attack."""

LOOK_SECONDS = 1
BACKLOG = 1024
ACCEPTED_AT_ONCE = 50
KEPT_IN_MEMORY = MEGABYTE // 16
LARGEST_HEAD = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long, and how many, callers are waited for.

    Attributes
    ----------
    head_seconds, body_seconds : the time for the head of a request, and then for its
        body: the largest that `/predict` takes comes in time at 10 MB/s
    last_head_seconds, last_body_seconds : the same once the server is told to stop
    read_seconds : the time for a caller to take the next part of an answer
    grace_seconds : the time for all that, and all answers, once told to stop
    connections : how many there may be; one address may have half of them
    arriving_bytes : how much of all bodies may be kept before their requests are
        answered
    """

    head_seconds: float = 10.0
    body_seconds: float = 30.0
    last_head_seconds: float = 1.0
    last_body_seconds: float = 5.0
    read_seconds: float = 60.0
    grace_seconds: float = 20.0
    connections: int = 2_000
    arriving_bytes: int = 2 * LARGEST_BODY


class LimitedParser(HTTPRequestParser):
    """A request, whose body may be as large as its endpoint takes.

    Attributes
    ----------
    began, heard : when the request, and when its body, began to arrive
    """

    began = math.inf
    heard = math.inf

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head; from then on the body has its own limit and time."""
        super().parse_header(header_plus)
        self.heard = time.time()
        self.adj = copy.copy(self.adj)
        self.adj.max_request_body_size = largest_body(self.path) + 1  # type: ignore[attr-defined]  # it has


class PatientChannel(HTTPChannel):
    """A connection to a caller, which is let go when a request does not arrive."""

    parser_class = LimitedParser
    server: PatientServer
    request: LimitedParser | None

    def received(self, data: bytes) -> bool:
        """Take what has come, and note when a request begins."""
        has_data = bool(super().received(data))
        if self.request is not None:
            self.request.began = min(self.request.began, time.time())
        return has_data

    def is_waiting(self) -> bool:
        """Return whether the caller has to say something, and nobody else."""
        is_answered = not self.requests and not self.total_outbufs_len
        return is_answered and not self.will_close

    def let_go(self) -> None:
        """Close the connection in the next turn of the loop.

        In this turn the loop may still hold something that happened to its number,
        which must not be taken for the connection that is given that number next.
        """
        self.will_close = True

    def waits_since(self) -> float:
        """Return since when we wait for a whole request, or for its next stage."""
        if self.request is None:
            return self.last_activity
        is_heard = self.request.headers_finished
        return self.request.heard if is_heard else self.request.began

    def is_late(self, patience: Patience, now: float, stopping: float) -> bool:
        """Return whether we have waited for this caller long enough."""
        if not self.is_waiting():
            is_stuck = self.last_activity + patience.read_seconds < now
            return bool(self.total_outbufs_len) and is_stuck
        seconds, last = patience.head_seconds, patience.last_head_seconds
        if self.request is not None and self.request.headers_finished:
            seconds, last = patience.body_seconds, patience.last_body_seconds
        since = self.waits_since()
        return min(since + seconds, max(since, stopping) + last) < now

    def arriving_bytes(self) -> int:
        """Return how much is kept of bodies whose requests are not answered yet."""
        arriving = [*self.requests, *([self.request] if self.request else [])]
        return sum(request.body_bytes_received for request in arriving)

    def answer_last(self) -> None:
        """Close the connection after what is being answered or is arriving."""
        for request in self.requests:
            request.connection_close = True


class PatientServer(TcpWSGIServer):
    """Serves over a socket until told to stop, then ends what has begun."""

    channel_class = PatientChannel
    active_channels: dict[int, PatientChannel]  # type: ignore[assignment]  # narrower
    _map: dict[int, Any]

    def __init__(
        self,
        application: Any,  # noqa: ANN401  # a WSGI application
        listener: socket.socket,
        threads: int,
        patience: Patience | None = None,
    ) -> None:
        self.patience = patience or Patience()
        self.stopping = math.inf
        super().__init__(
            application,
            _sock=listener,
            adj=adjustments(listener, threads, self.patience),
            bind_socket=False,
            sockinfo=(
                *(listener.family, listener.type, listener.proto),
                listener.getsockname(),
            ),
        )

    def run(self) -> None:
        """Serve until told to stop, and until those in time are answered."""
        while not self._is_done():
            wasyncore.loop(LOOK_SECONDS, use_poll=True, map=self._map, count=1)
            if self.stopping < math.inf:
                self._wind_up()

    def stop(self) -> None:
        """Accept nobody any more, and end soon; a signal may call this."""
        self.stopping = min(self.stopping, time.time())
        self.pull_trigger()

    def maintenance(self, now: float) -> None:
        """Let go of those who are too slow, and of the largest if all is too much."""
        for channel in self.active_channels.values():
            if channel.is_late(self.patience, now, self.stopping):
                channel.let_go()
        total = sum(c.arriving_bytes() for c in self.active_channels.values())
        largest_last = sorted(self._waiting(), key=PatientChannel.arriving_bytes)
        while largest_last and total > self.patience.arriving_bytes:
            total -= largest_last[-1].arriving_bytes()
            largest_last.pop().let_go()

    def handle_accept(self) -> None:
        """Accept several callers; where there are too many, let others go."""
        for _ in range(ACCEPTED_AT_ONCE):
            before = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) == before:
                return
            if before >= self.patience.connections // 2:
                self._make_room()

    def add_task(self, task: PatientChannel) -> None:  # type: ignore[override]  # its tasks are channels
        """Let a request that has come whole be answered."""
        if self.stopping < math.inf:
            task.answer_last()
        super().add_task(task)  # type: ignore[arg-type]

    def _make_room(self) -> None:
        """Let go of the connection that has kept us waiting longest.

        It is one of the address that has most of them. Callers who say at once what
        they want are answered before their turn to go comes.
        """
        channels = [c for c in self.active_channels.values() if not c.will_close]
        [(address, count)] = Counter(c.addr[0] for c in channels).most_common(1)
        most = self.patience.connections
        if len(channels) <= most and count <= most // 2:
            return
        waiting = (c for c in self._waiting() if c.addr[0] == address)
        oldest = min(waiting, key=PatientChannel.waits_since, default=None)
        if oldest is not None:
            oldest.let_go()

    def _waiting(self) -> list[PatientChannel]:
        return [c for c in self.active_channels.values() if c.is_waiting()]

    def _wind_up(self) -> None:
        if self.accepting:
            self.accepting = False
            wasyncore.dispatcher.close(self)
            for channel in self.active_channels.values():
                channel.answer_last()
        self.maintenance(time.time())

    def _is_done(self) -> bool:
        ends = self.stopping + self.patience.grace_seconds
        is_idle = self.stopping < math.inf and not self.active_channels
        return is_idle or ends < time.time()


def adjustments(
    listener: socket.socket, threads: int, patience: Patience
) -> Adjustments:
    """Return waitress's own settings.

    An answer is kept here (on disk, if it is large) for callers who take it slowly,
    so that no thread waits for them.
    """
    return Adjustments(
        sockets=[listener],
        threads=threads,
        ident=SERVER,
        server_name=listener.getsockname()[0],
        backlog=BACKLOG,
        connection_limit=2 * patience.connections + BACKLOG,
        cleanup_interval=LOOK_SECONDS,
        max_request_header_size=LARGEST_HEAD,
        inbuf_overflow=KEPT_IN_MEMORY,
        outbuf_high_watermark=64 * MEGABYTE,
        asyncore_use_poll=True,
        log_socket_errors=False,
    )
