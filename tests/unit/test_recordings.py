"""Recordings as they come: headers, separators, holes, and files that are none."""

import json
import math

import pytest

from backend.learning.recordings import describe_all, open_recording
from model.errors import BadItemError
from model.schema import Channels
from tests.builders import channels

BOTH = channels("a", "b", time="t")
RATE = 50.0
TIMES = [n / RATE for n in range(100)]
WAVE = [math.sin(2 * math.pi * 5 * t) for t in TIMES]


def csv(separator: str = ",", header: tuple[str, ...] = ("t", "a", "b")) -> bytes:
    """Build a file of a wave of 5 Hz and a ramp."""
    rows = zip(TIMES, WAVE, range(100), strict=True)
    lines = [separator.join(header)] if header else []
    lines += [separator.join(map(str, row)) for row in rows]
    return "\n".join(lines).encode()


def read_recording(content: object, chosen: Channels) -> dict[str, float]:
    [found] = describe_all([open_recording(content, chosen)])
    return found


def refused(content: object, chosen: Channels = BOTH) -> str:
    with pytest.raises(BadItemError) as error:
        open_recording(content, chosen)
    return str(error.value)


def test_a_recording_is_described_channel_by_channel() -> None:
    found = read_recording(csv(), BOTH)

    assert found["a dominant frequency"] == pytest.approx(5.0)
    assert found["b mean"] == pytest.approx(49.5)
    assert "a by b" in found
    assert not any(name.startswith("t ") for name in found)


def test_without_named_channels_all_but_the_time_are_read() -> None:
    assert read_recording(csv(), channels(time="t")) == read_recording(csv(), BOTH)


@pytest.mark.parametrize("separator", [";", "\t", "|", ", "])
def test_the_separator_may_be_another(separator: str) -> None:
    sep = separator.strip(" ") or separator
    chosen = channels("a", "b", time="t", separator=sep)

    assert read_recording(csv(separator), chosen) == read_recording(csv(), BOTH)


def test_a_byte_order_mark_and_foreign_line_ends_do_not_matter() -> None:
    foreign = b"\xef\xbb\xbf" + csv().replace(b"\n", b"\r\n") + b"\r\n\r\n"

    assert read_recording(foreign, BOTH) == read_recording(csv(), BOTH)


def test_a_file_without_header_has_columns_by_number() -> None:
    numbered = channels("1", "2", time="0")

    found = read_recording(csv(header=()), numbered)

    assert found["1 dominant frequency"] == pytest.approx(5.0)
    assert found["2 min"] == 0.0


def test_digits_may_be_names_only_where_there_is_no_header() -> None:
    chosen = channels("1", "2", time="t")

    found = read_recording(csv(header=("t", "1", "2")), chosen)

    assert found["2 mean"] == pytest.approx(49.5)


def test_a_separator_at_the_end_of_each_line_shifts_nothing() -> None:
    """Loggers write it; read as an index, each value would be its neighbour's."""
    trailing = csv().replace(b"\n", b",\n") + b","
    without = b"t,a,b\n" + trailing.partition(b"\n")[2]

    assert read_recording(trailing, BOTH) == read_recording(csv(), BOTH)
    assert read_recording(without, BOTH) == read_recording(csv(), BOTH)


@pytest.mark.parametrize(
    "hole", ["", "NaN", "nan", "null", "inf", "-", "broken", "1,5"]
)
def test_what_is_no_number_is_a_hole_that_is_bridged(hole: str) -> None:
    content = f't,a,b\n0,1,5\n1,"{hole}",6\n2,3,7'.encode()

    found = read_recording(content, BOTH)

    assert found["a mean"] == pytest.approx(2.0)


def test_a_channel_of_holes_is_refused() -> None:
    assert refused(b"a,b\nx,1\ny,2") == "channel 1 has no samples"


def test_a_missing_column_is_named_with_what_there_is() -> None:
    expected = "the recording has no column b; it has t, a"

    assert refused(b"t,a\n0,1") == expected


