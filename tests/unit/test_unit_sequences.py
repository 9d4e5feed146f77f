"""From what Label Studio stores of stretches to units, and back."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from dubito.backend.controls.stretches import Stretch, packed_stretches
from dubito.backend.data_kinds import sound_files
from dubito.backend.data_kinds.kind import ItemFile, ReadPlan
from dubito.backend.data_kinds.media_files import moments_of
from dubito.backend.data_kinds.time_values import time_numbers
from dubito.backend.data_kinds.unit_sequences import UnitSequence, unpacked
from dubito.backend.data_kinds.units import RECORDING_UNITS, SOUND_UNITS, TEXT_UNITS
from dubito.backend.data_kinds.video_units import VIDEO_UNITS
from dubito.backend.features.task_sequences import TaskSequences
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.state.facts import InputSpec
from dubito.model.errors import BadItemError
from tests.sounds import sound_file
from tests.stretches import moment
from tests.videos import clip, pictures, video_file

CLASSES = ("a", "b")
LABELS = '<Label value="a"/><Label value="b"/>'
DAY_AND_TIME, FAR = "%Y-%m-%dT%H:%M:%S", 253_402_214_400
TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"


def plan_of(
    objects: str, control: str = "Labels", unit_length: float | None = None
) -> ReadPlan:
    config = (
        f'<View>{objects}<{control} name="c" toName="t">{LABELS}</{control}></View>'
    )
    schema = read_schema(config)
    reads = InputSpec(kind="", keys=schema.names, unit_length=unit_length)
    return ReadPlan(schema=schema, reads=reads)


def series(attributes: str = "", unit_length: float | None = None) -> ReadPlan:
    tag = f'<TimeSeries name="t" value="$x" {attributes}/>'
    return plan_of(tag, "TimeSeriesLabels", unit_length)


TEXT = plan_of('<Text name="t" value="$x"/>')
SOUND = plan_of('<Audio name="t" value="$x"/>')


def answer(*stretches: tuple[Any, Any, str]) -> str:
    return packed_stretches(Stretch(*one) for one in stretches)


def tens(count: int = 5) -> UnitSequence:
    """Make units of which each is ten long: 0 to 10, 10 to 20 and so on."""
    starts = 10 * np.arange(count)
    return UnitSequence(
        starts=starts.tolist(),
        ends=(starts + 10).tolist(),
        at=np.column_stack([starts, starts + 10]).astype(np.float64),
        features=np.zeros((count, 1), np.float32),
    )


@pytest.mark.parametrize(
    ("values", "time_format", "expected"),
    [
        ([1, 2.5, "3", "x", None], "", [1, 2.5, 3, None, None]),
        (["1970-01-01 00:00:01.500000", "x"], TIME_FORMAT, [1.5, None]),
        (["1970-01-01T00:01:00"], "%Y-%m-%dT%H:%M:%S", [60]),
        (["01.02.1970"], "%d.%m.%Y", [31 * 86_400]),
        (["2 Jan 1970"], "%e %b %Y", [86_400]),
        (["1970-01-01 00:00:00.250"], "%Y-%m-%d %H:%M:%S.%L", [0.25]),
        (["5", 6], "%s", [5, 6]),
        (["5000"], "%Q", [5]),
        ([7, 8], TIME_FORMAT, [7, 8]),
        ([], TIME_FORMAT, []),
        (["9999-12-31T00:00:00", "1970-01-01T00:00:01"], DAY_AND_TIME, [FAR, 1]),
        (["1970-01-01T01:00:00+0100"], f"{DAY_AND_TIME}%Z", [0]),
        (["1970"], "%Y-%Y", [0]),
    ],
)
def test_times_are_numbers_however_they_are_written(
    values: list[object], time_format: str, expected: list[float | None]
) -> None:
    wanted = [np.nan if one is None else one for one in expected]

    np.testing.assert_allclose(time_numbers(values, time_format), wanted)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0, 20), [0, 1]),
        ((20, 0), [0, 1]),
        ((6, 24), [1]),
        ((5, 25), [0, 1, 2]),
        ((12, 13), [1]),
        ((13, 13), [1]),
        ((-50, 500), [0, 1, 2, 3, 4]),
        ((60, 70), []),
        ((-5, 0), []),
        ((50, 55), []),
        (("x", "y"), []),
    ],
)
def test_a_stretch_covers_the_units_of_which_it_has_half(
    ends: tuple[Any, Any], expected: list[int]
) -> None:
    members = tens().members(answer((*ends, "b"), (0, 50, "gone")), CLASSES)

    assert np.flatnonzero(members[:, 1]).tolist() == expected
    assert not members[:, 0].any()


def test_units_become_stretches_and_these_the_same_units() -> None:
    members = np.zeros((5, 2), np.bool_)
    members[1:3, 0] = members[4, 0] = members[2:, 1] = True

    stretches = tens().answer(members, CLASSES)

    assert stretches == answer((10, 30, "a"), (40, 50, "a"), (20, 50, "b"))
    np.testing.assert_array_equal(tens().members(stretches, CLASSES), members)


def test_no_units_have_no_stretches() -> None:
    members = tens(0).members(answer((0, 9, "a")), CLASSES)

    assert members.shape == (0, 2)
    assert tens(0).answer(members, CLASSES) == "[]"


def read(kind: Any, content: object, plan: ReadPlan) -> UnitSequence:  # noqa: ANN401
    [reading] = kind.describe([kind.decode(content, plan)])
    [sequence] = unpacked([reading.sequence])
    return sequence


def test_a_recording_is_marked_by_the_times_of_its_file() -> None:
    lines = [f"{moment(row)},{row % 7}" for row in range(600)]
    content = "\n".join(["time,x", *lines]).encode()
    plan = series(f'timeColumn="time" timeFormat="{TIME_FORMAT}"')

    sequence = read(RECORDING_UNITS, content, plan)

    assert sequence.starts[0] == moment(0)
    assert sequence.ends[-1] == moment(599)
    assert len(sequence.starts) == len(sequence.features) > 10
    whole = sequence.members(answer((moment(0), moment(599), "a")), CLASSES)
    assert whole[:, 0].all()


@pytest.mark.parametrize("times", [list(range(100, 700)), None])
def test_without_a_format_times_are_numbers_and_without_times_rows(
    times: list[int] | None,
) -> None:
    columns = {"x": [row % 7 for row in range(600)]}
    plan = series('valueType="json"' + (' timeColumn="time"' if times else ""))

    sequence = read(
        RECORDING_UNITS, {**columns, "time": times} if times else columns, plan
    )

    first, last = (times[0], times[-1]) if times else (0, 599)
    assert (sequence.starts[0], sequence.ends[-1]) == (first, last)
    assert all(isinstance(place, int) for place in sequence.starts)


@pytest.mark.parametrize(
    ("content", "attributes", "reason"),
    [
        (b"t,x\n1,2\n2,3\n", 'timeColumn="time"', "no time column 'time'"),
        (b"t,x\nnoon,2\n2,3\n", 'timeColumn="t"', "1 of 2 .* need a timeFormat"),
        (b"t,x\n1700000000000000000,2\n", 'timeColumn="t"', "more than 15 digits"),
        (
            b"t,x\n1.1.2026,2\n2.1.2026,3\n",
            f'timeColumn="t" timeFormat="{TIME_FORMAT}"',
            "2 of 2 values that do not follow the timeFormat '%Y",
        ),
    ],
)
def test_a_recording_without_usable_times_is_refused(
    content: bytes, attributes: str, reason: str
) -> None:
    with pytest.raises(BadItemError, match=reason):
        RECORDING_UNITS.decode(content, series(attributes))


def test_words_are_counted_from_the_first_space_on() -> None:
    sequence = read(TEXT_UNITS, "  Ann 😀 went", TEXT)

    assert (sequence.starts[0], sequence.ends[0]) == (2, 5)
    assert (sequence.starts[-1], sequence.ends[-1]) == (8, 12)
    members = sequence.members(answer((2, 5, "a"), (9, 11, "b")), CLASSES)
    assert np.argwhere(members).tolist() == [[0, 0], [len(members) - 1, 1]]


def test_a_text_in_a_file_and_one_in_base64_are_read() -> None:
    file = ItemFile(address="/a.txt", content="\ufeff Ann".encode())
    encoded = plan_of('<Text name="t" value="$x" encoding="base64"/>')

    assert read(TEXT_UNITS, file, TEXT).starts == [1]
    assert read(TEXT_UNITS, "IEFubg==", encoded).starts == [1]


def test_a_sound_is_marked_by_its_seconds() -> None:
    content = sound_file(seconds=2.25)

    sequence = read(SOUND_UNITS, ItemFile(address="/a.wav", content=content), SOUND)

    assert (sequence.starts[0], sequence.starts[1]) == (0, 0.1)
    assert sequence.ends[-1] == 2.25
    assert len(sequence.features) == 23
    assert np.isfinite(sequence.features).all()


def test_frames_of_a_video_are_counted_from_one_and_both_ends_are_inside() -> None:
    """The file has ten frames per second; the editor counts the 24 it is told of."""
    file = ItemFile(address="/a.mp4", content=clip(seconds=2))
    plan = plan_of('<Video name="t" value="$x"/>', "TimelineLabels")

    sequence = read(VIDEO_UNITS, file, plan)

    assert [*zip(sequence.starts, sequence.ends, strict=True)] == [
        (first, first + 5) for first in range(1, 48, 6)
    ]
    members = sequence.members(
        answer((7, 12, "a"), (13, 15, "b"), (48, 48, "b")), CLASSES
    )
    assert np.argwhere(members).tolist() == [[1, 0], [2, 1], [7, 1]]
    assert sequence.answer(members, CLASSES) == answer(
        (7, 12, "a"), (13, 18, "b"), (43, 48, "b")
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rate", "frames"),
    [("", 24), ("25", 25), ("0.04", 25), ("12.5", 12), ("fast", 24), ("-3", 24)],
)
def test_the_label_config_tells_how_many_frames_a_second_has(
    rate: str, frames: int
) -> None:
    file = ItemFile(address="/a.mp4", content=clip(seconds=1))
    tag = f'<Video name="t" value="$x" framerate="{rate}"/>'

    sequence = read(VIDEO_UNITS, file, plan_of(tag, "TimelineLabels"))

    assert sequence.ends[-1] == frames


@pytest.mark.parametrize(
    ("attributes", "times", "unit_length"),
    [
        ('timeColumn="time"', lambda row: row / 50, 0.8),
        ('timeColumn="time"', lambda row: 20 * row, 800),
        (f'timeColumn="time" timeFormat="{TIME_FORMAT}"', moment, 4),
        ("", lambda row: row, 40),
    ],
)
def test_an_owner_says_how_long_units_are_as_the_time_column_counts(
    attributes: str, times: Callable[[int], object], unit_length: float
) -> None:
    lines = [f"{times(row)},{row % 7}" for row in range(600)]
    content = "\n".join(["time,x", *lines]).encode()

    sequence = read(RECORDING_UNITS, content, series(attributes, unit_length))

    assert len(sequence.features) == 15


def test_an_owner_says_how_many_seconds_of_sounds_and_videos_a_unit_has() -> None:
    sound = ItemFile(address="/a.wav", content=sound_file(seconds=2.25))
    video = ItemFile(address="/a.mp4", content=clip(seconds=2))
    shown = {name: f'<{name} name="t" value="$x"/>' for name in ("Audio", "Video")}

    heard = read(SOUND_UNITS, sound, plan_of(shown["Audio"], unit_length=0.5))
    seen = read(VIDEO_UNITS, video, plan_of(shown["Video"], "TimelineLabels", 0.5))

    assert [*heard.starts] == [0, 0.5, 1, 1.5, 2]
    assert [*seen.starts] == [1, 13, 25, 37]


def test_a_video_has_features_where_something_moves() -> None:
    still, moving = pictures(is_moving=False, seconds=2), pictures(seconds=2)
    content = video_file(still + moving, rate=Fraction(10))
    plan = plan_of('<Video name="t" value="$x"/>', "TimelineLabels")

    sequence = read(VIDEO_UNITS, ItemFile(address="/a.mp4", content=content), plan)

    motion = sequence.features[:, sequence.features.shape[1] // 2 - 1]
    assert motion[:7].max() < motion[9:].min()


@pytest.mark.slow
def test_of_a_long_video_units_have_the_nearest_key_frame() -> None:
    red, blue = (pictures(one, side=1_000, seconds=1) for one in ("red", "blue"))
    options = {"g": "50", "preset": "ultrafast"}
    content = video_file(55 * red + 55 * blue, options=options)

    moments = moments_of(content)

    assert len(moments.times) == 22
    assert moments.seconds == pytest.approx(110, abs=0.2)
    assert (moments.frames == moments.after).all()
    reds = moments.frames[..., 0].mean(axis=(1, 2)) > 128
    assert reds.tolist() == [True] * 11 + [False] * 11


def test_a_sound_of_more_than_an_hour_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sound_files, "MOST_SECONDS", 1)
    file = ItemFile(address="/a.wav", content=sound_file(seconds=1.5))

    with pytest.raises(BadItemError, match="cut the sound into parts"):
        SOUND_UNITS.decode(file, SOUND)


def test_recordings_with_other_channels_than_most_have_no_units() -> None:
    plan = series('valueType="json"')
    one, two = {"x": [*range(99)]}, {"x": [*range(99)], "y": [*range(99)]}
    readings = RECORDING_UNITS.describe(
        [RECORDING_UNITS.decode(content, plan) for content in (one, two, one)]
    )

    sequences = TaskSequences.of([reading.sequence for reading in readings])

    lengths = np.diff(sequences.units.ends, prepend=0)
    assert lengths[1] == 0
    assert lengths[0] == lengths[2] > 0
    again = TaskSequences.of([readings[0].sequence, readings[1].sequence], sequences)
    assert len(again.units.features) in {lengths[0], len(again.each[1].starts)}


@pytest.mark.parametrize("times", [[1, 2, 3], 5, {"a": 1}, [10**30] * 99, "noon"])
def test_a_time_column_that_is_none_is_refused(times: object) -> None:
    content = {"time": times, "x": [*range(99)]}
    plan = series('valueType="json" timeColumn="time"')

    with pytest.raises(BadItemError, match="time column 'time'"):
        RECORDING_UNITS.decode(content, plan)


def test_times_that_look_like_numbers_are_texts_where_they_have_a_format() -> None:
    lines = [f"{hour:02}{minute:02}00,1" for hour in range(5) for minute in range(60)]
    plan = series('timeColumn="t" timeFormat="%H%M%S"')

    sequence = read(RECORDING_UNITS, "\n".join(["t,x", *lines]).encode(), plan)

    assert (sequence.starts[0], sequence.ends[-1]) == ("000000", "045900")
    members = sequence.members(answer(("000000", "022900", "a")), CLASSES)
    assert 0.4 < members[:, 0].mean() < 0.6


@pytest.mark.parametrize("seconds", [0.0001, 1.000125])
def test_a_sound_of_odd_length_has_no_unit_without_length(seconds: float) -> None:
    content = sound_file(seconds=seconds)

    sequence = read(SOUND_UNITS, ItemFile(address="/a.wav", content=content), SOUND)

    assert (np.diff(sequence.at) > 0).all()


def test_whole_numbers_are_written_alike() -> None:
    assert answer((1, 5, "a")) == answer((1.0, 5.0, "a")) == '[[1,5,"a"]]'


def test_tasks_with_other_units_than_the_model_has_count_as_without() -> None:
    plan = series('valueType="json"')
    one, two = {"x": [*range(99)]}, {"x": [*range(99)], "y": [*range(99)]}
    readings = RECORDING_UNITS.describe(
        [RECORDING_UNITS.decode(content, plan) for content in (one, two)]
    )
    pool = TaskSequences.of([readings[0].sequence])

    stranger = TaskSequences.of([readings[1].sequence], like=pool.units)
    text = TaskSequences.of([read_packed("Ann went")], like=pool.units)

    for sequences in (stranger, text):
        assert sequences.units.ends.tolist() == [0]
        assert sequences.units.features.shape[1] == pool.units.features.shape[1]


def read_packed(text: str) -> bytes:
    return TEXT_UNITS.decode(text, TEXT).sequence
