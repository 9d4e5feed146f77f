"""Frames of a video, or the sound track of a file: run as a process of its own.

A file is a program that other people write, and decoders are many. The process reads
the file from its standard input and answers with a line of JSON, after which the pixels
or the samples come, or which says why nothing does. It opens nothing but this file, has
little time and room, and imports nothing of Dubito. If it fails, only this file is set
aside.

A file is read twice: first its packets, which are counted without being decoded, for
what a file says of its length may be wrong or missing; then those that are decoded.
"""

import contextlib
import io
import json
import resource
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain, groupby, islice
from typing import Any, TypeAlias, TypeVar

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
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

FRAMES = 8
MOST_PIXELS = 10_000_000
"""Of a frame: a decoder keeps up to 16 of them."""

MOST_DECODED = 600_000_000
"""Pixels: of a longer video only key frames are decoded."""

LONGEST_SIDE = 512
"""Of a frame in the answer."""

PART_SECONDS, MOST_PARTS = 10, 12
"""A sound is listened to in parts; of a long one only some, evenly spread."""

LONGEST_SOUND = 3_600
"""Seconds of a sound that is asked for as a whole; Dubito refuses a longer one."""

BEFORE_SECONDS = 0.1
"""A decoder needs some packets before a part, to be in tune."""

HIGHEST_RATE = 48_000
Track = VideoStream | AudioStream
Packet: TypeAlias = "av.Packet[Any]"
Frame = TypeVar("Frame", VideoFrame, AudioFrame)


class RefusedError(Exception):
    """Nothing of a file can be read, with the reason."""