@pytest.mark.parametrize("chosen", [BOTH, Channels()])
@pytest.mark.parametrize("empty", [b"", b"\n\n", b"   ", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(empty: bytes, chosen: Channels) -> None:
    assert "No columns to parse" in refused(empty, chosen)


def test_a_file_with_a_header_alone_is_refused() -> None:
    assert refused(b"t,a,b\n") == "the recording has 0 samples"


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"\x00" * 100,
        bytes(range(256)),
        b"PK\x03\x04" + bytes(200),
        b"<!doctype html><html><body>Log in</body></html>",
        "t,a,b\n0,1,2".encode("utf-16"),
        b'a,b\n"1,2\n3,4',
    ],
)
def test_a_file_that_is_no_recording_is_refused(content: bytes) -> None:
    assert refused(content)


def test_one_sample_is_enough() -> None:
    found = read_recording(b"t,a,b\n0,1,2", BOTH)

    assert (found["a mean"], found["b max"]) == (1.0, 2.0)
    assert all(math.isfinite(value) for value in found.values())


@pytest.mark.parametrize("wrap", [dict, json.dumps])
def test_columns_may_be_json_or_stand_in_the_data(wrap: type) -> None:
    columns = {"t": TIMES, "a": WAVE, "b": list(range(100))}
    content = wrap(columns)
    content = content.encode() if isinstance(content, str) else content

    assert read_recording(content, BOTH) == pytest.approx(read_recording(csv(), BOTH))


@pytest.mark.parametrize(
    "content",
    [
        {"a": [1, 2], "b": [1]},
        {"a": [], "b": []},
        {"a": 1, "b": 2},
        {"a": "1,2", "b": [1, 2]},
        {"a": [[1], [2]], "b": [1, 2]},
        {"a": [[1], [2, 3]], "b": [1, 2]},
        {"a": [{}], "b": [1]},
        {"a": [10**400], "b": [1]},
        {"a": None, "b": None},
        {"a": {"x": 1}, "b": [1]},
        b'{"a": [1, 2]',
        b"[1, 2, 3]",
        b"[" * 5_000,
        None,
        17,
        ["a", "b"],
    ],
)
def test_what_is_no_table_is_refused(content: object) -> None:
    assert refused(content)


@pytest.mark.parametrize(
    "times", [["x", "y"], [3, 3], [1, 0], [[1], [1, 2]], [{}, {}], "late", None, [7]]
)
def test_times_that_tell_nothing_do_not_matter(times: object) -> None:
    found = read_recording({"t": times, "a": [1, 2], "b": [3, 5]}, BOTH)

    assert found == read_recording({"a": [1, 2], "b": [3, 5]}, BOTH)


def test_an_endless_recording_is_refused() -> None:
    column = [0.0] * 2_600_000

    assert "samples" in refused({"a": column, "b": column})


def test_recordings_are_described_in_their_order_whatever_their_shape() -> None:
    contents = [
        *(b"t,a,b\n0,1,2\n1,2,5", b"t,a\n0,7\n1,9", b"t,a,b\n0,4,2\n1,2,0"),
        *(b"t,a,b\n0,1,2", b"t,b\n0,3\n1,5", b"t,a\n0,3\n1,1"),
    ]
    opened = [open_recording(content, channels(time="t")) for content in contents]

    together = describe_all(opened)

    assert together == [describe_all([one])[0] for one in opened]
    assert [found.get("a mean") for found in together] == [1.5, 8, 3, 1, None, 2]


def test_each_recording_has_its_own_rate() -> None:
    quick, slow = dict.fromkeys("ab", WAVE), dict.fromkeys("ab", WAVE)
    opened = [
        open_recording({"t": [t * pace for t in TIMES], **columns}, BOTH)
        for pace, columns in [(1, quick), (2, slow)]
    ]

    found = describe_all(opened)

    assert [one["a dominant frequency"] for one in found] == pytest.approx([5.0, 2.5])


def test_there_may_be_no_recording_to_describe() -> None:
    assert describe_all([]) == []
