"""Laws of what is said of the model, whatever was labelled."""

from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit
from sklearn.metrics import cohen_kappa_score

from dubito.model.evaluation.accuracy import Accuracy, accuracy, random_prefix
from dubito.model.evaluation.agreement import Vote, agreement
from dubito.model.evaluation.autolabel_thresholds import thresholds
from dubito.model.evaluation.crossfit import NEVER, LabelledRows, folds
from dubito.model.evaluation.distances import of_sets, weighted_sum
from dubito.model.evaluation.label_errors import label_errors
from dubito.model.evaluation.relation import FEWEST_RANDOM, Evidence, relation_in
from dubito.model.evaluation.stopping import kappa
from dubito.model.query.seed_set import permutation, tie_breaker
from tests.examples import examples


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    n_labels = draw(st.integers(FEWEST_RANDOM, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    is_random = rng.permutation(n_labels) < draw(st.integers(FEWEST_RANDOM, n_labels))
    n_open = draw(st.integers(0, 50))
    level = draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    return Evidence(
        right=(rng.uniform(size=n_labels) < level).astype(np.float64),
        sure=rng.uniform(size=n_labels),
        random=is_random,
        open_sure=rng.choice([0.0, 0.4, 0.9, 1.0], size=n_open),
        n_open=n_open * draw(st.sampled_from([1, 1_000])),
    )


@given(sample=evidence())
def test_the_estimate_lies_in_its_interval_and_that_between_0_and_1(
    sample: Evidence,
) -> None:
    estimate = accuracy(sample)

    assert estimate is not None
    assert 0 <= estimate.low <= estimate.estimate <= estimate.high <= 1


@given(sample=evidence())
def test_where_all_random_labels_are_right_full_accuracy_is_not_ruled_out(
    sample: Evidence,
) -> None:
    estimate = accuracy(replace(sample, right=np.maximum(sample.right, sample.random)))

    assert estimate is not None
    assert estimate.high == 1.0


@given(sample=evidence(), seed=st.integers(0, 9))
def test_the_order_of_labels_and_open_tasks_does_not_matter(
    sample: Evidence, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    moved = rng.permutation(len(sample.right))
    turned = Evidence(
        right=sample.right[moved],
        sure=sample.sure[moved],
        random=sample.random[moved],
        open_sure=rng.permutation(sample.open_sure),
        n_open=sample.n_open,
    )

    one, other = accuracy(sample), accuracy(turned)

    assert one is not None
    assert other is not None
    assert np.allclose(
        [one.estimate, one.low, one.high], [other.estimate, other.low, other.high]
    )


@given(sample=evidence())
def test_the_same_evidence_many_times_over_narrows_the_interval(
    sample: Evidence,
) -> None:
    """Open tasks are as the labelled ones: of others little can be said anyway."""
    evidence_of_draw = replace(
        sample, open_sure=sample.sure, n_open=max(sample.n_open, 1)
    )
    more = replace(
        evidence_of_draw,
        right=np.tile(evidence_of_draw.right, 8),
        sure=np.tile(evidence_of_draw.sure, 8),
        random=np.tile(evidence_of_draw.random, 8),
        n_open=8 * evidence_of_draw.n_open,
    )

    one, other = accuracy(evidence_of_draw), accuracy(more)

    assert one is not None
    assert other is not None
    if (
        not evidence_of_draw.right[evidence_of_draw.random].all()
        and evidence_of_draw.right[evidence_of_draw.random].any()
    ):
        assert width(other) < width(one)


def width(estimate: Accuracy) -> float:
    """Return how wide an interval is where it is made: in logits."""
    return float(logit(min(estimate.high, 1 - 1e-9)) - logit(max(estimate.low, 1e-9)))


@examples(20)
@given(
    groups=st.lists(st.integers(0, 12), min_size=2, max_size=60), seed=st.integers(0, 9)
)
def test_a_group_is_never_split(groups: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = np.array(groups)
    rows = np.flatnonzero(rng.uniform(size=len(groups)) < 0.6)
    known = LabelledRows(
        features=np.zeros((len(groups), 1), dtype=np.float32),
        rows=rows,
        codes=rng.integers(2, size=len(rows)),
        ties=tie_breaker(np.arange(len(groups)), seed),
        n_classes=2,
        groups=numbers,
    )

    fold_of_row = folds(known)

    for group in set(groups):
        assert len(set(fold_of_row[numbers == group])) == 1
    assert np.array_equal(fold_of_row != NEVER, np.isin(numbers, numbers[rows]))


@given(
    labelled=st.sets(st.integers(0, 29)),
    passed_over=st.sets(st.integers(0, 29)),
    seed=st.integers(0, 9),
)
def test_the_random_sample_is_what_comes_before_the_first_open_task(
    labelled: set[int], passed_over: set[int], seed: int
) -> None:
    order = permutation(np.arange(30), seed)

    prefix = random_prefix(order, labelled, passed_over)

    assert set(prefix) <= labelled
    reached = order[: order.tolist().index(prefix[-1]) + 1] if prefix else order[:0]
    assert set(reached.tolist()) <= labelled | passed_over
    first_open = [p for p in order.tolist() if p not in labelled | passed_over][:1]
    ahead = order[: order.tolist().index(first_open[0])] if first_open else order
    assert set(prefix) == set(ahead.tolist()) & labelled


@given(
    codes=st.lists(st.integers(0, 3), min_size=1, max_size=40), most=st.integers(1, 9)
)
def test_doubtful_labels_are_suggested_another_class_each_once(
    codes: list[int], most: int
) -> None:
    rng = np.random.default_rng(len(codes))
    probabilities = rng.dirichlet(np.ones(4), size=len(codes))

    errors = label_errors(probabilities, np.array(codes), most)

    assert len(errors) <= most
    assert len({one.place for one in errors}) == len(errors)
    for one in errors:
        assert one.suggested != codes[one.place]
        assert one.likelihood > one.own_likelihood
    given = [one.own_likelihood for one in errors]
    assert given == sorted(given)


cast = st.dictionaries(
    st.integers(1, 9),
    st.lists(
        st.builds(Vote, st.sampled_from("abc"), st.integers(0, 3), st.integers(1, 4)),
        max_size=5,
    ),
)


@given(votes=cast)
def test_agreement_is_a_share_and_alpha_at_most_1(votes: dict[int, list[Vote]]) -> None:
    measures = agreement(votes)

    if measures is not None:
        assert 0 <= measures.share <= 1
        assert measures.alpha is None or -1 <= measures.alpha <= 1
        assert all(0 <= peer.share <= 1 for peer in measures.peers)
        assert measures == agreement(dict(reversed(votes.items())))


def masi(one: str, other: str) -> float:
    """Return the distance of two sets of letters, by its definition."""
    first, second = {*one}, {*other}
    if first == second:
        return 0.0
    weight = 2 / 3 if first <= second or second <= first else 1 / 3
    return 1 - weight * len(first & second) / len(first | second)


letters = st.sets(st.sampled_from("abcd")).map(lambda names: "".join(sorted(names)))


@given(
    cast=st.lists(st.lists(letters, min_size=2, max_size=4), min_size=1, max_size=12)
)
def test_alpha_of_sets_is_that_of_its_definition(cast: list[list[str]]) -> None:
    measures = agreement(
        {
            task: [Vote(choice, 1, annotator=who) for who, choice in enumerate(given_)]
            for task, given_ in enumerate(cast)
        },
        of_sets,
    )

    values = [choice for choices in cast for choice in choices]
    chance = [masi(*pair) for pair in permutations(values, 2)]
    seen = [
        sum(masi(*pair) for pair in permutations(choices, 2)) / (len(choices) - 1)
        for choices in cast
    ]
    assert measures is not None
    if not any(chance):
        assert measures.alpha is None
        return
    expected = 1 - (sum(seen) / len(values)) / (sum(chance) / len(chance))
    assert measures.alpha == pytest.approx(expected)
    pairs = [1 - masi(*pair) for choices in cast for pair in combinations(choices, 2)]
    assert measures.share == pytest.approx(sum(pairs) / len(pairs))


@given(n=st.integers(1, 2_000), classes=st.integers(1, 3), seed=st.integers(0, 9))
@examples(10)
def test_distances_are_summed_block_by_block(n: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sets = ["".join(rng.choice([*"abc"], classes)) for _ in range(n)]
    weights = rng.integers(1, 5, size=n).astype(np.float64)
    compare, places = of_sets(sets), np.arange(n)

    sums = weighted_sum(weights, compare)

    assert sums == pytest.approx(weights @ compare(places[:, None], places) @ weights)


@given(
    one=st.lists(st.integers(0, 4), min_size=2, max_size=30), seed=st.integers(0, 99)
)
def test_kappa_is_that_of_scikit_learn(one: list[int], seed: int) -> None:
    codes = 10**15 * np.array(one)
    other = 10**15 * np.random.default_rng(seed).integers(0, 5, size=len(one))

    expected = cohen_kappa_score(codes, other) if (codes != other).any() else 1.0
    assert kappa(codes, other) == pytest.approx(expected)


@given(one=st.lists(st.integers(0, 2), min_size=1, max_size=20), seed=st.integers(0, 9))
def test_a_prediction_agrees_with_itself_and_alike_both_ways(
    one: list[int], seed: int
) -> None:
    codes = np.array(one)
    other = np.random.default_rng(seed).permutation(codes)

    assert kappa(codes, codes) == 1.0
    assert np.isclose(kappa(codes, other), kappa(other, codes))


@given(sample=evidence(), seed=st.integers(0, 9), whole=st.booleans())
def test_a_threshold_errs_within_its_interval_whatever_is_right(
    sample: Evidence, seed: int, *, whole: bool
) -> None:
    """Of tasks that are right as a whole or wrong, and of those that are in part."""
    rng = np.random.default_rng(seed)
    if not whole:
        sample = replace(
            sample, right=rng.choice([0.0, 0.4, 0.97, 1.0], len(sample.right))
        )
    open_sure = rng.uniform(size=20)

    relation = relation_in(sample)

    assert relation is not None
    assert 0 < relation.dispersion <= 1
    for level in thresholds(open_sure, open_sure, relation):
        if level.tasks:
            low, error, high = level.low, level.error, level.high
            assert low is not None
            assert error is not None
            assert high is not None
            assert 0 <= low <= error <= high <= 1