def main() -> None:
    """Answer for the file on the standard input."""
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    with contextlib.suppress(OSError, ValueError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer, kind = ANSWERS[sys.argv[1]], sys.argv[2]
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


def video_track(container: InputContainer) -> VideoStream:
    """Return the first track of pictures that is not the cover of a song."""
    cover = Disposition.attached_pic
    tracks = (one for one in container.streams.video if not one.disposition & cover)
    track = next(tracks, None)
    if track is None:
        message = "it has no pictures"
        raise RefusedError(message)
    check_decoder(track.codec_context.name)
    if track.width * track.height > MOST_PIXELS:
        message = f"its frames have more than {MOST_PIXELS // 1_000_000} megapixels"
        raise RefusedError(message)
    track.codec_context.thread_count = 1
    track.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
    return track


def video(open_file: Callable[[], InputContainer]) -> Iterator[bytes]:
    """Yield the size of a video and of its frames made small, then their pixels."""
    with open_file() as container:
        track = video_track(container)
        width, height = max(1, track.width), max(1, track.height)
        stamps = [(time, one.is_keyframe) for time, one in packets(container, track)]
    share = min(1.0, LONGEST_SIDE / max(width, height))
    small = max(1, round(share * width)), max(1, round(share * height))
    with open_file() as container:
        frames = [
            (one.rotation, one.reformat(*small, format="rgb24", interpolation="AREA"))
            for one in chosen_frames(container, sorted(stamps))
        ]
    if not frames:
        message = "none of its frames can be decoded"
        raise RefusedError(message)
    sizes = {"width": width, "height": height, "small": small}
    yield line({**sizes, "rotation": frames[0][0], "frames": len(frames)})
    for _, frame in frames:
        yield from rows(frame)


def rows(frame: VideoFrame) -> Iterator[bytes]:
    """Yield the rows of a frame in RGB, without what fills them up in memory."""
    plane, size = frame.planes[0], 3 * frame.width
    pixels = memoryview(plane)
    for row in range(frame.height):
        yield bytes(pixels[row * plane.line_size :][:size])


def chosen_frames(
    container: InputContainer, stamps: list[tuple[int, bool]]
) -> Iterator[VideoFrame]:
    """Yield evenly spread frames: of a long video key frames, or of its beginning.

    Parameters
    ----------
    stamps : the time of each packet, ascending, and whether it is a key frame
    """
    track = video_track(container)
    most = max(FRAMES, MOST_DECODED // max(1, track.width * track.height))
    keys = [time for time, is_key in stamps if is_key]
    sent = packets(container, track)
    if len(stamps) > most and len(keys) > 1:
        times = spread(keys)
        sent = (one for one in sent if one[1].is_keyframe and one[0] in times)
    else:
        times = spread([time for time, _ in stamps[:most]])
        sent = islice(sent, most)
    place = 0
    for number, frame in enumerate(decoded(track.decode, sent)):
        time = number if frame.pts is None else frame.pts
        if place < len(times) and time >= times[place]:
            place = bisect_right(times, time)
            yield frame


def spread(times: list[int]) -> list[int]:
    """Return the times in the middle of `FRAMES` equal shares of all times."""
    count = min(FRAMES, len(times))
    return [times[(2 * n + 1) * len(times) // (2 * count)] for n in range(count)]


def sound_track(container: InputContainer) -> AudioStream:
    """Return the first sound track."""
    track = next(iter(container.streams.audio), None)
    if track is None:
        message = "it has no sound"
        raise RefusedError(message)
    check_decoder(track.codec_context.name)
    return track


def sound(
    open_file: Callable[[], InputContainer], *, is_whole: bool = False
) -> Iterator[bytes]:
    """Yield the rate and the length of a sound, then its parts."""
    with open_file() as container:
        track = sound_track(container)
        rate = min(max(1, track.rate), HIGHEST_RATE)
        base = track.time_base or Fraction(1, rate)
        stamps = [(time, one.duration or 0) for time, one in packets(container, track)]
    first = min((time for time, _ in stamps), default=0)
    end = max((time + duration for time, duration in stamps), default=0)
    seconds = float((end - first) * base)
    yield line({"rate": rate, "seconds": seconds})
    if is_whole and seconds > LONGEST_SOUND:
        return
    is_long = not is_whole and seconds > PART_SECONDS * MOST_PARTS
    step = (seconds - PART_SECONDS) / (MOST_PARTS - 1) if is_long else 0.0
    with open_file() as container:
        track = sound_track(container)

        def part_of(one: tuple[int, Packet]) -> int:
            return part_at(float((one[0] - first) * base), step)

        for number, sent in groupby(packets(container, track), part_of):
            if number >= 0:
                most = 1 if is_long else LONGEST_SOUND // PART_SECONDS
                yield from islice(blocks(samples(track, sent, rate), rate), most)


def part_at(second: float, step: float) -> int:
    """Return the part that a moment belongs to, or -1.

    Parameters
    ----------
    step : seconds from the beginning of a part to that of the next; 0 for one part
    """
    if not step:
        return 0
    number = min(int((second + BEFORE_SECONDS) / step), MOST_PARTS - 1)
    return number if second < number * step + PART_SECONDS else -1


def samples(
    track: AudioStream, sent: Iterable[tuple[int, Packet]], rate: int
) -> Iterator[bytes]:
    """Yield the samples of packets, of which all channels are mixed to one."""
    track.codec_context.flush_buffers()
    resampler = AudioResampler(format="s16", layout="mono", rate=rate)
    for frame in chain(decoded(track.decode, sent), [None]):
        if frame is not None:
            frame.pts = None
        with contextlib.suppress(ValueError):  # it has other channels than the first
            for one in resampler.resample(frame):
                yield bytes(one.planes[0])[: 2 * one.samples]


def blocks(pieces: Iterable[bytes], rate: int) -> Iterator[bytes]:
    """Yield samples in blocks of `PART_SECONDS`, each after its length in bytes."""
    size, buffer = 2 * rate * PART_SECONDS, bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= size:
            yield size.to_bytes(4) + bytes(buffer[:size])
            del buffer[:size]
    if buffer:
        yield len(buffer).to_bytes(4) + bytes(buffer)


ANSWERS: dict[str, Callable[[Callable[[], InputContainer]], Iterator[bytes]]] = {
    "video": video,
    "sound": sound,
    "whole sound": lambda open_file: sound(open_file, is_whole=True),
}


if __name__ == "__main__":
    main()
