"""The benchmark of active learning is fair, and opens no door."""

import io
import os
import pickle
from collections import Counter
from itertools import islice

import numpy as np
import pytest

from dubito.backend.learning.round_input import query_config
from dubito.backend.simulate.runs import Experiment, carry_out
from dubito.model.learners.registry import LearnerFactory
from dubito.model.query.seed_set import permutation
from dubito.model.simulation import (
    Labelled,
    SimulatedPool,
    Step,
    Strategy,
    by_chance,
    replay,
)
from tests.benchmarks import numbers
from tests.benchmarks.active_learning import MOST_OF_OTHERS, jobs_of
from tests.benchmarks.assessments import ADVICE, ESTIMATES, Found, checks, stop
from tests.benchmarks.courses import Course
from tests.benchmarks.data_set_result import Result, up_to
from tests.benchmarks.data_sets import DataSet
from tests.benchmarks.grades import DUBITO, Contestant, graded, heights, rows
from tests.benchmarks.peers import (
    EXTRA_TREES,
    RANDOM_FOREST,
    Regression,
    by_reference,
    contestants,
)
from tests.benchmarks.sources import Arrays
from tests.questions import blobs, items, preferences

pytestmark = pytest.mark.real_learner


def labelled(count: int, seed: int = 0) -> Labelled:
    made = items(blobs(count, seed))
    return Labelled(
        task_ids=made.task_ids,
        features=made.features,
        codes=(made.task_ids - 10) % 3,
        n_classes=3,
    )


def asked(strategy: Strategy, count: int) -> list[Step]:
    lesson = SimulatedPool(pool=labelled(40), learner=Regression(seed=0))
    manner = query_config(preferences(), 3)
    test = labelled(30, seed=9)
    return list(islice(replay(lesson, strategy(lesson, manner), test), count))


def test_arrays_are_read_from_a_pickle_and_code_is_not() -> None:
    def packed(value: object) -> bytes:
        stream = io.BytesIO()
        np.save(stream, np.array(value, dtype=object), allow_pickle=True)
        return stream.getvalue()

    data = Arrays.load_npy(packed({"x": np.arange(3.0), "names": ["a"]}))

    assert data["x"].tolist() == [0, 1, 2]
    with pytest.raises(pickle.UnpicklingError, match="not arrays alone"):
        Arrays.load_npy(packed({"x": os.getcwd}))


def test_the_reference_begins_at_random_and_goes_on_with_clusters() -> None:
    positions = [step.position for step in asked(by_reference, 40)]

    chance = permutation(labelled(40).task_ids, 0).tolist()
    assert positions[:12] == chance[:12]
    assert positions[12:17] != chance[12:17]
    assert sorted(positions) == list(range(40))


@pytest.mark.parametrize("learner", [Regression, RANDOM_FOREST, EXTRA_TREES])
def test_peers_learn(learner: LearnerFactory) -> None:
    pool, test = labelled(60), labelled(60, seed=9)
    lesson = SimulatedPool(pool=pool, learner=learner(seed=0))
    chance = by_chance(lesson, query_config(preferences(), 3))

    *_, last = islice(replay(lesson, chance, test, 60), 60)

    assert last.score is not None
    assert last.score.accuracy > 0.9


def test_no_two_contestants_share_their_kept_runs() -> None:
    names = [one.name for one in contestants(with_library=False)]

    assert len(set(names)) == len(names)


def test_a_data_set_is_exported_as_label_studio_would() -> None:
    tasks: list[dict[str, object]] = [{"text": "the a"}, {"text": "the b"}]

    made = DataSet(name="two", kind="text", tasks=tasks, labels=["x", "y"])

    assert [row["data"] for row in made.export()] == tasks
    assert made.classes == ("x", "y")
    assert '<Text name="item" value="$text"/>' in made.label_config


