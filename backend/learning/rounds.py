"""A round: labels and features → fit → doubt → the next tasks to ask for."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from backend.state.project import Place, Ranking
from model.asking import Askable, Manner, SoFar, next_places
from model.learner import learner, within
from model.uncertainty import certainty_counts, doubt

if TYPE_CHECKING:
    from backend.learning.features import Items
    from backend.learning.labels import Labels
    from backend.learning.preferences import Preferences
    from model.arrays import Probabilities
    from model.learner import Predictor
    from model.schema import Schema

NEUTRAL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that a round depends on: equal questions have equal answers.

    Attributes
    ----------
    again : tasks that are asked again, before all others
    aside : tasks that are not to be among the next ones
    """

    schema: Schema
    preferences: Preferences
    items: Items
    labels: Labels
    again: tuple[int, ...] = ()
    aside: tuple[int, ...] = ()

    @property
    def manner(self) -> Manner:
        """How the tasks are asked for."""
        return manner_of(self.preferences, len(self.schema.classes))


def manner_of(preferences: Preferences, n_classes: int) -> Manner:
    """Return how the tasks of a project are asked for."""
    centres, random = preferences.initial.centres, preferences.initial.random
    return Manner(
        centres=n_classes if centres is None else centres,
        random=n_classes if random is None else random,
        audit_every=preferences.audit_every,
        window=preferences.window,
        seed=preferences.seed,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a round found: how certain each task is, and which ones come next.

    Attributes
    ----------
    counts : how many open tasks are how certain; none before there is a model
    """

    ranking: Ranking
    window: tuple[Place, ...]
    counts: tuple[int, ...]


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
    closed = sorted(question.labels.touched.union(question.aside))
    touched, places = np.array(closed, dtype=np.int64), question.items.positions
    so_far = SoFar(
        labelled=len(question.labels.chosen),
        is_open=~np.isin(question.items.task_ids, touched),
        certainty=None if probabilities is None else certainty,
        again=tuple(places[task] for task in question.again if task in places),
    )
    counts = (
        () if so_far.certainty is None else certainty_counts(certainty[so_far.is_open])
    )
    return Answer(
        ranking=ranking,
        window=_window(question, so_far),
        counts=tuple(map(int, counts)),
    )


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
    named = learner(question.preferences.learner, question.preferences.seed)
    chosen = within(named, items.surroundings)
    return chosen.fit(items.features[rows], labels, len(classes))


def _or_none(probabilities: Probabilities | None, n_tasks: int) -> Probabilities:
    return np.empty((n_tasks, 0)) if probabilities is None else probabilities


def _window(question: Question, so_far: SoFar) -> tuple[Place, ...]:
    items, manner, certainty = question.items, question.manner, so_far.certainty
    tasks = Askable(
        task_ids=items.task_ids,
        features=items.plain,
        start=lambda length: items.start(
            manner.centres, manner.random, length=length, seed=manner.seed
        ),
    )
    return tuple(
        Place(
            task=int(items.task_ids[place.position]),
            certainty=None if certainty is None else float(certainty[place.position]),
            why=place.why,
        )
        for place in next_places(tasks, so_far, manner)
    )


def basis_of(*parts: object) -> str:
    """Return a mark that is equal for equal parts."""
    return blake2b(repr(parts).encode(), digest_size=12).hexdigest()
