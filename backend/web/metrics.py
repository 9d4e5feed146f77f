"""What Prometheus is told: counted in Redis, so that all processes speak as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from backend.learning.status import describe
from backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from backend.services import Services

GAUGES = {
    "tasks": "Tasks of the project.",
    "labels": "Tasks that have a label.",
    "skipped": "Tasks that were skipped and labelled by nobody.",
    "set_aside": "Tasks and annotations nothing can be learnt from.",
    "pending": "Tasks whose data waits to be read.",
    "pool": "Open tasks that can be ranked.",
    "events_pending": "Events that no finished round has seen.",
    "last_round_seconds": "Seconds the last round took, without Label Studio's part.",
    "published_at": "When the order in Label Studio was last made right.",
    "last_event_at": "When Label Studio last told something.",
}


def exposition(services: Services) -> bytes:
    """Return all metrics in Prometheus' text format."""
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
        yield GaugeMetricFamily(
            "dubito_queue_length", "Jobs that wait.", len(self.services.queue)
        )
        yield from self._projects()

    def _events(self) -> Metric:
        name, what = "dubito_events", "Events by what Label Studio calls them."
        events = CounterMetricFamily(name, what, labels=["action"])
        for action, count in self.services.redis.hgetall(keys.EVENTS).items():
            events.add_metric([action.decode()], int(count))
        strangers = int(self.services.redis.get(keys.STRANGERS) or 0)
        events.add_metric(["of unknown projects"], strangers)
        return events

    def _projects(self) -> Iterator[Metric]:
        known = self.services.projects.known()
        states = [self.services.projects.at(key) for key in known]
        found = [describe(state, self.services) for state in states]
        rounds = CounterMetricFamily("dubito_rounds", "Rounds.", labels=["project"])
        for status in found:
            rounds.add_metric([str(status["key"])], float(str(status["round"])))
        yield rounds
        for name, what in GAUGES.items():
            gauge = GaugeMetricFamily(f"dubito_{name}", what, labels=["project"])
            for status in found:
                if status[name] is not None:
                    gauge.add_metric([str(status["key"])], float(str(status[name])))
            yield gauge
