"""Labels as the arrays that learners learn from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.registry import codec_of
from dubito.model.evaluation.distances import (
    of_grades,
    of_names,
    of_numbers,
    of_sets,
)
from dubito.model.numbers import codes_on, number_scale, scale_named

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dubito.backend.controls.codec import Answer
    from dubito.model.arrays import Targets
    from dubito.model.evaluation.distances import Distances
    from dubito.model.schema import Schema


def learnt_schema(schema: Schema, labels: Collection[Answer]) -> Schema:
    """Return a question with the classes that are learnt.

    They are those of the label config; of numbers some of the labels.
    """
    if codec_of(schema).answer_kind != "number" or not labels:
        return schema
    names = {float(label): label for label in labels}
    scale = number_scale(np.array([float(label) for label in labels]))
    return replace(schema, classes=tuple(names[number] for number in scale.tolist()))


def targets_of(labels: Sequence[Answer], schema: Schema) -> Targets:
    """Return (n,) codes of labels that are one class, (n, C) members of any-of ones.

    A number has the code of the nearest class, see `learnt_schema`.
    """
    codec = codec_of(schema)
    scale = scale_named(schema.classes, codec.answer_kind)
    if scale is not None:
        return codes_on(scale, np.array([*map(float, labels)]))
    codes = {name: code for code, name in enumerate(schema.classes)}
    if codec.answer_kind != "any of":
        return np.array([codes[label] for label in labels], dtype=np.intp)
    members = np.zeros((len(labels), len(codes)), dtype=np.bool_)
    for row, label in enumerate(labels):
        members[row, [codes[name] for name in codec.classes_in(label)]] = True
    return members


def scale_of(schema: Schema, answers: Collection[Answer] = ()) -> Sequence[Answer]:
    """Return all grades, the lowest first; nothing where classes have no order.

    Parameters
    ----------
    answers : all there are: of numbers, these are the scale
    """
    kind = codec_of(schema).answer_kind
    if kind == "number":
        return sorted({*answers}, key=float)
    return schema.classes if kind == "ordered" else ()


def distances_for(schema: Schema) -> Distances:
    """Return what tells how far apart labels are.

    Stretches are equal or not: how far they overlap is not compared.
    """
    codec = codec_of(schema)
    if codec.answer_kind == "one of" or codec.marks_stretches:
        return of_names
    if codec.answer_kind == "number":
        return of_numbers
    if scale := scale_of(schema):
        return lambda labels: of_grades(labels, scale)
    return lambda labels: of_sets([codec.classes_in(label) for label in labels])
