"""The benchmarks of stretches count what they say."""

from itertools import product

import numpy as np
import pytest

from dubito.model.stretches.word_units import words_of
from tests.benchmarks.marked_tasks import Example, Examples, read
from tests.benchmarks.stretches import STEPS, arrival
from tests.benchmarks.stretches_crf import features_of, tags_of
from tests.benchmarks.stretches_labelled import LIMITS, POINTS, Outcome, rows_of
from tests.benchmarks.stretches_marked import span_f1


def test_arriving_means_staying_at_the_level() -> None:
    heights = np.full(len(STEPS), 0.95)
    heights[[0, 3]] = 0.5, 0.9

    assert arrival(heights, 0.9) == pytest.approx(STEPS[0] + (0.4 / 0.45) * 3)
    assert arrival(heights, 0.925) == pytest.approx((STEPS[3] + STEPS[4]) / 2)
    assert arrival(heights, 0.4) == STEPS[0]
    assert arrival(heights, 0.99) == np.inf


def test_a_span_is_right_if_both_its_ends_are() -> None:
    truth = np.zeros((8, 2), dtype=np.bool_)
    truth[0:2, 0] = truth[3, 1] = truth[4, 0] = True
    guesses = truth.copy()
    guesses[2, 0] = True

    assert span_f1(truth, truth, np.array([4, 8])) == 1
    assert span_f1(truth, guesses, np.array([4, 8])) == pytest.approx(2 / 3)
    assert span_f1(truth, np.zeros_like(truth), np.array([4, 8])) == 0


def test_the_words_of_a_stretch_are_told_by_its_first_and_the_others() -> None:
    members = np.zeros((6, 2), dtype=np.bool_)
    members[0:2, 0] = members[2, 1] = members[4, 0] = True

    assert tags_of(members) == ["B-0", "I-0", "B-1", "O", "B-0", "O"]


@pytest.mark.parametrize("text", ["", "Ada met Bob.", "Ada", "彼は2005年に東京へ。"])
def test_each_word_or_character_has_features(text: str) -> None:
    assert len(features_of(text)) == len(words_of(text))


def test_tasks_are_read_as_the_service_reads_them() -> None:
    pool = [Example("Ada met Bob", [(0, 3, "who"), (8, 11, "who")])]
    test = [Example("at noon", [(3, 7, "when")])]

    tasks = read(Examples(pool, test), "Text")

    assert tasks.pool.marked is not None
    assert tasks.pool.marked.members.tolist() == [
        [False, True],
        [False] * 2,
        [False, True],
    ]
    assert tasks.test.members.tolist() == [[False] * 2, [True, False]]
    assert tasks.pool_texts == ["Ada met Bob"]


def test_a_limit_is_broken_where_more_is_wrong_of_what_is_labelled() -> None:
    outcomes = [
        Outcome(labels=labels, limit=limit, share=share, wrong=wrong)
        for labels, limit in product(POINTS, LIMITS)
        for share, wrong in ((0.5, 0.02), (1.0, 0.06), (0.0, np.nan))
    ]

    rows = {(row[0], row[1]): row[2:] for row in rows_of(outcomes)}

    assert rows["5 %", "30"] == ["2 of 3", "50 %", "4.0", "6.0", "1"]
    assert rows["10 %", "30"][-1] == "0"
