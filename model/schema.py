"""Names and shapes: what a project asks, and what its tasks show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """The columns of a recording.

    Attributes
    ----------
    columns : channels to learn from
    time : column of the time stamps; empty if samples are only counted
    separator : what parts the columns of a file
    """

    columns: tuple[str, ...] = ()
    time: str = ""
    separator: str = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One single-choice question over one shown object.

    Attributes
    ----------
    control : name of the control whose choices are learnt
    target : name of the object it is about
    classes : the choices, as annotations hold them
    tag : kind of the shown object: Text, TimeSeries, Image …
    key : key of the task's data that is shown
    is_address : whether that data is the address of a file
    channels : of a TimeSeries
    """

    control: str
    target: str
    classes: tuple[str, ...]
    tag: str
    key: str
    is_address: bool = False
    channels: Channels = Channels()
