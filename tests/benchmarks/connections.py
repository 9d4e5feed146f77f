"""How long callers wait while very many connections hang: idle, and half sent.

    python -m tests.benchmarks.connections [--asks 1000]

prints a line for each number of connections: the median, the 99th percentile and the
maximum of the seconds that `/health` and `/webhook` take over new connections, and the
seconds of the processor that each request costs the server.
"""

import argparse
import http.client
import json
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from tests.store import store_running
from tests.web import Serving, web_process

IDLE, HALF = b"", b"POST /webhook HTTP/1.1\r\nHost: localh"
SCENES = {"none": (0, 0), "500 idle": (500, 0), "500 idle, 490 half sent": (500, 490)}
PROJECT = {"id": 1, "created_at": "2026-01-01T00:00:00Z"}
EVENT = json.dumps({"action": "START_TRAINING", "project": PROJECT})
ASKED = {"/health": None, "/webhook": EVENT}


def ask(port: int, path: str, body: str | None) -> float:
    """Ask once over a new connection; return the seconds it took."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json"} if body else {}
    connection.request("POST" if body else "GET", path, body, headers)
    answer = connection.getresponse()
    assert answer.status < 300, answer.read()
    answer.read()
    connection.close()
    return time.perf_counter() - began


def processor_seconds(serving: Serving) -> float:
    """Return the processor's time that the server has taken so far."""
    stat = Path(f"/proc/{serving.process.pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


def measure(serving: Serving, hanging: tuple[int, int], asks: int) -> None:
    """Ask while connections hang; print what it took."""
    for path, body in ASKED.items():
        with ExitStack() as stack:
            for begun, count in zip((IDLE, HALF), hanging, strict=True):
                for _ in range(count):
                    stack.enter_context(serving.open()).sendall(begun)
            before = processor_seconds(serving)
            took = np.array([ask(serving.port, path, body) for _ in range(asks)])
            cost = (processor_seconds(serving) - before) / asks
        middle, high = np.percentile(took, [50, 99]) * 1000
        print(  # noqa: T201 - a benchmark's result
            f"  {path}: median {middle:.1f} ms, 99 % {high:.1f} ms,"
            f" longest {took.max() * 1000:.1f} ms; {cost * 1000:.1f} ms of processor"
        )


def main() -> None:
    """Measure all scenes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--asks", type=int, default=1_000)
    asks = parser.parse_args().asks
    with store_running() as url, web_process(url) as serving:
        for name, hanging in SCENES.items():
            print(name)  # noqa: T201
            measure(serving, hanging, asks)


if __name__ == "__main__":
    main()
