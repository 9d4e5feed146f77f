"""Recordings as they come: headers, separators, holes, and files that are none."""

import json
import math

import pytest

from dubito.backend.data_kinds.recording_files import open_recording
from dubito.backend.data_kinds.recordings import describe_all
from dubito.model.errors import BadItemError
from dubito.model.schema import Channels
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
    [description] = describe_all([open_recording(content, chosen)])
    return description


def refused(content: object, chosen: Channels = BOTH) -> str:
    with pytest.raises(BadItemError) as error:
        open_recording(content, chosen)
    return str(error.value)


def test_a_recording_is_described_channel_by_channel() -> None:
    recording = read_recording(csv(), BOTH)

    assert recording["a dominant frequency"] == pytest.approx(5.0)
    assert recording["b mean"] == pytest.approx(49.5)
    assert "a by b" in recording
    assert not any(name.startswith("t ") for name in recording)


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

    recording = read_recording(csv(header=()), numbered)

    assert recording["1 dominant frequency"] == pytest.approx(5.0)
    assert recording["2 min"] == 0.0


def test_digits_may_be_names_only_where_there_is_no_header() -> None:
    chosen = channels("1", "2", time="t")

    recording = read_recording(csv(header=("t", "1", "2")), chosen)

    assert recording["2 mean"] == pytest.approx(49.5)


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
    content = f't,a,b\n0,1.5,5\n1,"{hole}",6\n2,2.5,7'.encode()

    recording = read_recording(content, BOTH)

    assert recording["a mean"] == pytest.approx(2.0)


def test_a_channel_of_holes_is_refused() -> None:
    assert refused(b"a,b\nx,1\ny,2") == "the column 'a' has no number"


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
    recording = read_recording(b"t,a,b\n0,1,2", BOTH)

    assert (recording["a mean"], recording["b max"]) == (1.0, 2.0)
    assert all(math.isfinite(value) for value in recording.values())


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
    recording = read_recording({"t": times, "a": [1, 2], "b": [3, 5]}, BOTH)

    assert recording == read_recording({"a": [1, 2], "b": [3, 5]}, BOTH)


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
    assert [description.get("a mean") for description in together] == [
        1.5,
        8,
        3,
        1,
        None,
        2,
    ]


def test_each_recording_has_its_own_rate() -> None:
    quick, slow = dict.fromkeys("ab", WAVE), dict.fromkeys("ab", WAVE)
    opened = [
        open_recording({"t": [t * throttle for t in TIMES], **columns}, BOTH)
        for throttle, columns in [(1, quick), (2, slow)]
    ]

    descriptions = describe_all(opened)

    assert [one["a dominant frequency"] for one in descriptions] == pytest.approx(
        [5.0, 2.5]
    )


def test_there_may_be_no_recording_to_describe() -> None:
    assert describe_all([]) == []


NAMED = b"t,Acc_X,acc_y\n0,1.5,4\n1,2.5,5\n2,3.5,7\n"
FIRST, SECOND = [1.5, 2.5, 3.5], [4, 5, 7]


def signals(content: object, chosen: Channels) -> list[list[float]]:
    samples: list[list[float]] = open_recording(content, chosen).samples.T.tolist()
    return samples


@pytest.mark.parametrize(
    "chosen",
    [
        channels("acc_x", "ACC_Y", time="T"),
        channels("1", "2", time="0"),
        channels(" Acc_X ", "2", time="t"),
    ],
)
def test_a_column_is_named_in_any_case_or_by_its_place(chosen: Channels) -> None:
    recording = open_recording(NAMED, chosen)

    assert recording.samples.T.tolist() == [FIRST, SECOND]
    assert recording.columns == chosen.columns


def test_the_case_of_the_time_column_does_not_matter() -> None:
    content = b"At,x\n0,1\n0.5,2\n1,3\n"

    assert open_recording(content, channels("x", time="at")).rate == 2.0
    assert open_recording(content, channels("x", time="0")).rate == 2.0


def test_a_place_comes_before_a_name() -> None:
    content = NAMED.replace(b"Acc_X,acc_y", b"2,1")

    assert signals(content, channels("1", "2", time="t")) == [FIRST, SECOND]


