"""From raw annotations to labels: derived anew each time, never stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from dubito.backend.controls.codec import NoAnswer
from dubito.backend.controls.registry import codec_of
from dubito.backend.learning.targets import distances_for, scale_of
from dubito.model.evaluation.agreement import Vote, combine, trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dubito.backend.controls.codec import Answer
    from dubito.backend.records import Annotation, Project
    from dubito.model.schema import Schema

COPY = (
    "the annotation is an unconfirmed copy of a prediction: open the annotation and"
    " change it, or mark it as ground truth, to make it a label"
)


PREDICTED, CHANGED = "prediction", "prediction-changed"
"""What Label Studio's editor says of a region that began as a prediction."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Of how many answers a prediction was shown, and how many are as predicted."""

    unchanged: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What people have said so far.

    Attributes
    ----------
    chosen : the label of each task that has one
    votes : the valid answers it was combined from
    closed : tasks that Label Studio asks nobody any more
    skipped : tasks that were skipped by somebody and labelled by nobody
    set_aside_reasons : how many annotations are no label, by the reason why not
    ours : tasks that nobody answered, and that have a label of a model
    acceptance : what people made of predictions that they were shown; None of none
    """

    chosen: Mapping[int, str] = field(default_factory=dict)
    votes: Mapping[int, Sequence[Vote]] = field(default_factory=dict)
    closed: frozenset[int] = frozenset()
    skipped: frozenset[int] = frozenset()
    set_aside_reasons: Mapping[str, int] = field(default_factory=dict)
    ours: frozenset[int] = frozenset()
    acceptance: Acceptance | None = None

    @property
    def set_aside(self) -> int:
        """How many annotations are no label."""
        return sum(self.set_aside_reasons.values())

    @property
    def in_time(self) -> list[int]:
        """Tasks with a label, in the order in which they got their first answer."""
        first = {
            task: min(v.updated for v in cast) for task, cast in self.votes.items()
        }
        return sorted(self.chosen, key=lambda task: (first.get(task, 0), task))

    @property
    def touched(self) -> frozenset[int]:
        """Tasks that are not asked for: answered, in part or whole, or skipped."""
        return self.closed | self.skipped | frozenset(self.chosen)


def derive_labels(
    annotations: Iterable[Annotation], schema: Schema, project: Project
) -> Labels:
    """Combine the annotations of each task into its label."""
    return TaskAnswers.of(annotations, project).labels(schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAnswers:
    """What the annotations of a project say, whichever question is asked.

    What no person confirmed says nothing, be it a label of ours or a copy of a
    prediction: it closes its task, and that is all.

    Attributes
    ----------
    finished : the answers of people to each task with annotations
    closed, skipped, ours : as in `Labels`
    copies : so many annotations are copies of predictions that nobody confirmed
    """

    finished: Mapping[int, Sequence[Annotation]]
    closed: frozenset[int]
    skipped: frozenset[int]
    ours: frozenset[int]
    copies: int

    @classmethod
    def of(cls, annotations: Iterable[Annotation], project: Project) -> Self:
        """Sort annotations by their tasks."""
        by_task: dict[int, list[Annotation]] = defaultdict(list)
        humans: dict[int, list[Annotation]] = defaultdict(list)
        copies = 0
        for annotation in annotations:
            by_task[annotation.task].append(annotation)
            if not annotation.is_unconfirmed:
                humans[annotation.task].append(annotation)
            elif not annotation.is_ours:
                copies += 1
        finished = {
            task: [a for a in humans.get(task, ()) if not a.was_cancelled]
            for task in by_task
        }
        return cls(
            finished=finished,
            closed=frozenset(
                task for task, given in by_task.items() if _is_closed(given, project)
            ),
            skipped=frozenset(task for task in humans if not finished[task]),
            ours=frozenset(by_task.keys() - humans.keys()),
            copies=copies,
        )

    def labels(self, schema: Schema, *, is_first: bool = True) -> Labels:
        """Combine the answers to a question into the label of each task.

        Parameters
        ----------
        is_first : whether the question is the project's first one: another may have
            been added while people labelled
        """
        finished = [answer for given in self.finished.values() for answer in given]
        answers = {one.id: read_answer(one, schema) for one in finished}
        if not is_first and codec_of(schema).may_be_empty:
            answers |= _older_than_the_question(finished, schema)
        votes = {
            task: [
                Vote(choice, int(one.stamp), one.completed_by)
                for one in given
                if not isinstance(choice := answers[one.id], NoAnswer)
            ]
            for task, given in self.finished.items()
        }
        trust = trusted(votes, distances_for(schema))
        scale = scale_of(schema, [v.choice for cast in votes.values() for v in cast])
        places = {answer: place for place, answer in enumerate(scale)}
        hidden = {one.id for one in finished if _was_hidden(one, schema)}
        kept = (answers[number] for number in answers.keys() - hidden)
        reasons = Counter(a.reason for a in kept if isinstance(a, NoAnswer))
        return Labels(
            chosen={t: combine(v, trust, places) for t, v in votes.items() if v},
            votes={task: cast for task, cast in votes.items() if cast},
            closed=self.closed,
            skipped=self.skipped,
            set_aside_reasons=reasons + Counter({COPY: self.copies}),
            ours=self.ours,
            acceptance=_acceptance(finished, schema.control),
        )


def _older_than_the_question(
    answers: Sequence[Annotation], schema: Schema
) -> dict[int, NoAnswer]:
    """Return the annotations without a choice that came before the first choice.

    The editor stores nothing for "none of them", and nothing of a question that was not
    asked yet.
    """
    first = min(
        (one.stamp for one in answers if _has_choice(one, schema)), default=None
    )
    reason = NoAnswer(f"the annotation is older than any choice of {schema.control!r}")
    return {
        one.id: reason
        for one in answers
        if not _has_choice(one, schema) and (first is None or one.stamp < first)
    }


def _was_hidden(one: Annotation, schema: Schema) -> bool:
    """Return whether nothing is missing: the editor may not have asked the question."""
    return schema.condition is not None and not _has_choice(one, schema)


def _has_choice(one: Annotation, schema: Schema) -> bool:
    return any(item.get("from_name") == schema.control for item in one.result)


def _acceptance(answers: Iterable[Annotation], control: str) -> Acceptance | None:
    """Count what began as a prediction. A region that was removed leaves no trace."""
    origins = [
        [
            region.get("origin")
            for region in answer.result
            if region.get("from_name") == control
        ]
        for answer in answers
    ]
    cases = [one for one in origins if PREDICTED in one or CHANGED in one]
    unchanged = sum(all(origin == PREDICTED for origin in one) for one in cases)
    return Acceptance(unchanged, len(cases)) if cases else None


def read_choice(annotation: Annotation, schema: Schema) -> Answer | None:
    """Return the valid answer of an annotation, if it has one."""
    answer = read_answer(annotation, schema)
    return None if isinstance(answer, NoAnswer) else answer


def read_answer(annotation: Annotation, schema: Schema) -> Answer | NoAnswer:
    """Return the answer of an annotation to the control of a schema, or why not."""
    return codec_of(schema).read(annotation.result, schema)


def _is_closed(annotations: Sequence[Annotation], project: Project) -> bool:
    """Tell whether enough people have answered (Label Studio's ``is_labeled``)."""
    skips_count = project.skip_queue == "IGNORE_SKIPPED"
    people = {a.completed_by for a in annotations if skips_count or not a.was_cancelled}
    return len(people) >= project.maximum_annotations
