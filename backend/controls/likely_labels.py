"""From probabilities to the answers that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.class_sets import packed
from dubito.model.evaluation.answers import likely_targets
from dubito.model.numbers import scale_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.model.arrays import AnswerKind, Probabilities


def likely_labels(
    probabilities: Probabilities,
    classes: Sequence[str],
    kind: AnswerKind,
    *,
    may_be_empty: bool = True,
    most_chosen: int = 0,
) -> list[str]:
    """Return the label that is predicted of each task: a class, or several, `packed`.

    Parameters
    ----------
    may_be_empty : of any-of labels: whether "none of them" is an answer
    most_chosen : of any-of labels: how many classes people may choose; 0 for any number
    """
    labels = likely_targets(
        probabilities,
        kind,
        may_be_empty=may_be_empty,
        most_chosen=most_chosen,
        scale=scale_named(classes, kind),
    ).tolist()
    if kind != "any of":
        return [classes[code] for code in labels]
    return [
        packed(name for name, is_in in zip(classes, row, strict=True) if is_in)
        for row in labels
    ]
