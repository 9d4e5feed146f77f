"""The tasks of a project as one table of features, kept while nothing changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from dubito.backend.features.class_names import opinions_of
from dubito.backend.features.fitted_models import FittedModels
from dubito.backend.features.named_tables import NamedTables
from dubito.backend.features.task_sequences import TaskSequences
from dubito.backend.state.pairs import both_sides, differences, sides_of
from dubito.backend.state.pool import vectors_of
from dubito.model.arrays import OpinionWidth, first_guesses, plain
from dubito.model.features.mixed_columns import Layout
from dubito.model.features.sentence_directions import SentenceDirections
from dubito.model.features.text import Embedding
from dubito.model.learners.context_with_opinion import ContextWithOpinion
from dubito.model.learners.unlabelled_context import UnlabelledContext
from dubito.model.query.seed_set import StartPlan, permutation, start_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.features.class_names import Names
    from dubito.backend.state.pool import Pool, TaskInput
    from dubito.model.arrays import Features, Positions, TaskIds, Views
    from dubito.model.features.class_names import ClassNames

FIT_ON = 2_000
"""Texts from which the vocabulary is learnt: the first in the random order."""

START_STEP = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextEmbeddings:
    """The texts of a pool, each of them embedded once while the vocabulary holds.

    Where texts have sentence vectors, the words are told twice: beside the vectors, and
    as a view, for labels that the vectors mislead about.

    Attributes
    ----------
    learnt_from : the texts that gave the vocabulary
    rows : the embedding of each text of the pool
    """

    learnt_from: tuple[str, ...]
    embedding: Embedding
    rows: Mapping[str, Features]
    sentences: SentenceDirections | None

    @classmethod
    def of(cls, pool: Pool, seed: int, before: TextEmbeddings | None) -> Self:
        """Embed the texts of a pool; `before` spares work and changes nothing."""
        first = permutation(pool.task_ids, seed)[:FIT_ON].tolist()
        sample = tuple(pool.texts[position] for position in first)
        previous = before if before and before.learnt_from == sample else None
        embedding = previous.embedding if previous else Embedding.of(sample)
        meaning = previous.sentences if previous else None
        if not previous and pool.vectors.size:
            meaning = SentenceDirections.of(pool.vectors[first], sample)
        old_rows = previous.rows if previous else {}
        texts = dict.fromkeys(pool.texts)
        fresh = [text for text in texts if text not in old_rows]
        new_rows = dict(zip(fresh, embedding.apply(fresh), strict=True))
        rows = {text: old_rows[text] for text in texts if text in old_rows} | new_rows
        return cls(
            learnt_from=sample, embedding=embedding, rows=rows, sentences=meaning
        )

    @property
    def views(self) -> Views:
        """Return the width of the view that texts give, if they do."""
        return () if self.sentences is None else (self.embedding.width,)

    def without_tasks(self) -> TextEmbeddings:
        """Return the vocabulary without the texts that gave it."""
        return replace(self, learnt_from=(), rows={})

    def features(
        self, texts: Sequence[str], vectors: NDArray[np.float16]
    ) -> tuple[Features, list[Features]]:
        """Return (n, d) rows of texts, which need not be of the pool, and their view.

        Parameters
        ----------
        vectors : (n, 512) what the texts mean, 0 where that is not known
        """
        block = self._words(texts)
        if self.sentences is None:
            return block, []
        words, style = np.split(block, [-self.embedding.styles], axis=1)
        return np.hstack([self.sentences.beside(words, vectors), style]), [block]

    def _words(self, texts: Sequence[str]) -> Features:
        fresh = [text for text in dict.fromkeys(texts) if text not in self.rows]
        new_rows = dict(zip(fresh, self.embedding.apply(fresh), strict=True))
        rows = [self.rows[t] if t in self.rows else new_rows[t] for t in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Featuriser:
    """Puts columns and texts on one scale; a text weighs as much as all columns.

    Views of the tasks follow in columns of their own, what the names of the classes
    say of the texts comes last. Of pairs the left item is described, minus the right
    one: swapping the items changes the sign of the features and nothing else.
    """

    columns: tuple[str, ...]
    layout: Layout
    wordings: TextEmbeddings | None
    names: ClassNames | None = None
    of_pairs: bool = False

    @classmethod
    def of(
        cls,
        pool: Pool,
        seed: int,
        before: Featuriser | None = None,
        *,
        of_pairs: bool = False,
    ) -> Self:
        """Learn the scale and the vocabulary of a pool.

        Parameters
        ----------
        before : of an earlier state of the pool: what still holds is taken from it
        of_pairs : whether each task shows two items that are compared
        """
        wordings = before.wordings if before else None
        items = both_sides(pool) if of_pairs else pool
        return cls(
            columns=items.columns,
            layout=Layout.of(items.columns, items.numbers),
            wordings=TextEmbeddings.of(items, seed, wordings) if items.texts else None,
            of_pairs=of_pairs,
        )

    @property
    def views(self) -> Views:
        """Return the number of columns of each view: the last ones of the features."""
        text_views = () if self.wordings is None else self.wordings.views
        names = () if self.names is None else (OpinionWidth(self.names.count),)
        return (*self.layout.widths, *text_views, *names)

    def features_in(self, pool: Pool) -> Features:
        """Return the (n, d) features of the tasks of a pool."""
        items = both_sides(pool) if self.of_pairs else pool
        features = self.features(items.numbers, items.texts, items.vectors)
        return differences(features) if self.of_pairs else features

    def features(
        self, numbers: Features, texts: Sequence[str], vectors: NDArray[np.float16]
    ) -> Features:
        """Return the (n, d) features of n items, each alone."""
        blocks, views = [self.layout.apply(numbers)], self.layout.look(numbers)
        if self.wordings is not None:
            weight = np.float32(np.sqrt(max(1, blocks[0].shape[1])))
            words, view = self.wordings.features(texts, vectors)
            blocks.append(words * weight)
            views += view
        if self.names is not None:
            views.append(self.names.apply(vectors))
        return np.asarray(np.hstack([*blocks, *views]), dtype=np.float32)

    def features_of(self, readings: Sequence[TaskInput]) -> Features:
        """Return the (n, d) features of tasks that are not in the pool."""
        if self.of_pairs:
            items = [item for reading in readings for item in sides_of(reading)]
            return differences(self._features_of_items(items))
        return self._features_of_items(readings)

    def _features_of_items(self, readings: Sequence[TaskInput]) -> Features:
        columns = self.columns
        numbers = [[one.numbers.get(c, np.nan) for c in columns] for one in readings]
        table = np.array(numbers, dtype=np.float32)
        texts = [reading.text or "" for reading in readings]
        vectors = vectors_of([reading.vector for reading in readings])
        rows = table.reshape(len(readings), len(self.columns))
        return self.features(rows, texts, vectors)

    def without_tasks(self) -> Featuriser:
        """Return the same, holding no text of any task."""
        bare = None if self.wordings is None else self.wordings.without_tasks()
        return replace(self, wordings=bare)


@dataclass(eq=False)
class FeatureTable:
    """The tasks that can be ranked, and what was made of them.

    Attributes
    ----------
    task_ids : (n_tasks,) ascending
    features : (n_tasks, d) float32, on one scale
    sequences : the units of the tasks, where people mark stretches
    models : what was learnt from the tasks
    named : the tables beside what the names of the classes of each question say
    bare : of a table with an opinion in its last columns: the one without
    """

    task_ids: TaskIds
    features: Features
    featuriser: Featuriser
    sequences: TaskSequences | None = None
    named: NamedTables[FeatureTable] = field(default_factory=NamedTables, repr=False)
    bare: FeatureTable | None = None
    _starts: dict[tuple[int, ...], Positions] = field(default_factory=dict, repr=False)
    models: FittedModels = field(default_factory=FittedModels, repr=False)

    @classmethod
    def of(
        cls,
        pool: Pool,
        seed: int,
        before: FeatureTable | None = None,
        names: Iterable[Names] = (),
        *,
        of_pairs: bool = False,
    ) -> Self:
        """Make the table of a pool; `before` spares work and changes nothing.

        Parameters
        ----------
        names : what people read of each class of each question, if that teaches
        of_pairs : whether each task shows two items that are compared
        """
        previous = before.featuriser if before else None
        featuriser = Featuriser.of(pool, seed, previous, of_pairs=of_pairs)
        features = featuriser.features_in(pool)
        old = None if before is None else before.sequences
        sequences = TaskSequences.of(pool.sequences, old) if pool.sequences else None
        named: NamedTables[FeatureTable]
        features, named = NamedTables.beside(features, opinions_of(names, pool))
        return cls(pool.task_ids, features, featuriser, sequences, named)

    @cached_property
    def positions(self) -> dict[int, int]:
        """Return the row of each task."""
        return {task: place for place, task in enumerate(self.task_ids.tolist())}

    @property
    def views(self) -> Views:
        """Return the number of columns of each view: the last ones of the features."""
        return self.featuriser.views

    def with_names(self, names: Names) -> FeatureTable:
        """Return the table with what names say of each task in its last columns.

        Parameters
        ----------
        names : what people read of each class of a question
        """
        return self.named.of_names(names, self.features, self._having) or self

    def _having(self, names: ClassNames, features: Features) -> FeatureTable:
        return replace(
            self,
            features=features,
            featuriser=replace(self.featuriser, names=names),
            bare=self,
            named=NamedTables(),
            models=FittedModels(),
            _starts={},
        )

    @property
    def plain(self) -> Features:
        """Return the features by which distances are measured."""
        return plain(self.features, self.views)

    @cached_property
    def surroundings(self) -> UnlabelledContext:
        """Return what all tasks tell a learner, found once."""
        if self.bare is None:
            return UnlabelledContext(self.features, self.views)
        bare = self.bare.surroundings
        return ContextWithOpinion(self.features, self.views, bare=bare)

    def start(self, centres: int, random: int, *, length: int, seed: int) -> Positions:
        """Return at least the first `length` tasks of the start, found once."""
        steps = -(-length // START_STEP)
        key = (centres, random, steps, seed)
        if key not in self._starts:
            plan = StartPlan(centres=centres, random=random, length=steps * START_STEP)
            guesses = first_guesses(self.features, self.views)
            self._starts[key] = start_order(
                self.plain, self.task_ids, plan, seed, guesses
            )
        return self._starts[key]
