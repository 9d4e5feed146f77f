"""How many recordings people have to mark until stretches are right.

Run from the root of the repository:

    python -m tests.benchmarks.stretches --seeds 6

*dubito* asks for centres and random recordings in turn, then for the least certain one.
*random* has the same learner; *forest* is a random forest on units, without a chain and
in random order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from dubito.model.query.seed_set import StartPlan, permutation, start_order
from dubito.model.stretches.certainty import task_certainty
from dubito.model.stretches.evaluation import stretch_f1
from dubito.model.stretches.learner import StretchModel, fit_stretches
from dubito.model.stretches.units import unit_positions
from tests.benchmarks.results import markdown, versions, with_interval
from tests.benchmarks.stretches_recordings import Recordings, composed

POINTS = (8, 15, 30)
STEPS = (8, 11, 15, 19, 24, 30, 40, 50, 60, 80)
"""Recordings after which is tested; the last is all of them."""

CENTRES, RANDOM = 3, 3
LARGEST = 8.0
SHARE_OF_ALL = 0.95
TREES = 100

Labelled: TypeAlias = NDArray[np.intp]
Curve: TypeAlias = Mapping[int, tuple[float, float]]
"""Of each number of recordings the share of time right, and macro-F1 of stretches."""


def model_of(pool: Recordings, labelled: Labelled) -> StretchModel:
    """Learn from labelled recordings."""
    rows = unit_positions(pool.units.ends, labelled)
    model = fit_stretches(pool.units.of_tasks(labelled), pool.members[rows], seed=0)
    if model is None:
        message = "all recordings are of one exercise alone"
        raise ValueError(message)
    return model


def by_chain(
    pool: Recordings, labelled: Labelled, test: Recordings
) -> NDArray[np.bool_]:
    """Predict with Dubito's learner."""
    return model_of(pool, labelled).predict(test.units).members


def by_forest(
    pool: Recordings, labelled: Labelled, test: Recordings
) -> NDArray[np.bool_]:
    """Predict each unit by itself."""
    rows = unit_positions(pool.units.ends, labelled)
    codes = pool.members[rows] @ np.arange(1, pool.members.shape[1] + 1)
    forest = RandomForestClassifier(TREES, random_state=0)
    forest.fit(pool.units.features[rows], codes)
    predictions = forest.predict(test.units.features)
    return np.asarray(
        np.eye(pool.members.shape[1] + 1, dtype=np.bool_)[predictions][:, 1:]
    )


def at_random(pool: Recordings, seed: int, _: int) -> list[int]:
    """Return all recordings in random order."""
    ids = np.arange(1, pool.units.n_tasks + 1)
    return [int(position) for position in permutation(ids, seed)]


def by_doubt(pool: Recordings, seed: int, budget: int) -> list[int]:
    """Return the recordings that Dubito asks for, each after all before were marked."""
    n_tasks = pool.units.n_tasks
    features = pool.units.features
    means = np.array([features[pool.units.slice_of(n)].mean(0) for n in range(n_tasks)])
    spread = means.std(axis=0)
    rows = (means - means.mean(axis=0)) / np.where(spread > 0, spread, 1)
    rows = np.clip(rows, -LARGEST, LARGEST).astype(np.float32)
    plan = StartPlan(centres=CENTRES, random=RANDOM, length=CENTRES + RANDOM)
    start = start_order(rows, np.arange(1, n_tasks + 1), plan, seed)
    order = [int(position) for position in start]
    while len(order) < budget:
        predictions = model_of(pool, np.sort(order)).predict(pool.units)
        certainty = task_certainty(predictions.doubt, pool.units)
        certainty[order] = np.inf
        order.append(int(certainty.argmin()))
    return order


Order: TypeAlias = Callable[[Recordings, int, int], list[int]]
Learner: TypeAlias = Callable[[Recordings, Labelled, Recordings], NDArray[np.bool_]]
CONTESTANTS: Mapping[str, tuple[Order, Learner]] = MappingProxyType(
    {
        "dubito": (by_doubt, by_chain),
        "random": (at_random, by_chain),
        "forest": (at_random, by_forest),
    }
)


def curve(name: str, pool: Recordings, test: Recordings, seed: int) -> Curve:
    """Test one contestant after some numbers of recordings."""
    asking, learner = CONTESTANTS[name]
    steps = [step for step in STEPS if step <= POINTS[-1] or asking is at_random]
    order = asking(pool, seed, steps[-1])
    heights = {}
    for step in steps:
        predicted = learner(pool, np.sort(order[:step]), test)
        f1 = np.nanmean(stretch_f1(test.members, predicted, test.units.ends))
        heights[step] = test.share_right(predicted), float(f1)
    return heights


def arrival(heights: NDArray[np.float64], level: float) -> float:
    """Return after how many recordings a curve stays at a level; infinity if never."""
    below = np.flatnonzero(heights < level)
    if not len(below):
        return STEPS[0]
    last = int(below[-1])
    if last + 1 == len(heights):
        return np.inf
    part = (level - heights[last]) / (heights[last + 1] - heights[last])
    return STEPS[last] + float(part) * (STEPS[last + 1] - STEPS[last])


def rows_of(curves: Mapping[str, Sequence[Curve]]) -> Iterator[list[str]]:
    """Yield a row of the table for each contestant."""
    means = {
        name: np.mean([[one[0] for one in each.values()] for each in some], axis=0)
        for name, some in curves.items()
    }
    level = SHARE_OF_ALL * float(means["random"][-1])
    for name, some in curves.items():
        values = 100 * np.array([[each[point] for point in POINTS] for each in some])
        first = 100 * np.array([[each[p] for p in POINTS] for each in curves["dubito"]])
        cells = [f"{mean:.1f}" for mean in values[:, :, 0].mean(axis=0)]
        gains = (first - values)[:, :, 0].T
        against = [with_interval(gain) if name != "dubito" else "" for gain in gains]
        f1 = [f"{mean:.0f}" for mean in values[:, :, 1].mean(axis=0)]
        until = f"{arrival(means[name], level):.0f}"
        yield [name, *cells, *against, " / ".join(f1), until]


@click.command()
@click.option("--seeds", default=6, show_default=True)
@click.option("--first", default=0, show_default=True, help="The first seed.")
def main(seeds: int, first: int) -> None:
    """Print a table of shares of time right, and of what they take."""
    curves: dict[str, list[Curve]] = {name: [] for name in CONTESTANTS}
    for seed in range(first, first + seeds):
        pool, test = composed(seed)
        for name, some in curves.items():
            some.append(curve(name, pool, test, seed))
            shares = [f"{100 * some[-1][point][0]:.1f}" for point in POINTS]
            click.echo(f"{seed} {name}: {' '.join(shares)}", err=True)
    heads = ["", *(f"after {point}" for point in POINTS)]
    heads += [f"dubito's lead after {point}" for point in POINTS]
    heads += ["F1 of stretches", f"recordings to {SHARE_OF_ALL:.0%} of all"]
    click.echo(f"{seeds} seeds. {versions()}\n\n{markdown(heads, rows_of(curves))}")


if __name__ == "__main__":
    main()
