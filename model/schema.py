"""Names and shapes: what a project asks, and what its tasks show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dubito.model.task_values import (
    data_keys,
    missing_names,
    names,
    resolve,
    single_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


Limits: TypeAlias = tuple[float | None, float | None, float | None]
"""The lowest number, the highest, and the step from the lowest on, or else from 0."""

NO_LIMITS: Limits = (None, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """The columns of a recording.

    Attributes
    ----------
    columns : channels to learn from: names in any case, or places in a file, from 0
    time : column of the time stamps; empty if samples are only counted
    separator : what parts the columns of a file; empty if the file tells
    """

    columns: tuple[str, ...] = ()
    time: str = ""
    separator: str = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """When the editor shows a control.

    Attributes
    ----------
    control : name of the control whose answer decides; empty if something else does
    classes : answers that show it; any answer where there are none
    is_negated : whether these answers hide it
    """

    control: str
    classes: tuple[str, ...] = ()
    is_negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One question over one shown object.

    Attributes
    ----------
    control : name of the control whose answers are learnt
    target : name of the object it is about
    classes : what the answers name, as annotations hold them
    tag : kind of the shown object: Text, TimeSeries, Image …
    value : what is shown of the task's data, as the label config writes it: `$text`
    key : key of the data that is shown, where no label config tells the value
    is_address : whether that data is the address of a file
    channels : of a TimeSeries
    control_kind : which kind of control that is
    as_paths : whether Label Studio's editor writes and shows an answer as a path of
        its steps, ``["till"]`` instead of ``"till"``
    is_nested : whether such a path may have several steps: a class is then their names
        with " / " between them
    unread : the shown object as the label config has it, if Dubito cannot read it:
        ``<Video>``; empty if it can
    captions : what else people see, type or write for the classes
    encoding : how a text is written in the data: base64, base64unicode; else empty
    name_key, text_key : of the turns of a dialogue: the keys of speaker and text, if
        the label config names them
    class_texts : what people read of each class, where that is not its name
    time_format : how the times of a recording are written, as d3 names it:
        ``%Y-%m-%d %H:%M``; empty for numbers
    is_inline : whether an HTML page is shown as a part of the editor's own page
    by_start : whether the turns of a dialogue are shown by their `start`
    limits : of answers that are numbers: which of them the editor takes
    most_chosen : how many classes people may choose, if the label config limits that
        by a number; else 0
    frame_rate : frames per second that the editor counts of a video; 0 of others
    condition : when the control is shown; None if it always is
    others : the other objects that are shown, each as a schema of the same question
    """

    control: str
    target: str
    classes: tuple[str, ...]
    tag: str
    value: str = ""
    key: str = ""
    is_address: bool = False
    channels: Channels = Channels()
    control_kind: str = "single-choice"
    as_paths: bool = False
    is_nested: bool = False
    unread: str = ""
    captions: tuple[str, ...] = ()
    encoding: str = ""
    name_key: str = ""
    text_key: str = ""
    class_texts: tuple[str, ...] = ()
    time_format: str = ""
    is_inline: bool = False
    by_start: bool = False
    limits: Limits = NO_LIMITS
    most_chosen: int = 0
    frame_rate: float = 0.0
    condition: Condition | None = None
    others: tuple[Schema, ...] = ()

    @property
    def objects(self) -> tuple[Schema, ...]:
        """Return all objects that are shown, the one in question first."""
        return (self, *self.others)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the entries that are shown."""
        return (self.key,) if self.key else names(self.value)

    @property
    def single_name(self) -> str:
        """Return the name of the entry that is shown as it is; empty for a text."""
        return self.key or single_name(self.value)

    @property
    def source(self) -> str:
        """Return what is shown, as sentences name it."""
        return self.single_name or self.value

    @property
    def data_keys(self) -> frozenset[str]:
        """Return the keys of a task's data that may be shown."""
        return frozenset({self.key}) if self.key else data_keys(self.value)

    def missing_in(self, data: Mapping[str, object]) -> list[str]:
        """Return the names of what should be shown, and is not in the data."""
        if self.key:
            return [] if data.get(self.key) is not None else [self.key]
        missing = missing_names(self.value, data)
        return [] if self._odd_key in data else missing

    def shown_in(self, data: Mapping[str, object]) -> object:
        """Return what is shown of a task's data; None if it is not there."""
        if self.key:
            return data.get(self.key)
        if not self.value:  # a TimeSeries without one shows the data itself
            return data if self.tag == "TimeSeries" and not self.is_address else None
        odd = self._odd_key
        if odd is not None and odd in data and missing_names(self.value, data):
            return data[odd]
        return resolve(self.value, data)

    @property
    def _odd_key(self) -> str | None:
        """Return the key that is meant by `$my-key`, which the editor cannot read.

        Label Studio's server demands the key; its editor looks for `my`.
        """
        is_odd = self.value[:1] == "$" and not single_name(self.value)
        return self.value[1:].strip() if is_odd else None
