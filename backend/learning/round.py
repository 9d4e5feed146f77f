"""A round: labels and features → fit → doubt → the next tasks to ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.registry import codec_of
from dubito.backend.learning.least_certainty import least_certainty
from dubito.backend.learning.models import learn
from dubito.backend.state.facts import WindowEntry
from dubito.backend.state.ranking import Ranking
from dubito.model.query.selection import (
    CandidatePool,
    QueryState,
    select_queries,
)
from dubito.model.query.uncertainty import certainty_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.learning.round_input import RoundInput
    from dubito.backend.learning.task_predictions import TaskPredictions
    from dubito.model.arrays import Certainty, TaskIds


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundResult:
    """What a round found: how certain each task is, and which ones come next.

    Attributes
    ----------
    counts : how many open tasks are how certain; none before there is a model
    """

    ranking: Ranking
    window: tuple[WindowEntry, ...]
    counts: tuple[int, ...]


def run_round(question: RoundInput, number: int, basis: str) -> RoundResult:
    """Fit, doubt and choose.

    Parameters
    ----------
    question : the first question, with the others
    """
    questions, items = question.questions, question.items
    predictions = [learn(one) for one in questions]
    ranking = joint_ranking(question, predictions, items.task_ids, basis, number)
    certainty = ranking.certainty
    touched = frozenset(question.aside).union(
        *(one.labels.touched for one in questions)
    )
    labelled = frozenset().union(*(one.labels.chosen for one in questions))
    has_model = any(one.has_model for one in predictions)
    can_compare = any(one.has_two_labels for one in questions)
    so_far = QueryState(
        labelled=len(labelled),
        is_open=~np.isin(items.task_ids, np.array(sorted(touched), np.int64)),
        certainty=certainty if can_compare else None,
        again=tuple(
            items.positions[task] for task in question.again if task in items.positions
        ),
    )
    doubts = certainty[so_far.is_open] if has_model else certainty[:0]
    return RoundResult(
        ranking=ranking,
        window=_window(question, so_far, certainty if has_model else None),
        counts=tuple(map(int, certainty_counts(doubts))) if doubts.size else (),
    )


def joint_ranking(
    question: RoundInput,
    predictions: Sequence[TaskPredictions],
    task_ids: TaskIds,
    basis: str,
    number: int = 0,
) -> Ranking:
    """Put together what a model says of each question.

    Parameters
    ----------
    question : the first question, with the others
    predictions : of each question about the same tasks, the first one first
    task_ids : (n_tasks,) ascending
    """
    rankings = [
        Ranking(
            round=number,
            basis=basis,
            task_ids=task_ids,
            classes=one.learnt_schema.classes if prediction.has_model else (),
            probabilities=prediction.probabilities,
            certainty=prediction.certainty,
            kind=one.kind,
            may_be_empty=codec_of(one.schema).may_be_empty,
            most_chosen=one.schema.most_chosen,
            stretches=prediction.stretches,
            expected_right=prediction.expected_right,
        )
        for one, prediction in zip(question.questions, predictions, strict=True)
    ]
    first, *others = rankings
    controls = (one.schema.control for one in question.others)
    return replace(
        first,
        certainty=least_certainty(rankings, [one.schema for one in question.questions]),
        others=dict(zip(controls, others, strict=True)),
    )


def _window(
    question: RoundInput, so_far: QueryState, certainty: Certainty | None
) -> tuple[WindowEntry, ...]:
    items, manner = question.items, question.manner
    tasks = CandidatePool(
        task_ids=items.task_ids,
        features=items.plain,
        start=lambda length: items.start(
            manner.centres, manner.random, length=length, seed=manner.seed
        ),
    )
    return tuple(
        WindowEntry(
            task=int(items.task_ids[place.position]),
            certainty=None if certainty is None else float(certainty[place.position]),
            why=place.why,
        )
        for place in select_queries(tasks, so_far, manner)
    )


def fingerprint_of(*parts: object) -> str:
    """Return a mark that is equal for equal parts."""
    return blake2b(repr(parts).encode(), digest_size=12).hexdigest()
