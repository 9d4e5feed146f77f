"""All answers to a task together: which are shown, and how often all are right."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pytest
from numpy.typing import NDArray

from dubito.backend.controls.conditions import shown_labels
from dubito.backend.learning.joint_assessment import compared_answers
from dubito.backend.learning.joint_predictions import JointPredictions
from dubito.backend.learning.least_certainty import least_certainty
from dubito.backend.state.kept_scores import HeldOut, HeldOutAnswer
from dubito.backend.state.ranking import Ranking
from dubito.model.arrays import Codes, Positions, TaskIds
from dubito.model.evaluation.assessment import NOW, Assessed
from dubito.model.evaluation.autolabel_thresholds import thresholds
from dubito.model.evaluation.crossfit import Fit, LabelledRows
from dubito.model.evaluation.relation import Relation, relation_in
from dubito.model.query.ranking import certainty_order
from dubito.model.query.seed_set import permutation, tie_breaker
from dubito.model.query.uncertainty import margin
from dubito.model.schema import Condition, Schema
from tests.nearest import blobs, nearest_mean

CLASSES = ("a", "b", "c")
RUNS = 16
LOOKED_AT = (0.0, 0.5, 0.8)
WIDEST = 0.3
"""Mean width of intervals that still tell something: of a share from 0 to 1."""


def schema(control: str, shown_by: str = "", *classes: str) -> Schema:
    condition = Condition(control=shown_by, classes=classes) if shown_by else None
    return Schema(
        control=control,
        target="text",
        classes=CLASSES,
        tag="Text",
        condition=condition,
    )


TOPIC, TONE, FAULT = schema("topic"), schema("tone", "topic", "a"), schema("fault")
TONE_OF_TONE = schema("more", "tone", "b")
SCHEMAS = (TOPIC, TONE, FAULT)


def test_an_answer_is_shown_where_the_others_show_its_control() -> None:
    schemas = (TOPIC, TONE, TONE_OF_TONE)
    chain = {"topic": "a", "tone": "b", "more": "c"}

    assert shown_labels(chain, schemas) == chain
    assert shown_labels({**chain, "tone": "a"}, schemas) == {"topic": "a", "tone": "a"}
    assert shown_labels({**chain, "topic": "b"}, schemas) == {"topic": "b"}
    assert shown_labels({"tone": "b", "more": "c"}, schemas) == {}
    assert shown_labels({"tone": "b"}, (TONE,)) == {"tone": "b"}


def test_conditions_in_a_circle_decide_nothing() -> None:
    circle = (schema("one", "two", "a"), schema("two", "one", "b"))

    assert shown_labels({"one": "b", "two": "a"}, circle) == {"one": "b", "two": "a"}
    assert shown_labels({"one": "b", "two": "b"}, circle) == {}


def test_what_the_editor_hides_makes_an_answer_no_less_sure() -> None:
    predictions = JointPredictions(
        schemas=SCHEMAS,
        labels={"topic": ["a", "b"], "tone": ["c", "c"], "fault": ["a", "a"]},
        sure={name: np.array([s, s]) for name, s in zip(*NAMED, strict=True)},
    )

    assert predictions.all_right() == pytest.approx([0.8 * 0.5 * 0.9, 0.8 * 0.9])
    assert predictions.rows[1] == {"topic": "b", "tone": "c", "fault": "a"}


NAMED = (("topic", "tone", "fault"), (0.8, 0.5, 0.9))
TASKS = np.arange(6, dtype=np.int64)


def ranking(labels: dict[str, str], sure: float = 0.7) -> Ranking:
    """Return a ranking that says the same of all tasks."""
    each = {
        control: Ranking(
            round=1,
            basis="",
            task_ids=TASKS,
            classes=CLASSES,
            probabilities=np.tile(
                [sure if name == label else (1 - sure) / 2 for name in CLASSES],
                (len(TASKS), 1),
            ),
            certainty=np.full(len(TASKS), sure),
        )
        for control, label in labels.items()
    }
    first, *others = each
    return replace(each[first], others={name: each[name] for name in others})


def held_out(
    answers: dict[int, tuple[str, str, float]], left_out: tuple[int, ...] = ()
) -> HeldOut:
    kept = {task: HeldOutAnswer(*one) for task, one in answers.items()}
    return HeldOut(settings="", left_out=frozenset(left_out), answers=kept)


def test_a_task_is_right_if_all_that_people_were_shown_is() -> None:
    evidence_of = {
        "topic": held_out(
            {
                0: ("a", "a", 0.9),
                1: ("a", "a", 0.9),
                2: ("b", "b", 0.9),
                3: ("b", "a", 0.6),
            }
        ),
        "tone": held_out({0: ("c", "c", 0.8), 1: ("c", "b", 0.8)}, left_out=(2, 3)),
    }

    tasks, evidence = compared_answers(
        evidence_of, ranking({"topic": "a", "tone": "c"}), (TOPIC, TONE), seed=0
    )

    assert tasks.tolist() == [0, 1, 2, 3]
    assert evidence.right.tolist() == [1, 0, 1, 0]
    # Of task 3 a model of the hidden question has seen nothing: it is the ranking's.
    assert evidence.sure == pytest.approx([0.72, 0.72, 0.9, 0.6 * 0.7])


def test_a_task_with_an_answer_that_is_missing_or_newer_tells_nothing() -> None:
    evidence_of = {
        "topic": held_out(
            dict.fromkeys((0, 1, 2), ("a", "a", 0.9)) | {3: ("b", "b", 0.9)}
        ),
        "tone": held_out({0: ("c", "c", 0.8)}, left_out=(1,)),
    }

    tasks, _ = compared_answers(
        evidence_of, ranking({"topic": "a", "tone": "c"}), (TOPIC, TONE), seed=0
    )

    assert tasks.tolist() == [0]


def test_the_random_order_passes_over_what_nobody_answers_and_ends_at_the_rest() -> (
    None
):
    order = TASKS[permutation(TASKS, seed=0)].tolist()
    skipped, newer = order[1], order[3]
    labelled = [task for task in order if task not in (skipped, newer)]
    both = held_out(dict.fromkeys(labelled, ("a", "a", 0.9)), left_out=(skipped,))

    tasks, evidence = compared_answers(
        {"topic": both, "fault": both},
        ranking({"topic": "a", "fault": "a"}),
        (TOPIC, FAULT),
        seed=0,
    )

    assert sorted(tasks[evidence.random].tolist()) == sorted([order[0], order[2]])


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A project of three questions as it may be.

    Attributes
    ----------
    apart : how well the classes of each question can be told apart
    is_alike : whether all questions are hard in the same tasks
    """

    n_labels: int
    apart: float
    is_alike: bool
    n_tasks: int = 400


