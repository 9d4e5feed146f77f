"""The sample: what a smart watch felt while its wearer stood, walked, ran or played.

BasicMotions, of the UEA archive of time series: 80 windows of ten seconds, ten samples
a second, acceleration and rotation about three axes, each in one of four activities.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from random import Random
from typing import NamedTuple

import pandas as pd

TITLE = "Activities (BasicMotions)"
DATA_KEY = "csv"
TIME = "second"
WINDOW = "window"
ACTIVITY = "activity"
SHUFFLE_SEED = 20
COLOURS = ("#d1495b", "#2e86ab", "#3d9970")
HINT = (
    "standing: flat lines · walking: small, even waves · running: large, even waves"
    " · badminton: sudden strokes"
)


class Sensor(NamedTuple):
    """Three axes of one sensor, shown in one chart.

    Attributes
    ----------
    span : lowest and highest value shown: the same for all windows, so that a person
        who stands does not look like one who runs
    """

    title: str
    columns: tuple[str, str, str]
    span: str


SENSORS = (
    Sensor("acceleration", ("acc_x", "acc_y", "acc_z"), "-25,30"),
    Sensor("rotation", ("gyr_x", "gyr_y", "gyr_z"), "-20,20"),
)


def activities() -> tuple[str, ...]:
    """Return the activities there are, in alphabetical order."""
    return tuple(sorted(_table()[ACTIVITY].unique()))


def recordings() -> dict[str, bytes]:
    """Return a CSV file for each window, by name.

    Neither the names nor their order tell the activity: that is for people to say.
    """
    return {name: _csv(window) for name, window in _windows().items()}


def answers() -> dict[str, str]:
    """Return the activity of each window, by the name of its file."""
    return {name: str(window[ACTIVITY].iloc[0]) for name, window in _windows().items()}


def label_config() -> str:
    """Return how a task is shown: the question on top, the sensors under it."""
    choices = "".join(
        f'<Choice value="{activity}" hotkey="{key}"/>'
        for key, activity in enumerate(activities(), start=1)
    )
    charts = "".join(map(_chart, SENSORS))
    return (
        "<View>"
        '<Header value="What is this person doing?" size="4"/>'
        f'<Header value="{HINT}" size="5" style="font-size: 14px; font-weight: 400"/>'
        '<Choices name="activity" toName="recording" choice="single-radio"'
        f' layout="inline" required="true">{choices}</Choices>'
        f'<TimeSeries name="recording" value="${DATA_KEY}" valueType="url"'
        f' timeColumn="{TIME}" timeDisplayFormat=",.1f" overviewWidth="100%"'
        f' overviewChannels="{SENSORS[0].columns[0]}">{charts}</TimeSeries>'
        "</View>"
    )


def _chart(sensor: Sensor) -> str:
    """Return one chart; its axes share their scale, so one of them is drawn."""
    channels = "".join(
        f'<Channel column="{column}" legend="{sensor.title} {column[-1]}"'
        f' strokeColor="{colour}" strokeWidth="2" interpolation="curveMonotoneX"'
        f' displayFormat=",.1f" dataRange="{sensor.span}"'
        f' showYAxis="{str(column == sensor.columns[0]).lower()}"/>'
        for column, colour in zip(sensor.columns, COLOURS, strict=True)
    )
    return f'<MultiChannel height="160">{channels}</MultiChannel>'


@cache
def _table() -> pd.DataFrame:
    packed = files(__package__) / "basic_motions.csv.gz"
    with packed.open("rb") as stream:
        return pd.read_csv(stream, compression="gzip")


def _windows() -> dict[str, pd.DataFrame]:
    windows = [window for _, window in _table().groupby(WINDOW)]
    Random(SHUFFLE_SEED).shuffle(windows)  # noqa: S311  # a deal, not a secret
    return {f"window-{n:02}.csv": window for n, window in enumerate(windows, start=1)}


def _csv(window: pd.DataFrame) -> bytes:
    columns = window.drop(columns=[WINDOW, ACTIVITY])
    return bytes(columns.to_csv(index=False).encode())
