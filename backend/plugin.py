"""The same learner, for those who run Label Studio's own ML server.

`Dubito` is a model class of label-studio-ml 2. What people answered, and what was read
from files, is kept in the cache of that server, so a restart loses nothing. Annotations
come with events, and with the tasks of each request for predictions: so deleted ones,
and ones that were imported or missed, become known when Label Studio asks again.

What it does not do, because the server cannot: it writes nothing to Label Studio. Its
scores are as old as the last time Label Studio asked for them (Data Manager → Retrieve
Predictions), and count once the version they came with is chosen in the project's
settings. There is no status page. One process can use the cache, in many threads.
"""

from __future__ import annotations

try:
    from label_studio_ml.model import LabelStudioMLBase
    from label_studio_ml.response import ModelResponse
except ImportError:
    MISSING = (
        "the plugin needs label-studio-ml 2, which is not on PyPI: run"
        " `pip install '.[label-studio-ml]'` in Dubito's directory"
    )
    raise ImportError(MISSING) from None

import logging
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

import orjson
from pydantic import AwareDatetime, TypeAdapter

from dubito.backend.connection.events import AnnotationsSaved, parse_event
from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import ProjectSettingsError, SchemaError
from dubito.backend.features.class_names import teaching_names
from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.features.in_memory_pool import pool_of
from dubito.backend.features.ingest import FETCHERS, SAMPLE, attempt
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.files import Files
from dubito.backend.labelstudio.questions import read_questions
from dubito.backend.labelstudio.task_lists import AnnotatedTask
from dubito.backend.learning.labels import Labels, derive_labels
from dubito.backend.learning.round import fingerprint_of, run_round
from dubito.backend.learning.round_input import RoundInput, with_others
from dubito.backend.project_settings import Preferences, read_preferences
from dubito.backend.publishing.prediction_format import PredictionFormatter
from dubito.backend.publishing.scores import (
    LAST,
    NEUTRAL,
    VERSION,
    plan_window,
    pool_score,
)
from dubito.backend.records import EPOCH, Annotation, Project, Task
from dubito.backend.settings import Settings
from dubito.backend.state.encoding import packed_data
from dubito.backend.state.pool import TaskInput, reading_as_json, reading_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dubito.backend.records import JsonObject
    from dubito.model.schema import Schema

logger = logging.getLogger(__name__)
ANNOTATIONS = TypeAdapter(list[Annotation])
PROJECT = Project(id=0, created_at=EPOCH)
"""Of a project's settings the server tells only the label config: the rest as usual."""

UPDATING = Lock()


class Asked(AnnotatedTask):
    """A task to be predicted, with all that people answered to it until then."""

    updated_at: AwareDatetime | None = None

    def has_lost(self, annotation: Annotation) -> bool:
        """Tell whether an annotation of this task was deleted before it was sent."""
        if annotation.id in {there.id for there in self.annotations}:
            return False
        return self.updated_at is not None and annotation.updated_at <= self.updated_at


