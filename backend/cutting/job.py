"""Cutting all files of one command into tasks of equal shape."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from dubito.backend.cutting.columns import listed
from dubito.backend.cutting.recording import Recording, Timing
from dubito.backend.cutting.runs import Cut, Tally, windows_of
from dubito.backend.cutting.tasks import MAX_CLASSES
from dubito.backend.errors import CutError
from dubito.backend.progress import Show, show_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dubito.backend.cutting.columns import Columns
    from dubito.backend.cutting.runs import Window
    from dubito.backend.cutting.tasks import TaskWriter
    from dubito.backend.records import JsonObject

MAX_VALUES = 100_000
"""Of all channels of a window: the charts of Label Studio get slow."""

MAX_SAMPLES = 10**15
"""Of a window: of any more their number could not be counted."""

GAP_STEPS = 5
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowShape:
    """What the command line says of windows.

    Attributes
    ----------
    seconds : of a window
    overlap : of a window with the next one, as a share of it, in [0, 1)
    gap : seconds; None for some steps of the file
    pure : share of a window's samples that its label needs
    """

    seconds: float
    overlap: float = 0.0
    gap: float | None = None
    pure: float = 0.0


@dataclass(slots=True, kw_only=True)
class CutJob:
    """Files on their way to tasks.

    Attributes
    ----------
    first : the recording of the first file, whose columns all others have, too
    rate, samples, hop : of all windows; see `Cut`
    labels : how many windows have each label, so far
    tallies : of the files that are cut
    """

    files: Sequence[Path]
    first: Recording
    timing: Timing
    shape: WindowShape
    rate: float
    samples: int
    hop: int
    labels: Counter[str] = field(default_factory=Counter)
    tallies: list[tuple[Recording, Tally]] = field(default_factory=list)

    @classmethod
    def of(
        cls, files: Sequence[Path], columns: Columns, timing: Timing, shape: WindowShape
    ) -> Self:
        """Look at the first file, and decide on the windows of all."""
        first = Recording.open(files[0], columns, timing)
        rate = timing.rate or first.rate
        samples = round(min(shape.seconds * rate, MAX_SAMPLES))
        values = samples * len(first.columns.channels)
        if samples < 2 or values > MAX_VALUES:
            wrong = (
                "which is too short: give more --seconds"
                if samples < 2
                else f"more than {MAX_VALUES}: give fewer --seconds, or a lower --rate"
            )
            message = (
                f"at {rate:g} samples per second, a window of {shape.seconds:g} s has"
                f" {values} values, {wrong}"
            )
            raise CutError(message)
        return cls(
            files=files,
            first=first,
            timing=timing,
            shape=shape,
            rate=rate,
            samples=samples,
            hop=max(1, round(samples * (1 - shape.overlap))),
        )

    def cut(self, recording: Recording) -> Cut:
        """Return how a file is cut."""
        step = 1 / recording.rate
        gap = GAP_STEPS * step if self.shape.gap is None else self.shape.gap
        return Cut(
            rate=self.rate,
            samples=self.samples,
            hop=self.hop,
            step=step,
            gap=gap,
            pure=self.shape.pure,
        )

    def tasks(self, writer: TaskWriter, show: Show = show_nothing) -> Iterator[bytes]:
        """Yield the windows of all files as tasks.

        Raises
        ------
        CutError
            if a file cannot be cut, or no window comes of any
        """
        for path in self.files:
            recording = self.first
            if path != self.first.path:
                recording = Recording.open(path, self.first.columns, self.timing)
            tally, size = Tally(), path.stat().st_size / MEGABYTE

            def tell(share: float, path: Path = path, size: float = size) -> None:
                show(f"cutting {path.name} (MB)", round(share * size), round(size))

            for window in windows_of(
                recording.blocks(tell), self.cut(recording), tally
            ):
                yield writer.task(window, self._facts(recording, window))
                self._count_label(window.label)
            _check_order(recording, tally)
            self.tallies.append((recording, tally))
        if not any(tally.windows for _, tally in self.tallies):
            raise CutError(self._no_windows())

    def _facts(self, recording: Recording, window: Window) -> JsonObject:
        names = [path.name for path in self.files]
        is_unique = names.count(recording.path.name) == 1
        file = recording.path.name if is_unique else str(recording.path)
        facts: JsonObject = {"file": file, "start": recording.written(window.start)}
        group = recording.columns.group
        return facts | ({group: window.group} if group else {})

    def _count_label(self, label: str | None) -> None:
        if label is not None:
            self.labels[label] += 1
        if len(self.labels) > MAX_CLASSES:
            message = (
                f"the column {self.first.columns.label!r} has more than {MAX_CLASSES}"
                " different labels: name the column of classes with --label-column"
            )
            raise CutError(message)

    def _no_windows(self) -> str:
        longest = max(tally.longest for _, tally in self.tallies)
        holes = sum(tally.holes for _, tally in self.tallies)
        if holes:
            places = sorted(set().union(*(tally.empty for _, tally in self.tallies)))
            names = listed([self.first.columns.channels[place] for place in places])
            return (
                f"in each of the {holes} windows a channel has no values for too long"
                f" ({names}): choose other --columns, or a longer --gap"
            )
        return (
            f"no window of {self.shape.seconds:g} s fits: the longest part without a"
            f" gap has {longest:.3g} s; give fewer --seconds, a longer --gap, or check"
            " the --time column and its --time-unit"
        )


def _check_order(recording: Recording, tally: Tally) -> None:
    """Raise `CutError` for a file whose rows are in no order of time."""
    if tally.restarts > tally.windows:
        message = (
            f"{recording.path}: the time goes back {tally.restarts} times, so the rows"
            " are not in order: sort them by time, or name the column that tells the"
            " recordings apart with --group"
        )
        raise CutError(message)