def test_arriving_means_staying_at_the_level() -> None:
    curve = np.array([0.5, 0.96, 0.92, 0.96])
    lucky = np.array([0.5, 1.0, 1.0, 1.0])

    result = Result(
        name="n",
        kind="k",
        n_classes=2,
        budget=4,
        full=np.array([[1.0, 1.0], [0.9, 0.9]]),
        heights={},
        f1={},
        met={},
        curves={"ours": np.array([curve, lucky])},
    )

    assert result.arrival("ours", seeds=1) == 4
    assert result.arrival("ours") == 2


def test_random_labels_go_on_beyond_the_budget_and_count_only_for_arriving() -> None:
    made = Experiment(
        labelled=labelled(60), groups=None, preferences=preferences(), budget=20
    )
    chosen = [
        one
        for one in contestants(with_library=False)
        if one.name in {"LR random", "LR margin", "LR everything"}
    ]

    runs = {job: carry_out(made, job, lambda: None) for job in jobs_of(chosen, 2)}
    result = Result.of("n", "k", made, runs)

    assert result.curves["LR margin"].shape == (2, 20)
    assert result.curves["LR random"].shape == (2, 42)
    assert result.curves["LR random"][:, 39] == pytest.approx(result.full[0], abs=0.05)
    begun = {job: up_to(run, 20) for job, run in runs.items()}
    within = Result.of("n", "k", made, begun)
    assert within.heights["LR random"] == pytest.approx(
        result.heights["LR random"], 0.1
    )


def test_contestants_that_are_not_judged_have_fewer_seeds() -> None:
    chosen = contestants(with_library=False)

    jobs = jobs_of(chosen, MOST_OF_OTHERS + 2)

    seeds = Counter(job.contestant.name for job in jobs)
    assert seeds["reference"] == MOST_OF_OTHERS
    assert seeds["LR random"] == MOST_OF_OTHERS + 2


def test_advice_that_never_comes_uses_the_whole_budget() -> None:
    course = Course.of(labelled(60), seed=0, budget=15)

    label_count = stop(course)

    assert label_count.share == 1
    assert label_count.loss == 0


def test_the_tables_of_assessments_have_a_cell_for_each_column() -> None:
    course = Course.of(labelled(90), seed=0, budget=30)
    one = Found(name="n", checks=list(checks(course)), stops=[stop(course)])

    assert one.checks
    assert len(one.estimates) == len(ESTIMATES)
    assert len(one.advice) == len(ADVICE)
    assert Found.put_together("all", [one, one]).advice[:2] == ["all", "2"]


def test_the_table_of_grades_has_paired_gaps() -> None:
    numbers = np.random.default_rng(0).normal(size=(150, 3))
    made, peer = graded(numbers, numbers[:, 0]), Contestant(by_chance, Regression)

    heights_of_seeds = [heights(made, peer, seed) for seed in range(2)]
    table = rows(
        {DUBITO: {"a": heights_of_seeds}, "other": {"a": heights_of_seeds[::-1]}}
    )

    assert np.bincount(made.codes).tolist() == [30] * 5
    assert made.is_ordered
    assert all(0 < one.error < 1 for one in heights_of_seeds)
    assert [row[-2].partition(" ")[0] for row in table] == ["+0.000", "+0.000"]
    assert (
        table[0][1]
        == table[1][1]
        == f"{np.mean([h.error for h in heights_of_seeds]):.2f}"
    )


def test_contestants_of_numbers_are_judged_by_the_same_tasks() -> None:
    features = np.random.default_rng(0).normal(size=(150, 3))
    trial = numbers.trial_of(features, 10 * features[:, 0], seed=0)

    errors = {
        name: np.array([[*contestant(trial)]])
        for name, contestant in numbers.CONTESTANTS.items()
    }

    assert {each.shape for each in errors.values()} == {(1, len(numbers.COUNTS))}
    assert all((each < 8).all() for each in errors.values())
    both = np.vstack([errors[numbers.DUBITO]] * 2)
    table = numbers.row("twice", 2 * both, both)
    assert table[-1] == "+100.0 ± 0.0"
