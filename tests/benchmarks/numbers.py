"""How far off Dubito's numbers are after a few labels, beside its peers.

Run from the root of the repository:

    python -m tests.benchmarks.numbers --seeds 6
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import click
import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.datasets import load_diabetes, load_wine, make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV

from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.learning.labels import Labels
from dubito.backend.learning.round import run_round
from dubito.backend.learning.round_input import RoundInput
from dubito.backend.project_settings import Preferences
from dubito.backend.state.pool import Pool
from dubito.model.query.seed_set import permutation
from tests.benchmarks.results import CONFIDENCE, markdown

COUNTS = (30, 60, 100)
"""Labels after which the error is measured."""

STEP = 10
"""So many labels are given before the next round."""

TEST_SHARE = 0.3
STRENGTHS = np.logspace(-2, 4, 25)
SCHEMA = read_schema(
    '<View><Table name="t" value="$t"/><Number name="n" toName="t"/></View>'
)
DUBITO = "dubito"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A data set and a seed: some of its tasks are never asked, and judge."""

    items: FeatureTable
    numbers: NDArray[np.float64]
    seed: int

    @property
    def test(self) -> NDArray[np.intp]:
        """Return the rows that judge."""
        order = np.random.default_rng(self.seed).permutation(len(self.numbers))
        return np.sort(order[: int(TEST_SHARE * len(order))])

    @property
    def at_random(self) -> NDArray[np.intp]:
        """Return the other rows in the project's random order."""
        order = permutation(self.items.task_ids, self.seed)
        return order[~np.isin(order, self.test)]

    def error(self, predicted: NDArray[np.float64]) -> float:
        """Return the mean absolute error of what is predicted for the test."""
        return float(np.abs(predicted - self.numbers[self.test]).mean())


Contestant = Callable[[Trial], Iterator[float]]
"""Yields the errors after so many labels as `COUNTS` says."""


def by_dubito(trial: Trial, **chosen: float) -> Iterator[float]:
    """Ask and learn as the service does, ten labels a round."""
    ids = trial.items.task_ids
    preferences = Preferences.model_validate(
        {"seed": trial.seed, "window": STEP, **chosen}
    )
    closed = frozenset(ids[trial.test].tolist())
    texts = dict(zip(ids.tolist(), map(repr, trial.numbers.tolist()), strict=True))
    known: dict[int, str] = {}
    while True:
        question = RoundInput(
            schema=SCHEMA,
            preferences=preferences,
            items=trial.items,
            labels=Labels(chosen=known, closed=closed),
        )
        result = run_round(question, 1, "")
        if len(known) in COUNTS:
            labels = np.array([*map(float, result.ranking.labels())])
            yield trial.error(labels[trial.test])
        if len(known) >= COUNTS[-1]:
            return
        known |= {place.task: texts[place.task] for place in result.window}


def by_spread(trial: Trial) -> Iterator[float]:
    """Ask for the least certain tasks, but for every tenth."""
    return by_dubito(trial, audit=0.1)


def by_ridge(trial: Trial) -> Iterator[float]:
    """Ask at random; learn by ridge regression."""
    return _at_random(trial, lambda: RidgeCV(STRENGTHS))


def by_forest(trial: Trial) -> Iterator[float]:
    """Ask at random; learn by a random forest."""
    return _at_random(trial, lambda: RandomForestRegressor(random_state=trial.seed))


def _at_random(
    trial: Trial, make: Callable[[], RidgeCV | RandomForestRegressor]
) -> Iterator[float]:
    features = trial.items.features
    for count in COUNTS:
        rows = trial.at_random[:count]
        fitted = make().fit(features[rows], trial.numbers[rows])
        yield trial.error(fitted.predict(features[trial.test]))


CONTESTANTS: Mapping[str, Contestant] = MappingProxyType(
    {
        DUBITO: by_dubito,
        "by spread": by_spread,
        "ridge random": by_ridge,
        "RF random": by_forest,
    }
)


def trial_of(
    rows: NDArray[np.float64], numbers: NDArray[np.float64], seed: int
) -> Trial:
    """Read rows as the service does."""
    pool = Pool(
        task_ids=np.arange(1, len(rows) + 1, dtype=np.int64),
        columns=tuple(f"f{column}" for column in range(rows.shape[1])),
        numbers=rows.astype(np.float32),
        texts=(),
    )
    return Trial(items=FeatureTable.of(pool, seed=0), numbers=numbers, seed=seed)


def data_sets() -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return sets of scikit-learn; of wine its alcohol is told from all else."""
    diabetes, wine = load_diabetes(), load_wine()
    return {
        "diabetes": (diabetes.data, diabetes.target),
        "wine (alcohol)": (wine.data[:, 1:], wine.data[:, 0]),
        "friedman1": make_friedman1(600, noise=2.0, random_state=0),
    }


def row(
    name: str, errors: NDArray[np.float64], of_dubito: NDArray[np.float64]
) -> list[str]:
    """Return a contestant's errors after each count, and how far above Dubito's.

    Parameters
    ----------
    errors, of_dubito : (n_seeds, n_counts) of one data set
    """
    gaps = 100 * (errors / of_dubito - 1).mean(axis=1)
    reach = student.ppf((1 + CONFIDENCE) / 2, max(len(gaps) - 1, 1))
    reach *= gaps.std(ddof=1) / len(gaps) ** 0.5
    means = (f"{mean:.3g}" for mean in errors.mean(axis=0))
    return [name, *means, f"{gaps.mean():+.1f} ± {reach:.1f}"]


@click.command()
@click.option("--seeds", default=6, show_default=True)
@click.option("--only", default="", help="Names of data sets, with commas between.")
def main(seeds: int, only: str) -> None:
    """Replay all sets, and print the tables."""
    for set_name, (rows, numbers) in data_sets().items():
        if only and set_name not in only.split(","):
            continue
        trials = [trial_of(rows, numbers, seed) for seed in range(seeds)]
        errors = {
            name: np.array([[*contestant(trial)] for trial in trials])
            for name, contestant in CONTESTANTS.items()
        }
        table = [row(name, each, errors[DUBITO]) for name, each in errors.items()]
        heads = (f"{count} labels" for count in COUNTS)
        click.echo(markdown((set_name, *heads, "above dubito, %"), table))
        click.echo()


if __name__ == "__main__":
    main()
