"""What a tag's value and its channels show: asked of Label Studio's own editor."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

import pytest
from playwright.sync_api import Page

from dubito.backend.data_kinds.recording_files import open_recording
from dubito.backend.labelstudio.questions import read_schema
from dubito.model.task_values import as_text, resolve
from tests.browser import wait_until
from tests.editor import open_task
from tests.label_studio import JsonObject, LabelStudio, choices_config
from tests.values import DATA, SHOWN

pytestmark = pytest.mark.end_to_end
CHOICES = '<Choice value="a"/><Choice value="b"/>'
TEXTS = """count => {
    const shown = [...document.querySelectorAll(".lsf-richtext__container")];
    return shown.length === count && shown.map(text => text.textContent);
}"""
CHANNELS = """count => {
    const objects = window.Htx?.annotationStore?.selected?.names.values() ?? [];
    const series = [...objects].filter(one => one.type === "timeseries");
    const areLoaded = series.length === count && series.every(one => one.dataObj);
    return areLoaded && series.map(
        one => one.children.map(channel => one.dataObj[channel.columnName]));
}"""
PLAIN = "t,Acc_X,acc_y\n0,1.5,4\n1,2.5,5\n2,3.5,7\n"
FIRST, SECOND = [1.5, 2.5, 3.5], [4, 5, 7]


class Series(NamedTuple):
    """A recording, how a label config names its columns, and what is shown of it."""

    content: str | JsonObject
    attributes: str
    columns: Sequence[str]
    shown: Sequence[Sequence[float]] = (FIRST, SECOND)


SERIES = {
    "other case": Series(PLAIN, 'timeColumn="T"', ["acc_x", "ACC_Y"]),
    "places without a header": Series(
        PLAIN.partition("\n")[2], 'timeColumn="0"', ["1", "2"]
    ),
    "texts without a header": Series("a,1.5,4\nb,2.5,5\nc,3.5,7\n", "", ["1", "2"]),
    # A place that is no name as well is shown at some openings only: the editor may
    # draw a chart before it knows the names.
    "a place before a name": Series(
        PLAIN.replace("Acc_X,acc_y", "2,1"), 'timeColumn="t"', ["1", "2"]
    ),
    "a name that is no place": Series(
        PLAIN.replace("Acc_X,acc_y", "10,20"), 'timeColumn="t"', ["10", "20"]
    ),
    "semicolons": Series(
        PLAIN.replace(",", ";"), 'timeColumn="t" sep=";"', ["acc_x", "acc_y"]
    ),
    "tabs": Series(
        PLAIN.replace(",", "\t"), 'timeColumn="t" sep="tab"', ["acc_x", "acc_y"]
    ),
    "spaces": Series(
        PLAIN.replace(",", " "), 'timeColumn="t" sep="space"', ["acc_x", "acc_y"]
    ),
    "a separator to be found": Series(
        PLAIN.replace(",", ";"), 'timeColumn="t" sep="auto"', ["acc_x", "acc_y"]
    ),
    "the first of two separators": Series(
        PLAIN.replace(",", ";"), 'timeColumn="t" sep="; "', ["acc_x", "acc_y"]
    ),
    "a byte order mark": Series(f"\ufeff{PLAIN}", 'timeColumn="T"', ["acc_x", "acc_y"]),
    "JSON in the task": Series(
        {"t": [0, 1, 2], "x": FIRST, "y": SECOND}, 'timeColumn="T"', ["X", "y"]
    ),
}


def test_texts_are_resolved_as_the_editor_does(
    page: Page, real_label_studio: LabelStudio
) -> None:
    """The server wants each named entry in an import, but not in a later config."""
    project = real_label_studio.create_project("values")
    [task] = real_label_studio.import_tasks(project, [{"data": DATA}])
    tags = (
        f'<Text name="t{place}" value={quoteattr(value)}/>'
        for place, value in enumerate(SHOWN)
    )
    choices = f'<Choices name="c" toName="t0">{CHOICES}</Choices>'
    config = f"<View>{''.join(tags)}{choices}</View>"
    real_label_studio.patch_project(project, label_config=config)

    open_task(page, real_label_studio, (project, task), ".lsf-choice")
    texts = wait_until(page, TEXTS, len(SHOWN))
    shown = dict(zip(SHOWN, texts, strict=True))

    assert shown == dict(SHOWN)
    assert shown == {value: _resolved_text(value) for value in SHOWN}


def _resolved_text(value: str) -> str:
    result = resolve(value, DATA)
    return "" if result is None else as_text(result)


def test_channels_are_found_as_the_editor_does(
    page: Page, real_label_studio: LabelStudio
) -> None:
    shown = choices_config("a", "b", tag="TimeSeries", attributes='value="$csv"')
    project = real_label_studio.create_project("channels", shown)
    data = dict(_data(real_label_studio, project))
    [task] = real_label_studio.import_tasks(project, [{"data": data}])
    tags = {
        name: _tag(place, series) for place, (name, series) in enumerate(SERIES.items())
    }
    choices = f'<Choices name="c" toName="s0">{CHOICES}</Choices>'
    config = f"<View>{''.join(tags.values())}{choices}</View>"
    real_label_studio.patch_project(project, label_config=config)

    open_task(page, real_label_studio, (project, task), ".lsf-choice")
    channels = wait_until(page, CHANNELS, len(SERIES))
    channel_of = dict(zip(SERIES, channels, strict=True))

    assert channel_of == {name: list(series.shown) for name, series in SERIES.items()}
    assert channel_of == {
        name: _read(tags[name], place, series)
        for place, (name, series) in enumerate(SERIES.items())
    }


def _data(label_studio: LabelStudio, project: int) -> Iterator[tuple[str, object]]:
    """Yield the entries of a task, with the addresses of the files it names."""
    for place, series in enumerate(SERIES.values()):
        if not isinstance(series.content, str):
            yield f"f{place}", series.content
            continue
        files = {f"f{place}.csv": series.content}
        [uploaded] = label_studio.upload_csv(project, files)
        address = label_studio.task(uploaded)["data"]["csv"]
        yield f"f{place}", address
        if not place:
            yield "csv", address


def _tag(place: int, series: Series) -> str:
    kind = "url" if isinstance(series.content, str) else "json"
    channels = "".join(f'<Channel column="{name}"/>' for name in series.columns)
    return (
        f'<TimeSeries name="s{place}" value="$f{place}" valueType="{kind}"'
        f" {series.attributes}>{channels}</TimeSeries>"
    )


def _read(tag: str, place: int, series: Series) -> list[list[float]]:
    """Return what Dubito reads of the same recording."""
    choices = f'<Choices name="c" toName="s{place}">{CHOICES}</Choices>'
    channels = read_schema(f"<View>{tag}{choices}</View>").channels
    content = series.content
    given = content.encode() if isinstance(content, str) else content
    samples: list[list[float]] = open_recording(given, channels).samples.T.tolist()
    return samples
