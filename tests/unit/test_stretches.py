"""Stretches are learnt from units, and tasks are rated by them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dubito.model.arrays import Codes
from dubito.model.stretches import combinations, learner
from dubito.model.stretches.certainty import occurrence, task_certainty
from dubito.model.stretches.chain import Chain, Matrix
from dubito.model.stretches.evaluation import held_out
from dubito.model.stretches.learner import (
    StretchModel,
    UnitPredictions,
    fit_stretches,
)
from dubito.model.stretches.runs import runs
from dubito.model.stretches.units import Ends, UnitTable
from dubito.model.stretches.word_units import word_ids

N_CLASSES = 3


def lesson(
    n_tasks: int = 12, length: int = 60, seed: int = 0
) -> tuple[UnitTable, NDArray[np.bool_]]:
    """Build tasks of stretches of ten units, whose features are noisy."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(rng.integers(N_CLASSES + 1, size=n_tasks * length // 10), 10)
    members = np.eye(N_CLASSES + 1, dtype=np.bool_)[codes][:, 1:]
    features = members + rng.normal(scale=0.4, size=(len(codes), N_CLASSES))
    ends = np.arange(1, n_tasks + 1) * length
    return UnitTable(features=features.astype(np.float32), ends=ends), members


def fitted(units: UnitTable, members: NDArray[np.bool_]) -> StretchModel:
    model = fit_stretches(units, members, seed=0)
    assert model is not None
    return model


def test_stretches_are_learnt_from_labelled_tasks() -> None:
    model = fitted(*lesson())
    others, truth = lesson(seed=1)

    predicted = model.predict(others).members

    assert (predicted == truth).all(axis=1).mean() > 0.9


def test_neighbours_agree_where_a_unit_alone_would_err() -> None:
    units, members = lesson()
    model = fitted(units, members)
    others, truth = lesson(seed=1)

    alone = model.classifier.predict(others.features).argmax(axis=1)
    chained = model.predict(others).members

    right_alone = (model.combinations.members[alone] == truth).all(axis=1).mean()
    assert (chained == truth).all(axis=1).mean() > right_alone + 0.03


def test_equal_lessons_are_equal_predictions() -> None:
    others, _ = lesson(seed=1)

    one, other = (fitted(*lesson()).predict(others) for _ in range(2))

    assert one.probabilities.tobytes() == other.probabilities.tobytes()
    assert one.doubt.tobytes() == other.doubt.tobytes()


def test_a_task_is_predicted_by_itself() -> None:
    model = fitted(*lesson())
    others, _ = lesson(seed=1)
    some = np.array([7, 2])

    whole = model.predict(others)
    part = model.predict(others.of_tasks(some))

    of_seven = whole.probabilities[others.slice_of(7)]
    assert part.probabilities[:60] == pytest.approx(of_seven)
    of_two = whole.members[others.slice_of(2)]
    assert np.array_equal(part.members[60:], of_two)


