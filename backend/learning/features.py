"""The tasks of a project as one table of features, kept while nothing changes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from backend.learning.lexicon import lexicon
from model.arrays import plain
from model.features.columns import Layout
from model.features.text import Embedding
from model.initial import StartPlan, permutation, start_order
from model.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from backend.state.project import ProjectState
    from backend.state.tasks import Pool, Reading
    from model.arrays import Features, Positions, TaskIds, Views
    from model.learner import Predictor

FIT_ON = 2_000
"""Texts from which the vocabulary is learnt: the first in the random order."""

START_STEP = 50
KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wordings:
    """The texts of a pool, each of them embedded once while the vocabulary holds.

    Attributes
    ----------
    learnt_from : the texts that gave the vocabulary
    rows : the embedding of each text of the pool
    """

    learnt_from: tuple[str, ...]
    embedding: Embedding
    rows: Mapping[str, Features]

    @classmethod
    def of(cls, pool: Pool, seed: int, before: Wordings | None) -> Self:
        """Embed the texts of a pool; `before` spares work and changes nothing."""
        first = permutation(pool.task_ids, seed)[:FIT_ON].tolist()
        sample = tuple(pool.texts[position] for position in first)
        held = before if before and before.learnt_from == sample else None
        embedding = held.embedding if held else Embedding.of(sample, lexicon())
        known = held.rows if held else {}
        wanted = dict.fromkeys(pool.texts)
        fresh = [text for text in wanted if text not in known]
        found = dict(zip(fresh, embedding.apply(fresh), strict=True))
        rows = {text: known[text] if text in known else found[text] for text in wanted}
        return cls(learnt_from=sample, embedding=embedding, rows=rows)

    @property
    def views(self) -> Views:
        """Return the width of the view that texts give, if they do."""
        return (self.embedding.width,) if self.embedding.opening else ()

    def without_tasks(self) -> Wordings:
        """Return the vocabulary without the texts that gave it."""
        return Wordings(learnt_from=(), embedding=self.embedding, rows={})

    def features(self, texts: Sequence[str]) -> Features:
        """Return (n, d) rows of texts, which need not be of the pool."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self.rows]
        found = dict(zip(fresh, self.embedding.apply(fresh), strict=True))
        rows = [self.rows[t] if t in self.rows else found[t] for t in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Featuriser:
    """Puts columns and texts on one scale; a text weighs as much as all columns.

    Views of the tasks follow in columns of their own.
    """

    columns: tuple[str, ...]
    layout: Layout
    wordings: Wordings | None

    @classmethod
    def of(cls, pool: Pool, seed: int, before: Featuriser | None = None) -> Self:
        """Learn the scale and the vocabulary of a pool.

        Parameters
        ----------
        before : of an earlier state of the pool: what still holds is taken from it
        """
        held = before.wordings if before else None
        return cls(
            columns=pool.columns,
            layout=Layout.of(pool.columns, pool.numbers),
            wordings=Wordings.of(pool, seed, held) if pool.texts else None,
        )

    @property
    def views(self) -> Views:
        """Return the number of columns of each view: the last ones of the features."""
        said = () if self.wordings is None else self.wordings.views
        return (*self.layout.widths, *said)

    def features(self, numbers: Features, texts: Sequence[str]) -> Features:
        """Return the (n, d) features of n tasks."""
        blocks, views = [self.layout.apply(numbers)], self.layout.look(numbers)
        if self.wordings is not None:
            weight = np.float32(np.sqrt(max(1, blocks[0].shape[1])))
            said = self.wordings.features(texts)
            blocks.append(plain(said, (self.wordings.embedding.opening,)) * weight)
            views += [said] if self.wordings.views else []
        return np.asarray(np.hstack([*blocks, *views]), dtype=np.float32)

    def features_of(self, readings: Sequence[Reading]) -> Features:
        """Return the (n, d) features of tasks that are not in the pool."""
        numbers = [_row(reading.numbers, self.columns) for reading in readings]
        table = np.array(numbers, dtype=np.float32)
        texts = [reading.text or "" for reading in readings]
        return self.features(table.reshape(len(readings), len(self.columns)), texts)

    def without_tasks(self) -> Featuriser:
        """Return the same, holding no text of any task."""
        bare = None if self.wordings is None else self.wordings.without_tasks()
        return replace(self, wordings=bare)


def _row(numbers: Mapping[str, float], columns: Sequence[str]) -> list[float]:
    return [numbers.get(column, np.nan) for column in columns]


@dataclass(eq=False)
class Items:
    """The tasks that can be ranked, and what was made of them.

    Attributes
    ----------
    task_ids : (n_tasks,) ascending
    features : (n_tasks, d) float32, on one scale
    """

    task_ids: TaskIds
    features: Features
    featuriser: Featuriser
    _starts: dict[tuple[int, ...], Positions] = field(default_factory=dict, repr=False)
    _learnt: dict[str, Predictor | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, pool: Pool, seed: int, before: Items | None = None) -> Self:
        """Make the table of a pool; `before` spares work and changes nothing."""
        known = before.featuriser if before else None
        featuriser = Featuriser.of(pool, seed, known)
        features = featuriser.features(pool.numbers, pool.texts)
        return cls(pool.task_ids, features, featuriser)

    @cached_property
    def positions(self) -> dict[int, int]:
        """Return the row of each task."""
        return {task: place for place, task in enumerate(self.task_ids.tolist())}

    @property
    def views(self) -> Views:
        """Return the number of columns of each view: the last ones of the features."""
        return self.featuriser.views

    @property
    def plain(self) -> Features:
        """Return the features by which distances are measured."""
        return plain(self.features, self.views)

    @cached_property
    def surroundings(self) -> Surroundings:
        """Return what all tasks tell a learner, found once."""
        return Surroundings(self.features, self.views)

    def predictor(
        self, basis: str, fit: Callable[[], Predictor | None]
    ) -> Predictor | None:
        """Return what was learnt on this basis, learning it at most once."""
        held = self._learnt
        if basis not in held:  # put in whole: other threads read beside us
            held = self._learnt = {basis: fit()}
        return held[basis]

    def start(self, centres: int, random: int, *, length: int, seed: int) -> Positions:
        """Return at least the first `length` tasks of the start, found once."""
        steps = -(-length // START_STEP)
        asked = (centres, random, steps, seed)
        if asked not in self._starts:
            plan = StartPlan(centres=centres, random=random, length=steps * START_STEP)
            self._starts[asked] = start_order(self.plain, self.task_ids, plan, seed)
        return self._starts[asked]


@dataclass(slots=True)
class ItemCache:
    """The tables of the projects a process worked on last, by version."""

    _kept: dict[tuple[str, int], tuple[int, Items]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def items(self, state: ProjectState, seed: int) -> tuple[int, Items]:
        """Return the version of the tasks' data, and the table made from it."""
        name = (state.key, seed)
        with self._lock:
            version = state.tasks.version()
            held = self._kept.pop(name, None)
            if held is None or held[0] != version:
                before = None if held is None else held[1]
                held = version, Items.of(state.tasks.pool(), seed, before)
            self._kept[name] = held
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
            return held
