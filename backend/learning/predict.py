"""What `/predict` answers: what is known, and for tasks not yet known, a guess."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from dubito.backend.errors import SchemaError
from dubito.backend.features.ingest import attempt
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.questions import read_questions
from dubito.backend.learning.models import predict_unseen
from dubito.backend.learning.round import fingerprint_of, joint_ranking
from dubito.backend.learning.round_input import round_input
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.learning.task_predictions import TaskPredictions
from dubito.backend.publishing.scores import NEUTRAL, VERSION, pool_score
from dubito.backend.records import Task
from dubito.backend.state.pool import TaskInput
from dubito.backend.validation import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.labelstudio.questions import Questions
    from dubito.backend.publishing.prediction_format import PredictionFormatter
    from dubito.backend.records import JsonObject
    from dubito.backend.services import Services

MOST_FILES = 50


class PredictRequest(BaseModel):
    """The body of `/predict`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    tasks: tuple[Task, ...]
    project: str | int | None = None
    label_config: str | None = None


def parse_predict_request(payload: object) -> PredictRequest:
    """Read the body of `/predict`."""
    return parse(PredictRequest, payload, "invalid tasks")


def predict(questions: PredictRequest, services: Services) -> list[JsonObject]:
    """Return one result for each task, in order, valid for the label config.

    Tasks of the last round are answered from it; others are read and scored by what
    was learnt from the same labels. Of what cannot be known the score is neutral.
    """
    lookup = _look_up(questions, services)
    if lookup is None:
        return [_neutral() for _ in questions.tasks]
    formatter, answers = lookup
    return [
        answers[task.id] if task.id in answers else formatter.answer(task.id)
        for task in questions.tasks
    ]


def _look_up(
    questions: PredictRequest, services: Services
) -> tuple[PredictionFormatter, dict[int, JsonObject]] | None:
    """Return what is known of the project's tasks, and of those not yet known."""
    key = str(questions.project)
    if not services.projects.knows(key):
        return None
    state = services.projects.at(key)
    try:
        snapshot = ProjectSnapshot.of(state)
        config = questions.label_config
        request_questions = None if config is None else read_questions(config)
    except SchemaError:
        return None
    if snapshot is None:
        return None
    ranking = state.ranking()
    formatter = snapshot.formatter(ranking)
    if request_questions is not None:
        formatter = _as_asked(formatter, request_questions)
    if ranking is None:
        return formatter, {}
    strangers = [task for task in questions.tasks if ranking.row_of(task.id) is None]
    if not strangers:
        return formatter, {}
    return formatter, UnseenTaskScorer(services, snapshot, formatter).answers(strangers)


def _as_asked(
    formatter: PredictionFormatter, questions: Questions
) -> PredictionFormatter:
    """Return the same for the label config of a request.

    Questions that it does not ask are left out; the only one may have another name.
    """
    by_control = {one.control: one for one in questions.schemas}
    first, *others = formatter.schemas
    if not others and first.control not in by_control:
        return replace(formatter, schemas=questions.schemas[:1])
    schemas = (by_control.get(one.control) for one in formatter.schemas)
    return replace(formatter, schemas=tuple(filter(None, schemas)), first=first.control)


def _neutral() -> JsonObject:
    return {"score": pool_score(NEUTRAL), "model_version": VERSION, "result": []}


@dataclass(frozen=True, slots=True)
class UnseenTaskScorer:
    """Scores tasks that no round has seen."""

    services: Services
    snapshot: ProjectSnapshot
    formatter: PredictionFormatter

    def answers(self, tasks: Sequence[Task]) -> dict[int, JsonObject]:
        """Return an answer for each task that can be read and scored now."""
        readings = dict(sorted(self._read(tasks).items()))
        if not readings:
            return {}
        version, items = self.snapshot.items(self.services.feature_tables)
        question = round_input(self.snapshot, items)
        basis = fingerprint_of(
            self.snapshot.label_version, version, self.snapshot.basis
        )
        predictions = [
            predict_unseen(one, basis, [*readings.values()])
            or TaskPredictions.unknown(len(readings))
            for one in question.questions
        ]
        if not any(one.has_model for one in predictions):
            return {}
        task_ids = np.array([*readings], dtype=np.int64)
        ranking = joint_ranking(question, predictions, task_ids, basis)
        formatter = replace(self.formatter, ranking=ranking)
        return {task: formatter.answer(task) for task in readings}

    def _read(self, tasks: Sequence[Task]) -> dict[int, TaskInput]:
        """Read tasks as the pool was read; files only where they are few."""
        state = self.snapshot.state
        facts = state.facts()
        if facts.reads is None:
            return {}
        client = self.services.label_studio(facts.token)
        with self.services.files(client) as files:
            reader = TaskReader(
                schema=self.snapshot.schema, reads=facts.reads, files=files
            )
            if reader.fetches and len(tasks) > MOST_FILES:
                return {}
            readings = {task.id: attempt(reader, task.data) for task in tasks}
        return {
            task: reading
            for task, reading in readings.items()
            if isinstance(reading, TaskInput) and not reading.refused
        }
