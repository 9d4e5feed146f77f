"""Whether the interval of the accuracy holds what it promises, on real data.

Run from the root of the repository:

    python -m tests.benchmarks.accuracy_coverage --seeds 5

Each data set is labelled as the service would; at some numbers of labels the estimate
is compared with the accuracy on tasks that were kept back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click
import numpy as np

from model.accuracy import Accuracy
from tests.benchmarks.active_learning import material
from tests.benchmarks.courses import Course
from tests.benchmarks.data_sets import SOURCES

SHARES = (0.4, 0.7, 1.0)
"""Of the budget: where it is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One estimate, and the truth."""

    name: str
    labels: int
    found: Accuracy
    truth: float

    @property
    def covers(self) -> bool:
        """Return whether the truth lies in the interval."""
        return self.found.low <= self.truth <= self.found.high


def checks(name: str, seeds: int) -> Iterator[Check]:
    """Label a data set with each seed; yield what was estimated."""
    made = material(name)
    for seed in range(seeds):
        course = Course.of(made.labelled, seed, made.budget)
        for share in SHARES:
            moment = course.moment(int(share * made.budget))
            found = course.assessment(moment.labels).accuracy
            if found is not None:
                yield Check(
                    name=name,
                    labels=moment.labels,
                    found=found,
                    truth=moment.accuracy,
                )


def line(name: str, done: Sequence[Check]) -> str:
    """Return a row of the table."""
    errors = [100 * (one.found.estimate - one.truth) for one in done]
    widths = [100 * (one.found.high - one.found.low) for one in done]
    covered = 100 * np.mean([one.covers for one in done])
    sample = np.mean([one.found.n for one in done])
    return (
        f"{name:>14} {len(done):6} {sample:6.1f} {np.mean(errors):+6.1f}"
        f" {np.std(errors):6.1f} {covered:7.0f} {np.mean(widths):6.1f}"
    )


@click.command()
@click.option("--sets", default=",".join(SOURCES), help="Names, with commas between.")
@click.option("--seeds", default=5, show_default=True)
def main(sets: str, seeds: int) -> None:
    """Print bias, spread, coverage and width of the estimates, in points."""
    heads = ("data", "checks", "random", "bias", "spread", "covered", "width")
    click.echo("{:>14} {:>6} {:>6} {:>6} {:>6} {:>7} {:>6}".format(*heads))
    done: list[Check] = []
    for name in sets.split(","):
        of_set = list(checks(name, seeds))
        if of_set:
            click.echo(line(name, of_set))
        done += of_set
    click.echo(line("all", done))


if __name__ == "__main__":
    main()