class Dubito(LabelStudioMLBase):  # type: ignore[misc]  # untyped, and not always there
    """Scores tasks by how much a label for them would teach."""

    def setup(self) -> None:
        """Name the model after the labels it learns from.

        Label Studio asks for predictions of a task only if it has none of this version.
        """
        version = self._version()
        if self.get("model_version") != version:
            self.set("model_version", version)

    def set_extra_params(self, extra_params: object) -> None:
        """Keep the project's settings: Label Studio sends a text or an object."""
        is_text = isinstance(extra_params, str)
        text = extra_params if is_text else orjson.dumps(extra_params).decode()
        super().set_extra_params(text)
        self.setup()

    def fit(self, event: str, data: JsonObject, **_: object) -> None:
        """Note what people answered; it is learnt from when predictions are asked for.

        Label Studio waits for one second only, and does not repeat an event.
        """
        happening = parse_event({**data, "action": event})
        if isinstance(happening.what, AnnotationsSaved):
            self._keep(happening.tasks, happening.what.annotations)

    def predict(
        self,
        tasks: Sequence[JsonObject],
        context: JsonObject | None = None,
        **_: object,
    ) -> ModelResponse:
        """Return one prediction for each task, in order.

        Of more tasks than a window holds the next ones to label come first, as in the
        service; else each is scored by its certainty alone.
        """
        questions = [Asked.model_validate(task) for task in tasks]
        if not context:  # else one person is at work, and sees their own answers only
            annotations = [one for task in questions for one in task.annotations]
            self._keep(questions, annotations, questions)
        predictions = self._predictions(questions)
        return ModelResponse(predictions=predictions, model_version=self._version())

    def _predictions(self, questions: Sequence[Task]) -> list[JsonObject]:
        schemas, preferences = self._schemas(), self._preferences()
        if not schemas:
            score = pool_score(NEUTRAL)
            return [{"result": [], "score": score} for _ in questions]
        schema, labels = schemas[0], [self._labels(one) for one in schemas]
        readings = self._readings(self._data(questions, labels), schema)
        first = RoundInput(
            schema=schema,
            preferences=preferences,
            items=self._items(readings, schemas),
            labels=labels[0],
        )
        question = with_others(first, zip(schemas[1:], labels[1:], strict=True))
        result = run_round(question, len(labels[0].chosen), self._version())
        formatter = PredictionFormatter(
            schemas=schemas,
            ranking=result.ranking,
            preannotate=preferences.preannotate,
        )
        scores = {one.id: pool_score(formatter.certainty(one.id)) for one in questions}
        unreadable = {task for task, reading in readings.items() if reading.refused}
        last = scores.keys() & (labels[0].skipped | unreadable)
        scores |= dict.fromkeys(last, LAST)
        if len(questions) > preferences.window:
            scores |= dict(plan_window([place.task for place in result.window], {}))
        version = {"model_version": result.ranking.basis}
        return [formatter.row(task.id, scores[task.id]) | version for task in questions]

    def _items(
        self, readings: Mapping[int, TaskInput], schemas: Sequence[Schema]
    ) -> FeatureTable:
        """Return the table of tasks that were read, as the first question needs it."""
        preferences = self._preferences()
        names = [teaching_names(one, preferences) for one in schemas]
        of_pairs = codec_of(schemas[0]).compares
        table = FeatureTable.of(
            pool_of(readings), preferences.seed, names=names, of_pairs=of_pairs
        )
        return table.with_names(names[0])

    def _version(self) -> str:
        """Return a name that is equal for equal labels and settings."""
        schemas = self._schemas()
        labels = [self._labels(one) for one in schemas] or [Labels()]
        answers = [(sorted(one.chosen.items()), sorted(one.skipped)) for one in labels]
        mark = fingerprint_of(answers, schemas, self._preferences())[:6]
        return f"{VERSION}-{len(labels[0].chosen)}-{mark}"

    def _schemas(self) -> tuple[Schema, ...]:
        """Return what is asked, the first question first; nothing if none is learnt."""
        try:
            questions = read_questions(self.get("label_config") or "")
        except SchemaError as error:
            logger.warning(
                "project %s cannot be used for training: %s", self.project_id, error
            )
            return ()
        learnt, _ = questions.learnt_or_all(self._preferences().controls)
        return learnt

    def _preferences(self) -> Preferences:
        try:
            return read_preferences(self.get("extra_params"))
        except ProjectSettingsError as error:
            logger.warning("%s; using the defaults", error)
            return Preferences()

    def _labels(self, schema: Schema) -> Labels:
        return derive_labels(self._annotations().values(), schema, PROJECT)

    def _annotations(self) -> dict[int, Annotation]:
        annotations = ANNOTATIONS.validate_json(self.get("annotations") or "[]")
        return {annotation.id: annotation for annotation in annotations}

    def _keep(
        self,
        tasks: Sequence[Task],
        annotations: Iterable[Annotation],
        questions: Iterable[Asked] = (),
    ) -> None:
        """Keep annotations that are new or newer, and what their tasks show.

        Parameters
        ----------
        questions : tasks that tell all of their annotations: others are dropped
        """
        whole = {task.id: task for task in questions}
        with UPDATING:
            old_annotations = self._annotations()
            by_id = {
                number: annotation
                for number, annotation in old_annotations.items()
                if annotation.task not in whole
                or not whole[annotation.task].has_lost(annotation)
            }
            for annotation in annotations:
                if (
                    annotation.id not in by_id
                    or by_id[annotation.id].stamp <= annotation.stamp
                ):
                    by_id[annotation.id] = annotation
            answered_tasks = {annotation.task for annotation in by_id.values()}
            for task in tasks:
                if task.id in answered_tasks:
                    self._write(f"task:{task.id}", packed_data(task.data))
            self._write("annotations", ANNOTATIONS.dump_json(list(by_id.values())))
        self.setup()

    def _write(self, name: str, content: bytes) -> None:
        """Keep something; what is kept already costs no write."""
        if self.get(name) != content.decode():
            self.set(name, content.decode())

    def _data(
        self, questions: Sequence[Task], labels: Sequence[Labels]
    ) -> dict[int, JsonObject]:
        """Return the data of the tasks that have a label, and of those asked about."""
        labelled_tasks = sorted({task for one in labels for task in one.chosen})
        values = {task: self.get(f"task:{task}") for task in labelled_tasks}
        labelled = {task: orjson.loads(data) for task, data in values.items() if data}
        return labelled | {task.id: task.data for task in questions}

    def _readings(
        self, data: Mapping[int, JsonObject], schema: Schema
    ) -> dict[int, TaskInput]:
        """Return what is read from tasks; those whose file cannot be had are left."""
        sample = list(data.values())[:SAMPLE]
        reads = choose_input(schema, self._preferences(), sample)
        reader = TaskReader(schema=schema, reads=reads, files=_files())
        with ThreadPoolExecutor(FETCHERS) as threads:
            results = list(
                threads.map(lambda item: self._read(reader, item), data.values())
            )
        faults = [fault for fault in results if isinstance(fault, str)]
        if faults:
            logger.warning("cannot read %s tasks now: %s", len(faults), faults[0])
        pairs = zip(data, results, strict=True)
        return {task: read for task, read in pairs if isinstance(read, TaskInput)}

    def _read(self, reader: TaskReader, data: JsonObject) -> TaskInput | str:
        """Read one task; what was read from a file is kept."""
        if not reader.fetches:
            return attempt(reader, data)
        mark = fingerprint_of(
            reader.version, reader.schema, reader.reads, packed_data(data)
        )
        packed = self.get(f"reading:{mark}")
        if packed is not None:
            return reading_from(packed)
        reading = attempt(reader, data)
        if isinstance(reading, TaskInput):
            self._write(f"reading:{mark}", reading_as_json(reading))
        return reading


@cache
def _files() -> Files:
    """Prepare to fetch files of tasks, once per process."""
    settings = Settings.from_process()
    client = LabelStudioClient.open(
        settings.label_studio_url, settings.label_studio_key
    )
    return Files.open(client.access, client.url, settings.file_hosts)
