"""Labels of each kind, one-of, any-of, ordered and numbers, compared as wholes."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import (
    AnswerKind,
    Codes,
    Probabilities,
    Scale,
    Targets,
    likeliest,
    likely_members,
    median_grades,
)
from dubito.model.numbers import likely_numbers

MARK_BYTES = 7
"""So many bytes of a hash are a number that an array of codes holds."""


def likely_targets(
    probabilities: Probabilities,
    kind: AnswerKind,
    *,
    may_be_empty: bool = True,
    most_chosen: int = 0,
    scale: Scale | None = None,
) -> Targets:
    """Return the labels that are predicted.

    They are the likeliest classes, the medians of grades, and of any-of labels what
    `likely_members` says, of numbers what `likely_numbers` does.

    Parameters
    ----------
    scale : of numbers: those that the classes are
    """
    if kind == "any of":
        return likely_members(
            probabilities, may_be_empty=may_be_empty, most_chosen=most_chosen
        )
    if scale is not None:
        return likely_numbers(probabilities, scale)
    return _codes(probabilities, kind)


def sure(
    probabilities: Probabilities,
    kind: AnswerKind,
    *,
    may_be_empty: bool = True,
    most_chosen: int = 0,
) -> NDArray[np.float64]:
    """Return (n,) how probable the predicted label is, as a whole."""
    if kind == "any of":
        members = likely_members(
            probabilities, may_be_empty=may_be_empty, most_chosen=most_chosen
        )
        chances = np.where(members, probabilities, 1 - probabilities)
        return np.asarray(chances.prod(axis=1))
    if not probabilities.shape[1]:
        return np.zeros(len(probabilities))
    rows = np.arange(len(probabilities))
    return np.asarray(probabilities[rows, _codes(probabilities, kind)])


def _codes(probabilities: Probabilities, kind: AnswerKind) -> Codes:
    is_ordered = kind == "ordered"
    return median_grades(probabilities) if is_ordered else likeliest(probabilities)


def kind_of(targets: Targets, *, is_ordered: bool = False) -> AnswerKind:
    """Return whether labels are one class each, or any, or grades.

    Parameters
    ----------
    is_ordered : whether the classes are grades, which arrays do not tell
    """
    if targets.ndim > 1:
        return "any of"
    return "ordered" if is_ordered else "one of"


def class_counts(targets: Targets, n_classes: int) -> NDArray[np.intp]:
    """Return (C,) how many labels each class is in."""
    if targets.ndim == 1:
        return np.bincount(targets, minlength=n_classes)
    return np.asarray(targets.sum(axis=0), dtype=np.intp)


def marks(targets: Targets) -> Codes:
    """Return (n,) numbers that are equal for equal labels; the code of one class."""
    if targets.ndim == 1:
        return targets.astype(np.intp, copy=False)
    packed = (row.tobytes() for row in np.packbits(targets, axis=1))
    hashes = (blake2b(row, digest_size=MARK_BYTES).digest() for row in packed)
    return np.array([int.from_bytes(one) for one in hashes], dtype=np.intp)
