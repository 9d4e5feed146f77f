"""Windows as tasks of Label Studio, and the label config that shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Self

import numpy as np
import orjson

from dubito.backend.controls.registry import codec_of
from dubito.backend.controls.stretches import Stretch, packed_stretches
from dubito.backend.errors import CutError
from dubito.backend.labelstudio.questions import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dubito.backend.cutting.runs import Window
    from dubito.backend.records import JsonObject
    from dubito.model.schema import Schema

TIME = "second"
CONFIG = """\
<View>
  <Header value="What does this recording show?"/>
  <Choices name="label" toName="recording" choice="single-radio" layout="inline">
{choices}
  </Choices>
  <TimeSeries name="recording" value="$recording" valueType="json"
              timeColumn="second" overviewWidth="100%">
{channels}
  </TimeSeries>
</View>
"""
PLACEHOLDERS = ("first class", "second class")
MAX_CLASSES = 200
TIME_DIGITS = 6


def channel_names(columns: Sequence[str]) -> list[str]:
    """Return names that Label Studio's charts can find: lower case, no two alike."""
    names: list[str] = []
    for column in columns:
        plain = re.sub(r"\W+", "_", column.lower()).strip("_") or "channel"
        plain = f"channel_{plain}" if plain.isdigit() else plain
        repeats = sum(name == plain for name in (TIME, *names))
        names.append(f"{plain}_{len(names) + 1}" if repeats else plain)
    return names


def label_config(columns: Sequence[str], classes: Sequence[str]) -> str:
    """Return a label config for windows: the question on top, the channels under it.

    Parameters
    ----------
    columns : names of the channels in the recording
    classes : to choose from; fewer than two are filled up with placeholders
    """
    choices = [*classes, *PLACEHOLDERS[len(classes) :]]
    channels = zip(channel_names(columns), columns, strict=True)
    return CONFIG.format(
        choices="\n".join(f'    <Choice value="{escape(c)}"/>' for c in choices),
        channels="\n".join(
            f'    <Channel column="{name}" legend="{escape(column)}"/>'
            for name, column in channels
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWriter:
    """Writes windows as tasks of one label config.

    Attributes
    ----------
    channels : as the label config names them
    seconds : of a window's samples, from 0
    """

    schema: Schema
    key: str
    channels: tuple[str, ...]
    seconds: tuple[float, ...]

    @classmethod
    def of(cls, config: str, columns: Sequence[str], grid: Iterable[float]) -> Self:
        """Prepare to write tasks; raise `CutError` if a config shows other data."""
        schema = read_schema(config)
        names = channel_names(columns)
        channels = {name.lower(): name for name in schema.channels.columns}
        missing = [name for lower, name in channels.items() if lower not in names]
        is_other = schema.tag != "TimeSeries" or not schema.single_name
        if is_other or schema.is_address or missing:
            wrong = f"the channels {', '.join(missing)}" if missing else "other data"
            message = (
                f"the label config shows {wrong}, not windows with the channels"
                f" {', '.join(names)}: use the label config that"
                " `dubito cut -o tasks.json` writes, or choose --columns"
            )
            raise CutError(message)
        return cls(
            schema=schema,
            key=schema.single_name,
            channels=tuple(channels.get(name, name) for name in names),
            seconds=tuple(round(second, TIME_DIGITS) for second in grid),
        )

    def task(self, window: Window, facts: JsonObject) -> bytes:
        """Return a window as a task, in JSON.

        Parameters
        ----------
        facts : what else the task's data holds
        """
        rows = np.ascontiguousarray(window.values.T)
        recording: JsonObject = {self.schema.channels.time or TIME: self.seconds}
        recording |= dict(zip(self.channels, rows, strict=True))
        task: JsonObject = {"data": {**facts, self.key: recording}}
        if window.label is not None:
            task["annotations"] = [{"result": self._regions(window.label)}]
        return orjson.dumps(task, option=orjson.OPT_SERIALIZE_NUMPY)

    def _regions(self, label: str) -> list[JsonObject]:
        """Return a label as the control stores it; nothing for no label of it."""
        codec = codec_of(self.schema)
        if codec.marks_stretches:
            return self._whole_stretch(label)
        try:
            regions = codec.regions(codec.answer_of([label], self.schema), self.schema)
        except ValueError:  # a text for a control of numbers
            return []
        return [dict(region) for region in regions]

    def _whole_stretch(self, label: str) -> list[JsonObject]:
        """Return a stretch over the whole window."""
        if label not in self.schema.classes:
            return []
        last = len(self.seconds) - 1
        ends = (self.seconds[0], self.seconds[-1])
        start, end = ends if self.schema.channels.time else (0, last)
        answer = packed_stretches([Stretch(start, end, label)])
        regions = codec_of(self.schema).regions(answer, self.schema)
        return [dict(region) for region in regions]


def as_json_list(tasks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield tasks as one JSON list, one a line."""
    opening = b"[\n"
    for task in tasks:
        yield opening + task
        opening = b",\n"
    yield b"[]\n" if opening == b"[\n" else b"\n]\n"
