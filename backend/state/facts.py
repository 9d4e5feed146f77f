"""What is kept of a project as JSON: its settings, its connection, the next tasks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dubito.backend.records import Project


class StoredRecord(BaseModel):
    """Something kept as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Connection(StoredRecord):
    """How a project is connected, and what it was like before."""

    mode: Literal["events", "polling"] = "events"
    backend_url: str = ""
    title: str = ""
    backend: int | None = None
    webhook: int | None = None
    tab: int | None = None
    found_sampling: str = ""
    found_version: str = ""


class WindowEntry(StoredRecord):
    """One of the next tasks to be asked for."""

    task: int
    certainty: float | None
    why: str


class InputSpec(StoredRecord):
    """What is read from each task, and on what that was decided.

    Attributes
    ----------
    kind : a name in `data_kinds/registry.py`: numbers, text, recording, audio …
    keys : what is read, as `dubito.model.features.mixed_columns` names it
    numeric : of "text and numbers" the keys that hold numbers
    answers : keys that are not read because they hold the answers
    commas : keys that are not read because their numbers have decimal commas
    target : of a part: the name of the object that is read
    parts : how each object is read, where several are
    extractor : the name of what describes the items, if a package brings it
    unit_length : how long the parts are by which stretches are learnt; None if that
        comes from each item
    basis : what the decision depends on; if it changes, all is read anew
    decided_on : how many tasks were looked at
    """

    kind: str
    keys: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    commas: tuple[str, ...] = ()
    target: str = ""
    parts: tuple[InputSpec, ...] = ()
    extractor: str = ""
    unit_length: float | None = None
    basis: str = ""
    decided_on: int = 0


class MissingKeys(StoredRecord):
    """Keys of the data that a setting names, and no task has.

    Attributes
    ----------
    setting : `group` or `features`
    others : some keys that tasks have
    """

    setting: str
    keys: tuple[str, ...]
    others: tuple[str, ...] = ()


class ProjectFacts(StoredRecord):
    """What is known of a project beside its tasks and annotations.

    Attributes
    ----------
    has_own_key : whether the worker of the last turn had an API key of its own; None
        before the first turn
    is_gone : whether `last_error`, if there is one, is that the project is not there
    """

    project: Project | None = None
    connection: Connection | None = None
    extra_params: object = None
    settings_error: str = ""
    token: str = Field(default="", repr=False)
    reads: InputSpec | None = None
    paused: str = ""
    removal: str = ""
    shut_out: bool = False
    has_own_key: bool | None = None
    is_gone: bool = False
    queue_ready: bool = False
    waits_for: str = ""
    most_columns: int | None = None
    knows_class_names: bool = False
    missing_marks: dict[str, tuple[str, ...]] = {}
    missing_keys: tuple[MissingKeys, ...] = ()
    tidy_basis: str = ""
    last_error: str = ""
    last_event_at: float | None = None
    last_round_seconds: float | None = None
    published_at: float | None = None
    rebuilt_at: float | None = None
    upgraded_at: float | None = None
    went_back_at: float | None = None
    setup_at: float = 0.0
    settings_at: float = 0.0
    project_at: float = 0.0
    synced_at: float = 0.0
    whole_at: float = 0.0
    listed_at: float = 0.0
    rows_at: float = 0.0
    rows_took: float = 0.0
    rows_seen: tuple[int, int] | None = None
    others_rows: int | None = None
    changed_at: str = ""
    changed_task: int | None = None
    changed_seen: float = 0.0
    labelled_at: float = 0.0
    window: tuple[WindowEntry, ...] = ()
    window_written: int = 0

    @property
    def is_missing(self) -> bool:
        """Whether the project was not in Label Studio at the last look."""
        return self.is_gone and bool(self.last_error)

    @property
    def lacks_key(self) -> bool:
        """Whether the workers have no key to Label Studio, as far as is known."""
        return self.has_own_key is False and not self.token
