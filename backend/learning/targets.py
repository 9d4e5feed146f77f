"""Labels as the arrays that learners learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.registry import codec_of
from dubito.model.evaluation.distances import of_grades, of_names, of_sets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.controls.codec import Answer
    from dubito.model.arrays import Targets
    from dubito.model.evaluation.distances import Distances
    from dubito.model.schema import Schema


def targets_of(labels: Sequence[Answer], schema: Schema) -> Targets:
    """Return (n,) codes of one-of labels and grades, (n, C) members of any-of ones."""
    codec = codec_of(schema)
    codes = {name: code for code, name in enumerate(schema.classes)}
    if codec.answer_kind != "any of":
        return np.array([codes[label] for label in labels], dtype=np.intp)
    members = np.zeros((len(labels), len(codes)), dtype=np.bool_)
    for row, label in enumerate(labels):
        members[row, [codes[name] for name in codec.classes_in(label)]] = True
    return members


def scale_of(schema: Schema) -> Sequence[Answer]:
    """Return all grades, the lowest first; nothing where classes have no order."""
    return schema.classes if codec_of(schema).answer_kind == "ordered" else ()


def distances_for(schema: Schema) -> Distances:
    """Return what tells how far apart labels are.

    Stretches are equal or not: how far they overlap is not compared.
    """
    codec = codec_of(schema)
    if codec.answer_kind == "one of" or codec.marks_stretches:
        return of_names
    if scale := scale_of(schema):
        return lambda labels: of_grades(labels, scale)
    return lambda labels: of_sets([codec.classes_in(label) for label in labels])
