"""How well texts and sounds are marked after a few of them were, beside peers.

Run from the root of the repository:

    python -m tests.benchmarks.stretches_marked news --seeds 8

*dubito* asks as the service does, one answer behind, with audit tasks, but learns after
each five answers alone, to save time. *random* has the same learner and asks in random
order. So do the peers: a conditional random field on
words (CRF; needs the extra `benchmark`), and a random forest on units of sound.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import TypeAlias

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from dubito.backend.learning.round_input import query_config
from dubito.backend.project_settings import Preferences
from dubito.model.arrays import Certainty, Members, Positions
from dubito.model.learners.registry import learner
from dubito.model.simulated_stretches import SimulatedStretches, marked
from dubito.model.simulation import STRATEGIES
from dubito.model.stretches.evaluation import stretch_f1
from dubito.model.stretches.learner import fit_stretches
from dubito.model.stretches.runs import runs
from tests.benchmarks.marked_tasks import Examples, MarkedTasks, read
from tests.benchmarks.results import markdown, versions, with_interval
from tests.benchmarks.stretches_crf import crf_members
from tests.benchmarks.stretches_sounds import percussion
from tests.benchmarks.stretches_texts import messages, news

TREES = 100
AT_A_TIME = 5
"""Answers after which is learnt."""

DUBITO, RANDOM = "dubito", "random"

Measure: TypeAlias = Callable[[Members, Members, NDArray[np.intp]], float]
Learner: TypeAlias = Callable[[MarkedTasks, Positions, int], Members]


def by_dubito(tasks: MarkedTasks, rows: Positions, seed: int) -> Members:
    """Predict the tests with Dubito's learner."""
    lessons = marked(tasks.pool).of_tasks(rows)
    model = fit_stretches(lessons.units, lessons.members, seed)
    if model is None:
        return np.zeros_like(tasks.test.members)
    return model.predict(tasks.test.units).members


def by_crf(tasks: MarkedTasks, rows: Positions, seed: int) -> Members:  # noqa: ARG001
    """Predict the tests with a conditional random field."""
    texts = [tasks.pool_texts[row] for row in rows]
    members = marked(tasks.pool).of_tasks(rows).members
    return crf_members(texts, members, tasks.test_texts)


def by_forest(tasks: MarkedTasks, rows: Positions, seed: int) -> Members:
    """Predict each unit of the tests by itself."""
    lessons = marked(tasks.pool).of_tasks(rows)
    forest = RandomForestClassifier(TREES, random_state=seed)
    codes = lessons.members @ np.arange(1, lessons.members.shape[1] + 1)
    forest.fit(lessons.units.features, codes)
    predictions = forest.predict(tasks.test.units.features)
    width = lessons.members.shape[1] + 1
    return np.asarray(np.eye(width, dtype=np.bool_)[predictions][:, 1:])


def span_f1(truth: Members, predicted: Members, ends: NDArray[np.intp]) -> float:
    """Return F1 of all stretches, which are right if both ends and the class are."""
    n_right = n_all = start = 0
    for end in ends.tolist():
        for real, guesses in zip(
            truth[start:end].T, predicted[start:end].T, strict=True
        ):
            stretches, guessed = {*runs(real)}, {*runs(guesses)}
            n_right += len(stretches & guessed)
            n_all += len(stretches) + len(guessed)
        start = end
    return 2 * n_right / n_all if n_all else 1.0


def half_overlap_f1(
    truth: Members, predicted: Members, ends: NDArray[np.intp]
) -> float:
    """Return the mean F1 of the classes, of stretches at half overlap."""
    return float(np.nanmean(stretch_f1(truth, predicted, ends)))


