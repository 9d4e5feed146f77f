"""`<TimelineLabels>`: people mark the frames of a video where a class occurs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from dubito.backend.controls.stretches import Stretches, is_number
from dubito.backend.controls.tags import FILLED_IN, attribute

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.stretches import Place, Stretch


class VideoStretches(Stretches):
    """Frames of a video, counted from 1; both ends are inside."""

    kind = "video-stretches"
    tag = "TimelineLabels"
    type = "timelinelabels"
    objects = frozenset({"Video"})
    description = "<TimelineLabels> over a <Video>"

    def obstacle_in(self, shown: Element) -> str:
        """Return why frames cannot be counted: Dubito reads one rate for all tasks."""
        rate = attribute(shown, "framerate")
        return (
            "marks frames, and the framerate is in each task's data: write a number"
            if FILLED_IN.search(rate)
            else ""
        )

    def is_place(self, value: object) -> TypeGuard[Place]:
        """Tell whether a value is the number of a frame."""
        return is_number(value) and float(value).is_integer()

    def ends_of(self, value: Mapping[str, object]) -> tuple[object, object]:
        """Return the first and the last frame of a region, which has one range."""
        ranges = value.get("ranges")
        only = ranges[0] if isinstance(ranges, list) and len(ranges) == 1 else None
        if not isinstance(only, dict):
            return None, None
        return only.get("start"), only.get("end")

    def value_of(self, stretch: Stretch) -> dict[str, object]:
        """Return the range of frames, and the label."""
        ends = {"start": stretch.start, "end": stretch.end}
        return {"ranges": [ends], self.type: [stretch.name]}
