"""In which order tasks are asked: ranking, diversity, agreement, measures."""

import numpy as np
import pytest

from dubito.model.arrays import Features, Positions
from dubito.model.errors import NoVotesError, UnknownMeasureError
from dubito.model.evaluation.agreement import Vote, combine
from dubito.model.query.diversity import spread
from dubito.model.query.ranking import RankedTask, WindowPlan, arrange, certainty_order
from dubito.model.query.uncertainty import doubt, entropy, least_confidence, margin


def positions(*numbers: int) -> Positions:
    return np.array(numbers, dtype=np.intp)


def plan(
    size: int = 4, labelled: int = 0, start_left: int = 0, audit_every: int = 0
) -> WindowPlan:
    return WindowPlan(
        size=size, labelled=labelled, start_left=start_left, audit_every=audit_every
    )


def line(*places: float) -> Features:
    """Build tasks that lie on a line."""
    return np.array(places, dtype=np.float32)[:, None]


def test_the_start_comes_before_doubt() -> None:
    window = arrange(
        doubt=positions(0, 1, 2, 3),
        start=positions(3, 0),
        audit=positions(2, 1, 0, 3),
        plan=plan(size=4, start_left=2),
    )

    assert window == [
        RankedTask(3, "start"),
        RankedTask(0, "start"),
        RankedTask(1, "doubt"),
        RankedTask(2, "doubt"),
    ]


def test_every_kth_label_is_an_audit_counted_from_the_first_label() -> None:
    window = arrange(
        doubt=positions(*range(10)),
        start=positions(),
        audit=positions(9, 8, 7, 6),
        plan=plan(size=6, labelled=4, audit_every=3),
    )

    assert [place.why for place in window] == [
        "doubt",
        "audit",
        "doubt",
        "doubt",
        "audit",
        "doubt",
    ]
    assert [place.position for place in window] == [0, 9, 1, 2, 8, 3]


def test_no_audit_interrupts_the_start() -> None:
    window = arrange(
        doubt=positions(0, 1, 2),
        start=positions(2, 1),
        audit=positions(0, 1, 2),
        plan=plan(size=3, start_left=2, audit_every=1),
    )

    assert [place.why for place in window] == ["start", "start", "audit"]


def test_without_a_model_the_start_goes_on() -> None:
    window = arrange(
        doubt=positions(),
        start=positions(2, 0, 1),
        audit=positions(1, 2, 0),
        plan=plan(size=3, start_left=1),
    )

    assert window == [
        RankedTask(2, "start"),
        RankedTask(0, "start"),
        RankedTask(1, "start"),
    ]


def test_a_window_is_shorter_when_tasks_run_out() -> None:
    window = arrange(
        doubt=positions(1, 0),
        start=positions(0, 1),
        audit=positions(0, 1),
        plan=plan(size=20, labelled=8, audit_every=10),
    )

    assert window == [RankedTask(1, "doubt"), RankedTask(0, "audit")]


def test_equally_certain_tasks_are_ordered_by_hash() -> None:
    certainty = np.array([0.5, 0.1, 0.5, 0.5])
    ties = np.array([3, 9, 1, 2], dtype=np.uint64)

    assert certainty_order(certainty, ties).tolist() == [1, 2, 3, 0]


def test_near_copies_are_kept_two_places_apart() -> None:
    features = line(0.0, 0.01, 0.02, 5.0, 9.0, 14.0)

    chosen = spread(np.arange(6), features, size=6)

    assert chosen.tolist() == [0, 3, 4, 1, 5, 2]


def test_what_differs_keeps_its_order() -> None:
    features = line(0, 10, 20, 30, 40)
    order = positions(3, 1, 4, 0, 2)

    assert spread(order, features, size=3).tolist() == [3, 1, 4]


def test_only_near_copies_left_are_taken_in_order() -> None:
    features = line(0, 0, 0, 100)

    assert spread(np.arange(4), features, size=4).tolist() == [0, 3, 1, 2]


def test_copies_are_mixed_in_while_there_are_others_between_them() -> None:
    features = line(0, 10, 20, 30, 30, 30)

    chosen = features[spread(np.arange(6), features, size=6), 0]

    assert (np.diff(chosen) != 0).all()


def test_far_more_certain_tasks_are_not_asked_for_variety() -> None:
    features = np.zeros((100, 1), dtype=np.float32)
    features[50:] = 1.0

    assert spread(np.arange(100), features, size=2).tolist() == [0, 1]


@pytest.mark.parametrize("size", [0, 1, 5])
def test_there_may_be_nothing_to_spread(size: int) -> None:
    assert spread(positions(), line(1, 2), size).shape == (0,)


def vote(choice: str, updated: int = 0) -> Vote:
    return Vote(choice, updated)


def test_the_majority_decides() -> None:
    assert combine([vote("run"), vote("walk", 9), vote("run")]) == "run"


def test_of_equals_the_latest_decides() -> None:
    assert combine([vote("run", 5), vote("walk", 6)]) == "walk"


def test_of_equals_at_the_same_time_the_alphabet_decides() -> None:
    assert combine([vote("walk"), vote("run")]) == "run"


def test_of_grades_the_median_decides() -> None:
    places = {"1": 0, "2": 1, "9": 2, "10": 3}
    votes = [vote("1"), vote("1"), vote("9"), vote("10"), vote("10")]

    assert combine(votes, places=places) == "9"
    assert combine(votes[1:], places=places) == "10"  # its two votes to one
    assert combine(votes[1:4], places=places) == "9"


def test_of_two_medians_the_more_trusted_or_else_the_latest_decides() -> None:
    votes = [Vote("2", 8, annotator=1), Vote("4", 9, annotator=2)]
    places = {"1": 0, "2": 1, "3": 2, "4": 3}

    assert combine(votes, {1: 0.9, 2: 0.6}, places) == "2"
    assert combine(votes, {1: 0.6, 2: 0.6}, places) == "4"


def test_without_votes_there_is_no_label() -> None:
    with pytest.raises(NoVotesError):
        combine([])


def test_margin_is_the_gap_between_the_two_likeliest() -> None:
    assert margin(np.array([[0.2, 0.5, 0.3]])) == pytest.approx([0.2])


def test_entropy_sees_all_classes() -> None:
    two, three = np.array([[0.5, 0.5, 0.0]]), np.array([[0.5, 0.25, 0.25]])

    assert entropy(two)[0] > entropy(three)[0]


def test_least_confidence_starts_at_chance() -> None:
    rows = np.array([[0.25] * 4, [0.4, 0.2, 0.2, 0.2]])

    assert least_confidence(rows) == pytest.approx([0.0, 0.2])


def test_doubt_is_rounded() -> None:
    rows = np.array([[0.5, 0.5], [0.5 + 1e-8, 0.5 - 1e-8]])

    assert doubt("margin", rows).tolist() == [0.0, 0.0]


def test_an_unknown_measure_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        UnknownMeasureError, match="'gut' is unknown; choose from margin, entropy"
    ):
        doubt("gut", np.array([[1.0]]))
