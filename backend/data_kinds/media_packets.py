"""The packets of a media file, and what comes of them: for processes that read one.

A file is a program that other people write, and decoders are many. Such a process reads
the file from its standard input and answers with a line of JSON, after which the pixels
or the samples come, or which says why nothing does. It opens nothing but this file, has
little time and room, and imports little of Dubito. If it fails, only this file is set
aside.

A file is read twice: first its packets, which are counted without being decoded, for
what a file says of its length may be wrong or missing; then those that are decoded.
"""

import contextlib
import io
import json
import resource
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeAlias, TypeVar

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

MOST_SECONDS = 20
MOST_BYTES = 1_000_000_000
DECODERS = frozenset(
    {
        *("h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "mpeg4", "mjpeg"),
        *("aac", "mp3", "mp3float", "opus", "vorbis", "flac", "alac", "pcm_s16le"),
    }
)
"""Each further one is a further risk."""

OPTIONS = {"codec_whitelist": ",".join(sorted(DECODERS)), "protocol_whitelist": "none"}
MOST_PACKETS = 1_000_000
"""Of a track: 4 hours at 60 frames per second, 6 hours of sound."""

Track = VideoStream | AudioStream
Packet: TypeAlias = "av.Packet[Any]"
Frame = TypeVar("Frame", VideoFrame, AudioFrame)
OpenFile: TypeAlias = Callable[[], InputContainer]


class RefusedError(Exception):
    """Nothing of a file can be read, with the reason."""


def answer_by(answers: Mapping[str, Callable[[OpenFile], Iterator[bytes]]]) -> None:
    """Answer for the file on the standard input; arguments name answer and kind."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    with contextlib.suppress(OSError, ValueError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer, kind = answers[sys.argv[1]], sys.argv[2]
    content, out = sys.stdin.buffer.read(), sys.stdout.buffer
    try:
        out.writelines(answer(lambda: opened(content, kind)))
    except RefusedError as error:
        out.write(line({"refused": str(error)}))
    except av.error.FFmpegError as error:
        out.write(line({"refused": f"it is broken: {error.strerror}"}))


def line(fields: dict[str, object]) -> bytes:
    """Return a line of JSON."""
    return json.dumps(fields).encode() + b"\n"


def opened(content: bytes, kind: str) -> InputContainer:
    """Open a file of a kind.

    The reader of another kind is not tried: some follow addresses that a file names.
    """
    return av.open(io.BytesIO(content), "r", kind, container_options=OPTIONS)


def packets(container: InputContainer, track: Track) -> Iterator[tuple[int, Packet]]:
    """Yield the packets of a track, each with its time or its number."""
    full = (one for one in container.demux(track) if one.size)
    for number, packet in enumerate(islice(full, MOST_PACKETS)):
        times = (packet.pts, packet.dts, number)
        yield next(time for time in times if time is not None), packet


def presented_packets(
    container: InputContainer, track: Track
) -> Iterator[tuple[int, Packet]]:
    """Yield the packets that are played: what was cut off may still be in the file."""
    return (one for one in packets(container, track) if not one[1].is_discard)


def decoded(
    decode: Callable[["Packet | None"], list[Frame]],
    sent: Iterable[tuple[int, Packet]],
) -> Iterator[Frame]:
    """Yield what comes of packets; those that are damaged are left out."""
    for _, packet in sent:
        with contextlib.suppress(av.error.FFmpegError):
            yield from decode(packet)
    with contextlib.suppress(av.error.FFmpegError):
        yield from decode(None)


def check_decoder(name: str) -> None:
    """Raise `RefusedError` if a track is coded in a way that is not read."""
    if name not in DECODERS:
        message = f"it is coded as {name}, which Dubito does not read"
        raise RefusedError(message)