SETTINGS = {
    "apart": Setting(n_labels=80, apart=2.5, is_alike=False),
    "alike": Setting(n_labels=80, apart=2.5, is_alike=True),
    "many labels": Setting(n_labels=160, apart=3.0, is_alike=False),
}


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_the_interval_covers_the_tasks_with_a_wrong_answer(setting: Setting) -> None:
    """Nominal 95 %: of what the present models would write for each open task."""
    levels = [one for seed in range(RUNS) for one in _levels(setting, seed)]

    covered, widths = zip(*levels, strict=True)
    assert np.mean(covered) >= 0.9
    assert np.mean(widths) <= WIDEST


def _levels(setting: Setting, seed: int) -> list[tuple[bool, float]]:
    """Label by doubt; return whether intervals hold the truth, and how wide they are.

    There is one interval for each threshold that is looked at.
    """
    project = Simulated(setting, seed)
    asked = project.asked()
    held_out = {one.control: project.held_out(one, asked) for one in SCHEMAS}
    present = project.ranking(asked)
    _, evidence = compared_answers(held_out, present, SCHEMAS, seed)
    relation = relation_in(evidence)
    assert relation is not None
    rest = present.among({*range(setting.n_tasks)} - {*asked})
    predictions = JointPredictions.of(rest, SCHEMAS)
    wrong = np.array(
        [
            shown_labels(row, SCHEMAS) != project.truth[task]
            for task, row in zip(rest.task_ids.tolist(), predictions.rows, strict=True)
        ]
    )
    return _compared(rest.certainty, predictions.all_right(), wrong, relation)


def _compared(
    certainty: NDArray[np.float64],
    sure: NDArray[np.float64],
    wrong: NDArray[np.bool_],
    relation: Relation,
) -> list[tuple[bool, float]]:
    return [
        (
            bool(one.low <= wrong[certainty >= one.certainty].mean() <= one.high),
            one.high - one.low,
        )
        for one in thresholds(certainty, sure, relation)
        if one.certainty in LOOKED_AT and one.low is not None and one.high is not None
    ]


