"""Tasks and annotations that are set aside: how many, and for which reasons.

`connect`, `status`, the page and `doctor` all name these causes, and no others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dubito.backend.response_model import Count, ResponseModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dubito.backend.learning.labels import Labels
    from dubito.backend.state.facts import ProjectFacts
    from dubito.backend.state.project import ProjectState

CAUSES_SHOWN = 5
TASKS_NAMED = 5
OF_ONE_TASK = re.compile(
    r"""
    ^.+(?=[ ](?:cannot[ ]be[ ](?:had|fetched)|is[ ]larger[ ]than))
    | ^.+(?=[ ]is[ ]not[ ]an[ ]address)
    | (?<=it[ ]has[ ]).+$  # the columns of one file
    | (?<=columns[ ]of[ ]numbers,[ ]not[ ]).+$  # what a task holds instead
    | [a-z][a-z0-9+.-]*://\S+ | (?<!\S)/\S+  # addresses
    | \b0x[0-9a-f]+\b
    | (?<![\w.:])(?![45]\d\d\b)-?\d+(?:\.\d+)?(?![\w.:]\S)  # counts, but no status
    """,
    re.VERBOSE,
)
"""What a reason says of one task alone: equal causes are equal without it."""


class Cause(ResponseModel):
    """Why some tasks, or some annotations, are set aside."""

    of: Literal["tasks", "annotations"]
    count: Count
    reason: str = Field(description="Of several tasks, the reason of the first.")
    tasks: tuple[Count, ...] = Field(default=(), description="The first ones.")
    is_same: bool = Field(default=True, exclude=True)

    def __str__(self) -> str:
        """Say how many, and why."""
        what = self.of if self.count != 1 else self.of.removesuffix("s")
        example = "" if self.is_same else ", for example"
        return f"{self.count} {what}{example}: {self.reason}"


def causes(state: ProjectState, labels: Labels | None) -> list[Cause]:
    """Return why tasks and annotations are set aside, the commonest cause first."""
    tasks = causes_of_tasks(state.tasks.set_aside() | refused_rows(state))
    annotations = {} if labels is None else labels.set_aside_reasons
    return sorted([*tasks, *causes_of_annotations(annotations)], key=_commonest_first)


def refused_rows(state: ProjectState) -> dict[int, str]:
    """Return the tasks whose row Label Studio does not take, with the reason."""
    return {
        task: f"task {task} is not in the queue now, Dubito tries again later: {why}"
        for task, why in state.refused_rows.resting().items()
    }


def causes_of_tasks(reasons: Mapping[int, str]) -> list[Cause]:
    """Count tasks by cause, the commonest first; each may word it in its own way."""
    alike: dict[str, list[int]] = defaultdict(list)
    for task in sorted(reasons):
        alike[OF_ONE_TASK.sub("…", reasons[task])].append(task)
    return sorted(
        (_cause(tasks, reasons) for tasks in alike.values()), key=_commonest_first
    )


def _cause(tasks: Sequence[int], reasons: Mapping[int, str]) -> Cause:
    first = reasons[tasks[0]]
    return Cause(
        of="tasks",
        count=len(tasks),
        reason=first,
        tasks=tuple(tasks[:TASKS_NAMED]),
        is_same=all(reasons[task] == first for task in tasks),
    )


def causes_of_annotations(reasons: Mapping[str, int]) -> list[Cause]:
    """Return the causes for which annotations are set aside, the commonest first."""
    return sorted(
        (
            Cause(of="annotations", count=count, reason=reason)
            for reason, count in reasons.items()
        ),
        key=_commonest_first,
    )


def _commonest_first(cause: Cause) -> tuple[int, str, str]:
    return -cause.count, cause.of, cause.reason


def sentences(all_causes: Sequence[Cause]) -> list[str]:
    """Return the commonest causes as sentences, and how many are left out.

    A single one is not left out: to count it takes a sentence, too.
    """
    shown = len(all_causes) if len(all_causes) == CAUSES_SHOWN + 1 else CAUSES_SHOWN
    first, rest = all_causes[:shown], all_causes[shown:]
    words = [str(cause) for cause in first]
    if rest:
        words.append(f"{_total(rest)} more, for {len(rest)} other reasons")
    return words


def _total(group: Iterable[Cause]) -> int:
    return sum(cause.count for cause in group)


def left_out(state: ProjectState) -> str:
    """Say of how many tasks an object cannot be read, and why; empty if of none."""
    why = "; ".join(sentences(causes_of_tasks(state.tasks.left_out())))
    return f"some tasks are learnt without one of their objects ({why})" if why else ""


def are_all_set_aside(state: ProjectState) -> bool:
    """Return whether there are tasks, all are read, and none can be learnt from."""
    count, pending = state.tasks.count(), state.tasks.pending_count()
    return not pending and 0 < count <= len(state.tasks.set_aside())


def nothing_to_learn_from(state: ProjectState) -> str:
    """Say why no task can be learnt from; empty if one can, or may yet be."""
    if not are_all_set_aside(state):
        return ""
    reasons = state.tasks.set_aside()
    why = "; ".join(sentences(causes_of_tasks(reasons)))
    which = "all tasks are" if len(reasons) > 1 else "the only task is"
    return f"no task can be used for training: {which} set aside ({why})"


def do_all_wait_for_files(state: ProjectState, facts: ProjectFacts) -> bool:
    """Return whether no task can be learnt from, as files cannot be had now."""
    if not facts.waits_for or not state.tasks.pending_count():
        return False
    unusable = state.tasks.pending() | state.tasks.set_aside().keys()
    return state.tasks.count() <= len(unusable)


def no_file_yet(state: ProjectState, facts: ProjectFacts) -> str:
    """Say that all tasks wait for files that cannot be had now; empty if not so."""
    if not do_all_wait_for_files(state, facts):
        return ""
    pending = state.tasks.pending_count()
    tasks = f"{pending} tasks wait" if pending > 1 else "1 task waits"
    text = (
        f"no task can be used yet: {tasks} for files that Dubito keeps requesting"
        f" ({facts.waits_for})"
    )
    aside = sentences(causes_of_tasks(state.tasks.set_aside()))
    return f"{text}; the others are set aside ({'; '.join(aside)})" if aside else text
