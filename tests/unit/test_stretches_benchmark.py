"""The benchmark of stretches counts recordings as it says."""

import numpy as np
import pytest

from tests.benchmarks.stretches import STEPS, arrival


def test_arriving_means_staying_at_the_level() -> None:
    heights = np.full(len(STEPS), 0.95)
    heights[[0, 3]] = 0.5, 0.9

    assert arrival(heights, 0.9) == pytest.approx(STEPS[0] + (0.4 / 0.45) * 3)
    assert arrival(heights, 0.925) == pytest.approx((STEPS[3] + STEPS[4]) / 2)
    assert arrival(heights, 0.4) == STEPS[0]
    assert arrival(heights, 0.99) == np.inf
