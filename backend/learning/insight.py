"""What a project's page shows of the learning: rounds, certainty, classes, mistakes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from backend.errors import SchemaError
from backend.learning.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.records import JsonObject
    from backend.state.assessments import Confusion, Measured
    from backend.state.history import Round
    from backend.state.project import ProjectState

ROUNDS_SHOWN = 50
EARLIER_SHOWN = 3


def insight(state: ProjectState) -> JsonObject:
    """Return what the rounds found, and what the last assessment did."""
    rounds, finding = state.history.rounds(), state.assessments.finding()
    newest = rounds[: -ROUNDS_SHOWN - 1 : -1]
    return {
        "rounds": [line.model_dump(exclude={"certainty"}) for line in newest],
        "certainty": _certainty(rounds),
        "classes": _classes(state),
        "confusion": [] if finding is None else _dumped(finding.confusion),
        "by_chance": [] if finding is None else _dumped(finding.by_chance),
    }


def _dumped(found: Sequence[Measured | Confusion]) -> list[JsonObject]:
    return [one.model_dump() for one in found]


def _certainty(rounds: Sequence[Round]) -> list[JsonObject]:
    """Return how certain the open tasks were in some rounds, the last one first.

    The earlier ones are spread evenly over the labels there are.
    """
    doubting = [line for line in rounds if line.certainty]
    if not doubting:
        return []
    labels = np.array([line.labels for line in doubting])
    wanted = np.linspace(labels[-1], labels[0], EARLIER_SHOWN + 1)
    places = {int(np.abs(labels - count).argmin()) for count in wanted[1:]}
    last = len(doubting) - 1
    chosen = [last, *sorted(places - {last}, reverse=True)]
    return [doubting[place].model_dump(exclude={"at", "seconds"}) for place in chosen]


def _classes(state: ProjectState) -> list[JsonObject]:
    """Return of each class how many tasks have it, by people and by the model."""
    try:
        standing = Standing.of(state)
    except SchemaError:
        return []
    if standing is None:
        return []
    labelled = Counter(standing.labels.chosen.values())
    predicted = _predicted(state, standing)
    return [
        {"name": name, "labelled": labelled[name], "predicted": predicted[name]}
        for name in standing.schema.classes
    ]


def _predicted(state: ProjectState, standing: Standing) -> Counter[str]:
    """Count what the model takes the open tasks for."""
    ranking = state.ranking()
    if ranking is None or not ranking.classes:
        return Counter()
    asked = standing.open_tasks - standing.labels.touched
    is_open = np.isin(ranking.task_ids, np.fromiter(asked, dtype=np.int64))
    codes = ranking.probabilities[is_open].argmax(axis=1)
    counts = np.bincount(codes, minlength=len(ranking.classes)).tolist()
    return Counter(dict(zip(ranking.classes, counts, strict=True)))
