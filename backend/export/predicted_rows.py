"""The rows of exported predictions: what the last round says of each task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from dubito.backend.controls.conditions import shown_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.state.ranking import Ranking
    from dubito.model.schema import Schema

Row: TypeAlias = tuple[object, ...]
DECIMALS = 6
"""As the certainty has: more would be noise of 32 bits."""

AT_A_TIME = 500


def predicted_rows(ranking: Ranking, schemas: Sequence[Schema]) -> Iterator[Row]:
    """Yield the rows a few at a time, so that whoever serves them serves others too."""
    rankings = {schemas[0].control: ranking, **ranking.others}
    labels = {name: _labels_in(one) for name, one in rankings.items()}
    for start in range(0, ranking.task_ids.size, AT_A_TIME):
        part = slice(start, start + AT_A_TIME)
        shown = _shown({name: column[part] for name, column in labels.items()}, schemas)
        first, *others = shown.values()
        sides = (
            column
            for other, one in zip(others, ranking.others.values(), strict=True)
            for column in (other, _certainty_of(other, one.certainty[part]))
        )
        columns = (
            ranking.task_ids[part].tolist(),
            first,
            _rounded(ranking.certainty[part]),
            _rounded(ranking.probabilities[part]),
            *sides,
        )
        for task, label, certainty, shares, *rest in zip(*columns, strict=True):
            yield (task, label, certainty, *shares, *rest)


def _shown(
    labels: Mapping[str, Sequence[str | None]], schemas: Sequence[Schema]
) -> Mapping[str, Sequence[str | None]]:
    """Return the labels by question; None where the editor hides it beside the others.

    Parameters
    ----------
    labels : by question, of the same tasks
    """
    if all(one.condition is None for one in schemas):
        return labels
    rows = (
        {
            name: label
            for name, label in zip(labels, row, strict=True)
            if label is not None
        }
        for row in zip(*labels.values(), strict=True)
    )
    shown = [shown_labels(row, schemas) for row in rows]
    return {name: [row.get(name) for row in shown] for name in labels}


def _certainty_of(
    labels: Sequence[str | None], certainty: NDArray[np.float64]
) -> list[Any]:
    """Return how certain each label is; None of what has none."""
    pairs = zip(labels, _rounded(certainty), strict=True)
    return [None if label is None else value for label, value in pairs]


def _labels_in(ranking: Ranking) -> Sequence[str | None]:
    """Return the predicted labels of a question; None of one without a model."""
    return ranking.labels() if ranking.has_model else [None] * ranking.task_ids.size


def _rounded(values: NDArray[np.float64]) -> list[Any]:
    return list(np.round(values, DECIMALS).tolist())
