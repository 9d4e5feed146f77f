"""Marked stretches that a model contradicts, and where they are."""

import numpy as np
import pytest

from dubito.backend.controls.stretches import Stretch, packed_stretches
from dubito.backend.data_kinds.passages import Passage
from dubito.backend.data_kinds.unit_sequences import (
    packed_dialogue,
    packed_text,
    quoted,
    unpacked,
)
from dubito.model.arrays import Members
from dubito.model.stretches.label_errors import StretchError, stretch_errors

LENGTH, A, B = 40, 0, 1
SURE = 0.9


def members(*stretches: tuple[int, int, int], length: int = LENGTH) -> Members:
    """Return (length, 2) which units stretches of two classes cover."""
    covered = np.zeros((length, 2), dtype=np.bool_)
    for which, first, after in stretches:
        covered[first:after, which] = True
    return covered


def errors(
    truth: Members,
    predicted: Members,
    *,
    sure: float = SURE,
    ends: tuple[int, ...] = (LENGTH,),
    most: int = 10,
) -> list[StretchError]:
    chances = np.where(predicted, sure, (1 - sure) / 2)
    return stretch_errors(truth, predicted, chances, np.array(ends), most)


def places(found: list[StretchError]) -> list[tuple[int | None, ...]]:
    return [(one.label, one.suggested, one.first, one.after) for one in found]


@pytest.mark.parametrize(
    ("truth", "predicted", "expected"),
    [
        (((A, 5, 15),), ((A, 5, 15),), []),
        (((A, 5, 15),), ((A, 8, 18),), []),
        (((A, 5, 15),), ((A, 5, 9),), [(A, None, 5, 15)]),
        (((A, 5, 9),), ((A, 5, 15),), [(None, A, 5, 15)]),
        (((A, 5, 15),), ((B, 5, 15),), [(A, B, 5, 15)]),
        (((A, 5, 15),), (), [(A, None, 5, 15)]),
        ((), ((B, 5, 15),), [(None, B, 5, 15)]),
        (((A, 5, 15),), ((B, 3, 18),), [(A, B, 5, 15)]),
        (((A, 5, 35),), ((A, 5, 20), (B, 20, 28), (A, 28, 35)), [(A, B, 20, 28)]),
        (((A, 5, 15), (B, 5, 15)), ((B, 5, 15),), [(A, None, 5, 15)]),
        (((A, 5, 15),), ((A, 5, 15), (B, 5, 15)), [(None, B, 5, 15)]),
    ],
)
def test_a_stretch_is_contradicted_if_less_than_half_of_it_is_predicted(
    truth: tuple[tuple[int, int, int], ...],
    predicted: tuple[tuple[int, int, int], ...],
    expected: list[tuple[int | None, ...]],
) -> None:
    assert places(errors(members(*truth), members(*predicted))) == expected


def test_what_the_model_believes_least_comes_first() -> None:
    truth = members((A, 0, 10), (A, 20, 30))
    predicted = members((B, 0, 10), (B, 20, 30))
    chances = np.where(predicted, SURE, 0.1)
    chances[20:30] = [0.02, 0.6]

    suspects = stretch_errors(truth, predicted, chances, np.array([LENGTH]), 10)

    assert [one.first for one in suspects] == [20, 0]
    assert (suspects[0].own_likelihood, suspects[0].likelihood) == pytest.approx(
        (0.02, 0.6)
    )
    assert (
        stretch_errors(truth, predicted, chances, np.array([LENGTH]), 1) == suspects[:1]
    )


def test_what_is_predicted_without_belief_is_no_error() -> None:
    """The chain may go over units of which each alone is more likely something else."""
    assert not errors(members((A, 5, 15)), members(), sure=0.0)


def test_units_are_counted_in_their_task() -> None:
    truth = np.concatenate([members(), members((A, 2, 6)), members(length=0)])
    predicted = np.zeros_like(truth)

    [one] = errors(truth, predicted, ends=(LENGTH, 2 * LENGTH, 2 * LENGTH))

    assert (one.task, one.first, one.after) == (1, 2, 6)


TEXT = packed_text("Ann went to New York 😀 by train")


def test_a_part_has_the_ends_that_people_drew() -> None:
    [sequence] = unpacked([TEXT])
    answer = packed_stretches([Stretch(11, 21, "LOC"), Stretch(0, 3, "PER")])

    ends = sequence.ends_of(slice(3, 5), answer, "LOC")

    assert ends == (11, 21)
    assert sequence.ends_of(slice(3, 5), answer, "PER") == (12, 20)
    assert sequence.ends_of(slice(3, 4), answer, "LOC") == (12, 15)
    assert sequence.ends_of(slice(3, 5), "[]", None) == (12, 20)


def test_words_are_quoted_and_recordings_are_not() -> None:
    turns = [Passage(0, "Hi Ann", "a"), Passage(2**20, "to Rome", "b")]
    long = packed_text("word " * 50)

    assert quoted(TEXT, slice(3, 5)) == "New York"
    assert quoted(packed_dialogue(turns), slice(1, 2)) == "Ann"
    assert quoted(packed_text("a \ud83d b"), slice(0, 3)) == "a ? b"
    assert len(quoted(long, slice(0, 50))) == 80
    assert quoted(b'R{"starts":[],"ends":[],"format":""}\n', slice(0, 1)) == ""
