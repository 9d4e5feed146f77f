"""A round: labels and features → fit → doubt → the next tasks to ask for."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.registry import codec_of
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
    from dubito.backend.learning.round_input import RoundInput
    from dubito.model.arrays import Certainty


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
    """Fit, doubt and choose."""
    predictions = learn(question)
    certainty = predictions.certainty
    ranking = Ranking(
        round=number,
        basis=basis,
        task_ids=question.items.task_ids,
        classes=question.learnt_schema.classes if predictions.has_model else (),
        probabilities=predictions.probabilities,
        certainty=certainty,
        kind=question.kind,
        may_be_empty=codec_of(question.schema).may_be_empty,
        stretches=predictions.stretches,
        expected_right=predictions.expected_right,
    )
    closed_tasks = sorted(question.labels.touched.union(question.aside))
    places = question.items.positions
    so_far = QueryState(
        labelled=len(question.labels.chosen),
        is_open=~np.isin(question.items.task_ids, np.array(closed_tasks, np.int64)),
        certainty=certainty if question.has_two_labels else None,
        again=tuple(places[task] for task in question.again if task in places),
    )
    doubts = certainty[so_far.is_open] if predictions.has_model else certainty[:0]
    return RoundResult(
        ranking=ranking,
        window=_window(question, so_far, certainty if predictions.has_model else None),
        counts=tuple(map(int, certainty_counts(doubts))) if doubts.size else (),
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
