"""Sounds in files: decoded a part at a time, and never more than some minutes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from dubito.backend.data_kinds.media_files import TRACKS, kind_of, sound_track
from dubito.model.errors import BadItemError
from dubito.model.features.sound import STEP_SECONDS, frames_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import ModuleType

    from numpy.typing import NDArray
    from soundfile import SoundFile

    from dubito.model.features.sound import Frames

Heard = TypeVar("Heard")
FORMATS = ("WAV", "FLAC", "OGG", "MP3")
BEGINNINGS = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"ID3")
"""Of files in these formats. Each further decoder is a further risk."""

PART_SECONDS = 10
MOST_PARTS = 12
"""Parts of a long recording that are listened to, evenly spread."""

MOST_SECONDS = 3_600
"""Of a sound that is listened to as a whole: its frames take some 100 MB."""

NO_SAMPLES = "the sound holds no samples"
BLOCK = 1_000_000
"""Samples of all channels that are decoded at a time."""

MOST_CHANNELS = 64
LOUDEST = 100.0
"""Full scale is 1; a file of floating-point numbers may hold any."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sound:
    """A sound that was listened to.

    Attributes
    ----------
    frames : (n, COLUMNS) of all parts
    seconds : how long the whole sound is
    """

    frames: Frames
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WholeSound:
    """A sound that was listened to from its beginning to its end.

    Attributes
    ----------
    frames : (n, COLUMNS)
    times : (n,) seconds at which the frames begin, ascending
    seconds : how long the sound is
    """

    frames: Frames
    times: NDArray[np.float64]
    seconds: float


def open_sound(content: bytes) -> Sound:
    """Listen to a sound file; raise `BadItemError` if it holds no sound."""
    if not kind_of(content):
        return _opened(content, _listened)
    with sound_track(content, is_whole=False) as track:
        return _heard(track.parts, track.rate, track.seconds)


def open_whole_sound(content: bytes) -> WholeSound:
    """Listen to all of a sound file.

    Raises
    ------
    BadItemError
        if it holds no sound, or one of more than an hour
    """
    if not kind_of(content):
        return _opened(content, _wholly_listened)
    with sound_track(content, is_whole=True) as track:
        return _wholly_heard(track.parts, track.rate, track.seconds)


def _opened(content: bytes, listen: Callable[[SoundFile], Heard]) -> Heard:
    is_mp3 = content[:1] == b"\xff" and content[1:2] >= b"\xe0"
    if not (content.startswith(BEGINNINGS) or is_mp3):
        formats = ", ".join([*FORMATS, *TRACKS])
        message = f"the file is not a sound in a supported format: {formats}"
        raise BadItemError(message)
    library = _library()
    try:
        with library.SoundFile(io.BytesIO(content)) as file:
            _check(file)
            return listen(file)
    except (library.SoundFileError, OSError, ValueError) as error:
        # Its text names the file in memory, by another address each time.
        reason = getattr(error, "error_string", str(error))
        message = f"the sound is broken: {' '.join(reason.split())}"
        raise BadItemError(message) from error


def _library() -> ModuleType:
    """Return what decodes sounds; only projects of sounds load it."""
    try:
        return import_module("soundfile")
    except (ImportError, OSError) as error:  # where its package brings no libsndfile
        message = f"sounds need libsndfile, which cannot be loaded: {error}"
        raise BadItemError(message) from error


def _check(file: SoundFile) -> None:
    if not 1 <= file.channels <= MOST_CHANNELS:
        message = f"the sound has {file.channels} channels, more than {MOST_CHANNELS}"
        raise BadItemError(message)


def _wholly_listened(file: SoundFile) -> WholeSound:
    rate = int(file.samplerate)
    return _wholly_heard(_all_parts(file, rate), rate, file.frames / rate)


def _all_parts(file: SoundFile, rate: int) -> Iterator[NDArray[np.float32]]:
    """Yield the parts of a sound one after another."""
    while (part := _part(file, PART_SECONDS * rate)).size:
        yield part


def _wholly_heard(
    parts: Iterable[NDArray[np.float32]], rate: int, seconds: float
) -> WholeSound:
    """Listen to parts that follow on one another.

    Parameters
    ----------
    seconds : how long the sound says that it is
    """
    if seconds > MOST_SECONDS:
        message = (
            f"the sound is {seconds / 60:.0f} minutes long; the limit for marking"
            f" stretches is {MOST_SECONDS / 60:.0f} minutes: cut the sound into parts"
        )
        raise BadItemError(message)
    frames, times, count = [], [], 0
    for part in parts:
        heard = frames_of(part, rate)
        times.append(count / rate + np.arange(len(heard)) * STEP_SECONDS)
        frames.append(heard)
        count += part.size
    if not frames:
        raise BadItemError(NO_SAMPLES)
    return WholeSound(
        frames=np.concatenate(frames),
        times=np.concatenate(times),
        seconds=count / rate,
    )


def _listened(file: SoundFile) -> Sound:
    rate = int(file.samplerate)
    return _heard(_parts(file, rate), rate, file.frames / rate)


def _heard(parts: Iterable[NDArray[np.float32]], rate: int, seconds: float) -> Sound:
    """Listen to some parts of a sound."""
    frames = [frames_of(part, rate) for part in parts]
    if not frames:
        raise BadItemError(NO_SAMPLES)
    return Sound(frames=np.concatenate(frames), seconds=seconds)


def _parts(file: SoundFile, rate: int) -> Iterator[NDArray[np.float32]]:
    """Yield the parts of a short sound one after another, of a long one some."""
    size = PART_SECONDS * rate
    spare = max(0, file.frames - MOST_PARTS * size) // (MOST_PARTS - 1)
    for number in range(MOST_PARTS):
        if spare:
            file.seek(number * (size + spare))
        part = _part(file, size)
        if not part.size:
            return
        yield part


def _part(file: SoundFile, size: int) -> NDArray[np.float32]:
    """Return the next samples, of which all channels are mixed to one."""
    step = max(1, BLOCK // file.channels)
    blocks: list[NDArray[np.float32]] = []
    while size > 0:
        block = file.read(min(step, size), dtype="float32", always_2d=True)
        numbers = np.nan_to_num(block, posinf=LOUDEST, neginf=-LOUDEST)
        blocks.append(np.clip(numbers, -LOUDEST, LOUDEST).mean(axis=1))
        size -= len(block)
        if len(block) < step:
            break
    return np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
