"""`<TimeSeriesLabels>`, `<Labels>` …: people mark the parts where a class occurs.

An answer is a JSON list of stretches, each `[start, end, class]`, with start and end as
Label Studio writes them. Without a stretch it says: none of the classes occurs.
`text_stretches` has the kinds of texts.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeGuard

import orjson

from dubito.backend.controls.codec import ControlCodec, NoAnswer
from dubito.backend.controls.single_choice import SHOWN_LENGTH
from dubito.backend.controls.tags import (
    NOT_FILLED_IN,
    cut,
    first_obstacle,
    template_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import Answer, Region
    from dubito.model.arrays import AnswerKind
    from dubito.model.schema import Schema

MOST_CLASSES = 200
"""The certainty of each is kept for every part of a task."""

MOST_STRETCHES = 10_000
"""In one annotation; more than anybody draws."""

LARGEST_PLACE = 2**53
LONGEST_TIME = 100
MOST_IN_TURN = 10**9

IN_TURN = re.compile(r"(0|[1-9]\d{0,8})\+(0|[1-9]\d{0,8})", re.ASCII)
"""A place in a dialogue: the number of a turn, and of a character of it, from 0."""

Place = int | float | str
"""Where a stretch starts or ends: a value of the time column, a number of characters or
seconds, or a place in a dialogue."""


class Stretch(NamedTuple):
    """A part of a task where a class occurs, as Label Studio writes its ends."""

    start: Place
    end: Place
    name: str


class Stretches(ControlCodec):
    """Parts of a task, each with a class."""

    answer_kind: ClassVar[AnswerKind] = "any of"
    may_be_empty: ClassVar[bool] = True
    marks_stretches: ClassVar[bool] = True

    def unsupported_reason(self, control: Element) -> str:
        """Return why this tag cannot be learnt; empty if it can."""
        labels, count = list(control.iter("Label")), len(self.classes(control))
        names = (tag.get(key, "") for tag in labels for key in ("value", "alias"))
        name, key = template_in(names, NOT_FILLED_IN)
        return first_obstacle(
            {
                "takes its labels from each task's data": bool(control.get("value")),
                f"has the label {cut(name)}, in which {cut(key)} is a template": bool(
                    name
                ),
                "has no labels": count < 1,
                f"has more than {MOST_CLASSES} labels": count > MOST_CLASSES,
            }
        )

    def classes(self, control: Element) -> tuple[str, ...]:
        """Return the labels: by alias where there is one."""
        names = (tag.get("alias") or tag.get("value") for tag in control.iter("Label"))
        return tuple(dict.fromkeys(name for name in names if name))

    def captions(self, control: Element) -> tuple[str, ...]:
        """Return values, aliases and hotkeys of the labels."""
        labels = control.iter("Label")
        texts = (tag.get(key) for tag in labels for key in ("value", "alias", "hotkey"))
        unknown = {text for text in texts if text} - {*self.classes(control)}
        return tuple(sorted(unknown))

    def read(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> Answer | NoAnswer:
        """Return all stretches, or why one of them cannot be read."""
        regions = [item for item in result if item.get("from_name") == schema.control]
        stretches: list[Stretch] = []
        for region in regions:
            names = self._names_in(region)
            place = self._place_of(region)
            if not names:
                return NoAnswer(f"a region for {schema.control!r} has no label")
            if place is None:
                return NoAnswer(
                    f"a region for {schema.control!r} has no start and end that"
                    " can be read"
                )
            for name in names:
                if name not in schema.classes:
                    quote = cut(name, SHOWN_LENGTH)
                    return NoAnswer(f"the labeling configuration has no label {quote}")
                stretches.append(Stretch(*place, name))
        if len(stretches) > MOST_STRETCHES:
            return NoAnswer(f"the annotation has more than {MOST_STRETCHES} regions")
        return packed_stretches(stretches)

    def answers_in(self, region: Mapping[str, object]) -> list[object]:
        """Return the place and the labels of a region, as one answer."""
        place, names = self._place_of(region), self._names_in(region)
        return [[*place, *names]] if place is not None and names else []

    def regions(self, answer: Answer, schema: Schema) -> list[Region]:
        """Return a region for each stretch."""
        return [
            {
                "from_name": schema.control,
                "to_name": schema.target,
                "type": self.type,
                "value": self.value_of(stretch),
            }
            for stretch in unpacked_stretches(answer)
        ]

    def ends_of(self, value: Mapping[str, object]) -> tuple[object, object]:
        """Return where the stretch of a region starts and ends, valid or not."""
        return value.get("start"), value.get("end")

    @abstractmethod
    def value_of(self, stretch: Stretch) -> dict[str, object]:
        """Return the `value` of the region of a stretch."""

    @abstractmethod
    def is_place(self, value: object) -> TypeGuard[Place]:
        """Tell whether a value says where a stretch starts or ends."""

    def classes_in(self, answer: Answer) -> tuple[str, ...]:
        """Return the classes that occur."""
        return tuple(dict.fromkeys(one.name for one in unpacked_stretches(answer)))

    def is_answer(self, text: str, schema: Schema) -> bool:
        """Tell whether a text is an answer that can be written."""
        stretches = unpacked_stretches(text)
        names = {stretch.name for stretch in stretches}
        are_places = all(
            self.is_place(one.start) and self.is_place(one.end) for one in stretches
        )
        return (
            are_places
            and names <= {*schema.classes}
            and text == packed_stretches(stretches)
        )

    def answer_of(self, classes: Iterable[str], schema: Schema) -> Answer:
        """Raise an error: classes do not say where they occur."""
        message = f"{[*classes]} of {schema.control!r} do not say where they occur"
        raise NotImplementedError(message)

    def _names_in(self, region: Mapping[str, object]) -> list[str]:
        value = region.get("value")
        names = value.get(self.type) if isinstance(value, dict) else None
        listed = names if isinstance(names, list) else []
        are_texts = all(isinstance(name, str) for name in listed)
        return [*dict.fromkeys(map(str, listed))] if are_texts else []

    def _place_of(self, region: Mapping[str, object]) -> tuple[Place, Place] | None:
        value = region.get("value")
        start, end = self.ends_of(value) if isinstance(value, dict) else (None, None)
        return (start, end) if self.is_place(start) and self.is_place(end) else None


class TimeStretches(Stretches):
    """Times of a recording of sensors."""

    kind = "time-stretches"
    tag = "TimeSeriesLabels"
    type = "timeserieslabels"
    objects = frozenset({"TimeSeries"})
    description = "<TimeSeriesLabels> over a <TimeSeries>"

    def is_place(self, value: object) -> TypeGuard[Place]:
        """Tell whether a value is one of a time column: a number or a text."""
        return is_number(value) or is_time_text(value)

    def value_of(self, stretch: Stretch) -> dict[str, object]:
        """Return both ends, which are inside, and the label."""
        return {
            "start": stretch.start,
            "end": stretch.end,
            "instant": stretch.start == stretch.end,
            self.type: [stretch.name],
        }


class SoundStretches(Stretches):
    """Seconds of a sound."""

    kind = "sound-stretches"
    tag = "Labels"
    type = "labels"
    objects = frozenset({"Audio"})
    description = "<Labels> over an <Audio>"

    def is_place(self, value: object) -> TypeGuard[Place]:
        """Tell whether a value is a number of seconds."""
        return is_number(value)

    def value_of(self, stretch: Stretch) -> dict[str, object]:
        """Return the first second, the last, and the label."""
        ends = {"start": stretch.start, "end": stretch.end}
        return {**ends, "channel": 0, self.type: [stretch.name]}


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a number that JSON holds exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < LARGEST_PLACE


def is_time_text(value: object) -> TypeGuard[str]:
    """Tell whether a value may be a time as a text: short, without half characters."""
    if not isinstance(value, str) or len(value) > LONGEST_TIME:
        return False
    return value.encode(errors="ignore").decode() == value


def packed_stretches(stretches: Iterable[Stretch]) -> Answer:
    """Return stretches as one text: equal stretches equally, in whichever order."""
    ordered = sorted({with_plain_ends(stretch) for stretch in stretches}, key=_order)
    return orjson.dumps([[*stretch] for stretch in ordered]).decode()


def with_plain_ends(stretch: Stretch) -> Stretch:
    """Return a stretch with whole numbers as such: 1 for 1.0."""
    start, end = (
        int(place) if isinstance(place, float) and place.is_integer() else place
        for place in (stretch.start, stretch.end)
    )
    return Stretch(start, end, stretch.name)


def _order(stretch: Stretch) -> tuple[bool, float, str, bool, float, str, str]:
    """Return what stretches are sorted by: numbers before texts."""
    keys: list[tuple[bool, float, str]] = [
        (True, _order_in_dialogue(place), place)
        if isinstance(place, str)
        else (False, float(place), "")
        for place in (stretch.start, stretch.end)
    ]
    (first, second) = keys
    return (*first, *second, stretch.name)


def _order_in_dialogue(place: str) -> float:
    """Return what places in a dialogue are sorted by; 0 for other texts."""
    turn, character = turn_and_character(place) or (0, 0)
    return turn * MOST_IN_TURN + character


def turn_and_character(place: Place) -> tuple[int, int] | None:
    """Return the two numbers of a place in a dialogue; None of another place."""
    match = IN_TURN.fullmatch(place) if isinstance(place, str) else None
    return None if match is None else (int(match[1]), int(match[2]))


def unpacked_stretches(text: Answer) -> list[Stretch]:
    """Return the stretches that `packed_stretches` has written; none of other texts."""
    try:
        listed = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    items = listed if isinstance(listed, list) else []
    return [Stretch(*item) for item in items if _is_stretch(item)]


def _is_stretch(item: object) -> bool:
    return (
        isinstance(item, list)
        and len(item) == 3
        and isinstance(item[2], str)
        and all(is_number(place) or is_time_text(place) for place in item[:2])
    )
