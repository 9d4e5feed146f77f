"""What each part of the question costs or buys: its measure, its spread, its haste.

Run from the root of the repository; what was done before is not done again:

    python -m tests.benchmarks.queries --seeds 3 --write
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import click
import numpy as np
from rich.console import Console

from dubito.backend.simulate.process_pool import KeptRuns, arithmetic_mark, code_mark
from dubito.backend.simulate.report import carry_out_telling
from dubito.backend.simulate.runs import Experiment, Job, StrategyRun, usual_budget
from dubito.model.evaluation.holdout import split
from dubito.model.simulation import Strategy
from tests.benchmarks import ways
from tests.benchmarks.active_learning import OURS, RESULTS, material, ours
from tests.benchmarks.data_set_result import up_to
from tests.benchmarks.data_sets import SOURCES
from tests.benchmarks.packaged_files import CACHE
from tests.benchmarks.results import markdown, versions, with_interval, write_part
from tests.benchmarks.trials import TEN, Trial
from tests.benchmarks.ways import LateClass, Way

DUBITO, LATE = "dubito", "late class"
ASKERS = ("random", "margin", DUBITO)
SPARSE = 5
"""Of ways that learn seldom, or from old labels, a score takes a fit of its own."""

LATE_AT = 0.6
"""Of the budget: when a class comes of which nobody knew."""

LONG_TAILED = ("vehicle", "segment", "digits", "watch_a", "japvowels")
RAREST = 20
"""In a long tail the biggest class has so many times the tasks of the smallest."""

FEWEST = 10

ONE_WINDOW = Way(behind=0, served=TEN)
WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "no spread": Way(spread="nothing"),
        "clusters": Way(spread="clusters"),
        "entropy": Way(measure="entropy"),
        "least confidence": Way(measure="least_confidence"),
        "none behind": Way(behind=0),
        "ten behind": Way(behind=TEN),
        "ten behind (no spread)": Way(behind=TEN, spread="nothing"),
        "ten behind (clusters)": Way(behind=TEN, spread="clusters"),
        "ten from one window": ONE_WINDOW,
        "ten from one window (no spread)": replace(ONE_WINDOW, spread="nothing"),
        "ten from one window (clusters)": replace(ONE_WINDOW, spread="clusters"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where data sets are replayed.

    Attributes
    ----------
    ways : those that are compared with Dubito's own
    """

    console: Console
    seeds: int
    ways: Mapping[str, Way]

    def trial(
        self, name: str, made: Experiment, chosen: Sequence[StrategyRun]
    ) -> Trial:
        """Let contestants replay a data set with all seeds."""
        kept = KeptRuns.of(made, CACHE.parent / "runs" / name.partition(" ")[0])
        jobs = [Job(one, seed) for seed in range(self.seeds) for one in chosen]
        self.console.print(f"{name}: {made.budget} labels, {len(jobs)} runs")
        result = carry_out_telling(made, kept, jobs, self.console)
        runs = {
            one.name: [
                up_to(result[Job(one, seed)], made.budget) for seed in range(self.seeds)
            ]
            for one in chosen
        }
        return Trial(name=name, made=made, runs=runs)


def _known(*names: str) -> list[StrategyRun]:
    """Return contestants of the benchmark of active learning: their runs count here."""
    return [one for one in ours() if one.name in names]


def _contestant(name: str, strategy: Strategy, every: int = 1) -> StrategyRun:
    mark = f"{arithmetic_mark(OURS)}-{code_mark(Path(ways.__file__))}"
    return StrategyRun(
        name=name, strategy=strategy, learner=OURS, mark=mark, every=every
    )


def _every(way: Way) -> int:
    return SPARSE if TEN in {way.behind, way.served} else 1


def ways_to_ask(bench: Bench, sets: Sequence[str]) -> str:
    """Return what each way does to the curve, and to the variety of each ten."""
    own = [_contestant(name, way, _every(way)) for name, way in bench.ways.items()]
    chosen = [*_known(DUBITO), *own]
    trials = [bench.trial(name, material(name), chosen) for name in sets]
    columns = (
        *("way to ask", "accuracy", "against dubito", "better on (worst)"),
        *("macro-F1", "near-copies in ten"),
    )
    return markdown(columns, (_way(trials, one.name) for one in chosen))


def _way(trials: Sequence[Trial], name: str) -> list[str]:
    gains = np.array([one.accuracy(name) - one.accuracy(DUBITO) for one in trials])
    return [
        name,
        f"{np.mean([one.accuracy(name) for one in trials]):.1f}",
        with_interval(gains),
        f"{int((gains > 0).sum())} ({gains.min():+.1f})",
        f"{np.mean([one.f1(name) for one in trials]):.1f}",
        f"{np.mean([one.near_copies(name) for one in trials]):.2f}",
    ]


def rare_classes(bench: Bench, sets: Sequence[str]) -> str:
    """Return how well small classes are learnt, and how soon they are met."""
    chosen = _known(*ASKERS)
    made = {name: material(name) for name in sets}
    made |= {
        f"{name} (long tail)": long_tail(made[name])
        for name in LONG_TAILED
        if name in made
    }
    trials = [bench.trial(name, one, chosen) for name, one in made.items()]
    columns = (
        *("data", "rarest class", *(f"macro-F1: {name}" for name in ASKERS)),
        *(f"classes met, median: {name}" for name in ASKERS),
        *(f"worst: {name}" for name in ASKERS),
    )
    return markdown(columns, map(_rare, trials))


