"""The benchmark of stretches counts recordings as it says."""

from itertools import product

import numpy as np
import pytest

from tests.benchmarks.stretches import STEPS, arrival
from tests.benchmarks.stretches_labelled import LIMITS, POINTS, Outcome, rows_of


def test_arriving_means_staying_at_the_level() -> None:
    heights = np.full(len(STEPS), 0.95)
    heights[[0, 3]] = 0.5, 0.9

    assert arrival(heights, 0.9) == pytest.approx(STEPS[0] + (0.4 / 0.45) * 3)
    assert arrival(heights, 0.925) == pytest.approx((STEPS[3] + STEPS[4]) / 2)
    assert arrival(heights, 0.4) == STEPS[0]
    assert arrival(heights, 0.99) == np.inf


def test_a_limit_is_broken_where_more_is_wrong_of_what_is_labelled() -> None:
    outcomes = [
        Outcome(labels=labels, limit=limit, share=share, wrong=wrong)
        for labels, limit in product(POINTS, LIMITS)
        for share, wrong in ((0.5, 0.02), (1.0, 0.06), (0.0, np.nan))
    ]

    rows = {(row[0], row[1]): row[2:] for row in rows_of(outcomes)}

    assert rows["5 %", "30"] == ["2 of 3", "50 %", "4.0", "6.0", "1"]
    assert rows["10 %", "30"][-1] == "0"