def share_right(
    truth: Members,
    predicted: Members,
    ends: NDArray[np.intp],  # noqa: ARG001
) -> float:
    """Return the share of the units that are right."""
    return float((truth == predicted).all(axis=1).mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Tasks to ask for, and how what was learnt is judged.

    Attributes
    ----------
    tag : that shows a task in Label Studio
    points : marked tasks after which the measures are taken
    peers : learners beside Dubito's
    """

    examples: Callable[[int], Examples]
    tag: str
    points: Sequence[int]
    measures: Mapping[str, Measure]
    peers: Mapping[str, Learner]


OF_TEXTS: Mapping[str, Measure] = MappingProxyType({"F1 of spans": span_f1})
CRF: Mapping[str, Learner] = MappingProxyType({"CRF": by_crf})
QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        "news": Question(
            examples=news,
            tag="Text",
            points=(20, 50, 100),
            measures=OF_TEXTS,
            peers=CRF,
        ),
        "messages": Question(
            examples=messages,
            tag="Text",
            points=(20, 50, 100),
            measures=OF_TEXTS,
            peers=CRF,
        ),
        "percussion": Question(
            examples=percussion,
            tag="Audio",
            points=(8, 15, 30),
            measures=MappingProxyType(
                {
                    "share of time right": share_right,
                    "F1 of stretches at half overlap": half_overlap_f1,
                }
            ),
            peers=MappingProxyType({"RF": by_forest}),
        ),
    }
)

Scores: TypeAlias = dict[str, list[NDArray[np.float64]]]
"""Of each contestant (n_measures, n_points) for each seed, in percent."""


@dataclass(kw_only=True)
class InFives(SimulatedStretches):
    """A pool of which is learnt after each five answers."""

    _last: tuple[int, Certainty | None] = (-1, None)

    def certainty(self, count: int) -> Certainty | None:
        """Return how certain all tasks are after the last whole five."""
        whole = count - count % AT_A_TIME
        if self._last[0] != whole:
            self._last = whole, super().certainty(whole)
        return self._last[1]


def order_of(tasks: MarkedTasks, strategy: str, seed: int, budget: int) -> list[int]:
    """Return the tasks that are asked for."""
    manner = query_config(Preferences(seed=seed), tasks.pool.n_classes)
    lesson = InFives(pool=tasks.pool, learner=learner("auto", seed), seed=seed)
    for position in islice(STRATEGIES[strategy](lesson, manner), budget):
        lesson.order.append(position)
    return lesson.order


def add_seed(question: Question, seed: int, scores: Scores) -> None:
    """Test all contestants on the tasks of one seed."""
    tasks = read(question.examples(seed), question.tag)
    orders = {
        name: order_of(tasks, name, seed, question.points[-1])
        for name in (DUBITO, RANDOM)
    }
    contestants: dict[str, tuple[str, Learner]] = {
        DUBITO: (DUBITO, by_dubito),
        RANDOM: (RANDOM, by_dubito),
        **{name: (RANDOM, peer) for name, peer in question.peers.items()},
    }
    for name, (order, learn) in contestants.items():
        guesses = [
            learn(tasks, np.sort(np.array(orders[order][:point])), seed)
            for point in question.points
        ]
        truth, ends = tasks.test.members, tasks.test.units.ends
        table = [
            [100 * measure(truth, one, ends) for one in guesses]
            for measure in question.measures.values()
        ]
        scores.setdefault(name, []).append(np.array(table))
        heights = " ".join(f"{height:.1f}" for height in table[0])
        click.echo(f"{seed} {name}: {heights}", err=True)


def rows_of(scores: Scores, measure: int) -> Iterator[list[str]]:
    """Yield a row for each contestant: means, and how far Dubito is ahead."""
    first = np.array(scores[DUBITO])[:, measure]
    for name, each in scores.items():
        values = np.array(each)[:, measure]
        means = [f"{mean:.1f}" for mean in values.mean(axis=0)]
        leads = (first - values).T
        against = [with_interval(lead) if name != DUBITO else "" for lead in leads]
        yield [name, *means, *against]


@click.command()
@click.argument("name", type=click.Choice([*QUESTIONS]))
@click.option("--seeds", default=8, show_default=True)
@click.option("--first", default=0, show_default=True, help="The first seed.")
def main(name: str, seeds: int, first: int) -> None:
    """Print tables of how well tasks are marked."""
    question, scores = QUESTIONS[name], Scores()
    for seed in range(first, first + seeds):
        add_seed(question, seed, scores)
    heads = [f"after {point}" for point in question.points]
    heads += [f"dubito's lead {head}" for head in heads]
    click.echo(f"{name}, {seeds} seeds. {versions()}")
    for number, measure in enumerate(question.measures):
        table = markdown([measure, *heads], rows_of(scores, number))
        click.echo(f"\n{table}")


if __name__ == "__main__":
    main()
