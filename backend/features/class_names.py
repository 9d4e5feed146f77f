"""Which names of the classes teach before the first label, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dubito.backend.controls.registry import codec_of
from dubito.backend.data_kinds.sentence_vectors import sentence_vector
from dubito.backend.state.pool import vectors_of
from dubito.model.features.class_names import ClassNames, are_telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dubito.backend.project_settings import Preferences
    from dubito.backend.state.pool import Pool
    from dubito.model.arrays import Features
    from dubito.model.schema import Schema

Names: TypeAlias = tuple[str, ...]
"""What people read of each class of a question, if it teaches."""

Opinion: TypeAlias = "tuple[ClassNames, Features]"
"""Names of classes, and the (n, C) similarities of each task to them."""


def teaching_names(schema: Schema, preferences: Preferences) -> Names:
    """Return what people read of each class; nothing if it is not to teach.

    Names say which class is the likeliest, not how many classes a text has. "Left" and
    "right" say nothing of two items.
    """
    names, codec = schema.class_texts or schema.classes, codec_of(schema)
    is_one_of = codec.answer_kind == "one of" and not codec.compares
    is_wanted = preferences.class_names == "auto" and is_one_of
    return names if is_wanted and are_telling(names) else ()


def opinions_of(names: Iterable[Names], pool: Pool) -> Mapping[Names, Opinion]:
    """Return what names say of the texts of a pool; nothing without sentence vectors.

    Where they have some, this process has read texts or is about to: the encoder is
    loaded for few words only.

    Parameters
    ----------
    names : of the classes of each question; none of one whose names do not teach
    """
    if not pool.texts or not pool.vectors.size:
        return {}
    opinions: dict[Names, Opinion] = {}
    for own in filter(None, names):
        vectors = vectors_of([sentence_vector(name) for name in own])
        if (class_names := ClassNames.of(vectors, pool.vectors)) is not None:
            opinions[own] = class_names, class_names.apply(pool.vectors)
    return opinions
