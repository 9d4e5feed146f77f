"""The kinds of controls that Dubito learns, and what all of them say together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.grades import NumberGrades, Numbers, Rating
from dubito.backend.controls.multiple_choice import (
    MultipleChoice,
    RequiredMultipleChoice,
)
from dubito.backend.controls.pairwise import Pairwise
from dubito.backend.controls.several_paths import RequiredSeveralPaths, SeveralPaths
from dubito.backend.controls.single_choice import SingleChoice
from dubito.backend.controls.stretches import SoundStretches, TimeStretches
from dubito.backend.controls.taxonomy import Taxonomy
from dubito.backend.controls.text_stretches import (
    DialogueStretches,
    PageStretches,
    TextStretches,
)
from dubito.backend.controls.video_stretches import VideoStretches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import ControlCodec
    from dubito.model.schema import Schema

CODECS: dict[str, ControlCodec] = {
    codec.kind: codec
    for codec in (
        SingleChoice(),
        Taxonomy(),
        SeveralPaths(),
        RequiredSeveralPaths(),
        Rating(),
        NumberGrades(),
        Numbers(),
        MultipleChoice(),
        RequiredMultipleChoice(),
        Pairwise(),
        TimeStretches(),
        TextStretches(),
        SoundStretches(),
        PageStretches(),
        DialogueStretches(),
        VideoStretches(),
    )
}
"""Each codec by its kind. The first that takes a tag or a region reads it."""


def codec_of(schema: Schema) -> ControlCodec:
    """Return the codec of the control that a schema asks."""
    return CODECS[schema.control_kind]


def is_control(tag: str) -> bool:
    """Tell whether a codec may read controls with this tag."""
    return any(codec.tag == tag for codec in CODECS.values())


def codecs_for(control: Element) -> list[ControlCodec]:
    """Return the codecs that may read a control."""
    return [c for c in CODECS.values() if c.tag == control.tag and c.reads(control)]


def codec_for(region: Mapping[str, object]) -> ControlCodec | None:
    """Return the codec that finds an answer in a region, if one does."""
    return next((c for c in CODECS.values() if c.answers_in(region)), None)


def answers_in(region: Mapping[str, object]) -> list[object]:
    """Return the answers that a region holds, whatever kind its control is."""
    codec = codec_for(region)
    return [] if codec is None else codec.answers_in(region)


def region_types() -> tuple[str, ...]:
    """Return the types of the regions that answers are read from."""
    return tuple(dict.fromkeys(codec.type for codec in CODECS.values()))


def listed_tags() -> str:
    """Return the tags of all kinds, as sentences name them."""
    tags = dict.fromkeys(codec.tag for codec in CODECS.values())
    return _listed([f"<{tag}>" for tag in tags])


def listed_descriptions(*, of_stretches: bool) -> str:
    """Return the kinds about whole tasks or stretches, as sentences name them."""
    kinds = (c for c in CODECS.values() if c.marks_stretches == of_stretches)
    return _listed([*dict.fromkeys(codec.description for codec in kinds)])


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
