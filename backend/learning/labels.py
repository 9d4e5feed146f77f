"""From raw annotations to labels: derived anew each time, never stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
    """Combine the annotations of each task into its label.

    What no person confirmed says nothing, be it a label of ours or a copy of a
    prediction: it closes its task, and that is all.
    """
    by_task: dict[int, list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        by_task[annotation.task].append(annotation)
    votes = {task: _votes(answers, schema) for task, answers in by_task.items()}
    trust = trusted(votes, distances_for(schema))
    scale = scale_of(schema, [v.choice for cast in votes.values() for v in cast])
    places = {answer: place for place, answer in enumerate(scale)}
    all_answers = [a for answers in by_task.values() for a in answers]
    human_answers = [a for a in all_answers if not a.is_unconfirmed]
    finished_answers = [a for a in human_answers if not a.was_cancelled]
    copies = sum(a.is_unconfirmed and not a.is_ours for a in all_answers)
    return Labels(
        chosen={
            task: combine(cast, trust, places) for task, cast in votes.items() if cast
        },
        votes={task: cast for task, cast in votes.items() if cast},
        closed=frozenset(
            t for t, answers in by_task.items() if _is_closed(answers, project)
        ),
        skipped=frozenset(
            {a.task for a in human_answers} - {a.task for a in finished_answers}
        ),
        set_aside_reasons=_reasons(finished_answers, schema) + Counter({COPY: copies}),
        ours=frozenset(by_task.keys() - {a.task for a in human_answers}),
        acceptance=_acceptance(finished_answers, schema.control),
    )


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


def _votes(annotations: Sequence[Annotation], schema: Schema) -> list[Vote]:
    return [
        Vote(choice, int(annotation.stamp), annotation.completed_by)
        for annotation in annotations
        if not (annotation.was_cancelled or annotation.is_unconfirmed)
        and (choice := read_choice(annotation, schema)) is not None
    ]


def _reasons(annotations: Iterable[Annotation], schema: Schema) -> Counter[str]:
    """Count the annotations that are no label, by the reason why not."""
    answers = (read_answer(annotation, schema) for annotation in annotations)
    return Counter(a.reason for a in answers if isinstance(a, NoAnswer))


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
