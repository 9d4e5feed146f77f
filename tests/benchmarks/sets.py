"""How well sets of classes are learnt on the way to a few labels, beside peers.

Run from the root of the repository:

    python -m tests.benchmarks.sets --seeds 6 --first 100

*dubito* asks as the service does, one answer behind, with audit tasks; *random* has the
same learner. The peers learn one regression for each class (one-vs-rest) and ask at
random, or for the task with the smallest margin of any class (BinMin). To save time all
learn after each ten answers alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import click
import numpy as np
from numpy.typing import NDArray

from dubito.backend.learning.round_input import query_config
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.runs import usual_budget
from dubito.model.arrays import Certainty
from dubito.model.evaluation.holdout import split
from dubito.model.evaluation.learning_curve import filled, mean_height
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.registry import LearnerFactory
from dubito.model.simulation import (
    Labelled,
    SimulatedPool,
    Strategy,
    by_chance,
    by_dubito,
    by_margin,
    replay,
)
from tests.benchmarks.active_learning import RESULTS
from tests.benchmarks.peers import Regression
from tests.benchmarks.results import markdown, versions, with_interval, write_part
from tests.benchmarks.sets_data import SOURCES, labelled_set

STEP = 10
"""Answers after which is learnt, and the next score is taken."""

DUBITO = "dubito"
MEASURES = ("micro", "macro")
USUAL = f"{DUBITO},random,LR random,LR margin"


class Contestant(NamedTuple):
    """A way to ask, a way to learn, and how certainty is measured."""

    strategy: Strategy
    learner: LearnerFactory
    measure: str = "margin"


CONTESTANTS: Mapping[str, Contestant] = MappingProxyType(
    {
        DUBITO: Contestant(by_dubito, Ensemble),
        "random": Contestant(by_chance, Ensemble),
        "LR random": Contestant(by_chance, Regression),
        "LR margin": Contestant(by_margin, Regression),
        "entropy": Contestant(by_dubito, Ensemble, "entropy"),
        "least confidence": Contestant(by_dubito, Ensemble, "least_confidence"),
    }
)


@dataclass(kw_only=True)
class InTens(SimulatedPool):
    """A pool of which is learnt after each ten answers."""

    _last: tuple[int, Certainty | None] = (-1, None)

    def certainty(self, count: int) -> Certainty | None:
        """Return how certain all tasks are after the last whole ten."""
        whole = count - count % STEP
        if self._last[0] != whole:
            self._last = whole, super().certainty(whole)
        certainty = self._last[1]
        return None if certainty is None else certainty.copy()


class Heights(NamedTuple):
    """Means over the curve, in percent."""

    micro: float
    macro: float


def heights(subject: Labelled, chosen: Contestant, seed: int) -> Heights:
    """Replay one run, from 5.5 labels for each class to the usual budget."""
    parts = split(subject.codes, seed)
    pool, test = subject.at(parts.pool), subject.at(parts.test)
    lesson = InTens(
        pool=pool, learner=chosen.learner(seed=seed), measure=chosen.measure
    )
    manner = query_config(Preferences(seed=seed), subject.n_classes)
    budget = usual_budget(len(parts.pool), subject.n_classes)
    positions = chosen.strategy(lesson, manner)
    steps = islice(replay(lesson, positions, test, STEP), budget)
    gap = np.nan, np.nan
    scores = [
        gap if one.score is None else (one.score.micro_f1, one.score.macro_f1)
        for one in steps
    ]
    curves = np.array(scores, dtype=np.float64).T
    means = (mean_height(filled(curve), subject.n_classes) for curve in curves)
    return Heights(*(100 * mean for mean in means))


Runs: TypeAlias = Mapping[str, Mapping[str, Sequence[Heights]]]
"""Of each contestant and data set a run for each seed."""


def rows(runs: Runs) -> list[list[str]]:
    """Return a row for each contestant: F1 by set, and Dubito's lead by measure."""
    values = {
        name: np.array([[*by_seed] for by_seed in by_set.values()])
        for name, by_set in runs.items()
    }
    return [
        [name, *_means(own), *_leads(values[DUBITO] - own, is_own=name == DUBITO)]
        for name, own in values.items()
    ]


def _means(values: NDArray[np.float64]) -> list[str]:
    """Return micro- and macro-F1 of (n_sets, n_seeds, 2) values by set, and of all."""
    by_set = values.mean(axis=1)
    pairs = [*by_set, by_set.mean(axis=0)]
    return [f"{micro:.1f} / {macro:.1f}" for micro, macro in pairs]


def _leads(gaps: NDArray[np.float64], *, is_own: bool) -> list[str]:
    """Return the mean lead and its least of any set, of both measures."""
    if is_own:
        return ["", ""]
    return [
        f"{with_interval(gaps[..., place].ravel())}"
        f" ({gaps[..., place].mean(axis=1).min():+.1f})"
        for place in range(len(MEASURES))
    ]


NOTES = """\
Micro- / macro-F1 in percent, means over the curve from 5.5 labels for each class to the
budget (150, 136 and 120 labels), on the 30 % kept back. Leads are of pairs of one set
and seed, with 95 % intervals, and in brackets that of the worst set. *yeast*: 1,500
genes and 14 groups of functions (`river`). *news* and *questions*: two texts of
reuters_r8 and trec6 joined, about none, one or two of 7 and 5 topics. *random* has
Dubito's learner; *LR* is one regression for each class, *margin* asks for the smallest
of any class (BinMin)."""


def page(runs: Runs, seeds: range) -> str:
    """Return the part of RESULTS.md."""
    sets = [*runs[DUBITO]]
    leads = (f"dubito's lead, {measure} (worst set)" for measure in MEASURES)
    named = f"seeds {seeds[0]} to {seeds[-1]}"
    return "\n\n".join(
        (
            "## Sets of classes",
            f"Written by `python -m tests.benchmarks.sets`: {named}.",
            versions(),
            markdown(("", *sets, "mean", *leads), rows(runs)),
            NOTES,
        )
    )


@click.command()
@click.option("--seeds", default=6, show_default=True)
@click.option("--first", default=0, show_default=True, help="The first seed.")
@click.option("--sets", default=",".join(SOURCES), help="Names, with commas between.")
@click.option("--only", default=USUAL, help="Names of contestants, commas between.")
@click.option("--write", is_flag=True, help="Put the table into RESULTS.md.")
def main(seeds: int, first: int, sets: str, only: str, write: bool) -> None:  # noqa: FBT001  # click's way
    """Replay the data sets, and print the table."""
    subjects = {name: labelled_set(name) for name in sets.split(",")}
    named = [name for name in CONTESTANTS if name in only.split(",")]
    runs: dict[str, dict[str, list[Heights]]] = {name: {} for name in named}
    chosen = range(first, first + seeds)
    for name, subject in subjects.items():
        for which in named:
            own = [heights(subject, CONTESTANTS[which], seed) for seed in chosen]
            runs[which][name] = own
            click.echo(f"{name}, {which}: {np.round(own, 2).tolist()}", err=True)
    part = page(runs, chosen)
    click.echo(part)
    if write:
        write_part(RESULTS, part)


if __name__ == "__main__":
    main()
