"""The benchmarks of sets and of pairs count what they say."""

import numpy as np

from dubito.model.learners.pairs import LEFT
from dubito.model.simulation import by_chance
from tests.benchmarks import pairs, sets
from tests.benchmarks.peers import Regression
from tests.benchmarks.sets_data import SetProject, joined


def test_joined_texts_have_the_topics_of_both_and_no_text_is_in_two_tasks() -> None:
    topics = ["sea", "sky", "none"]
    texts = [f"{topic} {number}" for topic in topics for number in range(12)]
    labels = [text.partition(" ")[0] for text in texts]

    tasks, sets_of_topics = joined(
        ([{"text": text} for text in texts], labels), without="none"
    )

    parts = [str(task["text"]).split("\n") for task in tasks]
    assert len({part for both in parts for part in both}) == 2 * len(tasks)
    for both, own in zip(parts, sets_of_topics, strict=True):
        assert own == sorted({part.partition(" ")[0] for part in both} - {"none"})


def test_a_project_of_sets_is_read_with_tasks_that_have_none() -> None:
    tasks: list[dict[str, object]] = [{"row": {"x": float(n)}} for n in range(8)]
    labels = [["a", "b"], [], ["b"], ["a"]] * 2

    labelled = SetProject(tasks=tasks, labels=labels).labelled()

    assert labelled.kind == "any of"
    assert labelled.codes.tolist() == [["a" in own, "b" in own] for own in labels]


def test_the_table_of_sets_has_paired_leads() -> None:
    ours = [sets.Heights(60.0, 50.0), sets.Heights(70.0, 40.0)]
    peer = [sets.Heights(59.0, 48.0), sets.Heights(69.0, 38.0)]

    table = sets.rows(
        {
            sets.DUBITO: {"x": ours, "y": ours},
            "peer": {"x": peer, "y": ours},
        }
    )

    assert table[0] == [sets.DUBITO, *["65.0 / 45.0"] * 3, "", ""]
    assert table[1][1:4] == ["64.0 / 43.0", "65.0 / 45.0", "64.5 / 44.0"]
    assert [cell.partition(" ")[0] for cell in table[1][4:]] == ["+0.5", "+1.0"]
    assert all(cell.endswith("(+0.0)") for cell in table[1][4:])


def test_pairs_to_test_on_have_no_item_of_those_to_ask_for() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 3))

    trial = pairs.subject(rows, rows[:, 0], seed=0)

    left_is_greater = trial.pool.features[:, 0] > 0
    assert ((trial.pool.codes == LEFT) == left_is_greater).all()
    pool, test = (
        {tuple(row) for row in np.abs(one.features).round(3).tolist()} for one in trial
    )
    assert len(trial.test.codes) == pairs.TEST
    assert not pool & test


def test_a_regression_learns_pairs_from_their_difference() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 3))
    trial = pairs.subject(rows, rows[:, 0], seed=0)
    chosen = pairs.Contestant(by_chance, Regression, of_pairs=False)

    accuracy = pairs.heights(trial, chosen, seed=0)

    assert len(accuracy) == len(pairs.POINTS)
    assert accuracy[-1] > 85
