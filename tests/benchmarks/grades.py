"""By how many grades Dubito is wrong on the way to a few labels, beside its peers.

Run from the root of the repository:

    python -m tests.benchmarks.grades --seeds 6
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.datasets import load_diabetes, load_wine, make_friedman1

from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.learning.round_input import query_config
from dubito.backend.project_settings import Preferences
from dubito.backend.state.pool import Pool
from dubito.model.evaluation.holdout import split
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.registry import LearnerFactory
from dubito.model.simulation import Labelled, SimulatedPool, Strategy, by_chance
from tests.benchmarks.peers import RANDOM_FOREST, Regression
from tests.benchmarks.results import CONFIDENCE, markdown
from tests.benchmarks.ways import Way

GRADES = 5
BUDGET = 80
STEP = 10
"""So many labels are given before the next order is made, and the next score."""

DUBITO = "dubito"
IN_TENS = Way(behind=0, served=STEP)


class Contestant(NamedTuple):
    """A way to ask, and a way to learn; without an order grades are classes."""

    strategy: Strategy
    learner: LearnerFactory
    is_ordered: bool = True


CONTESTANTS: Mapping[str, Contestant] = MappingProxyType(
    {
        DUBITO: Contestant(IN_TENS, Ensemble),
        "as classes": Contestant(IN_TENS, Ensemble, is_ordered=False),
        "LR random": Contestant(by_chance, Regression),
        "RF random": Contestant(by_chance, RANDOM_FOREST),
        "random": Contestant(by_chance, Ensemble),
    }
)


def graded(rows: NDArray[np.float64], numbers: NDArray[np.float64]) -> Labelled:
    """Make tasks whose grades are the fifths of a number, read as the service does."""
    cuts = np.quantile(numbers, np.arange(1, GRADES) / GRADES)
    ids = np.arange(1, len(rows) + 1, dtype=np.int64)
    columns = tuple(f"f{column}" for column in range(rows.shape[1]))
    pool = Pool(
        task_ids=ids, columns=columns, numbers=rows.astype(np.float32), texts=()
    )
    return Labelled(
        task_ids=ids,
        features=FeatureTable.of(pool, seed=0).features,
        codes=np.searchsorted(cuts, numbers, side="right").astype(np.intp),
        n_classes=GRADES,
        is_ordered=True,
    )


def data_sets() -> dict[str, Labelled]:
    """Return sets of scikit-learn; of wine its alcohol is told from all else."""
    diabetes, wine = load_diabetes(), load_wine()
    return {
        "diabetes": graded(diabetes.data, diabetes.target),
        "wine (alcohol)": graded(wine.data[:, 1:], wine.data[:, 0]),
        "friedman1": graded(*make_friedman1(600, noise=2.0, random_state=0)),
    }


class Heights(NamedTuple):
    """Means over the curve: the error in grades, and the share exactly right."""

    error: float
    exact: float


def heights(subject: Labelled, chosen: Contestant, seed: int) -> Heights:
    """Replay one run, from the end of the seed set to the budget."""
    parts = split(subject.codes, seed)
    shown = replace(subject, is_ordered=chosen.is_ordered)
    pool, test = shown.at(parts.pool), shown.at(parts.test)
    lesson = SimulatedPool(pool=pool, learner=chosen.learner(seed=seed))
    manner = query_config(Preferences(seed=seed), GRADES)
    scores = []
    for position in islice(chosen.strategy(lesson, manner), BUDGET):
        lesson.order.append(position)
        count = len(lesson.order)
        if count >= manner.start_size and count % STEP == 0:
            learnt = lesson.learnt(count)
            assert learnt is not None
            wrong = test.likely_targets(learnt.predict(test.features)) - test.codes
            scores.append((np.abs(wrong).mean(), (wrong == 0).mean()))
    return Heights(*np.mean(scores, axis=0).tolist())


def rows(
    heights_of_sets: Mapping[str, Mapping[str, Sequence[Heights]]],
) -> list[list[str]]:
    """Return a row for each contestant: its errors by set, and how far off Dubito."""
    errors = {
        name: np.array([[run.error for run in runs] for runs in by_set.values()])
        for name, by_set in heights_of_sets.items()
    }
    return [
        [
            name,
            *(f"{row.mean():.2f}" for row in errors[name]),
            f"{errors[name].mean():.3f}",
            with_interval((errors[name] - errors[DUBITO]).ravel()),
            f"{100 * np.mean([r.exact for runs in by_set.values() for r in runs]):.1f}",
        ]
        for name, by_set in heights_of_sets.items()
    ]


def with_interval(gaps: NDArray[np.float64]) -> str:
    """Return the mean of paired gaps, and how far off it may be (95 %)."""
    reach = student.ppf((1 + CONFIDENCE) / 2, max(len(gaps) - 1, 1))
    return f"{gaps.mean():+.3f} ± {reach * gaps.std(ddof=1) / len(gaps) ** 0.5:.3f}"


@click.command()
@click.option("--seeds", default=6, show_default=True)
@click.option("--only", default="", help="Names of contestants, with commas between.")
def main(seeds: int, only: str) -> None:
    """Replay all sets, and print the table."""
    sets = data_sets()
    named = [name for name in CONTESTANTS if not only or name in only.split(",")]
    heights_of_sets: dict[str, dict[str, list[Heights]]] = {name: {} for name in named}
    for name, subject in sets.items():
        for which in named:
            runs = [heights(subject, CONTESTANTS[which], s) for s in range(seeds)]
            heights_of_sets[which][name] = runs
            click.echo(f"{name}, {which}: {np.round(runs, 3).tolist()}", err=True)
    columns = ("", *sets, "mean", "above dubito", "exactly right, %")
    click.echo(markdown(columns, rows(heights_of_sets)))


if __name__ == "__main__":
    main()
