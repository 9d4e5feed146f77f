"""The benchmark of queries changes what it says it changes, and nothing else."""

from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from dubito.backend.simulate.runs import Experiment, Run
from dubito.model.simulation import Labelled, SimulatedPool, Strategy, by_dubito, replay
from tests.benchmarks.peers import Regression
from tests.benchmarks.queries import WAYS, long_tail
from tests.benchmarks.results import write_part
from tests.benchmarks.trials import Trial
from tests.benchmarks.ways import LateClass, Way
from tests.questions import blobs, items, preferences

pytestmark = pytest.mark.usefixtures("few_trees")

N_CLASSES = 3
BUDGET = 26
LATE, AFTER = 1, 12
"""The class that comes late with this seed, and the labels that are given then."""


def material(count: int = 60) -> Experiment:
    made = items(np.round(blobs(count)))  # rounded: some are copies of others
    labelled = Labelled(
        task_ids=made.task_ids,
        features=made.features,
        codes=(made.task_ids - 10) % N_CLASSES,
        n_classes=N_CLASSES,
    )
    return Experiment(
        labelled=labelled,
        groups=None,
        preferences=preferences(window=20),
        budget=BUDGET,
    )


@cache
def asked(strategy: Strategy) -> list[int]:
    made = material()
    lesson = SimulatedPool(pool=made.labelled, learner=Regression(seed=LATE))
    steps = replay(lesson, strategy(lesson, made.manner(LATE)), made.labelled, BUDGET)
    return [step.position for step in islice(steps, BUDGET)]


def test_a_way_that_is_left_as_it_is_asks_as_dubito_does() -> None:
    assert asked(Way()) == asked(by_dubito)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_each_way_differs_and_asks_for_nothing_twice(way: Way) -> None:
    positions = asked(way)

    assert positions != asked(by_dubito)
    assert len(set(positions)) == BUDGET


def test_ten_from_one_window_know_no_label_of_each_other() -> None:
    way, made = Way(behind=0, served=10), material()
    lesson = SimulatedPool(pool=made.labelled, learner=Regression(seed=LATE))
    lesson.order[:] = asked(way)[:10]

    untold = list(islice(way(lesson, made.manner(LATE)), 10))

    assert untold == asked(way)[10:20]
    assert untold != asked(Way(behind=0))[10:20]


def test_a_late_class_is_not_asked_for_before_it_comes() -> None:
    codes = [int(material().labelled.codes[one]) for one in asked(LateClass(AFTER))]

    assert LATE not in codes[:AFTER]
    assert LATE in codes[AFTER:]


def test_in_a_long_tail_each_class_is_smaller_than_the_one_before() -> None:
    made = long_tail(material(600))

    assert np.bincount(made.labelled.codes).tolist() == [200, 44, 10]
    assert made.budget == min(150, int(0.6 * 177), 80 + 8 * N_CLASSES)


def trial(tasks: list[int], codes: list[int]) -> Trial:
    nothing: list[float | None] = [0.0 for _ in tasks]
    run = Run(tasks=tasks, codes=codes, accuracy=nothing, macro_f1=nothing)
    return Trial(name="n", made=material(), runs={"ours": [run, run]})


def test_a_class_is_met_with_its_first_label() -> None:
    met = trial([10, 13, 11, 14], [0, 0, 1, 1]).until_met("ours")

    assert met.tolist() == [[1, 3, 5]] * 2


def test_near_copies_are_counted_in_each_ten_after_the_start() -> None:
    start, ten, too_few = [10] * 6, [10, 11] * 5, [10] * 9

    copies = trial([*start, *ten, *too_few], [0] * 25).near_copies("ours")

    assert copies == 8


def test_parts_of_the_page_survive_each_other(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    for part in (
        "## Queries\n\nold",
        "# Title\n\nfirst\n\n### more",
        "## Queries\n\na",
    ):
        write_part(page, part)
    once = page.read_text()

    write_part(page, "# Title\n\nfirst\n\n### more")

    assert once == "# Title\n\nfirst\n\n### more\n\n## Queries\n\na\n"
    assert page.read_text() == once
