"""Videos and sound tracks, as files that the tests encode themselves."""

from __future__ import annotations

import io
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, cast

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

RATE = 10
COLOURS = {"blue": (40, 60, 200), "red": (200, 60, 40)}


def pictures(
    colour: str = "red", *, seconds: float = 2, side: int = 64, is_moving: bool = True
) -> list[NDArray[np.uint8]]:
    """Return frames of a colour, in which a white square moves or rests."""
    frames = []
    for number in range(round(seconds * RATE)):
        frame = np.empty((side, side, 3), dtype=np.uint8)
        frame[:] = COLOURS[colour]
        at = number * 3 % (side // 2) if is_moving else side // 4
        frame[at : at + side // 4, at : at + side // 4] = 255
        frames.append(frame)
    return frames


def video_file(  # noqa: PLR0913 - each is a property of a file
    frames: list[NDArray[np.uint8]],
    *,
    kind: str = "mp4",
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    rotation: int = 0,
    rate: Fraction = Fraction(RATE),
) -> bytes:
    """Return a video of (height, width, 3) frames.

    Parameters
    ----------
    rotation : degrees by which players turn the frames
    """
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = cast("VideoStream", container.add_stream(codec, rate=rate))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = {**(options or {})}
        if rotation:
            stream.set_display_rotation(rotation)
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def clip(colour: str = "red", **chosen: object) -> bytes:
    """Return a small video of a colour."""
    return video_file(pictures(colour, **chosen))  # type: ignore[arg-type]  # by name


def web_clip(colour: str) -> bytes:
    """Return a small video in a format that every browser plays."""
    return video_file(pictures(colour), kind="webm", codec="libvpx")


def sound_track(  # noqa: PLR0913 - each is a property of a file
    tone: float = 440,
    *,
    kind: str = "ipod",
    codec: str = "aac",
    seconds: float = 0.5,
    rate: int = 16_000,
    silence: float = 0,
) -> bytes:
    """Return a file of one tone, and of silence after it: M4A, or another kind."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = _sound_stream(container, codec, rate)
        _encode(container, stream, _waves(tone, rate, seconds, silence))
    return file.getvalue()


def _waves(
    tone: float, rate: int, seconds: float, silence: float
) -> Iterator[NDArray[np.float32]]:
    """Yield a tone and then silence, some seconds at a time."""
    for length, level in ((seconds, 0.3), (silence, 0)):
        for start in range(0, round(length * rate), 10 * rate):
            count = min(10 * rate, round(length * rate) - start)
            time = (start + np.arange(count)) / rate
            yield np.asarray(level * np.sin(2 * np.pi * tone * time), dtype=np.float32)


def _sound_stream(container: OutputContainer, codec: str, rate: int) -> AudioStream:
    stream = cast("AudioStream", container.add_stream(codec, rate=rate))
    stream.codec_context.layout = "mono"
    return stream


def _encode(
    container: OutputContainer,
    stream: AudioStream,
    waves: Iterator[NDArray[np.float32]],
    *,
    gap: float = 0,
    at: float = 0,
) -> None:
    """Write waves, and nothing for some seconds where so many have been written."""
    count = 0
    for frame in (*(_frame(wave, stream.rate) for wave in waves), None):
        for packet in stream.encode(frame):
            shift = gap if count >= at * stream.rate else 0
            packet.pts = packet.dts = count + round(shift * stream.rate)
            count += packet.duration or 0
            container.mux(packet)


def _frame(wave: NDArray[np.float32], rate: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(wave[None], format="flt", layout="mono")
    frame.sample_rate = rate
    return frame


def sound_with_gap(kind: str, codec: str, *, gap: float = 3) -> bytes:
    """Return a sound track of a second of a tone, a gap, and a second of the tone."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = _sound_stream(container, codec, 16_000)
        seconds = (_waves(440, 16_000, 1, 0) for _ in range(2))
        _encode(container, stream, chain.from_iterable(seconds), gap=gap, at=1)
    return file.getvalue()


def video_with_sound(*, late: float = 0) -> bytes:
    """Return a video of a second of black, with a tone that may begin late."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.height = stream.width = 64
        sound = _sound_stream(container, "aac", 16_000)
        for _ in range(RATE):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode())
        _encode(container, sound, _waves(440, 16_000, 1, 0), gap=late)
    return file.getvalue()
