"""How quick a round is, and how quickly it learns.

Run from the root of the repository:

    python tests/benchmarks/learning.py speed
    python tests/benchmarks/learning.py curves --seeds 5
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import click
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.model_selection import train_test_split

from model.arrays import Codes, Features, Positions, Probabilities
from model.diversity import spread
from model.features.tabular import standardise
from model.initial import StartPlan, permutation, start_order, tie_breaker
from model.learner import learner
from model.ranking import certainty_order
from model.uncertainty import doubt

LOADERS = {
    "digits": load_digits,
    "breast_cancer": load_breast_cancer,
    "wine": load_wine,
    "iris": load_iris,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A pool to ask about and a test set to judge by."""

    pool: Features
    pool_codes: Codes
    test: Features
    test_codes: Codes
    seed: int

    @property
    def n_classes(self) -> int:
        return int(self.pool_codes.max()) + 1

    @property
    def budget(self) -> int:
        return min(150, int(0.6 * len(self.pool)), 80 + 8 * self.n_classes)

    @property
    def task_ids(self) -> Positions:
        return np.arange(len(self.pool))


def split(name: str, seed: int) -> Split:
    """Hold 30 % of a data set back."""
    raw, labels = LOADERS[name](return_X_y=True)
    features = standardise(np.asarray(raw, dtype=np.float32))
    codes = np.asarray(labels, dtype=np.intp)
    pool, test, pool_codes, test_codes = train_test_split(
        features, codes, test_size=0.3, stratify=codes, random_state=seed
    )
    return Split(
        pool=pool, pool_codes=pool_codes, test=test, test_codes=test_codes, seed=seed
    )


def predicted(data: Split, labelled: Sequence[int], rows: Features) -> Probabilities:
    """Return (n, C) probabilities learnt from the labelled tasks."""
    fitted = learner("auto", data.seed).fit(
        data.pool[labelled], data.pool_codes[labelled], data.n_classes
    )
    return fitted.predict(rows)


def ask_randomly(data: Split) -> Iterator[int]:
    """Yield tasks of the pool in random order."""
    yield from permutation(data.task_ids, data.seed).tolist()


def ask_by_doubt(data: Split) -> Iterator[int]:
    """Yield tasks of the pool as the product asks for them, one at a time."""
    classes = data.n_classes
    plan = StartPlan(centres=classes, random=classes, length=len(data.pool))
    start = start_order(data.pool, data.task_ids, plan, data.seed).tolist()
    ties = tie_breaker(data.task_ids, data.seed)
    labelled: list[int] = []
    while len(labelled) < len(data.pool):
        left = np.setdiff1d(data.task_ids, labelled)
        seen = len(np.unique(data.pool_codes[labelled]))
        if len(labelled) < 2 * classes or seen < 2:
            chosen = start[len(labelled)]
        else:
            rated = doubt("margin", predicted(data, labelled, data.pool[left]))
            chosen = int(left[certainty_order(rated, ties[left])[0]])
        labelled.append(chosen)
        yield chosen


def mean_accuracy(ask: Callable[[Split], Iterator[int]], data: Split) -> float:
    """Return the mean test accuracy from 5.5 labels per class to the budget."""
    order = list(islice(ask(data), data.budget))
    first = int(5.5 * data.n_classes)
    accuracies = []
    for count in range(first, data.budget + 1, 2):
        if len(np.unique(data.pool_codes[order[:count]])) > 1:
            found = predicted(data, order[:count], data.test).argmax(axis=1)
            accuracies.append((found == data.test_codes).mean())
    return 100 * float(np.mean(accuracies))


@click.group()
def main() -> None:
    """Measure the arithmetic of active learning."""


@main.command()
@click.option("--labels", default=200, show_default=True)
def speed(labels: int) -> None:
    """Print the seconds of processor time that the parts of a round take."""
    rng = np.random.default_rng(0)
    click.echo(f"{'tasks':>8} {'start':>8} {'fit':>8} {'predict':>8} {'order':>8}")
    for n in (2_000, 20_000):
        features = rng.normal(size=(n, 64)).astype(np.float32)
        codes = np.arange(n) % 7
        features[:, 0] += 3 * codes
        click.echo(f"{n:>8} " + " ".join(_seconds(features, codes, labels)))


def _seconds(features: Features, codes: Codes, labels: int) -> Iterator[str]:
    ids = np.arange(len(features))
    clock = [time.process_time()]
    start_order(features, ids, StartPlan(centres=7, random=7, length=14), seed=0)
    clock.append(time.process_time())
    fitted = learner("auto", 0).fit(features[:labels], codes[:labels], 7)
    clock.append(time.process_time())
    probabilities = fitted.predict(features)
    clock.append(time.process_time())
    order = certainty_order(doubt("margin", probabilities), tie_breaker(ids, 0))
    spread(order, features, 20)
    clock.append(time.process_time())
    yield from (f"{seconds:8.3f}" for seconds in np.diff(clock))


@main.command()
@click.option("--seeds", default=3, show_default=True)
def curves(seeds: int) -> None:
    """Print the mean accuracy while learning, against random tasks."""
    click.echo(f"{'data':>14} {'random':>8} {'dubito':>8} {'gain':>8}")
    for name in LOADERS:
        splits = [split(name, seed) for seed in range(seeds)]
        by_chance = np.mean([mean_accuracy(ask_randomly, each) for each in splits])
        by_doubt = np.mean([mean_accuracy(ask_by_doubt, each) for each in splits])
        gain = by_doubt - by_chance
        click.echo(f"{name:>14} {by_chance:8.1f} {by_doubt:8.1f} {gain:+8.1f}")


if __name__ == "__main__":
    main()
