"""Videos as they come: formats, lengths, sizes, and files that are none."""

import io
import sys
from collections.abc import Mapping

import av
import numpy as np
import pytest

from dubito.backend.data_kinds.audio import AUDIO
from dubito.backend.data_kinds.images import Picture
from dubito.backend.data_kinds.kind import DataKind, ItemFile, ReadPlan
from dubito.backend.data_kinds.media_files import frames_of, moments_of
from dubito.backend.data_kinds.reader_process import answer_of
from dubito.backend.data_kinds.units import IN_UNITS
from dubito.backend.data_kinds.videos import VIDEOS
from dubito.backend.state.facts import InputSpec
from dubito.model.errors import BadItemError
from dubito.model.features.frames import describe_frames
from dubito.model.features.mixed_columns import named_entries
from tests.builders import schema
from tests.videos import RATE, clip, pictures, sound_track, video_file

PLAN = ReadPlan(
    schema=schema(tag="Video", key="clip"),
    reads=InputSpec(kind="video", keys=("clip",)),
)
FORMATS = [
    ("mp4", "libx264"),
    ("mp4", "libx265"),
    ("mov", "libx264"),
    ("webm", "libvpx"),
    ("webm", "libvpx-vp9"),
    ("mp4", "libsvtav1"),
    ("matroska", "libx264"),
    ("avi", "mpeg4"),
    ("avi", "mjpeg"),
]


def opened(content: bytes) -> tuple[Picture, ...]:
    return VIDEOS.decode(ItemFile(address="/a.mp4", content=content), PLAN)


def described(content: bytes) -> Mapping[str, float]:
    [description] = VIDEOS.describe([opened(content)])
    return description.numbers


def changes(numbers: Mapping[str, float]) -> float:
    """Return how much the light of places changes from frame to frame."""
    names = [n for n in numbers if n.startswith("light ") and n.endswith(" change")]
    return float(np.mean([numbers[name] for name in names]))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "codec"), FORMATS)
def test_a_video_is_read_in_any_format(kind: str, codec: str) -> None:
    frames = opened(video_file(pictures("blue"), kind=kind, codec=codec))

    assert len(frames) == 8
    assert (frames[0].width, frames[0].height) == (64, 64)
    for frame in frames:
        red, _, blue = np.median(frame.pixels.reshape(-1, 3), axis=0)
        assert blue - red > 120


def test_the_frames_are_evenly_spread() -> None:
    frames = [np.full((32, 32, 3), 3 * n, dtype=np.uint8) for n in range(80)]

    levels = [one.pixels.mean() for one in opened(video_file(frames))]

    assert levels == pytest.approx([3 * n for n in range(5, 80, 10)], abs=5)


def test_a_moving_video_changes_more_than_a_resting_one() -> None:
    moving, resting = (described(clip(is_moving=one)) for one in (True, False))

    assert changes(moving) > 5 * changes(resting)
    assert moving.keys() == resting.keys()


def test_a_video_of_one_frame_does_not_change() -> None:
    numbers = described(video_file(pictures()[:1]))

    parts = {name: value for name, value in numbers.items() if "change" in name}
    assert len(parts) == len(numbers) / 3
    assert {*parts.values()} == {0.0}


def test_of_the_numbers_of_frames_mean_spread_and_change_are_learnt() -> None:
    vector = [*named_entries("v", [0.0])]

    summary = describe_frames(["a", *vector], np.array([[1.0, 2], [3, 2], [2, 2]]))

    assert {name: round(value, 3) for name, value in summary.items()} == {
        "a": 2,
        "a spread": 0.816,
        "a change": 1.5,
        vector[0]: 2,
        vector[0].replace("v", "v spread"): 0,
        vector[0].replace("v", "v change"): 0,
    }


@pytest.mark.slow
def test_of_a_long_video_key_frames_are_read() -> None:
    """Decoding all of it would take too long."""
    frames = 20 * pictures(side=640, seconds=1)
    frames += 140 * pictures("blue", side=640, seconds=1)

    reds = [
        one.pixels[..., 0].mean() - one.pixels[..., 2].mean()
        for one in opened(video_file(frames, options={"g": "100"}))
    ]

    assert [red > 0 for red in reds] == [True] + 7 * [False]


@pytest.mark.slow
def test_of_a_long_video_with_one_key_frame_the_beginning_is_read() -> None:
    frames = 10 * pictures(side=640, seconds=1)
    frames += 150 * pictures("blue", side=640, seconds=1)

    content = video_file(frames, options={"g": "5000", "sc_threshold": "0"})

    reds = [one.pixels[..., 0].mean() > 128 for one in opened(content)]
    assert (reds[0], reds[-1], len(reds)) == (True, False, 8)


def test_a_video_that_is_turned_is_read_upright() -> None:
    frames = pictures(is_moving=False)
    for frame in frames:
        frame[:, :32] = 0  # the left half is black
    content = video_file([frame[:, :48] for frame in frames], rotation=90)

    first, *_ = opened(content)

    assert (first.width, first.height) == (64, 48)
    light = first.pixels.astype(float).mean(axis=(1, 2))
    assert light[:20].mean() > light[-20:].mean() + 50