@dataclass(frozen=True)
class Simulated:
    """A project whose answers are known."""

    setting: Setting
    seed: int
    fits: dict[str, Fit] = field(default_factory=dict)
    codes: dict[str, Codes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Draw the answers to each question, and how to learn them."""
        n_tasks, n_classes = self.setting.n_tasks, len(CLASSES)
        for number, one in enumerate(SCHEMAS):
            apart, seed = self.setting.apart, 100 * self.seed
            seed += 0 if self.setting.is_alike else number
            features, codes = blobs(n_tasks, n_classes, apart=apart, seed=seed)
            self.fits[one.control] = nearest_mean(features, n_classes)
            self.codes[one.control] = codes

    @property
    def task_ids(self) -> TaskIds:
        """The tasks."""
        return np.arange(self.setting.n_tasks, dtype=np.int64)

    @cached_property
    def truth(self) -> list[dict[str, str]]:
        """What people answer to each task."""
        columns = [self.codes[one.control].tolist() for one in SCHEMAS]
        rows = zip(*columns, strict=True)
        names = [one.control for one in SCHEMAS]
        return [
            shown_labels(
                {n: CLASSES[code] for n, code in zip(names, row, strict=True)}, SCHEMAS
            )
            for row in rows
        ]

    def answered(self, one: Schema, asked: list[int]) -> Positions:
        """Return those of some tasks that have an answer to a question."""
        return np.array([task for task in asked if one.control in self.truth[task]])

    def alone(self, one: Schema, asked: list[int]) -> Ranking:
        rows = self.answered(one, asked)
        predict = self.fits[one.control](rows, self.codes[one.control][rows])
        probabilities = predict(self.task_ids)
        return Ranking(
            round=1,
            basis="",
            task_ids=self.task_ids,
            classes=CLASSES,
            probabilities=probabilities,
            certainty=margin(probabilities),
        )

    def ranking(self, asked: list[int]) -> Ranking:
        """Return what models of the answers to some tasks say of all tasks."""
        rankings = [self.alone(one, asked) for one in SCHEMAS]
        certainty = least_certainty(rankings, SCHEMAS)
        others = {s.control: r for s, r in zip(SCHEMAS[1:], rankings[1:], strict=True)}
        return replace(rankings[0], certainty=certainty, others=others)

    def asked(self) -> list[int]:
        """Ask for the least certain tasks, each tenth at random."""
        order = permutation(self.task_ids, self.seed)
        ties = tie_breaker(self.task_ids, self.seed)
        asked: list[int] = order[:15].tolist()
        while len(asked) < self.setting.n_labels:
            certainty = self.ranking(asked).certainty
            asked += _first(certainty_order(certainty, ties), asked, 9)
            asked += _first(order, asked, 1)
        return asked

    def held_out(self, one: Schema, asked: list[int]) -> HeldOut:
        """Return what models say of answers to a question that they have not seen."""
        rows, codes = np.sort(self.answered(one, asked)), self.codes[one.control]
        fit = self.fits[one.control]
        assessed = Assessed(
            known=LabelledRows(
                features=np.zeros((self.setting.n_tasks, 1), dtype=np.float32),
                rows=rows,
                codes=codes[rows],
                ties=tie_breaker(self.task_ids, self.seed),
                n_classes=len(CLASSES),
            ),
            n_open=self.setting.n_tasks - len(asked),
            in_time=rows,
            random_rows=rows[:5],
            classes=CLASSES,
        )
        now = assessed.take(NOW, fit, np.empty(0, dtype=np.intp))
        steps = {
            step: assessed.take(step, fit, now.argmax(axis=1))
            if step.startswith("fold")
            else now
            for step in assessed.steps
        }
        predictions = assessed.conclude(steps).held_out
        likely, sure = predictions.argmax(axis=1).tolist(), predictions.max(axis=1)
        answers = zip(rows.tolist(), likely, sure.tolist(), strict=True)
        return held_out(
            {t: (CLASSES[codes[t]], CLASSES[p], chance) for t, p, chance in answers},
            left_out=tuple({*asked} - {*rows.tolist()}),
        )


def _first(order: Positions, known: list[int], count: int) -> list[int]:
    return [int(task) for task in order[~np.isin(order, known)][:count]]