def test_columns_of_one_name_are_told_apart_by_case_or_refused() -> None:
    assert signals(b"x,X\n1,2\n2,4", channels("x")) == [[1, 2]]
    assert "several columns named 'x'" in refused(b"x,x\n1,2\n2,4", channels("x"))
    assert signals(b"x,x\n1,2\n2,4", channels("1")) == [[2, 4]]


def test_quotation_marks_and_spaces_around_names_do_not_matter() -> None:
    content = b'\xef\xbb\xbf"T", "Acc_X" , acc_y \n0, 1.5, 4\n1,2.5, 5\n2,3.5,7\n'

    assert signals(content, channels("acc_x", "acc_y", time="t")) == [FIRST, SECOND]


def test_the_case_of_columns_in_the_data_does_not_matter() -> None:
    columns = {"T": [0, 1, 2], "ACC": [1, 2, 4]}

    assert signals(columns, channels("acc", time="t")) == [[1, 2, 4]]


@pytest.mark.parametrize(
    ("content", "chosen"),
    [
        (b"0,1\n1,2", channels("1", time="0")),
        (b"a,1\nb,2", channels("1")),
        (b"0,1\n1,2", Channels(time="0")),
    ],
)
def test_a_first_line_like_the_second_is_no_header(
    content: bytes, chosen: Channels
) -> None:
    assert signals(content, chosen) == [[1, 2]]


@pytest.mark.parametrize(
    "content", [b"t,x\n0,1\n1,2", b"t,x\na,1\nb,2", b"1,x\n2,1\n3,2"]
)
def test_names_that_are_asked_for_are_a_header(content: bytes) -> None:
    assert signals(content, channels("x")) == [[1, 2]]


def test_a_file_may_tell_its_separator() -> None:
    for separator in (b";", b"\t", b" ", b","):
        content = NAMED.replace(b",", separator)

        assert signals(content, channels("acc_x", separator="")) == [FIRST]


@pytest.mark.parametrize(
    ("separator", "sep"), [(b";", ";"), (b"\t", "tab"), (b"|", "|"), (b" ", "space")]
)
@pytest.mark.parametrize("chosen", [channels("acc_x"), channels("1"), Channels()])
def test_a_wrong_separator_is_named_with_the_right_one(
    separator: bytes, sep: str, chosen: Channels
) -> None:
    reason = refused(NAMED.replace(b",", separator), chosen)

    assert f"are parted by '{sep}', not by ','" in reason
    assert f'sep="{sep}"' in reason


@pytest.mark.parametrize(
    "page",
    [
        b"<html><title>Log in</title></html>",
        b"\n<!DOCTYPE html>\n<html lang='en'>\n<body>a, b</body>\n</html>",
        b"\xef\xbb\xbf<!doctype HTML><p>Log in",
    ],
)
@pytest.mark.parametrize("separator", [",", ""])
def test_a_web_page_instead_of_the_file_is_named(page: bytes, separator: str) -> None:
    reason = refused(page, channels("x", separator=separator))

    assert "web page (HTML)" in reason


@pytest.mark.parametrize(
    ("content", "separator"),
    [
        (b"t;x\n0;1,5\n1;2,5", ";"),
        (b"t;x\n0;1\n1;2,5", ";"),
        (b"t;x\n0,0;1,5\n0,5;2,5", ";"),
        (b"t;x\n0,5;1.5\n1,5;2.5", ";"),
        (b"t;x\n0;-1.234,5\n1;2,5e-3", ";"),
        (b"t,x\n0,1,5\n1,2,5", ","),
        (b't,x\n0,"1,5"\n1,"2,5"', ","),
    ],
)
def test_decimal_commas_are_named(content: bytes, separator: str) -> None:
    reason = refused(content, channels("x", time="t", separator=separator))

    assert "decimal commas" in reason
    assert "decimal points (1.5)" in reason


def test_a_missing_column_of_a_file_without_names_is_told_so() -> None:
    assert refused(b"0,1\n1,2", channels("x")) == (
        "the recording has no column x: its first line has no names, so its columns"
        " are 0, 1"
    )
