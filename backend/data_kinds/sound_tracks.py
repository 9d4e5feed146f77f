"""The sound track of a file: run as a process of its own; see `media_packets`."""

import contextlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, groupby, islice

from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from dubito.backend.data_kinds.media_packets import (
    OpenFile,
    Packet,
    RefusedError,
    answer_by,
    check_decoder,
    decoded,
    line,
    packets,
    presented_packets,
)

PART_SECONDS, MOST_PARTS = 10, 12
"""A sound is listened to in parts; of a long one only some, evenly spread."""

LONGEST_SOUND = 3_600
"""Seconds of a sound that is asked for as a whole; Dubito refuses a longer one."""

BEFORE_SECONDS = 0.1
"""A decoder needs some packets before a part, to be in tune."""

SHORTEST_GAP = 0.05
"""Seconds: what is missing for less is the rounding of times, or a coder's delay."""

HIGHEST_RATE = 48_000
TICKS = 1_000_000
"""Of a second, in which a file's start is counted."""


def sound_track(container: InputContainer) -> AudioStream:
    """Return the first sound track."""
    track = next(iter(container.streams.audio), None)
    if track is None:
        message = "it has no sound"
        raise RefusedError(message)
    check_decoder(track.codec_context.name)
    return track


def sound(open_file: OpenFile, *, is_whole: bool = False) -> Iterator[bytes]:
    """Yield the rate and the length of a sound, then its parts."""
    with open_file() as container:
        track = sound_track(container)
        rate = min(max(1, track.rate), HIGHEST_RATE)
        base = track.time_base or Fraction(1, rate)
        first, end = span_of(container, track, base)
    seconds = float(max(0, end - first) * base)
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
                begins = None if is_long else float(first * base)
                pieces = samples(track, sent, rate, begins)
                yield from islice(blocks(pieces, rate), most)


def span_of(
    container: InputContainer, track: AudioStream, base: Fraction
) -> tuple[int, int]:
    """Return when a file begins, which its pictures may do earlier, and a track ends.

    Parameters
    ----------
    base : seconds that the times of the track are counted in
    """
    stamps = [
        (time, one.duration or 0) for time, one in presented_packets(container, track)
    ]
    first = min((time for time, _ in stamps), default=0)
    if container.start_time is not None:
        first = round(Fraction(container.start_time, TICKS) / base)
    return first, max((time + duration for time, duration in stamps), default=0)


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
    track: AudioStream,
    sent: Iterable[tuple[int, Packet]],
    rate: int,
    begins: float | None,
) -> Iterator[bytes]:
    """Yield the samples of packets, of which all channels are mixed to one.

    Where the times of the packets leave a gap, it is filled with silence.

    Parameters
    ----------
    begins : the time of the first sample, in seconds; None for that of the first packet
    """
    track.codec_context.flush_buffers()
    resampler, count = AudioResampler(format="s16", layout="mono", rate=rate), 0
    for frame in chain(decoded(track.decode, sent), [None]):
        if frame is not None and frame.time is not None:
            begins = frame.time if begins is None else begins
            gap = round((frame.time - begins) * rate) - count
            if gap >= SHORTEST_GAP * rate:
                yield from silence(gap, rate)
                count += gap
            frame.pts = None
        with contextlib.suppress(ValueError):  # it has other channels than the first
            for one in resampler.resample(frame):
                count += one.samples
                yield bytes(one.planes[0])[: 2 * one.samples]


def silence(count: int, rate: int) -> Iterator[bytes]:
    """Yield silent samples, a second at a time: a file may name any time."""
    for start in range(0, count, rate):
        yield bytes(2 * min(rate, count - start))


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


def whole_sound(open_file: OpenFile) -> Iterator[bytes]:
    """Yield the rate and the length of a sound, then all of it in parts."""
    return sound(open_file, is_whole=True)


if __name__ == "__main__":
    answer_by({"sound": sound, "whole sound": whole_sound})
