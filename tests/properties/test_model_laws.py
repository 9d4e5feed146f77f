"""Laws of the arithmetic, whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from dubito.model.arrays import Features, Probabilities, TaskIds
from dubito.model.evaluation.agreement import Vote, combine
from dubito.model.features.tabular import standardise
from dubito.model.features.text import Embedding
from dubito.model.features.timeseries import describe
from dubito.model.query.diversity import spread
from dubito.model.query.ranking import WindowPlan, arrange, certainty_order
from dubito.model.query.seed_set import StartPlan, permutation, start_order, tie_breaker
from dubito.model.query.uncertainty import (
    GRADE_MEASURES,
    MEASURES,
    SET_MEASURES,
    Measure,
    doubt,
)
from tests.examples import examples

every_measure = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
every_measure_name = pytest.mark.parametrize("name", MEASURES)
every_set_measure = pytest.mark.parametrize(
    "measure", SET_MEASURES.values(), ids=SET_MEASURES
)
every_grade_measure = pytest.mark.parametrize("name", GRADE_MEASURES)

seeds = st.integers(-(2**70), 2**70)


@st.composite
def probability_rows(draw: st.DrawFn) -> Probabilities:
    shape = draw(array_shapes(min_dims=2, max_dims=2, max_side=8))
    weights = draw(arrays(np.float64, shape, elements=st.floats(0, 1)))
    weights[weights.sum(axis=1) == 0] = 1.0
    total: Probabilities = weights.sum(axis=1, keepdims=True)
    return weights / total


def feature_rows(min_rows: int = 0, max_rows: int = 40) -> st.SearchStrategy[Features]:
    """Draw few distinct values: copies and constant columns are what goes wrong."""
    shapes = st.tuples(st.integers(min_rows, max_rows), st.integers(0, 4))
    values = st.sampled_from([-1.0, 0.0, 0.5, 0.51, 3.0])
    return arrays(np.float32, shapes, elements=values)


task_ids = st.lists(st.integers(1, 2**40), unique=True, max_size=60).map(
    lambda ids: np.array(ids, dtype=np.int64)
)


@every_set_measure
@given(
    probabilities=arrays(
        np.float64, array_shapes(min_dims=2, max_dims=2), elements=st.floats(0, 1)
    )
)
def test_certainty_of_sets_has_the_same_scale(
    measure: Measure, probabilities: Probabilities
) -> None:
    """And a class is as certain to be absent as to be there."""
    certainty = measure(probabilities)

    assert certainty.shape == (len(probabilities),)
    assert certainty.min() >= 0.0
    assert certainty.max() <= 1.0
    assert measure(1 - probabilities) == pytest.approx(certainty, abs=1e-9)


@every_set_measure
def test_the_scale_of_sets_is_used_from_end_to_end(measure: Measure) -> None:
    assert measure(np.array([[0.5, 0.5], [0.0, 1.0]])).tolist() == [0.0, 1.0]
    assert measure(np.empty((2, 0))).tolist() == [1.0, 1.0]


def test_every_strategy_rates_questions_of_all_kinds() -> None:
    assert SET_MEASURES.keys() == GRADE_MEASURES.keys() == MEASURES.keys()


@every_grade_measure
@given(probabilities=probability_rows())
def test_certainty_of_grades_has_the_same_scale_from_either_end(
    name: str, probabilities: Probabilities
) -> None:
    certainty = doubt(name, probabilities, "ordered")

    assert certainty.shape == (len(probabilities),)
    assert certainty.min() >= 0.0
    assert certainty.max() <= 1.0
    turned = doubt(name, probabilities[:, ::-1], "ordered")
    assert turned == pytest.approx(certainty, abs=1.1e-6)


@every_grade_measure
def test_the_scale_of_grades_is_used_from_end_to_end(name: str) -> None:
    far, certain = np.array([[0.5, 0.0, 0.5]]), np.array([[0.0, 1.0, 0.0]])
    if name == "least_confidence":  # it does not know that they are far apart
        far = np.full((1, 4), 0.25)

    assert doubt(name, far, "ordered").tolist() == [0.0]
    assert doubt(name, certain, "ordered").tolist() == [1.0]
    assert doubt(name, np.ones((2, 1)), "ordered").tolist() == [1.0, 1.0]


@every_measure
@given(probabilities=probability_rows())
def test_certainty_has_one_scale(
    measure: Measure, probabilities: Probabilities
) -> None:
    """Any measure may replace any other: one certainty per task, in [0, 1]."""
    certainty = measure(probabilities)

    assert certainty.shape == (len(probabilities),)
    assert certainty.min() >= 0.0
    assert certainty.max() <= 1.0


@every_measure
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_the_scale_is_used_from_end_to_end(measure: Measure, n_classes: int) -> None:
    chance = np.full((1, n_classes), 1 / n_classes)
    sure = np.eye(1, n_classes)

    assert measure(chance) == pytest.approx([0.0], abs=1e-12)
    assert measure(sure) == pytest.approx([1.0])


@every_measure
def test_with_one_class_there_is_no_doubt(measure: Measure) -> None:
    assert measure(np.ones((2, 1))).tolist() == [1.0, 1.0]


@every_measure_name
@given(probabilities=probability_rows())
def test_a_rating_does_not_depend_on_the_neighbours(
    name: str, probabilities: Probabilities
) -> None:
    alone = [doubt(name, row[None, :])[0] for row in probabilities]

    assert doubt(name, probabilities).tolist() == alone


@every_measure_name
@given(probabilities=probability_rows())
def test_the_order_of_the_classes_does_not_matter(
    name: str, probabilities: Probabilities
) -> None:
    turned = doubt(name, probabilities[:, ::-1])

    assert doubt(name, probabilities) == pytest.approx(turned, abs=1.1e-6)


@given(probabilities=probability_rows(), seed=seeds, size=st.integers(0, 10))
def test_nothing_left_out_outranks_what_was_chosen(
    probabilities: Probabilities, seed: int, size: int
) -> None:
    certainty = doubt("margin", probabilities)
    ids = np.arange(len(certainty), dtype=np.int64)

    order = certainty_order(certainty, tie_breaker(ids, seed))

    chosen, left = certainty[order[:size]], certainty[order[size:]]
    assert chosen.max(initial=0.0) <= left.min(initial=1.0)


@given(ids=task_ids, seed=seeds, data=st.data())
def test_the_random_order_is_independent_of_other_tasks(
    ids: TaskIds, seed: int, data: st.DataObject
) -> None:
    keep = data.draw(arrays(np.bool_, len(ids)))

    everyone = ids[permutation(ids, seed)]
    remaining = ids[keep][permutation(ids[keep], seed)]

    assert [one for one in everyone if one in remaining] == remaining.tolist()


@given(ids=task_ids, seed=seeds)
def test_the_random_order_has_every_task_once(ids: TaskIds, seed: int) -> None:
    assert sorted(permutation(ids, seed).tolist()) == list(range(len(ids)))


@examples(20)
@given(
    features=feature_rows(),
    centres=st.integers(0, 5),
    random=st.integers(0, 5),
    length=st.integers(0, 50),
)
def test_a_start_is_as_long_as_planned_and_repeatable(
    features: Features, centres: int, random: int, length: int
) -> None:
    ids = np.arange(len(features), dtype=np.int64)
    plan = StartPlan(centres=centres, random=random, length=length)

    order = start_order(features, ids, plan, seed=1)

    assert len(set(order.tolist())) == len(order) == min(length, len(features))
    assert np.array_equal(order, start_order(features, ids, plan, seed=1))


@given(features=feature_rows(min_rows=1), size=st.integers(0, 50))
def test_spreading_takes_each_task_once_and_the_first_first(
    features: Features, size: int
) -> None:
    order = np.arange(len(features))[::-1]

    chosen = spread(order, features, size).tolist()

    assert len(set(chosen)) == len(chosen) == min(size, len(features))
    assert chosen[:1] == order[: min(size, 1)].tolist()


@given(kinds=st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_copies_are_never_side_by_side_if_that_can_be_avoided(
    kinds: list[int],
) -> None:
    features = np.array(kinds, dtype=np.float32)[:, None]

    chosen = features[spread(np.arange(len(kinds)), features, len(kinds)), 0]

    # After the first place, a kind fills at most every second of those left.
    _, count = np.unique(kinds[1:], return_counts=True)
    others = len(kinds) - 1 - count.max(initial=0)
    after_first = kinds[1:].count(kinds[0])
    avoidable = (
        count.max(initial=0) <= others + 1
        and after_first <= len(kinds) - 1 - after_first
    )
    assert not avoidable or (np.diff(chosen) != 0).all()


@given(
    n=st.integers(0, 30),
    size=st.integers(0, 40),
    labelled=st.integers(0, 20),
    start_left=st.integers(0, 10),
    audit_every=st.integers(0, 5),
    has_model=st.booleans(),
)
def test_a_window_has_no_task_twice_and_no_gap(  # noqa: PLR0913 - one law, all plans
    *,
    n: int,
    size: int,
    labelled: int,
    start_left: int,
    audit_every: int,
    has_model: bool,
) -> None:
    everyone = np.arange(n)
    plan = WindowPlan(
        size=size, labelled=labelled, start_left=start_left, audit_every=audit_every
    )

    window = arrange(
        doubt=everyone if has_model else everyone[:0],
        start=everyone[::-1],
        audit=permutation(everyone, 0),
        plan=plan,
    )

    chosen = [place.position for place in window]
    assert len(set(chosen)) == len(chosen) == min(size, n)


@given(
    raw=arrays(
        np.float32,
        st.tuples(st.integers(0, 8), st.integers(0, 4)),
        elements=st.floats(width=32),
    )
)
def test_standardised_features_are_always_usable(raw: Features) -> None:
    scaled = standardise(raw)

    assert len(scaled) == len(raw)
    assert np.isfinite(scaled).all()
    assert np.abs(scaled).max(initial=0.0) <= 8.0


@pytest.mark.slow
@given(
    windows=arrays(
        np.float64,
        st.tuples(st.integers(1, 4), st.integers(1, 30), st.integers(1, 14)),
        elements=st.floats(-1e30, 1e30),
    )
)
def test_any_recording_is_described_by_finite_numbers_of_its_own(
    windows: NDArray[np.float64],
) -> None:
    """Law 5: to the last bit the same, whatever is described beside it."""
    rates = np.arange(1.0, len(windows) + 1)

    together = describe(windows, rates)
    alone = [describe(windows[[n]], rates[[n]])[0] for n in range(len(windows))]

    assert np.isfinite(together).all()
    assert together.tobytes() == np.array(alone).tobytes()


@pytest.mark.slow
@examples(20)
@given(texts=st.lists(st.text(max_size=20), min_size=1, max_size=10))
def test_any_texts_are_described_by_finite_numbers_of_their_own(
    texts: list[str],
) -> None:
    learnt = Embedding.of(texts)

    together = learnt.apply(texts)
    alone = [learnt.apply([text])[0] for text in texts]

    assert len(together) == len(texts)
    assert np.isfinite(together).all()
    assert together.tobytes() == np.array(alone).tobytes()


votes = st.builds(Vote, st.sampled_from("abc"), st.integers(0, 3))


@given(cast=st.lists(votes, min_size=1, max_size=8), data=st.data())
def test_the_order_of_votes_does_not_matter(
    cast: list[Vote], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(cast))

    assert combine(cast) == combine(shuffled)
    places = {"c": 0, "a": 1, "b": 2}
    assert combine(cast, places=places) == combine(shuffled, places=places)
