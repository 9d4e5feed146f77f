"""One task, as a person wants to see it: what it holds, and what is thought of it.

Whoever may see Dubito's page may see this, so it shows what the project's tasks hold
and nothing that our key could read beyond them.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.preview import TaskPreview
from dubito.backend.errors import UnknownTaskError
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.state.task_lookup import look_up
from dubito.backend.status.models import TaskDetail
from dubito.backend.status.task_items import TaskLoader
from dubito.backend.status.task_preview import MOST_NUMBERS, named_numbers, shortened

if TYPE_CHECKING:
    from dubito.backend.records import JsonObject
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.ranking import Ranking


def task_detail(
    state: ProjectState, task: int, services: Services, question: str = ""
) -> TaskDetail:
    """Return what a person would want to see of a task.

    Parameters
    ----------
    question : control of the question that is answered first; the first one if empty

    Raises
    ------
    UnknownTaskError
        if the project has no such task
    UnknownQuestionError
        if it does not learn that question
    """
    single = look_up(state.client, state.key, task)
    if single is None:
        raise UnknownTaskError(task)
    snapshot, fault = ProjectSnapshot.or_fault(state, question)
    home = services.settings.label_studio_for_people
    look = TaskLoader(state=state, task=task, single=single, services=services)
    preview = TaskPreview(note=fault) if snapshot is None else look.at(snapshot.schema)
    detail = {
        "task": task,
        "link": f"{home}/projects/{state.id}/data?task={task}",
        **_thought(task, snapshot, state),
        "text": None if preview.text is None else shortened(preview.text),
        "numbers": named_numbers(preview.numbers),
        "numbers_left_out": max(0, len(preview.numbers) - MOST_NUMBERS),
        "items": [asdict(one) for one in preview.items],
        "items_left_out": preview.items_left_out,
        "refused": single.refused,
        "note": preview.note,
    }
    return TaskDetail.model_validate(detail)


def _thought(
    task: int, snapshot: ProjectSnapshot | None, state: ProjectState
) -> JsonObject:
    """Return what people and the model say, and when the task is asked for."""
    window = state.facts().window
    place = next((n for n, one in enumerate(window, 1) if one.task == task), None)
    ranking = state.ranking() if snapshot is None else snapshot.ranking()
    predicted, certainty = _foreseen(task, ranking)
    return {
        "others": [] if snapshot is None else _other_answers(task, snapshot),
        "label": None if snapshot is None else snapshot.labels.chosen.get(task),
        "predicted": predicted,
        "certainty": certainty,
        "place": place,
        "why": None if place is None else window[place - 1].why,
    }


def _other_answers(task: int, snapshot: ProjectSnapshot) -> list[JsonObject]:
    """Return the answers to all questions but the one of a snapshot."""
    first, control = snapshot.first or snapshot, snapshot.schema.control
    if not first.others:
        return []
    ranking = first.ranking()
    return [
        _answer(task, one, ranking)
        for one in first.questions
        if one.schema.control != control
    ]


def _answer(
    task: int, question: ProjectSnapshot, ranking: Ranking | None
) -> JsonObject:
    control, own = question.schema.control, ranking
    if ranking is not None and question.first is not None:
        own = ranking.others.get(control)
    return {
        "control": control,
        "kind": question.kind,
        "label": question.labels.chosen.get(task),
        "predicted": None if own is None else own.likeliest_of(task),
    }


def _foreseen(task: int, ranking: Ranking | None) -> tuple[str | None, float | None]:
    row = None if ranking is None else ranking.row_of(task)
    if ranking is None or row is None or not ranking.has_model:
        return None, None
    return ranking.likeliest_of(task), round(float(ranking.certainty[row]), 3)
