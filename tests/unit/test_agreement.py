"""How well people agree, and which labels the model finds odd."""

import tracemalloc

import numpy as np
import pytest

from dubito.model.evaluation.agreement import (
    Vote,
    agreement,
    combine,
    trusted,
)
from dubito.model.evaluation.distances import of_grades, of_sets
from dubito.model.evaluation.label_errors import label_errors
from dubito.model.evaluation.stopping import kappa


def votes(*choices: str) -> list[Vote]:
    """Let people 1, 2, 3 … choose; a dot is nobody."""
    return [
        Vote(choice, updated=person, annotator=person)
        for person, choice in enumerate("".join(choices), start=1)
        if choice != "."
    ]


def test_alpha_is_that_of_the_textbook() -> None:
    """Krippendorff 2004, chapter 11: four observers, twelve units, some not seen."""
    rows = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    units = {unit: votes(*(row[unit] for row in rows)) for unit in range(12)}

    measures = agreement(units)
    graded = agreement(units, lambda grades: of_grades(grades, "12345"))

    assert measures is not None
    assert measures.alpha == pytest.approx(0.743, abs=0.001)
    assert measures.tasks == 11
    assert graded is not None
    assert graded.alpha == pytest.approx(0.849, abs=0.001)


def test_grades_agree_the_more_the_nearer_they_are() -> None:
    places = np.arange(3)

    distances = of_grades(["1", "5", "2"], "12345")(places[:, None], places)

    expected = [[0, 1, 1 / 16], [1, 0, 9 / 16], [1 / 16, 9 / 16, 0]]
    assert distances == pytest.approx(np.array(expected))


def test_sets_agree_as_far_as_they_overlap() -> None:
    """The distances of Passonneau 2006; two empty sets are equal."""
    sets = ["", "a", "ab", "bc"]

    places = np.arange(len(sets))
    distances = of_sets(sets)(places[:, None], places)

    third, ninth = 1 / 3, 1 / 9
    expected = [
        [0, 1, 1, 1],
        [1, 0, 1 - third, 1],
        [1, 1 - third, 0, 1 - ninth],
        [1, 1, 1 - ninth, 0],
    ]
    assert distances == pytest.approx(np.array(expected))


def test_alpha_of_sets_is_higher_where_people_differ_by_little() -> None:
    def cast(other: str) -> dict[int, list[Vote]]:
        pairs = [("ab", other), ("", ""), ("c", "c")]
        return {
            task: [Vote(choice, 1, annotator=who) for who, choice in enumerate(pair)]
            for task, pair in enumerate(pairs)
        }

    near, far = (agreement(cast(other), of_sets) for other in "ac")

    assert near is not None
    assert far is not None
    assert near.share == pytest.approx(1 - 2 / 9)
    assert near.alpha is not None
    assert far.alpha is not None
    assert 0 < far.alpha < near.alpha < 1


def test_thousands_of_different_sets_need_little_memory() -> None:
    """A table of all pairs of them would take 72 MB, as would a confusion matrix."""
    n, has = 3_000, np.random.default_rng(0).random((3_000, 400)) < 0.1
    named = {str(row): [*map(str, np.flatnonzero(has[row]))] for row in range(n)}
    cast = {
        task: [Vote(str(2 * task + who), 1, annotator=who) for who in (0, 1)]
        for task in range(n // 2)
    }
    codes = np.arange(n)

    tracemalloc.start()
    measures = agreement(cast, lambda choices: of_sets([named[one] for one in choices]))
    certain = kappa(codes, np.roll(codes, 1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert measures is not None
    assert measures.alpha == pytest.approx(0.0, abs=0.01)
    assert certain == pytest.approx(-1 / (n - 1))
    assert peak < 10_000_000


def test_who_agrees_least_with_the_others_comes_first() -> None:
    measures = agreement(
        {1: votes("aab"), 2: votes("bba"), 3: votes("aaa"), 4: votes("b")}
    )

    assert measures is not None
    assert [peer.annotator for peer in measures.peers] == [3, 1, 2]
    assert [peer.share for peer in measures.peers] == pytest.approx(
        [1 / 3, 2 / 3, 2 / 3]
    )
    assert measures.share == pytest.approx(5 / 9)


def test_one_person_twice_is_not_two_people() -> None:
    twice = [Vote("a", 1, annotator=7), Vote("b", 2, annotator=7)]

    assert agreement({1: twice}) is None
    measures = agreement({1: [*twice, Vote("b", 0, annotator=8)]})
    assert measures is not None
    assert measures.share == 1.0


def test_where_all_say_the_same_everywhere_chance_would_agree_as_well() -> None:
    measures = agreement({1: votes("aa"), 2: votes("aa")})

    assert measures is not None
    assert (measures.alpha, measures.share) == (None, 1.0)


def test_nobody_is_compared_with_nobody() -> None:
    assert agreement({}) is None
    assert agreement({1: votes("a"), 2: votes("b")}) is None


def test_a_label_is_doubtful_if_the_model_finds_another_likelier() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.45, 0.55], [0.85, 0.15]])

    errors = label_errors(probabilities, np.array([0, 0, 0, 1]), most=9)

    assert [(one.place, one.suggested) for one in errors] == [(3, 0), (2, 1)]
    assert (errors[0].likelihood, errors[0].own_likelihood) == (0.85, 0.15)


def test_the_label_believed_least_comes_first_and_the_list_is_bounded() -> None:
    probabilities = np.array([[0.5, 0.1, 0.4], [0.3, 0.02, 0.68], [0.9, 0.05, 0.05]])
    codes = np.array([1, 1, 1])

    errors = label_errors(probabilities, codes, most=2)

    assert [one.place for one in errors] == [1, 2]


def test_without_labels_none_is_doubtful() -> None:
    assert label_errors(np.empty((0, 3)), np.empty(0, dtype=np.intp), most=5) == []


def test_most_injected_mistakes_are_among_the_first() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(5, size=300)
    scores = rng.normal(size=(300, 5)) + 3.5 * np.eye(5)[truth]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    wrong = rng.choice(300, 30, replace=False)
    codes = truth.copy()
    codes[wrong] = (codes[wrong] + 1) % 5

    errors = label_errors(probabilities, codes, most=30)

    hit = {one.place for one in errors} & set(wrong.tolist())
    assert len(hit) / len(errors) > 0.8


def test_of_two_people_the_one_others_agree_with_is_believed() -> None:
    """Person 3 contradicts the others wherever they meet."""
    cast = {task: votes("aab" if task % 2 else "bba") for task in range(6)}
    tie = [Vote("x", 1, annotator=1), Vote("y", 2, annotator=3)]

    trust = trusted(cast)

    assert combine(tie) == "y"
    assert combine(tie, trust) == "x"
    assert combine([*tie, Vote("y", 0, annotator=9)], trust) == "y"


def test_two_people_are_trusted_alike() -> None:
    trust = trusted({1: votes("ab"), 2: votes("aa"), 3: votes("ba")})

    assert trust[1] == trust[2]
    assert combine(votes("ab"), trust) == "b"
