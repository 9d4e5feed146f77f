"""How certain a task is of which several questions are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.conditions import deciding_classes
from dubito.model.query.uncertainty import DECIMALS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.state.ranking import Ranking
    from dubito.model.arrays import Certainty
    from dubito.model.schema import Schema


def least_certainty(
    rankings: Sequence[Ranking], schemas: Sequence[Schema]
) -> Certainty:
    """Return (n_tasks,) the certainty of each task: that of its least certain question.

    A question that the editor shows at times only counts as much as it is likely to be
    shown. A question without a model says nothing.

    Parameters
    ----------
    rankings, schemas : of each question, in one order
    """
    questions = {
        schema.control: (ranking, schema)
        for ranking, schema in zip(rankings, schemas, strict=True)
        if ranking.has_model
    }
    if len(rankings) == 1 or not questions:
        return rankings[0].certainty
    doubts = [
        _shown(schema, questions, frozenset()) * (1 - ranking.certainty)
        for ranking, schema in questions.values()
    ]
    return np.asarray(np.round(1 - np.max(doubts, axis=0), DECIMALS))


def _shown(
    schema: Schema,
    questions: Mapping[str, tuple[Ranking, Schema]],
    shown_by: frozenset[str],
) -> NDArray[np.float64] | float:
    """Return how likely the editor shows a control in each task.

    Parameters
    ----------
    shown_by : controls whose conditions led here: a circle of them decides nothing
    """
    condition = schema.condition
    if condition is None or condition.control not in questions:
        return 1.0
    ranking, deciding = questions[condition.control]
    if deciding.control in shown_by or ranking.kind not in ("one of", "any of"):
        return 1.0
    classes = deciding_classes(condition, deciding)
    columns = [name in classes for name in ranking.classes]
    chances = ranking.probabilities[:, columns]
    if ranking.kind == "one of":
        is_met = chances.sum(axis=1)
    else:
        is_met = 1 - np.prod(1 - chances, axis=1)
    if condition.is_negated:
        is_met = 1 - is_met
    outer_chance = _shown(deciding, questions, shown_by | {deciding.control})
    return np.asarray(is_met * outer_chance)
