"""Whatever the tasks and labels: what a round finds, and which tasks come next."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from redis import Redis

from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.learning.labels import Labels, derive_labels
from dubito.backend.learning.round import RoundResult
from dubito.backend.records import Task
from dubito.backend.state.annotations import AnnotationStore
from dubito.backend.state.pool import TaskInput
from dubito.backend.state.tasks import TaskStore
from dubito.model.arrays import Features
from tests.builders import annotation, project
from tests.examples import examples
from tests.few_trees import grow_few
from tests.questions import CLASSES, SCHEMA, ask, blobs, items, labels, truth, window
from tests.store import store_client


@pytest.fixture(scope="module", autouse=True)
def _few_trees() -> Iterator[None]:
    """Grow few: they take most of the time, and each example fits some."""
    with pytest.MonkeyPatch.context() as patch:
        grow_few(patch)
        yield


# Few distinct values: copies are what goes wrong.
tables = arrays(
    np.float32,
    st.tuples(st.integers(1, 30), st.just(2)),
    elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0, float("nan")]),
)


choices = st.lists(st.sampled_from([*CLASSES, None]), max_size=30)


@examples(15)
@given(rows=tables, answers=choices, audit=st.sampled_from([0, 0.2, 1]))
def test_the_window_holds_each_open_task_at_most_once_and_no_other(
    rows: Features, answers: list[str | None], audit: float
) -> None:
    table = items(rows)
    known = labels(table, answers)

    order = window(ask(table, known, audit=audit))

    open_tasks = set(table.task_ids.tolist()) - known.touched
    assert set(order) <= open_tasks
    assert len(set(order)) == len(order) == min(8, len(open_tasks))


@pytest.mark.slow
@examples(8)
@given(rows=tables, answers=choices, seed=st.integers(0, 3))
def test_equal_questions_have_equal_answers(
    rows: Features, answers: list[str | None], seed: int
) -> None:
    """Law 5; the second worker has never seen the project."""
    first, second = items(rows.copy(), seed), items(rows.copy(), seed)
    known = labels(first, answers)
    turned = dict(reversed(list(known.chosen.items())))
    shuffled = Labels(chosen=turned, closed=known.closed, skipped=known.skipped)

    one, other = ask(first, known, seed=seed), ask(second, shuffled, seed=seed)

    assert one.window == other.window
    assert np.array_equal(one.ranking.certainty, other.ranking.certainty)
    assert np.array_equal(one.ranking.probabilities, other.ranking.probabilities)


@pytest.mark.slow
@examples(8)
@given(rows=tables, answers=choices)
def test_certainty_has_one_scale_and_few_digits(
    rows: Features, answers: list[str | None]
) -> None:
    table = items(rows)

    ranking = ask(table, labels(table, answers)).ranking

    assert ranking.certainty.shape == ranking.task_ids.shape
    assert ranking.certainty.min() >= 0
    assert ranking.certainty.max() <= 1
    assert np.array_equal(ranking.certainty, np.round(ranking.certainty, 6))


@pytest.mark.slow
@examples(10)
@given(copies=st.integers(2, 6), kinds=st.integers(4, 8), seed=st.integers(0, 20))
def test_copies_are_not_asked_side_by_side(copies: int, kinds: int, seed: int) -> None:
    """The next task is fetched before the label of the last one was learnt."""
    rng = np.random.default_rng(seed)
    once = rng.normal(size=(kinds, 3)).astype(np.float32)
    table = items(np.repeat(once, copies, axis=0)[rng.permutation(kinds * copies)])
    known = labels(table, ["a", "b"])

    result = ask(table, known, audit=0, initial={"random": 0, "centres": 0})

    shown = table.features[[table.positions[task] for task in window(result)]]
    alike = (shown[1:] == shown[:-1]).all(axis=1)
    assert not alike.any()


@examples(6)
@given(order=st.permutations(range(14)), turned=st.booleans())
def test_the_order_of_arrival_does_not_matter(
    order: list[int], store_url: str, *, turned: bool
) -> None:
    """Law 5, from the store on: another worker may have met all in another order."""
    with store_client(store_url) as redis:
        redis.flushall()
        straight = arrived(redis, "1.1", list(range(14)), turned=False)
        places = arrived(redis, "1.2", order, turned=turned)

    assert places.window == straight.window
    assert np.array_equal(places.ranking.certainty, straight.ranking.certainty)
    assert np.array_equal(places.ranking.probabilities, straight.ranking.probabilities)


def arrived(redis: Redis, key: str, numbers: list[int], *, turned: bool) -> RoundResult:
    """Let tasks and annotations arrive one by one; return the round's answer."""
    tasks, store, rows = TaskStore(redis, key), AnnotationStore(redis, key), blobs(14)
    for number in numbers:
        task, values = 10 + number, rows[number].tolist()
        tasks.receive([Task(id=task, data={"number": number})])
        columns = list(enumerate(values))[:: -1 if turned else 1]
        reading = TaskInput(numbers={f"f{column}": value for column, value in columns})
        tasks.save({task: reading}, tasks.digests([task]))
        if number < 8:
            store.save([annotation(number, truth(task), task=task)])
    known = derive_labels(store.all(), SCHEMA, project())
    return ask(FeatureTable.of(tasks.pool(), 0), known)
