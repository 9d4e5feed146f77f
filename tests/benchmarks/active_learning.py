"""How few labels Dubito needs, side by side with its peers, on real data.

Run from the root of the repository; what was done before is not done again:

    python -m tests.benchmarks.active_learning --seeds 10 --peers

The page of results can be written while this still runs, of the seeds that are done:

    python -m tests.benchmarks.active_learning --seeds 10 --peers --kept
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console

from dubito.backend.features.local_files import LocalFiles
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.dataset import Source
from dubito.backend.simulate.export_reader import parse_export
from dubito.backend.simulate.process_pool import KeptRuns, arithmetic_mark
from dubito.backend.simulate.report import carry_out_telling
from dubito.backend.simulate.runs import (
    Experiment,
    Job,
    Run,
    StrategyRun,
    usual_budget,
)
from dubito.model.evaluation.holdout import split
from dubito.model.simulation import STRATEGIES, by_chance
from tests.benchmarks.data_set_result import EVERYTHING, Result
from tests.benchmarks.data_sets import ALL_SOURCES, data_set
from tests.benchmarks.packaged_files import CACHE
from tests.benchmarks.peers import SCORED_BEYOND, SCORED_EVERY, contestants
from tests.benchmarks.results import DUBITO, RANDOM, USUAL, report, summary
from tests.benchmarks.usual_features import usual_features
from tests.exports import question_of

OURS = "auto"
RESULTS = Path(__file__).with_name("RESULTS.md")
PLOT = Path(__file__).parents[2] / "docs" / "learning-curves.svg"
USUAL_NAMES = {f"{USUAL} {name}": name for name in (*RANDOM, "LR margin")} | {
    f"{USUAL} {learner} {EVERYTHING}": f"{learner} {EVERYTHING}"
    for learner in ("LR", "RF", "ET")
}
"""The contestants that see usual features as well, under names of their own."""

ALWAYS = (DUBITO, *RANDOM, *(f"{USUAL} {name}" for name in RANDOM))
MOST_OF_OTHERS = 2
"""Seeds of the other contestants: some take long, and none is what is judged."""


def ours() -> list[StrategyRun]:
    """Return Dubito, and its learner with other ways to ask."""
    mark = arithmetic_mark(OURS)
    strategies = [
        StrategyRun(
            name=name,
            strategy=ask,
            learner=OURS,
            mark=mark,
            every=SCORED_EVERY if ask is by_chance else 1,
            beyond=SCORED_BEYOND if ask is by_chance else 0,
        )
        for name, ask in STRATEGIES.items()
    ]
    everything = StrategyRun(name="everything", strategy=None, learner=OURS, mark=mark)
    return [*strategies, everything]


def material(name: str) -> Experiment:
    """Read a data set as the service reads a project of Label Studio."""
    data = data_set(name)
    preferences = Preferences()
    labelled = (
        Source(
            name=name,
            export=parse_export(data.export(), question_of(data.label_config)),
            schema=read_schema(data.label_config),
            files=LocalFiles(data.directory),
        )
        .subject(preferences)
        .labelled
    )
    pool = len(split(labelled.codes, seed=0).pool)
    budget = usual_budget(pool, labelled.n_classes)
    return Experiment(
        labelled=labelled, groups=None, preferences=preferences, budget=budget
    )


def usual_material(name: str, made: Experiment) -> Experiment | None:
    """Return a data set with the features of a usual script, if these are others."""
    features = usual_features(data_set(name))
    if features is None:
        return None
    rows = made.labelled.task_ids - 1  # an export numbers its tasks from 1
    labelled = replace(made.labelled, features=features[rows], views=())
    return replace(made, labelled=labelled)


def is_judged(contestant: StrategyRun) -> bool:
    """Return whether a contestant needs all seeds."""
    return contestant.strategy is None or contestant.name in ALWAYS


def jobs_of(chosen: Sequence[StrategyRun], seeds: int) -> list[Job]:
    """Return the runs of all contestants, fewer of those that are not judged."""
    return [
        Job(one, seed)
        for seed in range(seeds)
        for one in chosen
        if is_judged(one) or seed < MOST_OF_OTHERS
    ]


def with_usual_names(runs: Mapping[Job, Run]) -> dict[Job, Run]:
    """Return the runs of those that see usual features, under their names."""
    usual = {name: new for new, name in USUAL_NAMES.items()}
    return {
        Job(replace(job.contestant, name=usual[job.contestant.name]), job.seed): run
        for job, run in runs.items()
        if job.contestant.name in usual
    }


def complete(runs: Mapping[Job, Run]) -> dict[Job, Run]:
    """Return the runs of the first seeds, as many as all that are judged have."""
    seeds: dict[StrategyRun, set[int]] = {}
    for job in runs:
        seeds.setdefault(job.contestant, set()).add(job.seed)
    counts = {
        one: next(seed for seed in range(len(own) + 1) if seed not in own)
        for one, own in seeds.items()
    }
    fewest = min((n for one, n in counts.items() if is_judged(one)), default=0)
    return {
        job: run
        for job, run in runs.items()
        if job.seed < min(fewest, counts[job.contestant])
    }


def contest(
    name: str, jobs: Sequence[Job], console: Console, *, only_kept: bool
) -> Result | None:
    """Replay one data set; None if a contestant that is judged has no run of it yet."""
    made = material(name)
    console.print(f"{name}: {made.budget} labels of {len(made.labelled.codes)}")

    def runs_with(seen: Experiment, some: Sequence[Job]) -> Mapping[Job, Run]:
        kept = KeptRuns.of(seen, CACHE.parent / "runs" / name)
        if not only_kept:
            return carry_out_telling(seen, kept, some, console)
        finished = {job: kept.load(job) for job in some}
        return {job: run for job, run in finished.items() if run is not None}

    runs = runs_with(made, jobs)
    usual = usual_material(name, made)
    if usual is not None:
        usual_jobs = [j for j in jobs if j.contestant.name in USUAL_NAMES.values()]
        usual_runs = with_usual_names(runs_with(usual, usual_jobs))
    else:
        usual_runs = with_usual_names(runs)
    whole = complete({**runs, **usual_runs})
    expected = {job.contestant.name for job in jobs if is_judged(job.contestant)}
    if not expected <= {job.contestant.name for job in whole}:
        return None
    return Result.of(name, ALL_SOURCES[name].kind, made, whole)


@click.command()
@click.option(
    "--sets", default=",".join(ALL_SOURCES), help="Names, with commas between."
)
@click.option("--seeds", default=10, show_default=True)
@click.option("--peers", is_flag=True, help="scikit-activeml as well, if installed.")
@click.option("--only", default="", help="Names of contestants, with commas between.")
@click.option("--kept", is_flag=True, help="Replay nothing: take what is done.")
@click.option("--write/--no-write", default=True, help="Write RESULTS.md and the plot.")
def main(  # noqa: PLR0913  # one for each option
    *, sets: str, seeds: int, peers: bool, only: str, kept: bool, write: bool
) -> None:
    """Replay the data sets, print the table, and write the page of results."""
    console = Console()
    chosen = [*ours(), *contestants(with_library=peers)]
    if only:
        named = only.split(",")
        chosen = [c for c in chosen if c.strategy is None or c.name in named]
    results: list[Result] = []
    for name in sets.split(","):
        result = contest(name, jobs_of(chosen, seeds), console, only_kept=kept)
        if result is None:
            console.print(f"{name}: not done yet")
            continue
        results.append(result)
        console.print(summary(results))
    if write and results:
        report(results, RESULTS, PLOT)


if __name__ == "__main__":
    main()
