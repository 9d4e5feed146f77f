"""Predicted stretches that are too short are merged into their neighbours."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubito.model.arrays import Codes, Members
from dubito.model.stretches.learner import fit_stretches
from dubito.model.stretches.shortest import shortest_lengths, without_short
from dubito.model.stretches.units import UnitTable

N_SETS = 3
BACKGROUND = np.array([True, False, False])
SHORTEST = np.array([0.0, 4.0, 2.0])


def coded(text: str) -> Codes:
    return np.array([int(one) for one in text], dtype=np.intp)


def merged(text: str, likelier: str = "", ends: tuple[int, ...] = ()) -> str:
    """Merge, where the sets of the second text are the likelier ones."""
    chances = np.full((len(text), N_SETS), 0.1)
    chances[np.arange(len(text)), coded(likelier or text)] = 0.8
    where = np.array(ends or (len(text),))
    codes = without_short(coded(text), chances, where, SHORTEST)
    return "".join(map(str, codes.tolist()))


@pytest.mark.parametrize(
    ("predicted", "likelier", "expected"),
    [
        ("000111100", "", "000111100"),
        ("000110000", "", "000000000"),
        ("000112222", "000222222", "000222222"),
        ("000112222", "000002222", "000002222"),
        ("110000011", "", "110000011"),
        ("222202222", "", "222202222"),
        ("000110220", "", "000000220"),
        ("111121111", "", "111111111"),
        ("011121110", "", "011111110"),
        ("222122221", "", "222222221"),
        ("", "", ""),
    ],
)
def test_a_short_run_takes_the_likelier_set_beside_it(
    predicted: str, likelier: str, expected: str
) -> None:
    """Background may be short, and so may what a recording cuts off."""
    assert merged(predicted, likelier) == expected


def test_a_task_ends_a_run() -> None:
    assert merged("000110000", ends=(5, 5, 9)) == "000110000"
    assert merged("011001100", ends=(5, 9)) == "000000000"[:5] + "1100"


@given(
    text=st.text("012", min_size=1, max_size=40),
    cut=st.integers(0, 40),
    seed=st.integers(0, 9),
)
def test_no_short_run_is_left_inside_of_a_task(text: str, cut: int, seed: int) -> None:
    cut = min(cut, len(text))
    chances = np.random.default_rng(seed).random((len(text), N_SETS))

    codes = without_short(coded(text), chances, np.array([cut, len(text)]), SHORTEST)

    assert {*codes.tolist()} <= {*coded(text).tolist()}
    for part in (codes[:cut], codes[cut:]):
        changes = np.flatnonzero(np.diff(part)) + 1
        for start, end in pairwise(changes.tolist()):
            assert end - start >= SHORTEST[part[start]]


def test_the_limit_is_a_third_of_the_usual_length() -> None:
    codes = coded("0111111000111111111022220")

    lengths = shortest_lengths(codes, np.array([10, 25]), BACKGROUND)

    assert lengths.tolist() == pytest.approx([0, 7.5 / 3, 4 / 3])
    assert shortest_lengths(codes[:0], np.array([0]), BACKGROUND).tolist() == [0] * 3


def noisy(n_tasks: int, kind: type[np.generic]) -> tuple[UnitTable, Members]:
    """Make tasks with one stretch of 20 units; one number tells it, or one word."""
    is_inside = np.tile(np.repeat([False, True, False], 20), n_tasks)
    column = np.where(is_inside, 2, 0).astype(kind)[:, None]
    ends = np.arange(1, n_tasks + 1) * 60
    return UnitTable(features=column, ends=ends), is_inside[:, None]


@pytest.mark.parametrize(
    ("kind", "is_merged"), [(np.float32, True), (np.uint32, False)]
)
def test_windows_have_a_shortest_length_and_words_have_none(
    kind: type[np.generic], *, is_merged: bool
) -> None:
    """A name may have one word, however long others are."""
    units, members = noisy(6, kind)

    model = fit_stretches(units, members, seed=0)

    assert model is not None
    assert bool(model.shortest.any()) == is_merged


def test_a_flicker_is_no_stretch() -> None:
    units, members = noisy(6, np.float32)
    model = fit_stretches(units, members, seed=0)
    assert model is not None
    flicker = np.zeros((60, 1), dtype=np.float32)
    flicker[20:23] = 2.0
    strange = UnitTable(features=flicker, ends=np.array([60]))

    predictions = model.predict(strange)

    assert not predictions.members.any()
    assert predictions.probabilities[21, 0] > 0.5
