"""The worst that may be sent: refused in few words, in little time and little room."""

import resource
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dubito.backend.data_kinds.kind import DataKind, ItemFile, ReadPlan
from dubito.backend.data_kinds.recording_files import open_recording
from dubito.backend.data_kinds.recordings import describe_all
from dubito.backend.data_kinds.registry import kind_shown_by
from dubito.backend.data_kinds.sound_files import open_sound
from dubito.backend.data_kinds.units import SOUND_UNITS
from dubito.backend.data_kinds.video_units import VIDEO_UNITS
from dubito.backend.errors import BackendError
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import read_preferences
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.schema import Schema
from tests.builders import channels, schema
from tests.pdf_files import album, assembled, drawn, locked_pdf, pdf, picture
from tests.pictures import read_picture
from tests.sounds import sound_file
from tests.videos import clip, pictures, sound_track, video_file

Monster = Callable[[], Callable[[], object]]
MEGABYTE = 1_000_000
MOST_MEGABYTES = 300
MOST_SECONDS = 20
LONGEST_REASON = 2_000
TEXT = '<Text name="t" value="$t"/>'
CONTROL = '<Choices name="c" toName="t">'


class NoFiles:
    def fetch(self, address: str) -> bytes:
        raise BadItemError(address)


def config(inner: str) -> Callable[[], object]:
    return lambda: read_schema(f"<View>{TEXT}{inner}</View>")


def choices(count: int) -> str:
    listed = "".join(f'<Choice value="{number}"/>' for number in range(count))
    return f"{CONTROL}{listed}</Choices>"


def recording(content: object, *named: str) -> Callable[[], object]:
    chosen = channels(*named, time="t")
    return lambda: describe_all([open_recording(content, chosen)])


def tasks(shown: Schema, *given: Mapping[str, object]) -> Callable[[], object]:
    """Read some tasks; fail with the reason if none of them can be read."""
    rows = [dict(row) for row in given]

    def act() -> object:
        reads = choose_input(shown, read_preferences({}), rows)
        reader = TaskReader(schema=shown, reads=reads, files=NoFiles())
        contents = [reader.open(row) for row in rows]
        reasons = [one.refused for one in contents if isinstance(one, TaskInput)]
        if all(reasons):
            raise BadItemError(reasons[0])
        return contents

    return act


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content).to_bytes(4)
    return len(content).to_bytes(4) + kind + content + check


def png(*chunks: bytes) -> Callable[[], object]:
    """Describe a PNG of 10 by 10 with something beside its pixels."""
    head = (10).to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    pixels = chunk(b"IDAT", zlib.compress(bytes(11 * 10)))
    parts = (chunk(b"IHDR", head), *chunks, pixels, chunk(b"IEND", b""))
    whole = b"\x89PNG\r\n\x1a\n" + b"".join(parts)
    return lambda: read_picture("/a.png", lambda _: whole)


def sound(content: bytes) -> Callable[[], object]:
    return lambda: open_sound(content)


def wide(count: int, start: float = 0) -> Mapping[str, object]:
    return {f"c{place}": start + place / 2 for place in range(count)}


TABLE = schema(tag="Table", key="x")


def documents(tag: str, content: bytes) -> Callable[[], object]:
    """Read a task whose file holds something that a tag cannot show."""
    kind = kind_shown_by(tag)
    assert kind is not None
    return documents_of(kind, content, tag)


def documents_of(
    kind: DataKind[Any], content: bytes, tag: str = "Audio"
) -> Callable[[], object]:
    """Read a task whose file holds something that a kind of data cannot read."""
    shown = ReadPlan(
        schema=schema(tag=tag, is_address=True),
        reads=InputSpec(kind=kind.name, keys=("text",)),
    )
    return lambda: kind.decode(ItemFile(address="/a", content=content), shown)


