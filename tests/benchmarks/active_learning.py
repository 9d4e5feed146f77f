"""How few labels Dubito needs, side by side with its peers, on real data.

Run from the root of the repository; what was done before is not done again:

    python -m tests.benchmarks.active_learning --seeds 10 --peers
"""

from collections.abc import Sequence
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
from dubito.backend.simulate.runs import Experiment, Job, StrategyRun, usual_budget
from dubito.model.evaluation.holdout import split
from dubito.model.simulation import STRATEGIES, by_chance
from tests.benchmarks.data_sets import SOURCES, data_set
from tests.benchmarks.packaged_files import CACHE
from tests.benchmarks.peers import SCORED_BEYOND, SCORED_EVERY, contestants
from tests.benchmarks.results import DUBITO, RANDOM, Result, report, summary
from tests.exports import question_of

OURS = "auto"
RESULTS = Path(__file__).with_name("RESULTS.md")
PLOT = Path(__file__).parents[2] / "docs" / "learning-curves.svg"
ALWAYS = (DUBITO, *RANDOM)
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
            files=LocalFiles(Path()),
        )
        .subject(preferences)
        .labelled
    )
    pool = len(split(labelled.codes, seed=0).pool)
    budget = usual_budget(pool, labelled.n_classes)
    return Experiment(
        labelled=labelled, groups=None, preferences=preferences, budget=budget
    )


def jobs_of(chosen: Sequence[StrategyRun], seeds: int) -> list[Job]:
    """Return the runs of all contestants, fewer of those that are not judged."""
    return [
        Job(one, seed)
        for seed in range(seeds)
        for one in chosen
        if one.strategy is None or one.name in ALWAYS or seed < MOST_OF_OTHERS
    ]


@click.command()
@click.option("--sets", default=",".join(SOURCES), help="Names, with commas between.")
@click.option("--seeds", default=10, show_default=True)
@click.option("--peers", is_flag=True, help="scikit-activeml as well, if installed.")
@click.option("--only", default="", help="Names of contestants, with commas between.")
@click.option("--write/--no-write", default=True, help="Write RESULTS.md and the plot.")
def main(sets: str, seeds: int, peers: bool, only: str, write: bool) -> None:  # noqa: FBT001  # click's way
    """Replay the data sets, print the table, and write the page of results."""
    console = Console()
    chosen = [*ours(), *contestants(with_library=peers)]
    if only:
        named = only.split(",")
        chosen = [c for c in chosen if c.strategy is None or c.name in named]
    results = []
    for name in sets.split(","):
        made = material(name)
        kept = KeptRuns.of(made, CACHE.parent / "runs" / name)
        console.print(f"{name}: {made.budget} labels of {len(made.labelled.codes)}")
        jobs = jobs_of(chosen, seeds)
        runs = carry_out_telling(made, kept, jobs, console)
        results.append(Result.of(name, SOURCES[name].kind, made, runs))
        console.print(summary(results))
    if write:
        report(results, RESULTS, PLOT, seeds)


if __name__ == "__main__":
    main()
