"""Which columns of the tasks' data predict the labels alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.state.assessments import SolePredictor
from dubito.model.evaluation.leakage import Columns, single_predictors
from dubito.model.features.mixed_columns import IS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dubito.backend.features.feature_table import Featuriser
    from dubito.model.arrays import Codes, Features


def leaking_columns(
    featuriser: Featuriser,
    features: Features,
    codes: Codes,
    groups: NDArray[np.intp] | None = None,
) -> tuple[SolePredictor, ...]:
    """Return the columns that predict the labels alone, the best first.

    Parameters
    ----------
    features : (n, d) of the labelled tasks, as the featuriser makes them
    codes, groups : (n,) their labels, and what they belong to
    """
    layout, columns = featuriser.layout, featuriser.columns
    numeric = [columns[place] for place in layout.plain[layout.scale.varying]]
    holes = [columns[place] for place in layout.plain[layout.scale.holes]]
    flagged = [columns[place] for place in layout.flagged[layout.flags.varying]]
    flags = [name.partition(IS)[0] for name in flagged]
    names = [*numeric, *holes, *flags]
    names += [""] * (features.shape[1] - len(names))
    first = len(numeric) + len(holes)
    missing = features[:, len(numeric) : first] > 0
    categories = {
        name: missing[:, place].astype(np.intp) for place, name in enumerate(holes)
    }
    kinds = dict.fromkeys(flags)
    categories |= {key: _category(features, first, flags, key) for key in kinds}
    return _found(
        Columns(
            features=features,
            names=names,
            numbers=np.arange(len(numeric)),
            categories=categories,
            codes=codes,
            groups=groups,
        )
    )


def _found(table: Columns) -> tuple[SolePredictor, ...]:
    accuracies = single_predictors(table)
    order = sorted(accuracies, key=lambda name: (-accuracies[name], name))
    return tuple(
        SolePredictor(
            column=name, accuracy=round(accuracies[name], 4), labels=len(table.codes)
        )
        for name in order
    )


def _category(
    features: Features, first: int, keys: Sequence[str], column: str
) -> NDArray[np.intp]:
    """Return the (n,) number of each task's category of one column, 0 for none."""
    own = [first + place for place, key in enumerate(keys) if key == column]
    mask = features[:, own] > 0
    return np.where(mask.any(axis=1), mask.argmax(axis=1) + 1, 0)