def endless_pdf() -> bytes:
    """Return a PDF of 1 MB whose page unpacks to 300 MB of orders to write a word."""
    packed = zlib.compress(b"BT /F1 12 Tf 10 100 Td (word) Tj ET\n" * 8 * MEGABYTE, 9)
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(packed)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page,
        stream + packed + b"\nendstream",
    ]
    return assembled(objects)


def flat(side: int) -> bytes:
    """Return the object of a black image, which needs little room in a file."""
    return picture(np.zeros((side, side, 3), np.uint8))


IMAGES = [f"I{place}" for place in range(300)]
"""Names of images in an `album`."""


def endless_video() -> bytes:
    """Return a video of a few frames that says it has two thousand million."""
    content = bytearray(clip())
    sizes, times = content.index(b"stsz"), content.index(b"stts")
    content[sizes + 8 : sizes + 12] = (1).to_bytes(4)
    content[sizes + 12 : sizes + 16] = (2**31 - 1).to_bytes(4)
    content[times + 12 : times + 16] = (2**31 - 1).to_bytes(4)
    return bytes(content)


NOISE = np.random.default_rng(0).bytes(20 * MEGABYTE)
PACKED = zlib.compress(bytes(100 * MEGABYTE), 1)
REFUSED: dict[str, Monster] = {
    "a config of 100 MB": lambda: config("x" * 100 * MEGABYTE),
    "choices inside choices": lambda: config(
        f'{CONTROL}<Choice value="a"/>' * 12_000 + "</Choices>" * 12_000
    ),
    "a thousand bad controls": lambda: config(f"{CONTROL}</Choices>" * 20_000),
    "a control of a long name": lambda: config(f'<Choices name="{"x" * 900_000}"/>'),
    "40,000 classes": lambda: config(
        CONTROL
        + "".join(f'<Choice value="{n}"/>' for n in range(40_000))
        + "</Choices>"
    ),
    "a million columns": lambda: recording(
        ",".join(f"c{n}" for n in range(10**6)).encode() + b"\n" + b"1," * 10**6
    ),
    "a million equal columns": lambda: recording(b"a," * 10**6 + b"\n" + b"1," * 10**6),
    "commas": lambda: recording(b"," * 20 * MEGABYTE),
    "line ends": lambda: recording(b"a,b\n" + b"\n" * 20 * MEGABYTE),
    "old line ends": lambda: recording(b"a,b\r" + b"1,2\r" * 5 * MEGABYTE),
    "many lines": lambda: recording(b"a\n" + b"1\n" * 10 * MEGABYTE),
    "many words": lambda: recording(b"a,b\n" + b"xx,yy\n" * 2 * MEGABYTE),
    "one long word": lambda: recording(b'a,b\n"' + b"x" * 20 * MEGABYTE + b'",1\n'),
    "one long number": lambda: recording(b"a,b\n" + b"9" * 5 * MEGABYTE + b",1\n"),
    "a quote without end": lambda: recording(b'a,b\n1,2\n"' + b"1,2\n" * MEGABYTE),
    "nothing but zeros": lambda: recording(bytes(20 * MEGABYTE)),
    "a column that is missing in many": lambda: recording(
        ",".join(f"{n} {'x' * 60}" for n in range(9_000)).encode() + b"\n1", "a"
    ),
    "a thousand and one channels": lambda: recording(
        ",".join(f"c{n}" for n in range(1_001)).encode() + b"\n" + b"1," * 1_000 + b"1"
    ),
    "deep JSON": lambda: recording(b"[" * 20 * MEGABYTE),
    "deep objects": lambda: recording(b'{"a":' * 5 * MEGABYTE),
    "empty lists": lambda: recording(b'{"a":[' + b"[]," * 10 * MEGABYTE + b"[]]}"),
    "many JSON columns": lambda: recording(
        b"{" + b",".join(b'"c%d":[1]' % n for n in range(200_000)) + b"}"
    ),
    "lists that are all different": lambda: recording(
        {f"c{n}": [1] * n for n in range(1, 900)}
    ),
    "rows without end": lambda: tasks(TABLE, wide(10**6), wide(10**6, 1)),
    "rows that have nothing in common": lambda: tasks(
        TABLE, *({f"{row} {n}": n / 2 for n in range(1_000)} for row in range(50))
    ),
    "names without end": lambda: tasks(
        TABLE, *({"x" * 1_000: n / 2} for n in range(9))
    ),
    "a PDF without end": lambda: documents("Pdf", endless_pdf()),
    "a PDF with a password": lambda: documents("Pdf", locked_pdf()),
    "a PDF of garbage": lambda: documents("Pdf", b"%PDF-1.7 " + b"x" * 20 * MEGABYTE),
    "a PDF of drawings without end": lambda: documents(
        "Pdf", album([b"0 0 m 9 9 l S " * 4 * MEGABYTE])
    ),
    "a PDF of a thousand empty pages": lambda: documents("Pdf", pdf(*[""] * 1_000)),
    "a dialogue without a text": lambda: documents(
        "Paragraphs", b"[" + b'{"author":"a"},' * 300_000 + b"{}]"
    ),
    "a dialogue of 20 MB": lambda: documents(
        "Paragraphs", b'[{"text":"' + b"word " * 4 * MEGABYTE + b'"}]'
    ),
    "a deep dialogue": lambda: documents("Paragraphs", b"[" * 20 * MEGABYTE),
    "a page of scripts": lambda: documents("HyperText", b"<script>" * 2 * MEGABYTE),
    "a page of tags": lambda: documents("HyperText", b"<p a=''>" * 2 * MEGABYTE),
    "an image with a text that unpacks": lambda: png(chunk(b"zTXt", b"c\0\0" + PACKED)),
    "an image with a profile that unpacks": lambda: png(
        chunk(b"iCCP", b"c\0\0" + PACKED)
    ),
    "a sound that is a web page": lambda: sound(b"<!DOCTYPE html>" * MEGABYTE),
    "a sound without a sample": lambda: sound(sound_file(seconds=0)),
    "a sound of nothing but a beginning": lambda: sound(sound_file()[:20]),
    "a sound of noise": lambda: sound(b"OggS" + NOISE),
    "a sound of many channels": lambda: sound(sound_file(seconds=0.1, channels=100)),
    "a sound track of noise": lambda: sound(b"\0\0\0\x20ftypM4A " + NOISE),
    "an AAC of noise": lambda: sound(b"\xff\xf1" + NOISE),
    "a sound track of pictures": lambda: sound(clip()),
    "three hours of sound to mark": lambda: documents_of(
        SOUND_UNITS, sound_track(codec="alac", silence=10_800, rate=2_000)
    ),
    "a video of noise": lambda: documents("Video", b"\0\0\0\x20ftypisom" + NOISE),
    "a video of nothing": lambda: documents(
        "Video", b"RIFF\0\0\0\0AVI " + bytes(20 * MEGABYTE)
    ),
    "a video of boxes in boxes": lambda: documents(
        "Video", b"\0\0\0\x08ftyp" + b"\x7f\xff\xff\0moov" * 2 * MEGABYTE
    ),
    "a video of names": lambda: documents("Video", b"#EXTM3U\n" + b"a.ts\n" * MEGABYTE),
    "a video without pictures": lambda: documents("Video", sound_track()),
    "a video of frames without number": lambda: documents("Video", endless_video()),
    "a timeline of frames without number": lambda: documents_of(
        VIDEO_UNITS, endless_video(), "Video"
    ),
    "a video of huge frames": lambda: documents(
        "Video", video_file([np.zeros((4_000, 4_000, 3), np.uint8)], codec="mjpeg")
    ),
}
TAKEN: dict[str, Monster] = {
    "a thousand classes": lambda: config(choices(1_000)),
    "a thousand channels": lambda: recording(
        ",".join(f"c{n}" for n in range(1_000)).encode()
        + b"\n"
        + (b"1," * 999 + b"2\n") * 50
    ),
    "times that hardly differ": lambda: recording(
        b"t,a\n" + b"".join(b"%de-320,%d\n" % (n, n) for n in range(100)), "a"
    ),
    "times far apart": lambda: recording(b"t,a\n-1e308,1\n1e308,2\n", "a"),
    "a wide row beside others": lambda: tasks(
        TABLE, wide(10**5), *(wide(9, n) for n in range(3))
    ),
    "a text of 20 MB": lambda: tasks(schema(), {"text": "word " * 4 * MEGABYTE}),
    "three hours of silence": lambda: sound(
        sound_file(kind="FLAC", seconds=10_800, rate=1_000, level=0)
    ),
    "a sound of 1 hertz": lambda: sound(sound_file(seconds=90, rate=1)),
    "a sound of 384 kilohertz": lambda: sound(
        sound_file(seconds=12, rate=384_000, level=0)
    ),
    "a sound of no numbers": lambda: sound(
        sound_file(level=float("nan"), subtype="FLOAT")
    ),
    "a sound without bounds": lambda: sound(sound_file(level=1e38, subtype="FLOAT")),
    "a PDF of a page of 14,400 points": lambda: documents(
        "Pdf", album([drawn("I0", 14_400)], [flat(10_000)], side=14_400)
    ),
    "a PDF of a page of no height": lambda: documents(
        "Pdf", album([drawn("I0")], [flat(9)], side=0)
    ),
    "a PDF of a page with hundreds of images": lambda: documents(
        "Pdf", album([b"".join(map(drawn, IMAGES))], [flat(1_000)] * 300)
    ),
    "a PDF of hundreds of pages with an image": lambda: documents(
        "Pdf", album([*map(drawn, IMAGES)], [flat(1_000)] * 300)
    ),
    "a page of 20 MB": lambda: documents("HyperText", b"<p>word" * 3 * MEGABYTE),
    "three hours of a sound track": lambda: sound(
        sound_track(codec="alac", silence=10_800, rate=2_000)
    ),
    "three hours of video": lambda: documents(
        "Video", video_file(pictures(side=32, seconds=1_080), rate=Fraction(1))
    ),
    "a video of 4K": lambda: documents(
        "Video", video_file([np.zeros((2_160, 3_840, 3), np.uint8)] * 3, codec="mjpeg")
    ),
    "many numerals": lambda: tasks(TABLE, {"x": {"n": "9" * MEGABYTE, "y": 1}}),
}


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def cpu_seconds() -> float:
    """Return the time that we, and processes that have ended, have computed.

    A machine that stands still or has other work makes it no longer.
    """
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def burden(act: Callable[[], object]) -> tuple[str, float, float]:
    """Return the reason of the refusal if it is one, the seconds and the megabytes."""
    with suppress(OSError):  # where the peak cannot be forgotten, less is noticed
        Path("/proc/self/clear_refs").write_text("5")
    megabytes, began, reason = peak_megabytes(), cpu_seconds(), ""
    try:
        act()
    except (BackendError, BadItemError) as error:
        reason = str(error)
    return reason, cpu_seconds() - began, peak_megabytes() - megabytes


@pytest.mark.slow
@pytest.mark.parametrize("made", REFUSED.values(), ids=REFUSED)
def test_a_monster_is_refused_in_few_words_and_little_room(made: Monster) -> None:
    reason, seconds, megabytes = burden(made())

    assert 0 < len(reason) < LONGEST_REASON
    assert seconds < MOST_SECONDS
    assert megabytes < MOST_MEGABYTES


@pytest.mark.slow
@pytest.mark.parametrize("made", TAKEN.values(), ids=TAKEN)
def test_what_is_merely_large_or_odd_is_read(made: Monster) -> None:
    reason, seconds, megabytes = burden(made())

    assert reason == ""
    assert seconds < MOST_SECONDS
    assert megabytes < MOST_MEGABYTES
