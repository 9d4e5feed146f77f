"""What `/predict` answers: what is known, and for tasks not yet known, a guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from dubito.backend.errors import SchemaError
from dubito.backend.features.ingest import attempt
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.label_config import read_schema
from dubito.backend.learning.models import labels_of, predict_unseen
from dubito.backend.learning.round import fingerprint_of
from dubito.backend.learning.round_input import RoundInput
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.publishing.prediction_format import PredictionFormatter
from dubito.backend.publishing.scores import NEUTRAL, VERSION, pool_score
from dubito.backend.records import Task
from dubito.backend.state.pool import TaskInput
from dubito.backend.validation import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        schema = None if config is None else read_schema(config)
    except SchemaError:
        return None
    if snapshot is None:
        return None
    ranking, preannotate = state.ranking(), snapshot.preferences.preannotate
    formatter = PredictionFormatter.of(
        schema or snapshot.schema, ranking, preannotate=preannotate
    )
    if ranking is None:
        return formatter, {}
    strangers = [task for task in questions.tasks if ranking.row_of(task.id) is None]
    if not strangers:
        return formatter, {}
    return formatter, UnseenTaskScorer(services, snapshot, formatter).answers(strangers)


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
        readings = self._read(tasks)
        if not readings:
            return {}
        version, items = self.snapshot.items(self.services.feature_tables)
        question = RoundInput(
            schema=self.snapshot.schema,
            preferences=self.snapshot.preferences,
            items=items,
            labels=self.snapshot.labels,
        )
        basis = fingerprint_of(
            self.snapshot.label_version, version, self.snapshot.basis
        )
        predictions = predict_unseen(question, basis, list(readings.values()))
        if predictions is None:
            return {}
        labels = labels_of(predictions, question.learnt_schema)
        rows = zip(readings, predictions.certainty.tolist(), labels, strict=True)
        return {task: self._answer(sure, label) for task, sure, label in rows}

    def _answer(self, certainty: float, label: str) -> JsonObject:
        preannotation = label if self.snapshot.preferences.preannotate else None
        result = self.formatter.result(preannotation)
        score = pool_score(certainty)
        return {"score": score, "model_version": VERSION, "result": result}

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
