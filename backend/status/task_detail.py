"""One task, as a person wants to see it: what it holds, and what is thought of it.

Whoever may see Dubito's page may see this, so it shows what the project's tasks hold
and nothing that our key could read beyond them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.data_kinds.kind import DataKind, ItemFile, ReadPlan
from dubito.backend.data_kinds.preview import Look, TaskPreview
from dubito.backend.data_kinds.registry import kind_shown_by
from dubito.backend.data_kinds.shown_data import shown_data
from dubito.backend.data_kinds.texts import UPLOADED
from dubito.backend.errors import BackendError, UnknownTaskError
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.task_lookup import look_up
from dubito.backend.status.models import TaskDetail
from dubito.backend.status.task_preview import (
    MOST_NUMBERS,
    file_for_browsers,
    is_inline,
    linked,
    named_numbers,
    shortened,
)
from dubito.model.errors import BadItemError
from dubito.model.task_values import as_text

if TYPE_CHECKING:
    from dubito.backend.labelstudio.files import Files
    from dubito.backend.records import JsonObject
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.ranking import Ranking
    from dubito.backend.state.task_lookup import TaskLookup
    from dubito.model.schema import Schema

AT_ONCE = threading.BoundedSemaphore(2)
"""Label Studio may be slow: most of our threads stay free for its events."""

PATIENCE_SECONDS = 0.2
BUSY = "Dubito is loading other tasks now. Try again in a moment."
FOREIGN = (
    "The file of this task may belong to another project, so it is not shown here."
    " Open the task in Label Studio."
)
LEFT_ONLY = "The left one of two items."
LARGEST_BYTES = 5_000_000


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
        "trace": preview.trace,
        "image": preview.image,
        "audio": preview.audio,
        "video": preview.video,
        "document": preview.document,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLoader:
    """A look at one task: at what we hold of it, and at its data if that is needed."""

    state: ProjectState
    task: int
    single: TaskLookup
    services: Services

    def at(self, schema: Schema) -> TaskPreview:
        """Return what is to be seen; what cannot be had is said, and does not fail."""
        reads = self.state.facts().reads
        specs = () if reads is None else (reads, *reads.parts)
        is_vector = any(one.extractor for one in specs)  # it tells people nothing
        numbers = {} if is_vector else self.single.numbers
        preview = TaskPreview(text=self.single.text, numbers=numbers)
        is_enough = preview.text is not None or bool(preview.numbers)
        is_in_file = any(map(_may_be_file, schema.objects))
        if is_enough and not is_in_file and _look(schema) is not Look.DRAWN:
            return preview
        if not AT_ONCE.acquire(timeout=PATIENCE_SECONDS):
            return TaskPreview(note=BUSY)
        try:
            return self._in_label_studio(schema, preview)
        except (BackendError, BadItemError) as error:
            return TaskPreview(note=f"The task cannot be shown now: {error}")
        finally:
            AT_ONCE.release()

    def _in_label_studio(self, schema: Schema, preview: TaskPreview) -> TaskPreview:
        if not self.services.has_key(self.state):
            return TaskPreview(
                note=("The task cannot be shown: there is no API key for Label Studio.")
            )
        client = self.services.label_studio(self.state.facts().token)
        data = client.task_data(self.state.id, self.task)
        if data is None:
            return TaskPreview(note="Label Studio no longer has this task.")
        kind = kind_shown_by(schema.tag)
        is_file = kind is not None and kind.by_address
        content = shown_data(schema, data, is_file=is_file)
        if kind is not None and kind.each is not None and isinstance(content, list):
            note = f"The first of {len(content)} images." if len(content) > 1 else ""
            content, preview = next(iter(content), None), TaskPreview(note=note)
        if codec_of(schema).compares and _look(schema) is not Look.KEPT:
            preview = preview.having(note=LEFT_ONLY)
        with self.services.files(client) as files:
            if any(self._is_foreign(other, data, files) for other in schema.others):
                preview = TaskPreview(note=FOREIGN)
            is_address = schema.is_address or _is_upload(schema, content)
            if not isinstance(content, str) or not is_address:
                return self._without_file(schema, content, preview)
            return self._with_file(schema, content.strip(), preview, files)

    def _without_file(
        self, schema: Schema, content: object, preview: TaskPreview
    ) -> TaskPreview:
        if _look(schema) is Look.DRAWN:
            return _drawing(schema, content, preview)
        is_dialogue = schema.tag == "Paragraphs"  # its turns are no text
        is_text = isinstance(content, str | int | float | list) and not is_dialogue
        if preview.text is None and is_text:
            return preview.having(text=as_text(content))
        return preview

    def _with_file(
        self, schema: Schema, address: str, preview: TaskPreview, files: Files
    ) -> TaskPreview:
        """Show a file of the task's own; for some the viewer's browser asks."""
        is_own = is_inline(address) or self._is_own(address, files)
        look = _look(schema)
        if look is Look.BY_BROWSER:
            base = preview if is_own else TaskPreview()
            home = self.services.settings.label_studio_for_people
            location = file_for_browsers(address, files, home)
            return base.having(**{_medium(schema): location})
        if look is Look.LINKED:
            base = preview if is_own else TaskPreview(note=FOREIGN)
            home = self.services.settings.label_studio_for_people
            return base.having(document=linked(address, files, home))
        if not is_own:
            return TaskPreview(note=FOREIGN)
        if look is Look.KEPT:
            return preview
        content = files.fetch(address, LARGEST_BYTES)
        return _drawing(schema, ItemFile(address=address, content=content), preview)

    def _is_foreign(self, schema: Schema, data: JsonObject, files: Files) -> bool:
        """Return whether an object shows a file that may not be the project's."""
        content = schema.shown_in(data)
        return any(
            isinstance(one, str)
            and (schema.is_address or _is_upload(schema, one))
            and not (is_inline(one) or self._is_own(one.strip(), files))
            for one in (content if isinstance(content, list) else [content])
        )

    def _is_own(self, address: str, files: Files) -> bool:
        return files.may_be_shown(address, self.state.id, self.task)


def _look(schema: Schema) -> Look:
    kind = kind_shown_by(schema.tag)
    return Look.KEPT if kind is None else kind.look


def _medium(schema: Schema) -> str:
    kind = kind_shown_by(schema.tag)
    return DataKind.medium if kind is None else kind.medium


def _may_be_file(schema: Schema) -> bool:
    """Return whether what is kept of a task may come from a file."""
    kind = kind_shown_by(schema.tag)
    return schema.is_address or (kind is not None and kind.follows_uploads)


def _is_upload(schema: Schema, content: object) -> bool:
    """Return whether a value is the address of an upload where no file is shown."""
    is_upload = isinstance(content, str) and content.strip().startswith(UPLOADED)
    return is_upload and _may_be_file(schema)


def _drawing(schema: Schema, content: object, preview: TaskPreview) -> TaskPreview:
    """Return what the page draws of an item; raise `BadItemError` if it is none."""
    kind = kind_shown_by(schema.tag)
    if kind is None:
        return preview
    reads = InputSpec(kind=kind.name, keys=schema.names)
    item = kind.decode(content, ReadPlan(schema=schema, reads=reads))
    return kind.preview(item, preview)
