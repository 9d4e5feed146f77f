"""Videos in units of a few frames, in which people mark stretches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from dubito.backend.data_kinds.images import IMAGES, made_small
from dubito.backend.data_kinds.kind import DataKind
from dubito.backend.data_kinds.media_files import moments_of
from dubito.backend.data_kinds.unit_sequences import UnitSequence, packed_recording
from dubito.backend.data_kinds.videos import VIDEOS
from dubito.backend.state.pool import TaskInput
from dubito.model.features.frames import describe_frames
from dubito.model.stretches.video_units import (
    describe_video_units,
    motion_of,
    unit_frames,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.media_files import Moments

HALF = 0.5
"""A frame reaches so far around its number."""

LEARNT = ("light", "network")
"""The numbers of a frame that are learnt for units begin with these words."""


class VideoUnits(DataKind[TaskInput]):
    """Videos, each a sequence of a few frames."""

    name = "video-units"
    title = "videos, in units of a few frames"
    noun = VIDEOS.noun
    version = VIDEOS.version
    by_address = True
    in_files = True
    takes_time = True
    large_bytes = VIDEOS.large_bytes

    def address(self, content: object, plan: ReadPlan) -> str:
        """Return the address of the video."""
        return VIDEOS.address(content, plan)

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:
        """Return what is learnt of a video, with the units that stretches cover."""
        moments = moments_of(self.file_of(content, plan))
        names, table = _numbers(moments.frames)
        is_learnt = [name.startswith(LEARNT) for name in names]
        motion = motion_of(moments.frames, moments.after)
        units = _units(moments, plan, np.hstack([table[:, is_learnt], motion]))
        numbers = describe_frames(names, table)
        return TaskInput(numbers=numbers, sequence=packed_recording(units))

    def describe(self, items: Sequence[TaskInput]) -> list[TaskInput]:
        """Return what was read: the whole describes a task, for the seed set."""
        return list(items)


def _numbers(frames: NDArray[np.uint8]) -> tuple[list[str], NDArray[np.float64]]:
    """Return the names of the numbers of frames, and a row of numbers for each."""
    images = IMAGES.describe([made_small(Image.fromarray(one)) for one in frames])
    return list(images[0].numbers), np.array(
        [[*one.numbers.values()] for one in images]
    )


def _units(
    moments: Moments, plan: ReadPlan, numbers: NDArray[np.float64]
) -> UnitSequence:
    """Return the units of a video, whose frames count from 1; the last may be short."""
    frame_rate = plan.schema.frame_rate
    length = unit_frames(moments.seconds, frame_rate, plan.reads.unit_length)
    count = max(1, round(moments.seconds * frame_rate))
    starts = np.arange(1, count + 1, length)
    ends = np.minimum(starts + length - 1, count)
    middles = (starts + ends) / 2 - 1
    return UnitSequence(
        starts=starts.tolist(),
        ends=ends.tolist(),
        at=np.column_stack([starts - HALF, ends + HALF]),
        features=describe_video_units(numbers, moments.times * frame_rate, middles),
    )


VIDEO_UNITS = VideoUnits()
