"""From raw annotations to labels: derived anew each time, never stored."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from model.agreement import Vote, combine, trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backend.records import Annotation, Project
    from model.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What people have said so far.

    Attributes
    ----------
    chosen : the label of each task that has one
    votes : the valid answers it was combined from
    closed : tasks that Label Studio asks nobody any more
    skipped : tasks that were skipped by somebody and labelled by nobody
    set_aside : annotations that are no label: no choice, several, or one that the
        label config no longer has
    ours : tasks that nobody answered, and that have a label of ours
    """

    chosen: Mapping[int, str] = field(default_factory=dict)
    votes: Mapping[int, Sequence[Vote]] = field(default_factory=dict)
    closed: frozenset[int] = frozenset()
    skipped: frozenset[int] = frozenset()
    set_aside: int = 0
    ours: frozenset[int] = frozenset()

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

    Labels of our own say nothing: they close their task, and that is all.
    """
    by_task: dict[int, list[Annotation]] = defaultdict(list)
    for annotation in annotations:
        by_task[annotation.task].append(annotation)
    votes = {task: _votes(given, schema) for task, given in by_task.items()}
    trust = trusted(votes)
    said = [a for given in by_task.values() for a in given if not a.is_ours]
    finished = [a for a in said if not a.was_cancelled]
    return Labels(
        chosen={task: combine(cast, trust) for task, cast in votes.items() if cast},
        votes={task: cast for task, cast in votes.items() if cast},
        closed=frozenset(
            t for t, given in by_task.items() if _is_closed(given, project)
        ),
        skipped=frozenset({a.task for a in said} - {a.task for a in finished}),
        set_aside=len(finished) - sum(len(cast) for cast in votes.values()),
        ours=frozenset(by_task.keys() - {a.task for a in said}),
    )


def _votes(annotations: Sequence[Annotation], schema: Schema) -> list[Vote]:
    return [
        Vote(choice, int(annotation.stamp), annotation.completed_by)
        for annotation in annotations
        if not (annotation.was_cancelled or annotation.is_ours)
        and (choice := read_choice(annotation, schema)) is not None
    ]


def read_choice(annotation: Annotation, schema: Schema) -> str | None:
    """Return the one valid choice of an annotation, if it has exactly one."""
    chosen: list[object] = []
    for item in annotation.result:
        value = item.get("value")
        if item.get("from_name") == schema.control and isinstance(value, dict):
            choices = value.get("choices")
            chosen.extend(choices if isinstance(choices, list) else [choices])
    if len(chosen) != 1 or chosen[0] not in schema.classes:
        return None
    return str(chosen[0])


def _is_closed(annotations: Sequence[Annotation], project: Project) -> bool:
    """Tell whether enough people have answered (Label Studio's ``is_labeled``)."""
    skips_count = project.skip_queue == "IGNORE_SKIPPED"
    people = {a.completed_by for a in annotations if skips_count or not a.was_cancelled}
    return len(people) >= project.maximum_annotations
