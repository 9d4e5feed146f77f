"""The chain finds what trying all sequences of classes finds."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from dubito.model.stretches.chain import Chain

ENDS = np.array([4, 4, 7])
N_UNITS, N_CLASSES = 7, 3


def chain() -> Chain:
    """Count in sequences in which class 2 never follows class 0."""
    codes = np.array([0, 0, 0, 1, 1, 2, 2, 2, 1, 0, 1, 1])
    return Chain.of(codes, np.array([5, 12]), N_CLASSES, power=0.5)


def evidence(seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return chain().evidence(rng.dirichlet(np.ones(N_CLASSES), size=N_UNITS))


def weight(seen: NDArray[np.float64], path: tuple[int, ...]) -> float:
    """Return how likely a sequence of classes is, up to a factor."""
    model = chain()
    likelihood = model.start[path[0]] * seen[0, path[0]]
    for place in range(1, len(path)):
        step = model.transition[path[place - 1], path[place]]
        likelihood *= step * seen[place, path[place]]
    return float(likelihood)


@pytest.mark.parametrize("seed", range(20))
def test_the_best_path_is_the_likeliest_of_all(seed: int) -> None:
    seen = evidence(seed)

    result = chain().best_path(seen, ENDS)

    for task in (slice(0, 4), slice(4, 7)):
        paths = list(product(range(N_CLASSES), repeat=task.stop - task.start))
        weights = [weight(seen[task], path) for path in paths]
        assert tuple(result[task]) == paths[int(np.argmax(weights))]


@pytest.mark.parametrize("seed", range(5))
def test_probabilities_are_those_of_all_paths_together(seed: int) -> None:
    seen = evidence(seed)

    posterior = chain().posterior(seen, ENDS)

    for task in (slice(0, 4), slice(4, 7)):
        sums = np.zeros((task.stop - task.start, N_CLASSES))
        for path in product(range(N_CLASSES), repeat=len(sums)):
            sums[np.arange(len(sums)), path] += weight(seen[task], path)
        assert posterior[task] == pytest.approx(sums / sums.sum(axis=1, keepdims=True))


def test_transitions_that_were_never_met_are_possible() -> None:
    assert chain().transition.min() > 0
    assert chain().transition[0, 2] < chain().transition[0, 1]


def test_a_chain_of_no_units_has_no_path() -> None:
    nothing = np.zeros((0, N_CLASSES))

    assert chain().best_path(nothing, np.array([0, 0])).shape == (0,)
    assert chain().posterior(nothing, np.array([0, 0])).shape == (0, N_CLASSES)
