"""What `/predict` answers: what is known, and for tasks not yet known, a guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from backend.errors import MalformedRequestError, SchemaError
from backend.labelstudio.config import read_schema
from backend.labelstudio.predictions import Wording
from backend.labelstudio.scores import NEUTRAL, VERSION, pool_score
from backend.learning.intake import attempt
from backend.learning.reading import Reader
from backend.learning.rounds import Question, basis_of, fit
from backend.learning.standing import Standing
from backend.records import Task
from backend.state.tasks import Reading
from model.uncertainty import doubt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.records import JsonObject
    from backend.services import Services

MOST_FILES = 50


class Questions(BaseModel):
    """The body of `/predict`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    tasks: tuple[Task, ...]
    project: str | int | None = None
    label_config: str | None = None


def parse_questions(payload: object) -> Questions:
    """Read the body of `/predict`."""
    try:
        return Questions.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        message = f"these are no tasks of Label Studio: {where}: {first['msg']}"
        raise MalformedRequestError(message) from error


def predict(questions: Questions, services: Services) -> list[JsonObject]:
    """Return one result for each task, in order, valid for the label config.

    Tasks of the last round are answered from it; others are read and scored by what
    was learnt from the same labels. Of what cannot be known the score is neutral.
    """
    found = _look_up(questions, services)
    if found is None:
        return [_neutral() for _ in questions.tasks]
    wording, guessed = found
    return [
        guessed[task.id] if task.id in guessed else wording.answer(task.id)
        for task in questions.tasks
    ]


def _look_up(
    questions: Questions, services: Services
) -> tuple[Wording, dict[int, JsonObject]] | None:
    """Return what is known of the project's tasks, and of those not yet known."""
    key = str(questions.project)
    if not services.projects.knows(key):
        return None
    state = services.projects.at(key)
    try:
        standing = Standing.of(state)
        config = questions.label_config
        schema = None if config is None else read_schema(config)
    except SchemaError:
        return None
    if standing is None:
        return None
    ranking, preannotate = state.ranking(), standing.preferences.preannotate
    wording = Wording.of(schema or standing.schema, ranking, preannotate=preannotate)
    strangers = [task for task in questions.tasks if task.id not in wording.places]
    if ranking is None or not strangers:
        return wording, {}
    return wording, Guess(services, standing, wording).answers(strangers)


def _neutral() -> JsonObject:
    return {"score": pool_score(NEUTRAL), "model_version": VERSION, "result": []}


@dataclass(frozen=True, slots=True)
class Guess:
    """Scores tasks that no round has seen."""

    services: Services
    standing: Standing
    wording: Wording

    def answers(self, tasks: Sequence[Task]) -> dict[int, JsonObject]:
        """Return an answer for each task that can be read and scored now."""
        readings = self._read(tasks)
        if not readings:
            return {}
        version, items = self.services.items.items(
            self.standing.state, self.standing.preferences.seed
        )
        question = Question(
            schema=self.standing.schema,
            preferences=self.standing.preferences,
            items=items,
            labels=self.standing.labels,
        )
        basis = basis_of(self.standing.label_version, version, self.standing.basis)
        predictor = items.predictor(basis, lambda: fit(question))
        if predictor is None:
            return {}
        probabilities = predictor.predict(
            items.featuriser.features_of(list(readings.values()))
        )
        certainty = doubt(self.standing.preferences.strategy, probabilities)
        likeliest = probabilities.argmax(axis=1).tolist()
        found = zip(readings, certainty.tolist(), likeliest, strict=True)
        return {
            task: self._answer(sure, self.standing.schema.classes[code])
            for task, sure, code in found
        }

    def _answer(self, certainty: float, label: str) -> JsonObject:
        shown = label if self.standing.preferences.preannotate else None
        result = self.wording.result(shown)
        score = pool_score(certainty)
        return {"score": score, "model_version": VERSION, "result": result}

    def _read(self, tasks: Sequence[Task]) -> dict[int, Reading]:
        """Read tasks as the pool was read; files only where they are few."""
        state = self.standing.state
        facts = state.facts()
        if facts.reads is None:
            return {}
        client = self.services.label_studio(facts.token)
        with self.services.files(client) as files:
            reader = Reader(schema=self.standing.schema, reads=facts.reads, files=files)
            if reader.fetches and len(tasks) > MOST_FILES:
                return {}
            found = {task.id: attempt(reader, task.data) for task in tasks}
        return {
            task: reading
            for task, reading in found.items()
            if isinstance(reading, Reading) and not reading.refused
        }
