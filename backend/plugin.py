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
from dataclasses import asdict
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

import orjson
from pydantic import AwareDatetime, TypeAdapter

from backend.errors import ProjectSettingsError, SchemaError
from backend.labelstudio.client import LabelStudioClient
from backend.labelstudio.config import read_schema
from backend.labelstudio.files import Files
from backend.labelstudio.listed import AnnotatedTask
from backend.labelstudio.predictions import Wording
from backend.labelstudio.scores import (
    LAST,
    NEUTRAL,
    VERSION,
    plan_window,
    pool_score,
)
from backend.learning.events import AnnotationsSaved, parse_event
from backend.learning.features import Items
from backend.learning.intake import FETCHERS, SAMPLE, attempt
from backend.learning.labels import Labels, derive_labels
from backend.learning.pools import pool_of
from backend.learning.preferences import Preferences, read_preferences
from backend.learning.reading import VERSION as READING
from backend.learning.reading import Reader, choose_reads
from backend.learning.rounds import Question, answer, basis_of
from backend.records import EPOCH, Annotation, Project, Task
from backend.settings import Settings
from backend.state.packing import packed_data
from backend.state.tasks import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from backend.records import JsonObject
    from model.schema import Schema

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
        asked = [Asked.model_validate(task) for task in tasks]
        if not context:  # else one person is at work, and sees their own answers only
            said = [one for task in asked for one in task.annotations]
            self._keep(asked, said, asked)
        predictions = self._predictions(asked)
        return ModelResponse(predictions=predictions, model_version=self._version())

    def _predictions(self, asked: Sequence[Task]) -> list[JsonObject]:
        schema, preferences = self._schema(), self._preferences()
        if schema is None:
            score = pool_score(NEUTRAL)
            return [{"result": [], "score": score} for _ in asked]
        labels = self._labels(schema)
        readings = self._readings(self._data(asked, labels), schema)
        question = Question(
            schema=schema,
            preferences=preferences,
            items=Items.of(pool_of(readings), preferences.seed),
            labels=labels,
        )
        found = answer(question, len(labels.chosen), self._version())
        wording = Wording.of(schema, found.ranking, preannotate=preferences.preannotate)
        scores = {task.id: pool_score(wording.certainty(task.id)) for task in asked}
        refused = {task for task, reading in readings.items() if reading.refused}
        scores |= {task: LAST for task in scores if task in labels.skipped | refused}
        if len(asked) > preferences.window:
            scores |= dict(plan_window([place.task for place in found.window], {}))
        version = {"model_version": found.ranking.basis}
        return [wording.row(task.id, scores[task.id]) | version for task in asked]

    def _version(self) -> str:
        """Return a name that is equal for equal labels and settings."""
        schema = self._schema()
        labels = Labels() if schema is None else self._labels(schema)
        said = sorted(labels.chosen.items()), sorted(labels.skipped)
        mark = basis_of(said, schema, self._preferences())[:6]
        return f"{VERSION}-{len(labels.chosen)}-{mark}"

    def _schema(self) -> Schema | None:
        """Return what is asked; None if there is nothing Dubito can learn."""
        try:
            return read_schema(self.get("label_config") or "")
        except SchemaError as error:
            logger.warning("project %s cannot be learnt: %s", self.project_id, error)
            return None

    def _preferences(self) -> Preferences:
        try:
            return read_preferences(self.get("extra_params"))
        except ProjectSettingsError as error:
            logger.warning("%s; the defaults are used", error)
            return Preferences()

    def _labels(self, schema: Schema) -> Labels:
        return derive_labels(self._annotations().values(), schema, PROJECT)

    def _annotations(self) -> dict[int, Annotation]:
        kept = ANNOTATIONS.validate_json(self.get("annotations") or "[]")
        return {annotation.id: annotation for annotation in kept}

    def _keep(
        self,
        tasks: Sequence[Task],
        annotations: Iterable[Annotation],
        asked: Iterable[Asked] = (),
    ) -> None:
        """Keep annotations that are new or newer, and what their tasks show.

        Parameters
        ----------
        asked : tasks of which all annotations are told: others of theirs are dropped
        """
        whole = {task.id: task for task in asked}
        with UPDATING:
            held = self._annotations()
            kept = {
                number: annotation
                for number, annotation in held.items()
                if annotation.task not in whole
                or not whole[annotation.task].has_lost(annotation)
            }
            for told in annotations:
                if told.id not in kept or kept[told.id].stamp <= told.stamp:
                    kept[told.id] = told
            answered = {annotation.task for annotation in kept.values()}
            for task in tasks:
                if task.id in answered:
                    self._write(f"task:{task.id}", packed_data(task.data))
            self._write("annotations", ANNOTATIONS.dump_json(list(kept.values())))
        self.setup()

    def _write(self, name: str, content: bytes) -> None:
        """Keep something; what is kept already costs no write."""
        if self.get(name) != content.decode():
            self.set(name, content.decode())

    def _data(self, asked: Sequence[Task], labels: Labels) -> dict[int, JsonObject]:
        """Return the data of the tasks that have a label, and of those asked about."""
        kept = {task: self.get(f"task:{task}") for task in sorted(labels.chosen)}
        labelled = {task: orjson.loads(data) for task, data in kept.items() if data}
        return labelled | {task.id: task.data for task in asked}

    def _readings(
        self, data: Mapping[int, JsonObject], schema: Schema
    ) -> dict[int, Reading]:
        """Return what is read from tasks; those whose file cannot be had are left."""
        sample = list(data.values())[:SAMPLE]
        reads = choose_reads(schema, self._preferences(), sample)
        reader = Reader(schema=schema, reads=reads, files=_files())
        with ThreadPoolExecutor(FETCHERS) as threads:
            found = list(
                threads.map(lambda item: self._read(reader, item), data.values())
            )
        faults = [fault for fault in found if isinstance(fault, str)]
        if faults:
            logger.warning("%s tasks cannot be read now: %s", len(faults), faults[0])
        pairs = zip(data, found, strict=True)
        return {task: read for task, read in pairs if isinstance(read, Reading)}

    def _read(self, reader: Reader, data: JsonObject) -> Reading | str:
        """Read one task; what was read from a file is kept."""
        if not reader.fetches:
            return attempt(reader, data)
        shown = basis_of(READING, reader.schema, reader.reads, packed_data(data))
        kept = self.get(f"reading:{shown}")
        if kept is not None:
            return Reading(**orjson.loads(kept))
        reading = attempt(reader, data)
        if isinstance(reading, Reading):
            self._write(f"reading:{shown}", orjson.dumps(asdict(reading)))
        return reading


@cache
def _files() -> Files:
    """Prepare to fetch files of tasks, once per process."""
    settings = Settings.from_process()
    client = LabelStudioClient.open(
        settings.label_studio_url, settings.label_studio_key
    )
    return Files.open(client.access, client.url, settings.file_hosts)
