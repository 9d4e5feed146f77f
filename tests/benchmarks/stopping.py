"""What it costs to stop when Dubito says so, and how many labels it saves.

Run from the root of the repository:

    python -m tests.benchmarks.stopping --seeds 5
"""

from collections.abc import Sequence
from dataclasses import dataclass

import click
import numpy as np

from tests.benchmarks.active_learning import material
from tests.benchmarks.courses import Course
from tests.benchmarks.data_sets import SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """When one run was advised to stop.

    Attributes
    ----------
    share : of the budget that was used; 1 if never
    loss : points of accuracy that the rest of the budget would have gained
    """

    share: float
    loss: float


def stop(course: Course) -> Stop:
    """Follow the advice of one run."""
    last = len(course.moments) - 1
    at = next((now for now in range(last) if course.advice(now).advised), last)
    moment, end = course.moments[at], course.moments[last]
    return Stop(
        share=moment.labels / course.budget,
        loss=100 * (end.accuracy - moment.accuracy),
    )


def line(name: str, done: Sequence[Stop]) -> str:
    """Return a row of the table."""
    losses = [one.loss for one in done]
    shares = [one.share for one in done]
    return (
        f"{name:>14} {len(done):5} {np.mean(losses):+6.2f} {max(losses):+6.2f}"
        f" {100 * np.mean(shares):6.0f}"
    )


@click.command()
@click.option("--sets", default=",".join(SOURCES), help="Names, with commas between.")
@click.option("--seeds", default=5, show_default=True)
def main(sets: str, seeds: int) -> None:
    """Print the loss in points, mean and worst, and the share of the budget used."""
    heads = ("data", "runs", "loss", "worst", "used %")
    click.echo("{:>14} {:>5} {:>6} {:>6} {:>6}".format(*heads))
    done: list[Stop] = []
    for name in sets.split(","):
        made = material(name)
        runs = (Course.of(made.labelled, seed, made.budget) for seed in range(seeds))
        of_set = [stop(course) for course in runs]
        click.echo(line(name, of_set))
        done += of_set
    click.echo(line("all", done))


if __name__ == "__main__":
    main()
