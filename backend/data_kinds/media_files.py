"""Videos and sound tracks in files: decoded by PyAV, which an extra brings."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson
from PIL import Image

from dubito.backend.data_kinds.reader_process import answer_of
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from numpy.typing import NDArray

VIDEO, SOUND = "video_frames.py", "sound_tracks.py"
EXTRA = 'the extra "video" (pip install av)'
"""What is to be installed where videos and sound tracks are not read."""

FORMATS = ("MP4", "MOV", "WebM", "MKV", "AVI")
TRACKS = ("M4A", "AAC", "MP4", "MOV", "WebM")
MOV = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
"""One of them stands after the first four bytes of an MP4 or MOV file."""

SYNC, LAYER = 0xFFF0, 0xFFF6
"""AAC begins with twelve bits that are set and a layer 0, an MP3 with another layer."""

FULL_SCALE = 32_768
QUARTER = 90
"""Degrees."""

LENGTH_BYTES = 4


class Track(NamedTuple):
    """A sound track: its samples per second, its length, and its parts in turn."""

    rate: int
    seconds: float
    parts: Iterator[NDArray[np.float32]]


class Moments(NamedTuple):
    """Moments of a video.

    Attributes
    ----------
    seconds : how long the video is
    times : (n,) of the moments, ascending, in seconds
    frames, after : (n, side, side, 3) the frame at each moment and the one after it,
        which is the same where only some frames are decoded
    """

    seconds: float
    times: NDArray[np.float64]
    frames: NDArray[np.uint8]
    after: NDArray[np.uint8]


def is_installed() -> bool:
    """Return whether videos and sound tracks can be decoded."""
    return find_spec("av") is not None


def kind_of(content: bytes) -> str:
    """Return the kind of a file by its beginning, as PyAV names it; mostly none."""
    if content[4:8] in MOV:
        return "mov"
    if content.startswith(b"\x1aE\xdf\xa3"):
        return "matroska"
    if content.startswith(b"RIFF") and content[8:12] == b"AVI ":
        return "avi"
    is_aac = int.from_bytes(content[:2]) & LAYER == SYNC
    return "aac" if is_aac else ""


def frames_of(content: bytes) -> tuple[list[Image.Image], tuple[int, int]]:
    """Return evenly spread frames of a video, upright, and its width and height.

    Raises
    ------
    BadItemError
        if it cannot be read
    """
    kind = _video_kind(content)
    with answer_of(VIDEO, content, "video", kind, what="video") as answer:
        head = _head(answer, "video")
        width, height = head["small"]
        size = 3 * width * height
        frames = [
            Image.frombytes("RGB", (width, height), answer.read(size))
            for _ in range(head["frames"])
        ]
    images = [one.rotate(head["rotation"], expand=True) for one in frames]
    sizes = int(head["width"]), int(head["height"])
    return images, sizes if head["rotation"] % 180 == 0 else sizes[::-1]


def moments_of(content: bytes) -> Moments:
    """Return evenly spread moments of a video; raise `BadItemError` if it has none."""
    kind = _video_kind(content)
    with answer_of(VIDEO, content, "timeline", kind, what="video") as answer:
        head = _head(answer, "video")
        times, side = np.array(head["times"]), head["side"]
        pixels = np.frombuffer(answer.read(), dtype=np.uint8)
        frames = pixels.reshape(len(times), 2, side, side, 3)
    frames = np.rot90(frames, round(head["rotation"] / QUARTER), axes=(2, 3))
    return Moments(float(head["seconds"]), times, frames[:, 0], frames[:, 1])


def _video_kind(content: bytes) -> str:
    """Return the kind of a file that may be a video, if videos can be read."""
    kind = kind_of(content)
    if kind in {"", "aac"}:
        message = f"the file is not a video in a supported format: {', '.join(FORMATS)}"
        raise BadItemError(message)
    _check_library("videos need")
    return kind


@contextmanager
def sound_track(content: bytes, *, is_whole: bool) -> Iterator[Track]:
    """Yield the sound track of a file, of which all channels are mixed to one.

    Parameters
    ----------
    is_whole : whether all of it is wanted, not only some parts of a long sound; the
        parts of one of more than an hour are then none

    Raises
    ------
    BadItemError
        if there is none that can be read
    """
    _check_library("sounds in such a file need")
    mode = "whole sound" if is_whole else "sound"
    with answer_of(SOUND, content, mode, kind_of(content), what="sound") as answer:
        head = _head(answer, "sound")
        yield Track(int(head["rate"]), float(head["seconds"]), _parts(answer))


def _parts(answer: IO[bytes]) -> Iterator[NDArray[np.float32]]:
    while size := int.from_bytes(answer.read(LENGTH_BYTES)):
        samples = np.frombuffer(answer.read(size), dtype=np.int16)
        yield np.asarray(samples / FULL_SCALE, dtype=np.float32)


def _head(answer: IO[bytes], what: str) -> dict[str, Any]:
    """Return the first line of an answer; raise `BadItemError` if it is a refusal."""
    head: dict[str, Any] = orjson.loads(answer.readline())
    if "refused" in head:
        message = f"the {what} cannot be read: {head['refused']}"
        raise BadItemError(message)
    return head


def _check_library(need: str) -> None:
    if not is_installed():
        message = f"{need} {EXTRA}"
        raise BadItemError(message)