def test_a_very_long_task_is_several_chains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time goes with the longest chain."""
    model = fitted(*lesson())
    others, truth = lesson(n_tasks=1, length=600, seed=1)
    seen = []

    class Spy(Chain):
        def best_path(self, evidence: Matrix, ends: Ends) -> Codes:
            seen.append(ends.tolist())
            return super().best_path(evidence, ends)

    monkeypatch.setattr(learner, "LONGEST", 250)
    chain = model.chain
    spy = Spy(
        start=chain.start,
        transition=chain.transition,
        prior=chain.prior,
        power=chain.power,
    )
    predicted = replace(model, chain=spy).predict(others).members

    assert seen == [[250, 500, 600]]
    assert (predicted == truth).all(axis=1).mean() > 0.9


def test_overlapping_stretches_are_learnt_together() -> None:
    units, members = lesson()
    members[:, 2] = members[:, 0] | members[:, 1]
    others, truth = lesson(seed=1)
    truth[:, 2] = truth[:, 0] | truth[:, 1]

    predicted = fitted(units, members).predict(others).members

    assert (predicted == truth).all(axis=1).mean() > 0.9


def test_one_label_everywhere_teaches_nothing() -> None:
    units, members = lesson()

    assert fit_stretches(units, np.zeros_like(members), seed=0) is None
    assert fit_stretches(units, np.ones_like(members), seed=0) is None


def test_no_units_teach_nothing() -> None:
    nothing = UnitTable.joined([np.zeros((0, 3), dtype=np.float32)] * 2)

    assert fit_stretches(nothing, np.zeros((0, 2), dtype=np.bool_), seed=0) is None


def test_tasks_without_units_are_predicted_and_certain() -> None:
    model = fitted(*lesson())
    features, _ = lesson(n_tasks=1, seed=1)
    empty = np.zeros((0, N_CLASSES), dtype=np.float32)
    units = UnitTable.joined([empty, features.features.astype(np.float32), empty])

    predictions = model.predict(units)

    certainty = task_certainty(predictions.doubt, units)
    assert certainty[[0, 2]].tolist() == [1.0, 1.0]
    assert certainty[1] < 1.0
    occurs = occurrence(predictions, units.ends)
    assert not occurs[[0, 2]].any()


def test_doubt_and_probabilities_have_one_scale() -> None:
    predictions = fitted(*lesson()).predict(lesson(seed=1)[0])

    for values in (predictions.probabilities, predictions.doubt):
        assert values.min() >= 0.0
        assert values.max() <= 1.0


def test_a_unit_is_as_sure_as_its_predicted_classes_are_probable() -> None:
    """No two classes ever cover one unit."""
    units, members = lesson()
    rest, _ = lesson(seed=1)

    for predictions in (
        fitted(units, members).predict(rest),
        held_out(units, members, None, 0, 0),
    ):
        none = 1 - predictions.probabilities.sum(axis=1)
        chosen = np.where(predictions.members, predictions.probabilities, 0.0).sum(
            axis=1
        )
        expected = np.where(predictions.members.any(axis=1), chosen, none)
        assert predictions.sure == pytest.approx(expected)
        assert predictions.sure.mean() > 0.8


def test_a_task_is_as_certain_as_its_least_certain_tenth() -> None:
    doubt = np.concatenate([np.full(18, 0.1), [0.9, 0.7], np.full(20, 0.3)])

    units = UnitTable.joined([np.zeros((20, 1), dtype=np.float32)] * 2)

    certainty = task_certainty(doubt, units)
    per_length = task_certainty(doubt, units, per_length=True)

    assert certainty == pytest.approx([0.2, 0.7])
    assert per_length == pytest.approx([1 - 0.17, 0.7])


def test_a_text_is_as_doubtful_as_all_its_words_together() -> None:
    doubt = np.array([0.5, 0.2, 0.2, 0.2, 0.2, 0.2])
    parts = [np.zeros((count, 1), dtype=np.uint32) for count in (1, 5, 0)]
    units = UnitTable.joined(parts)

    certainty = task_certainty(doubt, units)
    per_length = task_certainty(doubt, units, per_length=True)

    assert certainty == pytest.approx([1 / 1.5, 1 / 2, 1])
    assert per_length == pytest.approx([0.5, 0.8, 1])


def test_a_class_occurs_where_a_stretch_of_it_is_predicted() -> None:
    predictions = UnitPredictions(
        probabilities=np.array([[0.4, 0.6], [0.3, 0.2], [0.1, 0.2]]),
        members=np.array([[True, False], [False, False], [False, True]]),
        sure=np.zeros(3),
        doubt=np.zeros(3),
    )

    occurs = occurrence(predictions, np.array([2, 3]))

    assert (occurs > 0.5).tolist() == [[True, False], [False, True]]
    assert occurs[1, 0] == 0.1


def test_runs_are_the_stretches_of_a_class() -> None:
    member = np.array([1, 1, 0, 1, 0, 0, 1, 1], dtype=np.bool_)

    assert runs(member) == [(0, 2), (3, 4), (6, 8)]
    assert runs(member[:0]) == []


def test_a_table_gives_some_tasks_in_the_order_asked() -> None:
    tasks = [np.full((n, 1), n, dtype=np.float32) for n in (2, 0, 3)]
    table = UnitTable.joined(tasks)

    some = table.of_tasks(np.array([2, 1, 0]))

    assert table.n_tasks == 3
    assert table.slice_of(2) == slice(2, 5)
    assert some.ends.tolist() == [3, 3, 5]
    assert some.features[:, 0].tolist() == [3, 3, 3, 2, 2]


NAMES = ("Ada Byron", "Kurt Gödel", "Emmy Noether", "Alan Turing", "Grace Hopper")
PLACES = ("New York", "Bad Homburg", "San Remo", "Tel Aviv")


def texts(n_texts: int, seed: int) -> tuple[UnitTable, NDArray[np.bool_]]:
    """Write about people who travel; names and places have two words each."""
    rng = np.random.default_rng(seed)
    lines, covered = [], []
    for _ in range(n_texts):
        name, place = rng.choice(NAMES), rng.choice(PLACES)
        lines.append(f"Yesterday {name} went by train to {place} and slept.")
        member = np.zeros((12, 2), dtype=np.bool_)
        member[1:3, 0], member[7:9, 1] = True, True
        covered.append(member)
    return UnitTable.joined(word_ids(lines)), np.concatenate(covered)


def test_names_are_learnt_in_texts() -> None:
    model = fitted(*texts(15, seed=0))
    others, truth = texts(30, seed=1)

    predictions = model.predict(others)

    assert np.array_equal(predictions.members, truth)
    assert predictions.doubt.max() <= 1.0


def test_the_first_word_of_a_name_is_told_from_those_that_go_on() -> None:
    model = fitted(*texts(15, seed=0))

    assert np.bincount(model.sets).tolist() == [1, 2, 2]


def test_a_unit_between_rare_sets_of_classes_counts_as_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(combinations, "MOST_COMBINATIONS", 2)
    members = np.array([[0, 0, 0]] * 5 + [[1, 1, 0]] * 3 + [[1, 1, 1]], dtype=np.bool_)

    met = combinations.Combinations.of(members)

    assert met.codes(members).tolist() == [0] * 5 + [1] * 4
