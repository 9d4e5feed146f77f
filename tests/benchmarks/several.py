"""Which task to ask for where a label config asks several questions about each.

Run from the root of the repository:

    python -m tests.benchmarks.several --seeds 6
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.features.in_memory_pool import pool_of
from dubito.backend.learning.round_input import query_config
from dubito.backend.project_settings import Preferences
from dubito.backend.state.pool import TaskInput
from dubito.model.arrays import AnswerKind, Certainty, Positions, Probabilities
from dubito.model.evaluation.answers import likely_targets
from dubito.model.evaluation.holdout import split
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.fitting import fit_labels
from dubito.model.learners.registry import Predictor, within
from dubito.model.query.seed_set import permutation
from dubito.model.query.selection import CandidatePool, QueryState, select_queries
from dubito.model.query.uncertainty import doubt
from tests.benchmarks.grades import with_interval
from tests.benchmarks.results import markdown

GRADES = 3
BUDGET = 80
STEP = 10
"""So many labels are given before the next order is made, and the next score."""

Codes: TypeAlias = NDArray[np.intp]
Certainties: TypeAlias = NDArray[np.float64]

LEAST = "least certain question"
WAYS: Mapping[str, Callable[[Certainties], Certainty]] = MappingProxyType(
    {
        LEAST: lambda certainties: certainties.min(axis=0),
        "mean of the questions": lambda certainties: certainties.mean(axis=0),
        "first question": lambda certainties: certainties[0],
        "second question": lambda certainties: certainties[1],
        "random": lambda _: np.empty(0),
    }
)
"""How the (n_questions, n_tasks) certainties become that of a task."""


class Question(NamedTuple):
    """The (n_tasks,) right answers to a question."""

    codes: Codes
    kind: AnswerKind

    @property
    def n_classes(self) -> int:
        """Return how many classes or grades there are."""
        return int(self.codes.max()) + 1


class Subject(NamedTuple):
    """Tasks, and the questions about each."""

    rows: NDArray[np.float64]
    questions: tuple[Question, Question]


def data_sets() -> dict[str, Subject]:
    """Return sets of scikit-learn; of each a column is left out, and asked for."""
    wine, cancer, diabetes = load_wine(), load_breast_cancer(), load_diabetes()
    return {
        "wine": _subject(wine.data, Question(wine.target, "one of"), 0),
        "breast cancer": _subject(cancer.data, Question(cancer.target, "one of"), 1),
        "diabetes": _subject(diabetes.data, _grades(diabetes.target), 2),
    }


def _subject(rows: NDArray[np.float64], first: Question, column: int) -> Subject:
    return Subject(np.delete(rows, column, axis=1), (first, _grades(rows[:, column])))


def _grades(numbers: NDArray[np.float64]) -> Question:
    cuts = np.quantile(numbers, np.arange(1, GRADES) / GRADES)
    return Question(np.searchsorted(cuts, numbers, side="right"), "ordered")


def _readings(rows: NDArray[np.float64]) -> dict[int, TaskInput]:
    return {
        number: TaskInput(numbers={f"f{place}": x for place, x in enumerate(row)})
        for number, row in enumerate(rows.tolist(), 1)
    }


def heights(subject: Subject, way: str, seed: int) -> list[float]:
    """Replay one run; return the mean accuracy of each question, in percent."""
    parts = split(subject.questions[0].codes, seed)
    table = FeatureTable.of(pool_of(_readings(subject.rows[parts.pool])), seed)
    test = [*_readings(subject.rows[parts.test]).values()]
    unseen = table.featuriser.features_of(test)
    order: list[int] = []
    certainty, scores = None, []
    while len(order) < BUDGET:
        order += _next(table, order, certainty, seed)
        models = [
            _fitted(table, order, question, parts.pool, seed)
            for question in subject.questions
        ]
        pairs = [*zip(models, subject.questions, strict=True)]
        certainty = WAYS[way](
            np.stack(
                [
                    doubt("margin", model.predict(table.features), question.kind)
                    for model, question in pairs
                ]
            )
        )
        scores.append(
            [
                _accuracy(model.predict(unseen), question, parts.test)
                for model, question in pairs
            ]
        )
    return [float(score) for score in 100 * np.mean(scores, axis=0)]


def _next(
    table: FeatureTable, order: Sequence[int], certainty: Certainty | None, seed: int
) -> list[int]:
    """Return the next tasks: the seed set, then by certainty, or all at random."""
    manner = query_config(Preferences(seed=seed, window=STEP), GRADES)
    is_open = np.ones(len(table.task_ids), dtype=np.bool_)
    is_open[[*order]] = False
    if certainty is not None and not certainty.size:
        by_chance = permutation(table.task_ids, seed)
        return [int(place) for place in by_chance[is_open[by_chance]][:STEP]]
    tasks = CandidatePool(
        task_ids=table.task_ids,
        features=table.plain,
        start=lambda length: table.start(
            manner.centres, manner.random, length=length, seed=seed
        ),
    )
    so_far = QueryState(labelled=len(order), is_open=is_open, certainty=certainty)
    return [one.position for one in select_queries(tasks, so_far, manner)]


def _fitted(
    table: FeatureTable,
    order: Sequence[int],
    question: Question,
    pool: Positions,
    seed: int,
) -> Predictor:
    """Return what is learnt of a question from the tasks that were asked for."""
    model = fit_labels(
        within(Ensemble(seed=seed), table.surroundings),
        table.features[[*order]],
        question.codes[pool][[*order]],
        question.n_classes,
        is_ordered=question.kind == "ordered",
    )
    assert model is not None
    return model


def _accuracy(chances: Probabilities, question: Question, test: Positions) -> float:
    labels = likely_targets(chances, question.kind)
    return float(np.mean(labels == question.codes[test]))


def rows(
    runs: Mapping[str, Mapping[str, Sequence[Sequence[float]]]],
) -> list[list[str]]:
    """Return a row for each way: its accuracy by set, and by how much it is worse."""
    means = {
        way: np.array(
            [[np.mean(run) for run in by_seed] for by_seed in by_set.values()]
        )
        for way, by_set in runs.items()
    }
    return [
        [
            way,
            *(f"{score.mean():.1f}" for score in means[way]),
            f"{means[way].mean():.1f}",
            with_interval((means[LEAST] - means[way]).ravel()),
            f"{np.mean([min(run) for s in by_set.values() for run in s]):.1f}",
        ]
        for way, by_set in runs.items()
    ]


@click.command()
@click.option("--seeds", default=6, show_default=True)
def main(seeds: int) -> None:
    """Replay all sets, and print the table."""
    sets = data_sets()
    runs: dict[str, dict[str, list[list[float]]]] = {way: {} for way in WAYS}
    for name, subject in sets.items():
        for way in WAYS:
            runs[way][name] = [heights(subject, way, seed) for seed in range(seeds)]
            click.echo(
                f"{name}, {way}: {np.round(runs[way][name], 1).tolist()}", err=True
            )
    columns = ("", *sets, "mean", f"below {LEAST}", "worse of both")
    click.echo(markdown(columns, rows(runs)))


if __name__ == "__main__":
    main()
