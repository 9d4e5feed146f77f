"""How many tasks Dubito labels within a limit of errors, and whether it keeps to it.

Run from the root of the repository:

    python -m tests.benchmarks.autolabels --seeds 4

Each data set is labelled as the service would. After some labels, the open tasks are
labelled from the certainty on that Dubito advises for a limit: the upper end of the
95 % interval of the expected share of errors is below it.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import click
import numpy as np

from dubito.model.evaluation.autolabel_thresholds import farthest, thresholds
from dubito.model.query.uncertainty import doubt
from tests.benchmarks.active_learning import RESULTS, material
from tests.benchmarks.courses import Course
from tests.benchmarks.data_sets import SOURCES
from tests.benchmarks.results import markdown, versions, write_part
from tests.benchmarks.stretches_labelled import LIMITS, Outcome, rows_of

POINTS = (30, 60, 100)
LEFT_OUT = ("basicmotions", "libras")
"""Of these, too few tasks are left once 100 have labels."""

COMMAND = "python -m tests.benchmarks.autolabels"
HEADING = "## Tasks labelled by Dubito"
HEADS = ("limit", "labels", "offered", "labelled", "wrong", "worst", "broken")
NOTES = """\
*Offered*: in so many runs, one for each data set and seed, a certainty keeps the upper
end of the 95 % interval below the limit. *Labelled*: percent of the open tasks, the
mean of all runs, 0 where nothing is offered. *Wrong*: percent of what is labelled, the
mean of the runs that label something; *worst* of these. *Broken*: runs in which more is
wrong than the limit."""


def outcomes(name: str, seed: int) -> list[Outcome]:
    """Label a data set with one seed, and look what would be labelled by Dubito."""
    course = Course.of(material(name).labelled, seed, POINTS[-1])
    return [one for labels in POINTS for one in _after(course, labels)]


def _after(course: Course, labels: int) -> Iterator[Outcome]:
    measured = course.assessment(labels).accuracy
    if measured is None or measured.relation is None:
        return
    rest = course.autolabels(labels)
    certainty = doubt("margin", rest.probabilities)
    sure = rest.probabilities.max(axis=1)
    levels = thresholds(certainty, sure, measured.relation)
    for limit in LIMITS:
        best = farthest(levels, limit)
        is_chosen = certainty >= (np.inf if best is None else best.certainty)
        wrong = rest.is_wrong[is_chosen]
        yield Outcome(
            labels=labels,
            limit=limit,
            share=float(is_chosen.mean()),
            wrong=float(wrong.mean()) if wrong.size else np.nan,
        )


@click.command()
@click.option(
    "--sets",
    default=",".join(name for name in SOURCES if name not in LEFT_OUT),
    help="Names, with commas between.",
)
@click.option("--seeds", default=4, show_default=True)
@click.option("--processes", default=1, show_default=True)
@click.option("--write", is_flag=True, help="Put the table into RESULTS.md.")
def main(sets: str, seeds: int, processes: int, *, write: bool) -> None:
    """Write a table of promised and true shares of errors."""
    results: list[Outcome] = []
    names = sets.split(",")
    with ProcessPoolExecutor(processes) as executor:
        for name in names:
            for some in executor.map(partial(outcomes, name), range(seeds)):
                results += some
            click.echo(f"{name} is done", err=True)
    page = "\n\n".join(
        (
            HEADING,
            f"Written by `{COMMAND}`: {len(names)} data sets, {seeds} seeds.",
            versions(),
            markdown(HEADS, rows_of(results)),
            NOTES,
        )
    )
    click.echo(page)
    if write:
        write_part(RESULTS, page)


if __name__ == "__main__":
    main()
