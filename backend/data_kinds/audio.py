"""Audio: sounds in files, described by numbers, and played by the viewer's browser."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.kind import DataKind
from dubito.backend.data_kinds.preview import Look
from dubito.backend.data_kinds.sound_files import Sound, open_sound
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.features.sound import describe_sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.state.facts import InputSpec

REACHABLE = ("http://", "https://", "/")
LARGE = 5_000_000
"""Bytes: larger files are decoded one after another, for decoding takes more room."""


class Audio(DataKind[Sound]):
    """Sounds in files."""

    name = "audio"
    title = "audio (timbre, bands, how they change, a small spectrogram)"
    noun = "sound"
    tags = MappingProxyType({"Audio": {}})
    by_address = True
    in_files = True
    look = Look.BY_BROWSER
    medium = "audio"
    large_bytes = LARGE

    def choose(self, sample: TaskSample) -> InputSpec | None:
        """Read the sounds, unless they only go with rows of numbers."""
        return super().choose(sample) if sample.has_files(REACHABLE) else None

    def address(self, content: object, plan: ReadPlan) -> str:  # noqa: ARG002
        """Return the address of the sound."""
        if not isinstance(content, str) or not content.strip():
            message = "the task has no address of a sound"
            raise BadItemError(message)
        return content.strip()

    def decode(self, content: object, plan: ReadPlan) -> Sound:
        """Return the sound of a file, or of some parts of a long one."""
        return open_sound(self.file_of(content, plan))

    def describe(self, items: Sequence[Sound]) -> list[TaskInput]:
        """Describe sounds by numbers."""
        return [
            TaskInput(numbers=describe_sound(one.frames, one.seconds)) for one in items
        ]


AUDIO = Audio()
