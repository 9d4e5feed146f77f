"""A project's tasks and annotations: whether they can be learnt from, and why not."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from dubito.backend.doctor.findings import Severity, Verdict, fault, warning, well
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.status.set_aside import (
    causes_of_annotations,
    causes_of_tasks,
    left_out,
    no_file_yet,
    nothing_to_learn_from,
    refused_rows,
    sentences,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dubito.backend.doctor.context import DiagnosticContext
    from dubito.backend.status.set_aside import Cause

HOST = re.compile(r"^(\S+) is neither LABEL_STUDIO_URL nor in FILE_HOSTS")
SEVERAL_CHOICES = re.compile(r"has several choices")
SEVERAL = re.compile(r"has several (paths|grades|numbers)")
NO_ANSWER = re.compile(r"^the annotation has no (choice|path|grade|number)")
NO_NUMBER_LIKE_IT = re.compile(r"^the labeling configuration has no number")
GONE = re.compile(r"^the labeling configuration has no (choice|path|grade)")
TASK_CURES: Mapping[re.Pattern[str], str] = MappingProxyType(
    {
        re.compile(r"files at \S+:// cannot be read"): (
            "import the tasks with https:// addresses of their files, and add the"
            " host to FILE_HOSTS"
        ),
        re.compile(r'the extra "video" \(pip install av\)'): (
            "run `pip install av` in Dubito's environment, restart Dubito, and run"
            " `dubito connect` for the project again"
        ),
        re.compile(r"cannot be (?:had|fetched) \((?:status|Label Studio has)"): (
            "put the missing files at the tasks' addresses, or correct the addresses"
            " in the tasks' data"
        ),
        re.compile(r"has no column"): (
            "Label Studio, Settings → Labeling Interface: give each <Channel> the name"
            ' of a column of the files: column="…"'
        ),
        re.compile(r"^task \d+ is not in the queue now"): (
            "check Label Studio's log for these tasks"
        ),
        re.compile(r"^there is no number in the data"): (
            "add numbers that describe each item to the tasks' data: what the tasks"
            " show is neither text, image, audio, video nor time series, and is not"
            " read"
        ),
    }
)
"""What cures the tasks that are set aside for a reason; the first that fits counts."""

OTHER_KEYS = (
    "learn from other keys of the tasks' data: Label Studio, Settings → Model → ⋯ →"
    ' Edit, extra params: {"features": ["KEY", …]}'
)


def check_tasks(patient: DiagnosticContext) -> Verdict:
    """Look whether the tasks can be learnt from."""
    state, facts = patient.state, patient.facts()
    if state is None or facts is None:
        return Verdict(mark=Severity.SKIPPED, what="not known without the store")
    aside, count = state.tasks.set_aside() | refused_rows(state), state.tasks.count()
    causes = causes_of_tasks(aside)
    if nothing := nothing_to_learn_from(state):
        why = "Dubito can neither use nor order the tasks"
        return fault(nothing, why, *_task_cures(causes, patient))
    if waiting := no_file_yet(state, facts):
        return warning(
            waiting,
            "Dubito can neither use nor order the tasks until then",
            "check that the file host responds",
            *_task_cures(causes, patient),
        )
    in_part = causes_of_tasks(state.tasks.left_out())
    if causes or in_part:
        whole = f"{len(aside)} of {count} tasks are set aside: "
        reports = [whole + "; ".join(sentences(causes))] if causes else []
        reports += [left_out(state)] if in_part else []
        return warning(
            "; ".join(reports),
            "Dubito ignores what cannot be read, and uses the rest",
            *_task_cures([*causes, *in_part], patient),
        )
    return well(f"{count} tasks, none set aside" if count else "waiting for tasks")


def check_annotations(patient: DiagnosticContext) -> Verdict:
    """Look whether most of what people answered can be learnt from."""
    snapshot = None if patient.state is None else ProjectSnapshot.of(patient.state)
    if snapshot is None:
        return Verdict(mark=Severity.SKIPPED, what="not known yet")
    labels = snapshot.labels
    usable, aside = sum(map(len, labels.votes.values())), labels.set_aside
    if not aside:
        return well(f"{usable} annotations, none set aside")
    causes = causes_of_annotations(labels.set_aside_reasons)
    why = "; ".join(sentences(causes))
    what = f"{aside} of {usable + aside} annotations are set aside: {why}"
    if aside <= usable:
        return well(what)
    return warning(
        what,
        f"Dubito trains only on the other {usable}",
        *dict.fromkeys(_annotation_cure(cause.reason) for cause in causes),
    )


def _task_cures(causes: Sequence[Cause], patient: DiagnosticContext) -> list[str]:
    """Return what cures all of these causes, and what does without curing them."""
    if not causes:
        return []
    again = f"`dubito connect --project {patient.number}`"
    hosts = [match[1] for one in causes if (match := HOST.match(one.reason))]
    others = [_task_cure(one.reason) for one in causes if not HOST.match(one.reason)]
    if hosts:
        allowed_hosts = ",".join([*patient.settings.file_hosts, *hosts])
        others.insert(
            0, f"start Dubito with FILE_HOSTS={allowed_hosts}, if you trust these hosts"
        )
    return [f"{'; and '.join(dict.fromkeys(others))}; then {again}", OTHER_KEYS]


def _task_cure(reason: str) -> str:
    cures = (cure for pattern, cure in TASK_CURES.items() if pattern.search(reason))
    otherwise = "correct the tasks' data in Label Studio, or import the tasks again"
    return next(cures, otherwise)


def _annotation_cure(reason: str) -> str:
    interface = "Label Studio, Settings → Labeling Interface"
    if SEVERAL_CHOICES.search(reason):
        return f'{interface}: add choice="single" to the <Choices>; answer these anew'
    if SEVERAL.search(reason):
        return "in Label Studio's Data Manager: give these tasks one answer"
    if NO_ANSWER.match(reason):
        return f'{interface}: add required="true" to the control; answer these anew'
    if NO_NUMBER_LIKE_IT.match(reason):
        return f"{interface}: change min, max or step; then the labels count again"
    if GONE.match(reason):
        return f"{interface}: add it again; then the labels count again"
    return "in Label Studio's Data Manager: label these tasks again"
