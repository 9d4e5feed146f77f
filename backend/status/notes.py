"""The notes of a project's status: what its owner may wonder about."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dubito.backend.controls.registry import codec_of
from dubito.backend.features.data_notes import data_notes
from dubito.backend.features.media import about_unread
from dubito.backend.features.missing_keys import about_missing
from dubito.backend.state.error_hints import write_refusal
from dubito.backend.state.refused_events import refused_event_at
from dubito.backend.status.questions import NOT_ASSESSED, last_assessment
from dubito.backend.status.set_aside import left_out

if TYPE_CHECKING:
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.services import Services
    from dubito.backend.state.facts import Connection, ProjectFacts
    from dubito.backend.state.project import ProjectState

OVERLAP = (
    "with more than one annotation per task, Label Studio first serves partly"
    " annotated tasks in random order; Dubito's order holds for tasks without"
    " annotations"
)
REFUSED_EVENT = (
    "Dubito refused the last event from Label Studio because the event did not"
    " contain the webhook's secret. Dubito checks Label Studio every 30 s instead. To"
    " repair the webhook, run `dubito connect --project {project}`"
)
NO_KEY = "not publishing: there is no API key; set LABEL_STUDIO_API_KEY"
KEY_REFUSED = (
    "not publishing: Label Studio rejects the API key; set LABEL_STUDIO_API_KEY to a"
    " valid token"
)
HANDED_KEY = (
    "Dubito uses the API key that it received from Label Studio. If the store and all"
    " workers restart at the same time, the key is lost. Set LABEL_STUDIO_API_KEY, or"
    " reopen the project's Settings → Model to send the key again"
)
MANY_COLUMNS = (
    "the tasks' data has too many different keys: the model uses only {count} of"
    " them; name the important ones as `features` in the extra params"
)
CLASS_NAMES = (
    "Dubito knows the class names: it predicts before the first label, and believes"
    ' the names as far as labels bear them out (`{"class_names": "off"}` in the extra'
    " params turns this off)"
)
ANY_OF = (
    "a task may have several classes: the accuracy is the share of tasks whose classes"
    " are all right"
)
NUMBERS = (
    "labels are numbers: there is a mean error instead of an accuracy; Dubito does not"
    " auto-label such tasks"
)
ACCEPTANCE = (
    "the editor showed a prediction for {of} of the answers, and people submitted"
    " {unchanged} ({share:.0%}) unchanged"
)
STRETCHES = (
    "people mark stretches: the accuracy is the share of the time (or of the words)"
    " whose labels are right"
)
WENT_BACK = (
    "Label Studio's clock or database was set back (for example, a backup was"
    " restored); Dubito reread the project from Label Studio"
)
REBUILT = "the store was emptied; Dubito reread the project from Label Studio"
UPGRADED = "Dubito was upgraded, and converted this project's state"


def notes(
    state: ProjectState,
    facts: ProjectFacts,
    snapshot: ProjectSnapshot | None,
    services: Services,
) -> list[str]:
    """Return the notes of a project, each one sentence."""
    return [
        *_about_the_store(services),
        *_about_the_connection(state, facts),
        *_about_the_tasks(facts, snapshot),
        *filter(None, [left_out(state)]),
        *_about_the_past(facts),
        *([facts.removal] if facts.paused and facts.removal else []),
        *state.relabel.notes(),
    ]


def _about_the_store(services: Services) -> list[str]:
    fault = write_refusal(services.redis)
    return [fault] if fault else []


def _about_the_connection(state: ProjectState, facts: ProjectFacts) -> list[str]:
    """Return what hinders Dubito and Label Studio from hearing each other."""
    notes = []
    if facts.project is not None and facts.project.maximum_annotations > 1:
        notes.append(OVERLAP)
    notes += _about_the_key(facts)
    if facts.connection is not None and facts.connection.mode == "polling":
        notes.append(_why_polling(facts.connection))
    if refused_event_at(state):
        notes.append(REFUSED_EVENT.format(project=state.id))
    return notes


def _about_the_tasks(
    facts: ProjectFacts, snapshot: ProjectSnapshot | None
) -> list[str]:
    """Return what is not read of the tasks, and what is to be known of the rest."""
    if facts.is_missing:
        return []
    unread = "" if snapshot is None else about_unread(snapshot.schema, facts.reads)
    notes = [unread] if unread else []
    if snapshot is not None and snapshot.kind == "any of":
        marks_stretches = codec_of(snapshot.schema).marks_stretches
        notes.append(STRETCHES if marks_stretches else ANY_OF)
    if snapshot is not None and snapshot.kind == "number":
        notes.append(NUMBERS)
    if snapshot is not None and (acceptance := snapshot.labels.acceptance):
        share = acceptance.unchanged / acceptance.of
        notes.append(ACCEPTANCE.format(**asdict(acceptance), share=share))
    if facts.reads is not None:
        notes += about_missing(facts.missing_keys)
    if facts.waits_for:
        notes.append(f"some tasks wait for their files: {facts.waits_for}")
    if facts.most_columns is not None:
        notes.append(MANY_COLUMNS.format(count=facts.most_columns))
    if facts.knows_class_names:
        notes.append(CLASS_NAMES)
    finding = NOT_ASSESSED if snapshot is None else last_assessment(snapshot)
    predictors = finding.sole_predictors
    return [*notes, *data_notes(facts.reads, facts.missing_marks, predictors)]


def _about_the_past(facts: ProjectFacts) -> list[str]:
    """Return why everything was read again, if that is so."""
    causes = (
        (facts.went_back_at, WENT_BACK),
        (facts.rebuilt_at, REBUILT),
        (facts.upgraded_at, UPGRADED),
    )
    return [note for moment, note in causes if moment is not None]


def _about_the_key(facts: ProjectFacts) -> list[str]:
    """Return what is to be said of the workers' key to Label Studio, if anything."""
    if facts.lacks_key:
        return [NO_KEY]
    if facts.shut_out:
        return [KEY_REFUSED]
    return [HANDED_KEY] if facts.has_own_key is False else []


def _why_polling(connection: Connection) -> str:
    """Return why Label Studio sends no events, and what would let it."""
    host = urlsplit(connection.backend_url).hostname or ""
    if host and not {".", ":"} & set(host):
        return (
            f"Label Studio sends no events to {host} because this name has no dot, so"
            " Dubito checks Label Studio every 2 s; for events, run `dubito connect`"
            " with another --backend-url"
        )
    return (
        "Label Studio sends no events to Dubito's address because it is private, so"
        " Dubito checks Label Studio every 2 s; for events, start Label Studio with"
        " ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false"
    )
