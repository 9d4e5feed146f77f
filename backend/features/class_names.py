"""Which names of the classes teach before the first label, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.data_kinds.sentence_vectors import sentence_vector
from dubito.backend.state.pool import vectors_of
from dubito.model.features.class_names import ClassNames, are_telling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.project_settings import Preferences
    from dubito.backend.state.pool import Pool
    from dubito.model.schema import Schema


def teaching_names(schema: Schema, preferences: Preferences) -> tuple[str, ...]:
    """Return what people read of each class; nothing if it is not to teach.

    Names say which class is the likeliest, not how many classes a text has. "Left" and
    "right" say nothing of two items.
    """
    names, codec = schema.class_texts or schema.classes, codec_of(schema)
    is_one_of = codec.answer_kind == "one of" and not codec.compares
    is_wanted = preferences.class_names == "auto" and is_one_of
    return names if is_wanted and are_telling(names) else ()


def class_names_of(names: Sequence[str], pool: Pool) -> ClassNames | None:
    """Return what names say of the texts of a pool; None without sentence vectors.

    Where they have some, this process has read texts or is about to: the encoder is
    loaded for few words only.
    """
    if not names or not pool.texts or not pool.vectors.size:
        return None
    vectors = vectors_of([sentence_vector(name) for name in names])
    return ClassNames.of(vectors, pool.vectors)
