"""Swapping two items swaps what is predicted of them, and that is all it does."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.features.in_memory_pool import pool_of
from dubito.backend.state.pairs import paired, sides_of
from dubito.backend.state.pool import TaskInput
from dubito.model.arrays import Codes, Features, Probabilities
from dubito.model.errors import OneClassError
from dubito.model.features.views import named
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.pairs import PairLearner
from dubito.model.learners.registry import Learner, Predictor, within, without_tasks
from dubito.model.learners.unlabelled_context import UnlabelledContext
from tests.examples import examples

N_PAIRS, N_COLUMNS = 24, 3
VIEW = named("shape", "x", 2)
rows = hnp.arrays(
    np.float32, (N_PAIRS, N_COLUMNS), elements=st.integers(-3, 3).map(float)
)
sides = hnp.arrays(np.intp, N_PAIRS, elements=st.integers(0, 1))
few_examples = settings(examples(5), phases=[Phase.generate])
"""Each fits models: to look for a smaller example would take minutes."""

swaps = hnp.arrays(np.bool_, N_PAIRS)


class Fixed:
    """Says the same of every pair: no side is as likely as the other."""

    def predict(self, features: Features) -> Probabilities:
        return np.tile([0.9, 0.1], (len(features), 1))


class FixedLearner:
    """A learner that is anything but fair to both sides."""

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Predictor:  # noqa: ARG002
        return Fixed()


LEARNERS: Mapping[str, Learner] = MappingProxyType(
    {"auto": Ensemble(), "fixed": FixedLearner()}
)
every_learner = pytest.mark.parametrize("learner", LEARNERS.values(), ids=LEARNERS)


def learnt(learner: Learner, features: Features, codes: Codes) -> Predictor:
    context = UnlabelledContext(features)
    half = slice(0, N_PAIRS, 2)
    return within(PairLearner(learner), context).fit(features[half], codes[half], 2)


@pytest.mark.slow
@every_learner
@few_examples
@given(features=rows, codes=sides)
def test_swapping_the_items_swaps_the_probabilities_exactly(
    learner: Learner, features: Features, codes: Codes
) -> None:
    """In the pool, outside of it, and once the pool is forgotten."""
    predictor = learnt(learner, features, codes)

    known = predictor.predict(features)

    for one in (predictor, without_tasks(predictor)):
        there, turned = one.predict(features.copy()), one.predict(-features)
        assert (there == turned[:, ::-1]).all()
        np.testing.assert_allclose(known, there, atol=1e-6)
    np.testing.assert_allclose(known.sum(axis=1), 1)
    equal = ~features.any(axis=1)
    np.testing.assert_allclose(known[equal], 0.5)


@pytest.mark.slow
@few_examples
@given(features=rows, codes=sides, swapped=swaps)
def test_which_way_round_people_saw_a_pair_makes_no_difference(
    features: Features, codes: Codes, swapped: Codes
) -> None:
    turned = np.where(swapped[:, None], -features, features)
    other = np.where(swapped, 1 - codes, codes)

    first = learnt(Ensemble(), features, codes).predict(features)
    second = learnt(Ensemble(), turned, other).predict(turned)

    expected = np.where(swapped[:, None], first[:, ::-1], first)
    assert (second == expected).all()


def test_one_label_is_too_few() -> None:
    with pytest.raises(OneClassError):
        PairLearner(Ensemble()).fit(np.ones((1, 2), np.float32), np.array([0]), 2)


texts = st.none() | st.text("ab c\x1c", max_size=9)
numbers = st.dictionaries(
    st.sampled_from(["size", "kind\x1fold", "v\x1e2\x1e0", "v\x1e2\x1e1", *VIEW]),
    st.floats(-9, 9, width=32),
    max_size=6,
)
vectors = st.sampled_from([b"", np.array([1, -2], np.float16).tobytes()])
items = st.builds(TaskInput, numbers=numbers, text=texts, vector=vectors)


@given(left=items, right=items)
def test_what_is_put_together_is_parted_again(
    left: TaskInput, right: TaskInput
) -> None:
    has_text = left.text is not None or right.text is not None

    sides = sides_of(paired(left, right))

    for item, side in zip((left, right), sides, strict=True):
        assert side.numbers == item.numbers
        text = (item.text or "").replace("\x1c", " ")
        assert side.text == text
        assert side.vector.startswith(item.vector)
    assert (paired(left, right).text is not None) == has_text


@examples(20)
@given(pairs=st.lists(st.tuples(items, items), min_size=3, max_size=6))
def test_swapping_the_items_changes_the_sign_of_the_features(
    pairs: list[tuple[TaskInput, TaskInput]],
) -> None:
    """Of texts, numbers, categories, vectors and views alike."""
    pool = pool_of({n: paired(*pair) for n, pair in enumerate(pairs)})
    table = FeatureTable.of(pool, seed=0, of_pairs=True)

    there = table.featuriser.features_of([paired(*pair) for pair in pairs])
    turned = table.featuriser.features_of([paired(b, a) for a, b in pairs])

    assert there.shape == table.features.shape
    np.testing.assert_allclose(there, -turned, atol=1e-5)
    np.testing.assert_allclose(there, table.features, atol=1e-5)