def long_tail(made: Experiment) -> Experiment:
    """Return fewer and fewer tasks of one class after the other."""
    labelled = made.labelled
    sizes = np.bincount(labelled.codes)
    shares = RAREST ** -np.linspace(0, 1, len(sizes))
    wanted = np.maximum(sizes.max() * shares, FEWEST).astype(int)
    shuffled = np.random.default_rng(0).permutation(len(labelled.codes))
    of_class = (shuffled[labelled.codes[shuffled] == c] for c in range(len(sizes)))
    kept = [rows[:count] for rows, count in zip(of_class, wanted, strict=True)]
    fewer = labelled.at(np.sort(np.concatenate(kept)))
    pool = len(split(fewer.codes, seed=0).pool)
    return replace(made, labelled=fewer, budget=usual_budget(pool, len(sizes)))


def _rare(trial: Trial) -> list[str]:
    met = [trial.until_met(name) for name in ASKERS]
    return [
        trial.name,
        f"{100 * trial.rarest:.1f} %",
        *(f"{trial.f1(name):.1f}" for name in ASKERS),
        *(f"{np.median(one, axis=1).mean():.1f}" for one in met),
        *(f"{one.max(axis=1).mean():.1f}" for one in met),
    ]


def late_classes(bench: Bench, sets: Sequence[str]) -> str:
    """Return how soon a class is found of which nobody knew for most of the budget."""
    rows = []
    for name in sets:
        made = material(name)
        if made.labelled.n_classes > 2:
            after = int(LATE_AT * made.budget)
            chosen = [*_known(DUBITO), _contestant(LATE, LateClass(after), SPARSE)]
            rows.append(_late(bench.trial(name, made, chosen), after))
    columns = (
        *("data", "labels until found, median", "worst", "by chance"),
        *("macro-F1 at the end", "of a class there all along"),
    )
    return markdown(columns, rows)


def _late(trial: Trial, after: int) -> list[str]:
    count = trial.until_found(LATE, after)
    chance = [trial.by_chance(seed, after) for seed in range(len(count))]
    return [
        trial.name,
        f"{np.median(count):.1f}",
        f"{max(count)}",
        f"{np.mean(chance):.1f}",
        f"{trial.last_f1(LATE):.1f}",
        f"{trial.last_f1(DUBITO):.1f}",
    ]


NOTES = """\
Accuracy and macro-F1 are means over the curve, in percent; intervals are of 95 % over
the data sets, paired. `dubito`: margin, near-copies kept apart, one label behind, audit
tasks. *Ten behind*: ten people who label at the same time; *ten from one window*: ten
quick labels before the next order is made. *Clusters*: of the fifty most doubtful tasks
one of each of ten clusters, then the next of each. *Near-copies in ten*: of ten tasks
asked for one after the other, those that are within a quarter of the usual distance of
an earlier one."""

RARE_NOTES = """\
Labels until the first of a class: the median class, and the worst; one more than the
budget where a class was not met. In a *long tail* the classes of a data set are cut so
that the biggest has twenty times the tasks of the smallest."""

LATE_NOTES = """\
One class, another with each seed, is not in the pool before 60 % of the budget are
labelled. *Labels until found*: from then on; *by chance*: what random tasks would take
on average."""

Table = Callable[[Bench, Sequence[str]], str]
PARTS: Mapping[str, tuple[str, Table, str]] = MappingProxyType(
    {
        "ways": ("Ways to ask", ways_to_ask, NOTES),
        "rare": ("Rare classes", rare_classes, RARE_NOTES),
        "late": ("A class that appears late", late_classes, LATE_NOTES),
    }
)


def _page(bench: Bench, sets: Sequence[str], parts: Sequence[str]) -> Iterator[str]:
    yield "## Queries"
    command = "python -m tests.benchmarks.queries"
    yield f"Written by `{command}`: {len(sets)} data sets, {bench.seeds} seeds."
    yield versions()
    for part in parts:
        title, table, notes = PARTS[part]
        yield from (f"### {title}", table(bench, sets), notes)


@click.command()
@click.option("--sets", default=",".join(SOURCES), help="Names, with commas between.")
@click.option("--seeds", default=3, show_default=True)
@click.option("--parts", default=",".join(PARTS), help="Names, with commas between.")
@click.option("--only", default=",".join(WAYS), help="Names of ways to ask.")
@click.option("--write", is_flag=True, help="Put the tables into RESULTS.md.")
def main(sets: str, seeds: int, parts: str, only: str, write: bool) -> None:  # noqa: FBT001  # click's way
    """Replay the data sets, print the tables, and write them down."""
    chosen = {name: WAYS[name] for name in only.split(",")}
    bench = Bench(console=Console(stderr=True), seeds=seeds, ways=chosen)
    page = "\n\n".join(_page(bench, sets.split(","), parts.split(",")))
    click.echo(page)
    if write:
        write_part(RESULTS, page)


if __name__ == "__main__":
    main()
