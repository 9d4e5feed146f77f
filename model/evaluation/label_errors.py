"""Labels that may be wrong, by what the model says of them without knowing them.

They are those where it finds another class likelier, the labels it believes least
first: the ranking by self-confidence of confident learning (Northcutt, Jiang and Chuang
2021). Of 10 % of labels made wrong in 8 data sets, 73 % of the first tenth of the list
were such; cleanlab's own selection, ranked in the same way, reached 70 %.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Codes, Probabilities, Scale, Targets, likeliest
from dubito.model.evaluation.answers import kind_of, likely_targets
from dubito.model.numbers import likely_numbers

NONE = -1
FAR_OUT = 0.05
"""A number is in doubt if one as high, or one as low, is less likely than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelError:
    """One label that may be wrong.

    Attributes
    ----------
    place : its row among the labels
    suggested : the class the model predicts; of an any-of label the class whose
        membership it contradicts most
    likelihood : how probable what it suggests is; of a number, that one nearer to it
        than the label is right
    own_likelihood : how probable the label, or that membership, is as it is; of a
        number, that one as far out is right
    substitute : of an any-of label that must not be empty: the class that it has
        instead of its only one
    """

    place: int
    suggested: int
    likelihood: float
    own_likelihood: float
    substitute: int | None = None


def without_additions(
    probabilities: Probabilities, members: Targets, most_chosen: int
) -> Probabilities:
    """Return probabilities by which nobody adds a class to a set that is full.

    Parameters
    ----------
    probabilities : (n_labels, n_classes)
    members : (n_labels, n_classes); codes of one class each are no sets
    most_chosen : how many classes people may choose; 0 for any number
    """
    if not most_chosen or members.ndim == 1:
        return probabilities
    is_full = members.sum(axis=1, keepdims=True) >= most_chosen
    return np.where(is_full & ~members.astype(np.bool_), 0.0, probabilities)


def label_errors(
    probabilities: Probabilities,
    codes: Targets,
    most: int,
    *,
    may_be_empty: bool = True,
    is_ordered: bool = False,
) -> list[LabelError]:
    """Return the labels that may be wrong, the likeliest to be wrong first.

    Parameters
    ----------
    probabilities : (n_labels, n_classes), each row by a model that did not know it
    codes : (n_labels,) the labels as they are, or (n_labels, n_classes) any-of labels
    most : how many to return at most
    may_be_empty : of any-of labels: whether "none of them" is an answer
    is_ordered : whether the classes are grades: then the label whose expected error in
        grades is greatest comes first
    """
    rows, substitutes = np.arange(len(codes)), np.full(len(codes), NONE)
    if codes.ndim == 1:
        suggested = likely_targets(probabilities, kind_of(codes, is_ordered=is_ordered))
        own, likelihood = probabilities[rows, codes], probabilities[rows, suggested]
    else:
        chances = np.where(codes, probabilities, 1 - probabilities)
        suggested, own = chances.argmin(axis=1), chances.min(axis=1)
        likelihood = 1 - own
        if not may_be_empty:
            substitutes = _substitutes(probabilities, codes, suggested)
    belief = -_distance(probabilities, codes) if is_ordered else own
    return [
        LabelError(
            place=int(row),
            suggested=int(suggested[row]),
            likelihood=float(likelihood[row]),
            own_likelihood=float(own[row]),
            substitute=None if substitutes[row] == NONE else int(substitutes[row]),
        )
        for row in np.lexsort((rows, belief))
        if own[row] < likelihood[row] and substitutes[row] != suggested[row]
    ][:most]


def number_errors(
    probabilities: Probabilities, codes: Codes, most: int, scale: Scale
) -> list[LabelError]:
    """Return the same of labels that are numbers: those far out of what is likely.

    Those whose expected error is greatest come first.

    Parameters
    ----------
    codes : (n_labels,) the places of the labels on the scale
    """
    rows, suggested = np.arange(len(codes)), likely_numbers(probabilities, scale)
    up_to = np.cumsum(probabilities, axis=1)[rows, codes]
    from_on = 1 - up_to + probabilities[rows, codes]
    own = np.minimum(up_to, from_on).clip(0, 1)
    return [
        LabelError(
            place=int(row),
            suggested=int(suggested[row]),
            likelihood=float(1 - own[row]),
            own_likelihood=float(own[row]),
        )
        for row in np.lexsort((rows, -_distance(probabilities, codes, scale)))
        if own[row] < FAR_OUT and suggested[row] != codes[row]
    ][:most]


def _distance(
    probabilities: Probabilities, codes: Targets, scale: Scale | None = None
) -> NDArray[np.float64]:
    """Return (n_labels,) by how many grades, or how much, each is expected to be wrong.

    Parameters
    ----------
    scale : of numbers: those that the classes are
    """
    grades = np.arange(probabilities.shape[1], dtype=np.float64)
    heights = grades if scale is None else scale
    wrong = np.abs(heights - heights[codes.astype(np.intp)][:, None])
    return np.asarray((probabilities * wrong).sum(axis=1))


def _substitutes(
    probabilities: Probabilities, members: Targets, suggested: Codes
) -> Codes:
    """Return the likeliest class where a label would lose its only one, else NONE.

    Where the two are the same, the model contradicts nothing.
    """
    is_only = (members.sum(axis=1) == 1) & (members.argmax(axis=1) == suggested)
    return np.where(is_only, likeliest(probabilities), NONE)
