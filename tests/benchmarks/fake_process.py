"""The fake Label Studio in a process of its own: it takes no time of who measures."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from tests.fake_label_studio import FakeServer, Options
from tests.label_studio import LabelStudio, signed_in

SPAWN = multiprocessing.get_context("spawn")


@contextmanager
def fake_running(options: Options | None = None) -> Iterator[LabelStudio]:
    """Run a fake Label Studio for the block."""
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(
        target=_serve, args=(there, options or Options()), daemon=True
    )
    process.start()
    url, tokens = here.recv()
    try:
        with signed_in(url, tokens) as label_studio:
            yield label_studio
    finally:
        process.terminate()
        process.join()


def _serve(parent: Connection, options: Options) -> None:
    """Serve until the parent hangs up."""
    with FakeServer(options).serving() as server:
        parent.send((server.url, server.tokens))
        parent.poll(None)
