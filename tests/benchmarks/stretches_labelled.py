"""How much is wrong of the recordings that Dubito labels, and how much it promised.

Run from the root of the repository:

    python -m tests.benchmarks.stretches_labelled --seeds 6

Recordings are marked in the order in which Dubito asks for them. After some of them,
the others are labelled from the certainty on that Dubito advises for a limit: the upper
end of the 95 % interval of the expected share of wrong time is below it.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from dubito.model.evaluation.accuracy import random_prefix
from dubito.model.evaluation.autolabel_thresholds import farthest, thresholds
from dubito.model.evaluation.relation import Evidence, Relation, relation_in
from dubito.model.learners.registry import learner
from dubito.model.query.seed_set import permutation
from dubito.model.query.selection import QueryConfig
from dubito.model.simulated_stretches import SimulatedStretches
from dubito.model.simulation import Labelled, by_dubito
from dubito.model.stretches.certainty import mean_of_units, task_certainty
from dubito.model.stretches.evaluation import FOLDS, held_out, share_right
from dubito.model.stretches.learner import fit_stretches
from dubito.model.stretches.units import MarkedUnits
from tests.benchmarks.results import markdown, versions, write_part
from tests.benchmarks.stretches_recordings import composed

RECORDINGS = 200
POINTS = (30, 45, 60, 80)
LIMITS = (0.03, 0.05, 0.1)
PAGE = Path(__file__).parent / "RESULTS.md"
HEADING = "## Stretches labelled by Dubito"
LARGEST = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of labelling the others after some recordings were marked.

    Attributes
    ----------
    share : of the other tasks that are labelled
    wrong : share of them that is wrong, of recordings of their time; NaN where none is
        labelled
    """

    labels: int
    limit: float
    share: float
    wrong: float


def pool_of(seed: int) -> Labelled:
    """Return recordings as a pool: each is described by the mean of its units."""
    recordings, _ = composed(seed, RECORDINGS)
    units = recordings.units
    slices = [units.slice_of(task) for task in range(units.n_tasks)]
    means = np.array([units.features[one].mean(axis=0) for one in slices])
    spread = means.std(axis=0)
    rows = (means - means.mean(axis=0)) / np.where(spread > 0, spread, 1)
    occurs = np.array([recordings.members[one].any(axis=0) for one in slices])
    return Labelled(
        task_ids=np.arange(1, units.n_tasks + 1),
        features=np.clip(rows, -LARGEST, LARGEST).astype(np.float32),
        codes=occurs.astype(np.intp),
        n_classes=occurs.shape[1],
        marked=MarkedUnits(units=units, members=recordings.members),
    )


def relation_of(lessons: MarkedUnits, is_random: NDArray[np.bool_]) -> Relation | None:
    """Return what models say of labelled recordings that they have not seen."""
    predicted, sure = np.zeros_like(lessons.members), np.zeros(len(lessons.members))
    for fold in range(FOLDS):
        one = held_out(lessons.units, lessons.members, None, 0, fold)
        predicted[one.rows], sure[one.rows] = one.members, one.sure
    ends = lessons.units.ends
    share = share_right(lessons.members, predicted, ends)
    if share is None:
        return None
    return relation_in(
        Evidence(
            right=share.by_task,
            sure=mean_of_units(sure, ends),
            random=is_random,
            systematic=0.0,
        )
    )


def outcomes(pool: Labelled, order: Sequence[int], seed: int) -> Iterator[Outcome]:
    """Label what is left of a pool after some of it was marked, for each limit."""
    if pool.marked is None:
        return
    labelled = np.sort(order)
    rest = np.setdiff1d(np.arange(len(pool.task_ids)), labelled)
    prefix = random_prefix(permutation(pool.task_ids, seed), {*order}, ())
    lessons, others = pool.marked.of_tasks(labelled), pool.marked.of_tasks(rest)
    relation = relation_of(lessons, np.isin(labelled, prefix))
    model = fit_stretches(lessons.units, lessons.members, 0)
    if relation is None or model is None:
        return
    predictions, ends = model.predict(others.units), others.units.ends
    truth = share_right(others.members, predictions.members, ends)
    if truth is None:
        return
    certainty = task_certainty(predictions.doubt, others.units)
    levels = thresholds(certainty, mean_of_units(predictions.sure, ends), relation)
    for limit in LIMITS:
        best = farthest(levels, limit)
        is_chosen = certainty >= (np.inf if best is None else best.certainty)
        wrong = 1 - truth.by_task[is_chosen]
        yield Outcome(
            labels=len(order),
            limit=limit,
            share=float(is_chosen.mean()),
            wrong=float(wrong.mean()) if is_chosen.any() else np.nan,
        )


def replay(seed: int) -> list[Outcome]:
    """Mark recordings one by one, as Dubito asks for them."""
    results: list[Outcome] = []
    pool = pool_of(seed)
    manner = QueryConfig(
        centres=pool.n_classes,
        random=pool.n_classes,
        audit_every=10,
        window=20,
        seed=seed,
    )
    lesson = SimulatedStretches(pool=pool, learner=learner("auto", 0))
    for position in by_dubito(lesson, manner):
        lesson.order.append(position)
        if len(lesson.order) in POINTS:
            results += outcomes(pool, lesson.order, seed)
        if len(lesson.order) == POINTS[-1]:
            break
    return results


def rows_of(results: Sequence[Outcome]) -> Iterator[list[str]]:
    """Yield a row of the table for each limit and number of labels."""
    for limit in LIMITS:
        for labels in sorted({one.labels for one in results}):
            some = [r for r in results if (r.limit, r.labels) == (limit, labels)]
            wrong = [one.wrong for one in some if one.share]
            shown = (np.mean(wrong), max(wrong)) if wrong else ()
            shares = [f"{100 * share:.1f}" for share in shown] or ["-", "-"]
            yield [
                f"{100 * limit:.0f} %",
                f"{labels}",
                f"{len(wrong)} of {len(some)}",
                f"{100 * np.mean([one.share for one in some]):.0f} %",
                *shares,
                f"{sum(one > limit for one in wrong)}",
            ]


NOTES = """\
*Offered*: with so many seeds a certainty keeps the upper end of the 95 % interval below
the limit. *Labelled*: of the other recordings, the mean of all seeds, 0 where nothing
is offered. *Wrong*: percent of the time of what is labelled, the mean of recordings;
*worst* of all seeds. *Broken*: seeds with which more is wrong than the limit."""


@click.command()
@click.option("--seeds", default=6, show_default=True)
@click.option("--processes", default=1, show_default=True)
def main(seeds: int, processes: int) -> None:
    """Write a table of promised and true shares of wrong time."""
    results: list[Outcome] = []
    with ProcessPoolExecutor(processes) as executor:
        for seed, some in enumerate(executor.map(replay, range(seeds))):
            results += some
            click.echo(f"{seed}: {some}", err=True)
    heads = ("limit", "marked", "offered", "labelled", "wrong", "worst", "broken")
    command = "python -m tests.benchmarks.stretches_labelled"
    parts = (
        HEADING,
        f"Written by `{command}`: {RECORDINGS} recordings, {seeds} seeds.",
        versions(),
        markdown(heads, rows_of(results)),
        NOTES,
    )
    write_part(PAGE, "\n\n".join(parts))


if __name__ == "__main__":
    main()
