"""What Prometheus is told: counted in Redis, so that all processes speak as one.

Few round trips, whatever there is to tell: what is costly to count has been noted by
the workers, and all projects are asked about at once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from dubito.backend.labelstudio.instrumented_client import CALLS, SECONDS
from dubito.backend.state import keys
from dubito.backend.state.counters import ERRORS, STEPS, read_counters
from dubito.backend.state.heartbeats import Heartbeats
from dubito.backend.state.lag import sample_all
from dubito.backend.status.gauges import COUNTED
from dubito.backend.web.auth import FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from prometheus_client import Metric

    from dubito.backend.services import Services

    Sums = Mapping[tuple[str, ...], float]

COUNTERS = {
    ERRORS: ("Errors by kind.", ["kind"]),
    FAILED: ("Log-ins with wrong credentials.", []),
    CALLS: (
        "Calls to Label Studio, by the answer's status; none if there was none.",
        ["method", "resource", "status"],
    ),
}
SUMMARIES = {
    STEPS: ("Seconds of rounds by step.", ["step"]),
    SECONDS: ("Seconds of calls to Label Studio.", ["method", "resource"]),
}
GAUGES = {
    "tasks": "Tasks of the project.",
    "labels": "Tasks that have a label.",
    "skipped": "Tasks that were skipped and labelled by nobody.",
    "set_aside": "Tasks and annotations nothing can be learnt from.",
    "pending": "Tasks whose data waits to be read.",
    "pool": "Open tasks that can be ranked.",
    "events_pending": "Events that no round has learnt from.",
    "lag_seconds": "How long the oldest of these events has waited.",
    "window_written": "Places of the window that stand in Label Studio.",
    "scores_written": "Open tasks that have their score in Label Studio.",
    "last_round_seconds": "Seconds the last round took, without Label Studio's part.",
    "published_timestamp_seconds": "When the order in Label Studio was last right.",
    "last_event_timestamp_seconds": "When Label Studio last told something.",
}
FACTS = {
    "last_round_seconds": "last_round_seconds",
    "published_at": "published_timestamp_seconds",
    "last_event_at": "last_event_timestamp_seconds",
    "window_written": "window_written",
}


def exposition(services: Services) -> bytes:
    """Return all metrics in Prometheus' text format."""
    services.counters.flush()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StateCollector(services))
    return generate_latest(registry)


@dataclass(frozen=True, slots=True, eq=False)
class StateCollector(Collector):
    """Reads metrics from the state."""

    services: Services

    def collect(self) -> Iterator[Metric]:
        """Yield what stands in the store now."""
        yield self._events()
        yield from self._tallied()
        waiting = sum(map(len, self.services.queues))
        yield GaugeMetricFamily("dubito_queue_length", "Jobs that wait.", waiting)
        yield self._workers()
        yield from self._projects()

    def _events(self) -> Metric:
        name, what = "dubito_events", "Events by what Label Studio calls them."
        events = CounterMetricFamily(name, what, labels=["action"])
        for action, count in self.services.redis.hgetall(keys.EVENTS).items():
            events.add_metric([action.decode()], int(count))
        strangers = int(self.services.redis.get(keys.STRANGERS) or 0)
        events.add_metric(["of unknown projects"], strangers)
        return events

    def _tallied(self) -> Iterator[Metric]:
        tally = read_counters(self.services.redis)
        for name, (what, labels) in COUNTERS.items():
            counter = CounterMetricFamily(f"dubito_{name}", what, labels=labels)
            for values, amount in sorted(tally.get(name, {}).items()):
                counter.add_metric(values, amount)
            yield counter
        for name, (what, labels) in SUMMARIES.items():
            counts, sums = tally.get(f"{name}_count", {}), tally.get(f"{name}_sum", {})
            summary = SummaryMetricFamily(f"dubito_{name}", what, labels=labels)
            for values in sorted(counts):
                summary.add_metric(values, int(counts[values]), sums.get(values, 0.0))
            yield summary

    def _workers(self) -> Metric:
        workers = GaugeMetricFamily(
            "dubito_workers", "Workers alive, by their machine.", labels=["host"]
        )
        for host, count in Counter(Heartbeats(self.services.redis).alive()).items():
            workers.add_metric([host], count)
        return workers

    def _projects(self) -> Iterator[Metric]:
        project_keys = self.services.projects.known()
        by_project = self._gauges(project_keys)
        rounds = CounterMetricFamily("dubito_rounds", "Rounds.", labels=["project"])
        for key, gauges in by_project.items():
            rounds.add_metric([key], gauges["rounds"])
        yield rounds
        for name, what in GAUGES.items():
            gauge = GaugeMetricFamily(f"dubito_{name}", what, labels=["project"])
            for key, gauges in by_project.items():
                if name in gauges:
                    gauge.add_metric([key], gauges[name])
            yield gauge

    def _gauges(self, project_keys: Sequence[str]) -> dict[str, dict[str, float]]:
        """Return what is known of each project, in two round trips for all."""
        with self.services.redis.pipeline(transaction=False) as pipe:
            for key in project_keys:
                pipe.hget(keys.of(key, keys.RANKING), "round")
                pipe.get(keys.of(key, keys.GAUGES))
                pipe.hmget(keys.of(key, keys.RECORD), list(FACTS))
            answers = iter(pipe.execute())
        samples = sample_all(self.services.redis, project_keys)
        rows = zip(project_keys, samples, answers, answers, answers, strict=True)
        return {
            key: {
                "rounds": float(round_number or 0),
                "events_pending": pending,
                "lag_seconds": lag,
                **_counted(counts),
                **_facts(facts),
            }
            for key, (pending, lag), round_number, counts, facts in rows
        }


def _counted(packed: bytes | None) -> dict[str, float]:
    """Read what a worker has counted, if one has."""
    counts = orjson.loads(packed or b"{}")
    return {name: counts[name] for name in COUNTED if name in counts}


def _facts(packed: Sequence[bytes | None]) -> dict[str, float]:
    """Read the facts that are known."""
    values = (orjson.loads(value or b"null") for value in packed)
    pairs = zip(FACTS.values(), values, strict=True)
    return {name: value for name, value in pairs if value is not None}
