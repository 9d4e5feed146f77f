"""Frames of a video: run as a process of its own; see `media_packets`."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from dubito.backend.data_kinds.media_packets import (
    OpenFile,
    RefusedError,
    answer_by,
    check_decoder,
    decoded,
    line,
    packets,
    presented_packets,
)

FRAMES = 8
MOST_PIXELS = 10_000_000
"""Of a frame: a decoder keeps up to 16 of them."""

MOST_DECODED = 600_000_000
"""Pixels: of a longer video only key frames are decoded."""

LONGEST_SIDE = 512
"""Of a frame in the answer."""

MOMENTS, SHORTEST_SECONDS = 120, 0.25
"""Of a video on whose timeline people mark stretches, and how far apart at least."""

MOST_ON_TIMELINE = 1_000_000_000
"""Pixels that are decoded of it; of a longer one only key frames are."""

SIDE = 128
NO_FRAME = "none of its frames can be decoded"
MORE_KEYS = "convert it, for example by `ffmpeg -i video.mp4 -g 48 new.mp4`"
TICKS = 1_000_000
"""Of a second, in which a file's start is counted."""


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


def video(open_file: OpenFile) -> Iterator[bytes]:
    """Yield the size of a video and of its frames made small, then their pixels."""
    with open_file() as container:
        track = video_track(container)
        width, height = max(1, track.width), max(1, track.height)
        stamps = [
            (time, one.is_keyframe) for time, one in presented_packets(container, track)
        ]
    share = min(1.0, LONGEST_SIDE / max(width, height))
    small = max(1, round(share * width)), max(1, round(share * height))
    with open_file() as container:
        frames = [
            (one.rotation, one.reformat(*small, format="rgb24", interpolation="AREA"))
            for one in chosen_frames(container, sorted(stamps))
        ]
    if not frames:
        raise RefusedError(NO_FRAME)
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
    selection = packets(container, track)
    if len(stamps) > most and len(keys) > 1:
        times = spread(keys)
        selection = (one for one in selection if one[1].is_keyframe and one[0] in times)
    else:
        times = spread([time for time, _ in stamps[:most]])
        selection = islice(selection, most)
    place = 0
    for number, frame in enumerate(decoded(track.decode, selection)):
        time = number if frame.pts is None else frame.pts
        if place < len(times) and time >= times[place]:
            place = bisect_right(times, time)
            yield frame


def spread(times: list[int], most: int = FRAMES) -> list[int]:
    """Return the times in the middle of so many equal shares of all times."""
    count = min(most, len(times))
    return [times[(2 * n + 1) * len(times) // (2 * count)] for n in range(count)]


def timeline(open_file: OpenFile) -> Iterator[bytes]:
    """Yield the length of a video and moments of it, then two frames of each.

    The second frame of a moment is the one after the first; where only key frames are
    decoded, it is the same.
    """
    with open_file() as container:
        track = video_track(container)
        base = track.time_base or Fraction(1, 25)
        spans = [
            (time, one.duration or 0, one.is_keyframe)
            for time, one in presented_packets(container, track)
        ]
        start = Fraction(container.start_time or 0, TICKS) / base
    first = min([*(time for time, _, _ in spans), math.floor(start)])
    end = max((time + duration for time, duration, _ in spans), default=0)
    seconds = float((end - first) * base)
    stamps = sorted((time, is_key) for time, _, is_key in spans)
    with open_file() as container:
        rotation, pairs = 0, []
        for time, frame, next_frame in moments(container, stamps, seconds):
            second, rotation = float((time - first) * base), frame.rotation
            pairs.append((second, made_small(frame), made_small(next_frame)))
    if not pairs:
        raise RefusedError(NO_FRAME)
    times = [time for time, _, _ in pairs]
    yield line({"seconds": seconds, "times": times, "side": SIDE, "rotation": rotation})
    for _, one, after in pairs:
        yield one
        yield after


def made_small(frame: VideoFrame) -> bytes:
    """Return the pixels of a frame as a small square."""
    small = frame.reformat(SIDE, SIDE, format="rgb24", interpolation="AREA")
    return b"".join(rows(small))


def moments(
    container: InputContainer, stamps: list[tuple[int, bool]], seconds: float
) -> Iterator[tuple[int, VideoFrame, VideoFrame]]:
    """Yield evenly spread frames, each with its time and the one after it."""
    track = video_track(container)
    count = min(MOMENTS, max(1, math.ceil(seconds / SHORTEST_SECONDS)))
    most = max(FRAMES, MOST_ON_TIMELINE // max(1, track.width * track.height))
    selection, is_whole = packets(container, track), len(stamps) <= most
    if not is_whole:
        times = spread([time for time, is_key in stamps if is_key], count)
        if len(times) < FRAMES:
            message = f"it is long, with {len(times)} key frames only: {MORE_KEYS}"
            raise RefusedError(message)
        selection = (one for one in selection if one[1].is_keyframe and one[0] in times)
    else:
        times = spread([time for time, _ in stamps], count)
    place, before = 0, None
    for number, frame in enumerate(decoded(track.decode, selection)):
        time = number if frame.pts is None else frame.pts
        if before is not None:
            yield (*before, frame)
            before = None
        if place < len(times) and time >= times[place]:
            place = bisect_right(times, time)
            before = (time, frame)
            if not is_whole:
                yield (*before, frame)
                before = None
    if before is not None:
        yield (*before, before[1])


if __name__ == "__main__":
    answer_by({"video": video, "timeline": timeline})
