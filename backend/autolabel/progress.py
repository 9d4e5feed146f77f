"""How far the auto-labelling job has come, and how long it still takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.autolabel.models import AutolabelProgress
from dubito.backend.progress import time_left
from dubito.backend.state.autolabel import ACTIVE

if TYPE_CHECKING:
    from dubito.backend.state.autolabel import AutolabelJob
    from dubito.backend.state.project import ProjectState

FEWEST_TASKS = 10
"""After so many tasks the time that is left can be estimated."""


def progress_of(state: ProjectState) -> AutolabelProgress:
    """Return how far the job has come, and what it still has to do."""
    job = state.autolabel.job()
    count = len(state.autolabel.written_tasks())
    if job.doing == "writing" or (job.state == "done" and job.certainty is not None):
        count = job.of - state.autolabel.count_left() - job.passed_over
    facts = state.facts()
    error = (facts.paused or facts.last_error) if job.state in ACTIVE else ""
    return AutolabelProgress(
        state=job.state,
        doing=job.doing,
        certainty=job.certainty,
        as_annotations=job.as_annotations,
        written=max(0, count),
        of=job.of,
        passed_over=job.passed_over,
        time_left="" if error else _time_left(state, job),
        note=job.note,
        error=error,
    )


def _time_left(state: ProjectState, job: AutolabelJob) -> str:
    """Estimate in words how long a running job takes; empty as long as nobody knows."""
    if job.state not in ACTIVE:
        return ""
    done = job.began_with - state.autolabel.remaining(job)
    if done < FEWEST_TASKS or not job.began_at:
        return ""
    return time_left(state.clock() - job.began_at, done, job.began_with)
