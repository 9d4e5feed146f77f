"""Whether the accuracy's interval holds, and what it costs to stop when advised to.

Run from the root of the repository:

    python -m tests.benchmarks.assessments --seeds 10 --write

Each data set is labelled as the service would. At some numbers of labels the estimate
is compared with the accuracy on tasks that were kept back; and the accuracy when Dubito
advises to stop with that at the end of the budget.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import click
import numpy as np

from dubito.backend.simulate.runs import Experiment
from dubito.model.evaluation.accuracy import Accuracy
from tests.benchmarks.active_learning import RESULTS, material
from tests.benchmarks.courses import Course
from tests.benchmarks.data_sets import SOURCES
from tests.benchmarks.results import markdown, versions, write_part

SHARES = (0.5, 1.0)
"""Of the budget: where the accuracy is estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One estimate, and the truth."""

    accuracy: Accuracy
    truth: float

    @property
    def covers(self) -> bool:
        """Return whether the truth lies in the interval."""
        return self.accuracy.low <= self.truth <= self.accuracy.high


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of some data sets."""

    name: str
    checks: Sequence[Check]
    stops: Sequence[Stop]

    @classmethod
    def of(cls, name: str, seeds: int) -> "Found":
        """Label a data set with each seed, on all cores."""
        with ProcessPoolExecutor() as cores:
            runs = cores.map(partial(cls.once, name, material(name)), range(seeds))
            return cls.put_together(name, list(runs))

    @classmethod
    def once(cls, name: str, made: Experiment, seed: int) -> "Found":
        """Label a data set with one seed."""
        course = Course.of(made.labelled, seed, made.budget)
        return cls(name=name, checks=[*checks(course)], stops=[stop(course)])

    @classmethod
    def put_together(cls, name: str, runs: Sequence["Found"]) -> "Found":
        """Put seeds or data sets together."""
        return cls(
            name=name,
            checks=[check for one in runs for check in one.checks],
            stops=[stopped for one in runs for stopped in one.stops],
        )

    @property
    def estimates(self) -> list[str]:
        """Return a row of the table of estimates."""
        errors = [100 * (one.accuracy.estimate - one.truth) for one in self.checks]
        widths = [100 * (one.accuracy.high - one.accuracy.low) for one in self.checks]
        covered = 100 * np.mean([one.covers for one in self.checks])
        return [
            self.name,
            f"{len(self.checks)}",
            f"{np.mean([one.accuracy.n for one in self.checks]):.0f}",
            f"{np.mean(errors):+.1f}",
            f"{np.std(errors):.1f}",
            f"{covered:.0f} %",
            f"{np.mean(widths):.1f}",
        ]

    @property
    def advice(self) -> list[str]:
        """Return a row of the table of advice."""
        losses = [one.loss for one in self.stops]
        shares = np.array([one.share for one in self.stops])
        return [
            self.name,
            f"{len(self.stops)}",
            f"{int((shares < 1).sum())}",
            f"{np.mean(losses):+.2f}",
            f"{max(losses):+.1f}",
            f"{100 * shares.mean():.0f} %",
        ]


def checks(course: Course) -> Iterator[Check]:
    """Yield what was estimated on the way."""
    for share in SHARES:
        moment = course.moment(int(share * course.budget))
        estimate = course.assessment(moment.labels).accuracy
        if estimate is not None:
            yield Check(accuracy=estimate, truth=moment.accuracy)


def stop(course: Course) -> Stop:
    """Follow the advice of one run."""
    last = len(course.moments) - 1
    at = next((now for now in range(last) if course.advice(now).advised), last)
    moment, end = course.moments[at], course.moments[last]
    return Stop(
        share=moment.labels / course.budget,
        loss=100 * (end.accuracy - moment.accuracy),
    )


ESTIMATES = ("data", "estimates", "random labels", "bias", "spread", "covered", "width")
ESTIMATES_NOTES = """\
At half of the budget and at its end; bias, spread and width of the 95 % interval in
points, against the accuracy on the 30 % kept back. That is a sample itself, so a
perfect interval would be counted as missing it now and then."""

ADVICE = ("data", "runs", "advised", "mean loss", "worst", "budget used")
ADVICE_NOTES = """\
*Loss*: points of accuracy that the rest of the budget would have gained; below 0 the
model was better when advised to stop. Who is never advised uses the whole budget."""


def page(done: Sequence[Found], seeds: int) -> str:
    """Return the part of the page of results."""
    every = [*done, Found.put_together("**all**", done)]
    command = "python -m tests.benchmarks.assessments"
    return "\n\n".join(
        (
            "## Accuracy and advice",
            f"Written by `{command}`: {len(done)} data sets, {seeds} seeds.",
            versions(),
            "### The estimate of accuracy",
            markdown(ESTIMATES, (one.estimates for one in every)),
            ESTIMATES_NOTES,
            "### The advice to stop",
            markdown(ADVICE, (one.advice for one in every)),
            ADVICE_NOTES,
        )
    )


@click.command()
@click.option("--sets", default=",".join(SOURCES), help="Names, with commas between.")
@click.option("--seeds", default=10, show_default=True)
@click.option("--write", is_flag=True, help="Put the tables into RESULTS.md.")
def main(sets: str, seeds: int, write: bool) -> None:  # noqa: FBT001  # click's way
    """Label the data sets, print the tables, and write them down."""
    done: list[Found] = []
    for name in sets.split(","):
        done.append(Found.of(name, seeds))
        click.echo(f"{' '.join(done[-1].estimates)} | {' '.join(done[-1].advice)}")
        if write:
            write_part(RESULTS, page(done, seeds))
    click.echo(page(done, seeds))


if __name__ == "__main__":
    main()
