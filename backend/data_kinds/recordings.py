"""Recordings of sensors: described by numbers, and drawn as traces."""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.data_kinds.csv_files import MOST_SAMPLES
from dubito.backend.data_kinds.kind import DataKind, content_of
from dubito.backend.data_kinds.preview import Look, rounded
from dubito.backend.data_kinds.recording_files import Recording, open_recording
from dubito.backend.state.pool import TaskInput
from dubito.model.features.downsampling import telling_samples
from dubito.model.features.timeseries import describe, feature_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.preview import ItemPreview
    from dubito.backend.records import JsonObject

AT_ONCE = MOST_SAMPLES
"""So many samples are described together at most."""

LONG = 50_000
"""Samples: longer recordings are described one by one, and do not wait in memory."""

LARGE = 1_000_000
"""Bytes: larger files are read one after another, for reading takes far more room."""

DRAWN_CHANNELS = 8
DRAWN_SAMPLES = 200


class Recordings(DataKind[Recording]):
    """Windows of sensors, in files or as columns of the data."""

    name = "recording"
    title = "recordings of sensors (statistics of each channel and its spectrum)"
    tags = MappingProxyType({"TimeSeries": {}})
    by_address = True
    in_files = True
    in_tables = True
    look = Look.DRAWN
    large_bytes = LARGE

    def address(self, content: object, plan: ReadPlan) -> str:  # noqa: ARG002
        """Return the text that is shown: a recording itself is no text."""
        return content.strip() if isinstance(content, str) else ""

    def decode(self, content: object, plan: ReadPlan) -> Recording:
        """Return the recording of a CSV or JSON file, or of columns by name."""
        return open_recording(content_of(content), plan.schema.channels)

    def describe(self, items: Sequence[Recording]) -> list[TaskInput]:
        """Describe recordings by numbers: many at once is much quicker."""
        return [TaskInput(numbers=numbers) for numbers in describe_all(items)]

    def may_wait(self, item: Recording) -> bool:
        """Return whether a recording is short."""
        return item.samples.size <= LONG

    def preview(self, item: Recording, preview: ItemPreview) -> ItemPreview:
        """Draw the first channels."""
        return replace(preview, trace=trace_of(item))


def describe_all(recordings: Sequence[Recording]) -> list[dict[str, float]]:
    """Describe recordings by numbers, those of one shape together.

    What is said of a recording does not depend on the others.
    """
    alike: dict[tuple[tuple[str, ...], tuple[int, ...]], list[int]] = {}
    for place, one in enumerate(recordings):
        alike.setdefault((one.columns, one.samples.shape), []).append(place)
    descriptions: dict[int, dict[str, float]] = {}
    for (columns, shape), places in alike.items():
        names, step = feature_names(columns), max(1, AT_ONCE // math.prod(shape))
        for start in range(0, len(places), step):
            batch = places[start : start + step]
            windows = np.stack([recordings[place].samples for place in batch])
            rates = np.array([recordings[place].rate for place in batch])
            rows = describe(windows, rates).tolist()
            descriptions_of_rows = (dict(zip(names, row, strict=True)) for row in rows)
            descriptions |= dict(zip(batch, descriptions_of_rows, strict=True))
    return [descriptions[place] for place in range(len(recordings))]


def trace_of(recording: Recording) -> JsonObject:
    """Return the first channels of a recording, short enough to be drawn."""
    channels = []
    names = recording.columns[:DRAWN_CHANNELS]
    for name, signal in zip(names, recording.samples.T, strict=False):
        at = telling_samples(signal, DRAWN_SAMPLES)
        values = [rounded(value) for value in signal[at].tolist()]
        channels.append({"name": name, "at": at.tolist(), "values": values})
    return {
        "channels": channels,
        "channels_left_out": len(recording.columns) - len(channels),
        "samples": len(recording.samples),
    }


RECORDINGS = Recordings()
