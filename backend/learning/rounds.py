"""A round: labels and features → fit → doubt → the next tasks to ask for."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from backend.state.project import Place, Ranking
from model.diversity import spread
from model.initial import permutation, tie_breaker
from model.learner import learner
from model.ranking import WindowPlan, arrange, certainty_order
from model.uncertainty import doubt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backend.learning.features import Items
    from backend.learning.labels import Labels
    from backend.learning.preferences import Preferences
    from model.arrays import Certainty, Positions, Probabilities
    from model.learner import Predictor
    from model.schema import Schema

NEUTRAL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that a round depends on: equal questions have equal answers."""

    schema: Schema
    preferences: Preferences
    items: Items
    labels: Labels

    @property
    def start_size(self) -> int:
        """How many labels end the start, once there are two classes among them."""
        return sum(self.start_parts)

    @property
    def start_parts(self) -> tuple[int, int]:
        """How many centres and how many random tasks make the start."""
        initial, default = self.preferences.initial, len(self.schema.classes)
        centres = default if initial.centres is None else initial.centres
        return centres, default if initial.random is None else initial.random


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a round found: how certain each task is, and which ones come next."""

    ranking: Ranking
    window: tuple[Place, ...]


def answer(question: Question, number: int, basis: str) -> Answer:
    """Fit, doubt and choose."""
    probabilities = learn(question)
    if probabilities is None:
        certainty = np.full(question.items.task_ids.size, NEUTRAL)
    else:
        certainty = doubt(question.preferences.strategy, probabilities)
    ranking = Ranking(
        round=number,
        basis=basis,
        task_ids=question.items.task_ids,
        classes=() if probabilities is None else question.schema.classes,
        probabilities=_or_none(probabilities, question.items.task_ids.size),
        certainty=certainty,
    )
    window = _window(question, certainty, has_model=probabilities is not None)
    return Answer(ranking=ranking, window=window)


def learn(question: Question) -> Probabilities | None:
    """Return the probabilities of all tasks; None before two classes have labels."""
    predictor = fit(question)
    return None if predictor is None else predictor.predict(question.items.features)


def fit(question: Question) -> Predictor | None:
    """Learn from the labels so far; None before two classes have labels."""
    items, classes = question.items, question.schema.classes
    codes = {name: code for code, name in enumerate(classes)}
    known = {
        items.positions[task]: codes[label]
        for task, label in question.labels.chosen.items()
        if task in items.positions
    }
    if len(set(known.values())) < 2:
        return None
    rows = np.array(sorted(known), dtype=np.intp)
    labels = np.array([known[row] for row in rows.tolist()], dtype=np.intp)
    chosen = learner(question.preferences.learner, question.preferences.seed)
    return chosen.fit(items.features[rows], labels, len(classes))


def _or_none(probabilities: Probabilities | None, n_tasks: int) -> Probabilities:
    return np.empty((n_tasks, 0)) if probabilities is None else probabilities


def _window(
    question: Question, certainty: Certainty, *, has_model: bool
) -> tuple[Place, ...]:
    items, chosen = question.items, question.preferences
    touched = question.labels.touched
    is_open = ~np.isin(items.task_ids, np.array(sorted(touched), dtype=np.int64))
    plan = WindowPlan(
        size=chosen.window,
        labelled=len(question.labels.chosen),
        start_left=_start_left(question, has_model=has_model),
        audit_every=chosen.audit_every,
    )
    places = arrange(
        _doubtful(question, certainty, is_open) if has_model else _none(),
        _open(_start(question, plan), is_open) if plan.start_left else _none(),
        _open(permutation(items.task_ids, chosen.seed), is_open),
        plan,
    )
    return tuple(
        Place(
            task=int(items.task_ids[place.position]),
            certainty=float(certainty[place.position]) if has_model else None,
            why=place.why,
        )
        for place in places
    )


def _start_left(question: Question, *, has_model: bool) -> int:
    """Return how many tasks of the start are still to be asked for."""
    left = max(0, question.start_size - len(question.labels.chosen))
    return left if has_model else question.preferences.window


def _start(question: Question, plan: WindowPlan) -> Positions:
    """Return the order of the start, as far as this window can reach into it."""
    reach = len(question.labels.touched) + plan.start_left
    parts, seed = question.start_parts, question.preferences.seed
    return question.items.start(*parts, length=reach, seed=seed)


def _doubtful(
    question: Question, certainty: Certainty, is_open: NDArray[np.bool_]
) -> Positions:
    ties = tie_breaker(question.items.task_ids, question.preferences.seed)
    order = _open(certainty_order(certainty, ties), is_open)
    return spread(order, question.items.features, question.preferences.window)


def _open(order: Positions, is_open: NDArray[np.bool_]) -> Positions:
    return np.asarray(order[is_open[order]], dtype=np.intp)


def _none() -> Positions:
    return np.empty(0, dtype=np.intp)


def basis_of(*parts: object) -> str:
    """Return a mark that is equal for equal parts."""
    return blake2b(repr(parts).encode(), digest_size=12).hexdigest()
