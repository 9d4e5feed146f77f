"""One task, as a person wants to see it: what it holds, and what is thought of it.

Whoever may see Dubito's page may see this, so it shows what the project's tasks hold
and nothing that our key could read beyond them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import BackendError, SchemaError, UnknownTaskError
from backend.learning.glimpses import (
    Glimpse,
    is_inline,
    named_numbers,
    pictured,
    traced,
)
from backend.learning.standing import Standing
from backend.state.single import look_up
from model.errors import BadItemError

if TYPE_CHECKING:
    from backend.labelstudio.files import Files
    from backend.records import JsonObject
    from backend.services import Services
    from backend.state.project import ProjectState
    from backend.state.single import Single
    from model.schema import Schema

AT_ONCE = threading.BoundedSemaphore(2)
"""Label Studio may be slow: most of our threads stay free for its events."""

PATIENCE_SECONDS = 0.2
BUSY = "Dubito is looking at other tasks now: try again in a moment."
FOREIGN = (
    "The file that this task names is not surely of this project, so it is not shown"
    " here: open the task in Label Studio."
)
LONGEST_TEXT = 600
LARGEST_BYTES = 5_000_000


def show(state: ProjectState, task: int, services: Services) -> JsonObject:
    """Return what a person would want to see of a task, as JSON.

    Raises
    ------
    UnknownTaskError
        if the project has no such task
    """
    single = look_up(state.client, state.key, task)
    if single is None:
        raise UnknownTaskError(task)
    standing, fault = _standing(state)
    home = services.settings.label_studio_for_people
    look = Look(state=state, task=task, single=single, services=services)
    seen = Glimpse(note=fault) if standing is None else look.at(standing.schema)
    return {
        "task": task,
        "link": f"{home}/projects/{state.id}/data?task={task}",
        **_thought(task, standing, state),
        "text": _shortened(seen.text),
        **named_numbers(seen.numbers),
        "trace": seen.trace,
        "image": seen.image,
        "refused": single.refused,
        "note": seen.note,
    }


def _standing(state: ProjectState) -> tuple[Standing | None, str]:
    """Return how the project stands, and why nothing can be learnt, if that is so."""
    try:
        return Standing.of(state), ""
    except SchemaError as error:
        return None, str(error)


def _thought(task: int, standing: Standing | None, state: ProjectState) -> JsonObject:
    """Return what people and the model say, and when the task is asked for."""
    window = state.facts().window
    place = next((n for n, one in enumerate(window, 1) if one.task == task), None)
    predicted, certainty = _foreseen(task, state)
    return {
        "label": None if standing is None else standing.labels.chosen.get(task),
        "predicted": predicted,
        "certainty": certainty,
        "place": place,
        "why": None if place is None else window[place - 1].why,
    }


def _foreseen(task: int, state: ProjectState) -> tuple[str | None, float | None]:
    ranking = state.ranking()
    if ranking is None or not ranking.classes:
        return None, None
    row = int(ranking.task_ids.searchsorted(task))
    if row >= ranking.task_ids.size or ranking.task_ids[row] != task:
        return None, None
    likeliest = ranking.classes[int(ranking.probabilities[row].argmax())]
    return likeliest, round(float(ranking.certainty[row]), 3)


def _shortened(text: str | None) -> str | None:
    if text is None or len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT].rstrip()} …"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at one task: at what we hold of it, and at its data if that is needed."""

    state: ProjectState
    task: int
    single: Single
    services: Services

    def at(self, schema: Schema) -> Glimpse:
        """Return what is to be seen; what cannot be had is said, and does not fail."""
        held = Glimpse(text=self.single.text, numbers=self.single.numbers)
        is_enough = held.text is not None or bool(held.numbers)
        if is_enough and not schema.is_address and schema.tag != "TimeSeries":
            return held
        if not AT_ONCE.acquire(timeout=PATIENCE_SECONDS):
            return Glimpse(note=BUSY)
        try:
            return self._in_label_studio(schema, held)
        except (BackendError, BadItemError) as error:
            return Glimpse(note=f"It cannot be shown now: {error}")
        finally:
            AT_ONCE.release()

    def _in_label_studio(self, schema: Schema, held: Glimpse) -> Glimpse:
        if not self.services.has_key(self.state):
            return Glimpse(note="There is no key to Label Studio to read it with.")
        client = self.services.label_studio(self.state.facts().token)
        data = client.task_data(self.state.id, self.task)
        if data is None:
            return Glimpse(note="Label Studio has no such task any more.")
        content = data.get(schema.key)
        with self.services.files(client) as files:
            if not isinstance(content, str) or not schema.is_address:
                return self._without_file(schema, content, held)
            return self._with_file(schema, content.strip(), held, files)

    def _without_file(self, schema: Schema, content: object, held: Glimpse) -> Glimpse:
        if schema.tag == "TimeSeries":
            return held.having(trace=traced(content, schema.channels))
        if held.text is None and isinstance(content, str | int | float):
            return held.having(text=str(content))
        return held

    def _with_file(
        self, schema: Schema, address: str, held: Glimpse, files: Files
    ) -> Glimpse:
        """Show a file of the task's own; for a picture the viewer's browser asks."""
        is_own = is_inline(address) or self._is_own(address, files)
        if schema.tag == "Image":
            known = held if is_own else Glimpse()
            home = self.services.settings.label_studio_for_people
            return known.having(image=pictured(address, files, home))
        if not is_own:
            return Glimpse(note=FOREIGN)
        if schema.tag != "TimeSeries":
            return held
        content = files.fetch(address, LARGEST_BYTES)
        return held.having(trace=traced(content, schema.channels))

    def _is_own(self, address: str, files: Files) -> bool:
        return files.may_be_shown(address, self.state.id, self.task)
