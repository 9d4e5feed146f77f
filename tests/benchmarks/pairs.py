"""How often Dubito knows the better of two items after a few labels, beside its peers.

Run from the root of the repository:

    python -m tests.benchmarks.pairs --seeds 6

Two items of a set are a pair, and the one with the greater number is better. No item of
the pairs to test on is in a pair to ask for. *dubito* asks as the service does, one
answer behind, with audit tasks, but learns after each ten answers alone, to save time.
*random* has the same learner; *LR* is a logistic regression on the difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.features.in_memory_pool import pool_of
from dubito.backend.learning.round_input import query_config
from dubito.backend.project_settings import Preferences
from dubito.backend.state.pairs import paired
from dubito.backend.state.pool import TaskInput
from dubito.model.arrays import Codes, Positions
from dubito.model.evaluation.holdout import split_tasks
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.pairs import LEFT, RIGHT, SIDES
from dubito.model.learners.registry import LearnerFactory
from dubito.model.simulation import Labelled, Strategy, by_chance, by_dubito, replay
from tests.benchmarks.active_learning import RESULTS
from tests.benchmarks.numbers import data_sets
from tests.benchmarks.peers import Regression
from tests.benchmarks.results import markdown, versions, with_interval, write_part
from tests.benchmarks.sets import InTens

POOL, TEST = 500, 500
POINTS = (20, 40, 80)
"""Labels after which is tested."""

DUBITO = "dubito"
NOTES = f"""\
Share of sides right, in percent, of {TEST} pairs of items of which none was in the
{POOL} pairs to ask for. Leads are the means of the {len(POINTS)} columns, paired by
seed, with 95 % intervals. *random* has Dubito's learner, *LR* is a logistic regression
on the difference of the items."""


class Contestant(NamedTuple):
    """A way to ask, and a way to learn; no pairs but classes, where not told so."""

    strategy: Strategy
    learner: LearnerFactory
    of_pairs: bool = True


CONTESTANTS: Mapping[str, Contestant] = MappingProxyType(
    {
        DUBITO: Contestant(by_dubito, Ensemble),
        "random": Contestant(by_chance, Ensemble),
        "LR random": Contestant(by_chance, Regression, of_pairs=False),
    }
)


class Subject(NamedTuple):
    """Pairs to ask for, and pairs to test on."""

    pool: Labelled
    test: Labelled


def subject(
    rows: NDArray[np.float64], numbers: NDArray[np.float64], seed: int
) -> Subject:
    """Draw pairs of rows, and read them as the service does."""
    parts = split_tasks(len(rows), seed)
    rng = np.random.default_rng(seed)
    asked, tested = (
        _pairs(own, count, numbers, rng)
        for own, count in ((parts.pool, POOL), (parts.test, TEST))
    )
    readings = dict(enumerate(_read(rows, asked), start=1))
    table = FeatureTable.of(pool_of(readings), seed, of_pairs=True)
    pool = Labelled(
        task_ids=table.task_ids,
        features=table.features,
        codes=_better(numbers, asked),
        n_classes=SIDES,
        views=table.views,
        of_pairs=True,
    )
    test = replace(
        pool,
        task_ids=np.arange(1, TEST + 1),
        features=table.featuriser.features_of(_read(rows, tested)),
        codes=_better(numbers, tested),
    )
    return Subject(pool, test)


def _pairs(
    rows: Positions, count: int, numbers: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return (count, 2) rows of different numbers."""
    both = rng.choice(rows, size=(10 * count, SIDES))
    return np.asarray(both[numbers[both[:, 0]] != numbers[both[:, 1]]][:count])


def _read(rows: NDArray[np.float64], pairs: NDArray[np.intp]) -> list[TaskInput]:
    items = [
        TaskInput(numbers={f"f{place}": x for place, x in enumerate(row)})
        for row in rows.tolist()
    ]
    return [paired(items[left], items[right]) for left, right in pairs]


def _better(numbers: NDArray[np.float64], pairs: NDArray[np.intp]) -> Codes:
    left, right = numbers[pairs].T
    return np.where(left > right, LEFT, RIGHT).astype(np.intp)


def heights(trial: Subject, chosen: Contestant, seed: int) -> list[float]:
    """Replay one run; return the share of sides that are right, in percent."""
    pool, test = (replace(one, of_pairs=chosen.of_pairs) for one in trial)
    lesson = InTens(pool=pool, learner=chosen.learner(seed=seed))
    manner = query_config(Preferences(seed=seed), SIDES)
    steps = replay(lesson, chosen.strategy(lesson, manner), test, POINTS[0])
    scores = [step.score for step in islice(steps, POINTS[-1])]
    at_points = (scores[point - 1] for point in POINTS)
    return [100 * score.accuracy for score in at_points if score is not None]


def row(
    name: str, accuracy: NDArray[np.float64], of_dubito: NDArray[np.float64]
) -> list[str]:
    """Return the mean accuracy after each count, and how far Dubito is ahead.

    Parameters
    ----------
    accuracy, of_dubito : (n_seeds, n_points) of one data set
    """
    means = (f"{mean:.1f}" for mean in accuracy.mean(axis=0))
    lead = with_interval((of_dubito - accuracy).mean(axis=1))
    return [name, *means, "" if name == DUBITO else lead]


def page(
    accuracies: Mapping[str, Mapping[str, NDArray[np.float64]]], seeds: Sequence[int]
) -> str:
    """Return the part of RESULTS.md."""
    tables = [
        markdown(
            (set_name, *(f"{count} labels" for count in POINTS), "dubito's lead"),
            (row(name, each, by_name[DUBITO]) for name, each in by_name.items()),
        )
        for set_name, by_name in accuracies.items()
    ]
    command = "Written by `python -m tests.benchmarks.pairs`"
    return "\n\n".join(
        (
            "## Pairs",
            f"{command}: seeds {seeds[0]} to {seeds[-1]}.",
            versions(),
            NOTES,
            *tables,
        )
    )


@click.command()
@click.option("--seeds", default=6, show_default=True)
@click.option("--first", default=0, show_default=True, help="The first seed.")
@click.option("--write", is_flag=True, help="Put the tables into RESULTS.md.")
def main(seeds: int, first: int, write: bool) -> None:  # noqa: FBT001  # click's way
    """Replay all sets, and print the tables."""
    chosen = range(first, first + seeds)
    accuracies: dict[str, dict[str, NDArray[np.float64]]] = {}
    for set_name, (rows, numbers) in data_sets().items():
        trials = [subject(rows, numbers, seed) for seed in chosen]
        by_name = accuracies.setdefault(set_name, {})
        for name, contestant in CONTESTANTS.items():
            by_name[name] = np.array(
                [
                    heights(trial, contestant, seed)
                    for trial, seed in zip(trials, chosen, strict=True)
                ]
            )
            click.echo(f"{set_name}, {name}: {by_name[name].tolist()}", err=True)
    part = page(accuracies, chosen)
    click.echo(part)
    if write:
        write_part(RESULTS, part)


if __name__ == "__main__":
    main()
