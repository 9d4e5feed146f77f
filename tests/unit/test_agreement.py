"""How well people agree, and which labels the model finds odd."""

import numpy as np
import pytest

from model.agreement import Vote, agreement, combine, trusted
from model.doubtful import doubtful


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

    found = agreement(units)

    assert found is not None
    assert found.alpha == pytest.approx(0.743, abs=0.001)
    assert found.tasks == 11


def test_who_agrees_least_with_the_others_comes_first() -> None:
    found = agreement(
        {1: votes("aab"), 2: votes("bba"), 3: votes("aaa"), 4: votes("b")}
    )

    assert found is not None
    assert [peer.annotator for peer in found.peers] == [3, 1, 2]
    assert [peer.share for peer in found.peers] == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    assert found.share == pytest.approx(5 / 9)


def test_one_person_twice_is_not_two_people() -> None:
    twice = [Vote("a", 1, annotator=7), Vote("b", 2, annotator=7)]

    assert agreement({1: twice}) is None
    found = agreement({1: [*twice, Vote("b", 0, annotator=8)]})
    assert found is not None
    assert found.share == 1.0


def test_where_all_say_the_same_everywhere_chance_would_agree_as_well() -> None:
    found = agreement({1: votes("aa"), 2: votes("aa")})

    assert found is not None
    assert (found.alpha, found.share) == (None, 1.0)


def test_nobody_is_compared_with_nobody() -> None:
    assert agreement({}) is None
    assert agreement({1: votes("a"), 2: votes("b")}) is None


def test_a_label_is_doubtful_if_the_model_finds_another_likelier() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.45, 0.55], [0.85, 0.15]])

    found = doubtful(probabilities, np.array([0, 0, 0, 1]), most=9)

    assert [(one.place, one.suggested) for one in found] == [(3, 0), (2, 1)]
    assert (found[0].likelihood, found[0].given) == (0.85, 0.15)


def test_the_label_believed_least_comes_first_and_the_list_is_bounded() -> None:
    probabilities = np.array([[0.5, 0.1, 0.4], [0.3, 0.02, 0.68], [0.9, 0.05, 0.05]])
    codes = np.array([1, 1, 1])

    found = doubtful(probabilities, codes, most=2)

    assert [one.place for one in found] == [1, 2]


def test_without_labels_none_is_doubtful() -> None:
    assert doubtful(np.empty((0, 3)), np.empty(0, dtype=np.intp), most=5) == []


def test_most_injected_mistakes_are_among_the_first() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(5, size=300)
    scores = rng.normal(size=(300, 5)) + 3.5 * np.eye(5)[truth]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    wrong = rng.choice(300, 30, replace=False)
    codes = truth.copy()
    codes[wrong] = (codes[wrong] + 1) % 5

    found = doubtful(probabilities, codes, most=30)

    hit = {one.place for one in found} & set(wrong.tolist())
    assert len(hit) / len(found) > 0.8


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
