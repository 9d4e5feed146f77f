"""Videos: some frames of each, described like images, and how they differ."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.data_kinds.images import IMAGES, Picture, made_small
from dubito.backend.data_kinds.kind import DataKind
from dubito.backend.data_kinds.media_files import EXTRA, frames_of, is_installed
from dubito.backend.data_kinds.preview import Look
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.features.frames import describe_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.state.facts import InputSpec

REACHABLE = ("http://", "https://", "/")
LARGE = 5_000_000
"""Bytes: larger files are decoded one after another, for decoding takes more room."""


class Videos(DataKind[tuple[Picture, ...]]):
    """Videos in files."""

    name = "video"
    title = "videos (features of some frames: mean, spread, change)"
    noun = "video"
    version = IMAGES.version
    tags = MappingProxyType({"Video": {}})
    by_address = True
    in_files = True
    look = Look.BY_BROWSER
    medium = "video"
    large_bytes = LARGE

    def lacks(self) -> str:
        """Return the extra that decodes videos, where it is not installed."""
        return "" if is_installed() else EXTRA

    def choose(self, sample: TaskSample) -> InputSpec | None:
        """Read the videos, unless they only go with rows of numbers."""
        return super().choose(sample) if sample.has_files(REACHABLE) else None

    def address(self, content: object, plan: ReadPlan) -> str:  # noqa: ARG002
        """Return the address of the video."""
        if not isinstance(content, str) or not content.strip():
            message = "the task has no address of a video"
            raise BadItemError(message)
        return content.strip()

    def decode(self, content: object, plan: ReadPlan) -> tuple[Picture, ...]:
        """Return evenly spread frames of the video in a file, made small."""
        frames, (width, height) = frames_of(self.file_of(content, plan))
        small = map(made_small, frames)
        return tuple(replace(one, width=width, height=height) for one in small)

    def describe(self, items: Sequence[tuple[Picture, ...]]) -> list[TaskInput]:
        """Describe videos by the numbers of their frames, one after another."""
        return [TaskInput(numbers=_described(frames)) for frames in items]


def _described(frames: Sequence[Picture]) -> dict[str, float]:
    """Return the mean of each number of the frames, its spread and its change."""
    images = IMAGES.describe(frames)
    table = np.array([list(one.numbers.values()) for one in images])
    return describe_frames(list(images[0].numbers), table)


VIDEOS = Videos()