def test_the_timeline_of_a_video_that_is_turned_is_seen_upright() -> None:
    frames = pictures(is_moving=False)
    for frame in frames:
        frame[:, :32] = 0
    content = video_file([frame[:, :48] for frame in frames], rotation=90)

    timeline_light = moments_of(content).frames[0].astype(float).mean(axis=(1, 2))
    first, *_ = opened(content)

    light = first.pixels.astype(float).mean(axis=(1, 2))
    assert timeline_light[:40].mean() > timeline_light[-40:].mean() + 50
    assert light[:20].mean() > light[-20:].mean() + 50


def shifted(content: bytes, seconds: int) -> bytes:
    """Return an MP4 with other times; what comes before 0 is not shown."""
    file = io.BytesIO()
    options = {"avoid_negative_ts": "disabled"}
    with (
        av.open(io.BytesIO(content), "r") as source,
        av.open(file, "w", format="mp4", options=options) as target,
    ):
        track = source.streams.video[0]
        stream = target.add_stream_from_template(track)
        for packet in source.demux(track):
            if packet.pts is None or packet.dts is None or not packet.size:
                continue
            by = int(seconds / (track.time_base or 1))
            packet.pts, packet.dts = packet.pts + by, packet.dts + by
            packet.stream = stream
            target.mux(packet)
    return file.getvalue()


def test_what_was_cut_off_at_the_beginning_is_not_seen() -> None:
    """A phone that cuts a video leaves all frames since the last key frame in it."""
    options = {"g": "1000", "sc_threshold": "0", "bf": "0"}
    frames = pictures("blue", seconds=4) + pictures("red", seconds=2)
    content = shifted(video_file(frames, options=options), -4)

    moments = moments_of(content)

    assert moments.seconds == pytest.approx(2, abs=0.2)
    assert moments.times[0] < 0.3
    assert (moments.frames[..., 0].mean(axis=(1, 2)) > 128).all()
    assert all(one.pixels[..., 0].mean() > 128 for one in opened(content))


@pytest.mark.slow
def test_a_long_video_with_few_key_frames_has_no_timeline() -> None:
    frames = [np.full((3000, 3200, 3), 2 * n, np.uint8) for n in range(110)]
    options = {"g": "600", "sc_threshold": "1000000000"}
    content = video_file(frames, codec="mpeg4", options=options)

    with pytest.raises(BadItemError, match="1 key frames only: convert it"):
        moments_of(content)


def test_a_large_video_is_read_by_its_size() -> None:
    first, *_ = opened(video_file([np.zeros((720, 1280, 3), dtype=np.uint8)] * 3))

    assert (first.width, first.height) == (1280, 720)


def test_what_breaks_off_is_read_so_far() -> None:
    content = video_file(pictures(seconds=20), kind="matroska")

    assert 1 < len(opened(content[: len(content) // 2])) <= 8


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a video in a supported format: MP4, MOV, WebM, MKV, AVI"),
        (b"#EXTM3U\n/etc/passwd", "not a video in a supported format"),
        (
            b"ffconcat version 1.0\nfile /etc/passwd",
            "not a video in a supported format",
        ),
        (bytes(1_000), "not a video in a supported format"),
        (b"\0\0\0\x20ftypisom" + bytes(100), "it is broken"),
        (b"\x1aE\xdf\xa3" + bytes(100), "it is broken"),
        (clip()[:400], "it is broken"),
        (sound_track(), "it has no pictures"),
        (sound_track(kind="adts"), "not a video in a supported format"),
        (video_file(pictures(), kind="avi", codec="ffv1"), "it is coded as ffv1"),
        (
            video_file([np.zeros((2_600, 4_000, 3), dtype=np.uint8)]),
            "more than 10 megapixels",
        ),
    ],
)
def test_what_is_no_video_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(BadItemError, match=why):
        opened(content)


def test_a_video_whose_frames_are_all_damaged_is_refused() -> None:
    content = bytearray(video_file(pictures(), kind="avi", codec="mpeg4"))
    start = content.index(b"movi") + 4
    end = content.index(b"idx1")
    for at in range(start, end, 3):
        content[at] = 255

    with pytest.raises(BadItemError, match="cannot be read"):
        opened(bytes(content))


@pytest.mark.parametrize(
    ("kind", "noun"),
    [
        (VIDEOS, "video"),
        (IN_UNITS["Video"], "video"),
        (AUDIO, "sound"),
        (IN_UNITS["Audio"], "sound"),
    ],
)
def test_an_address_is_no_item(kind: DataKind[object], noun: str) -> None:
    with pytest.raises(
        BadItemError, match=f"'/a.mp4' is the address of a {noun}, not a {noun}"
    ):
        kind.decode(" /a.mp4 ", PLAN)


def test_without_its_library_a_video_is_set_aside_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = clip()
    assert VIDEOS.lacks() == ""
    monkeypatch.setitem(sys.modules, "av", None)

    assert "pip install av" in VIDEOS.lacks()
    with pytest.raises(
        BadItemError, match=r'videos need the extra "video" \(pip install av\)$'
    ):
        frames_of(content)


def test_a_process_that_fails_sets_its_file_aside() -> None:
    with (
        pytest.raises(BadItemError, match="the video cannot be read: it is broken"),
        answer_of("video_frames.py", b"", "no such answer", "mov", what="video") as out,
    ):
        assert out.read() == b""


def test_equal_videos_are_described_equally() -> None:
    content = clip(seconds=3 * RATE / 10)

    assert described(content) == described(content)
