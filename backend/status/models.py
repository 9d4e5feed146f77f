"""What the status and a task's detail consist of.

A test holds the table in `docs/reference.md` to the descriptions in `ProjectStatus`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from dubito.backend.learning.labels import Acceptance
from dubito.backend.project_settings import Preferences
from dubito.backend.relabel.requests import RelabelStatus
from dubito.backend.response_model import Count, ResponseModel, Share, Why
from dubito.backend.state.assessments import Suspect
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.kept_scores import MeasuredAccuracy
from dubito.backend.status.accuracy import Accuracy, MeanError, SetF1
from dubito.backend.status.questions import QuestionStatus
from dubito.backend.status.set_aside import Cause
from dubito.model.arrays import AnswerKind
from dubito.model.evaluation.agreement import Agreement

Phase: TypeAlias = Literal["waiting", "start", "learning", "can_stop", "done", "paused"]
Mode: TypeAlias = Literal["events", "polling", "not_publishing"]


class WindowPlace(ResponseModel):
    """One of the next tasks."""

    task: Count
    certainty: Share | None
    why: Why
    score: float | None = Field(description="Label Studio serves the lowest first.")


class WrittenScores(ResponseModel):
    """How many of the open tasks have their score in Label Studio."""

    written: Count
    of: Count


class StopAdvice(ResponseModel):
    """Whether to stop labelling."""

    advised: bool
    reasons: tuple[str, ...]


class Assessed(ResponseModel):
    """What the last assessment is based on."""

    labels: Count
    round: Count


class Start(ResponseModel):
    """How far the seed set is labelled."""

    size: Count
    left: Count


class Links(ResponseModel):
    """Addresses of the project in Label Studio."""

    tasks: str
    settings: str


class ProjectStatus(ResponseModel):
    """The status of a project."""

    id: Count = Field(description="number of the project in Label Studio")
    key: str = Field(
        description="number and creation time of the project, as in `7.1767225600`;"
        " a recreated project has another key"
    )
    title: str = Field(description="title of the project")
    phase: Phase = Field(
        description="`waiting` for tasks or their files, `start`, `learning`,"
        " `can_stop`, `done`, or `paused` (`last_error` says why: the owner chose"
        " another order, every task is set aside, or the project is not there)"
    )
    tasks: Count = Field(description="number of tasks")
    labels: Count = Field(description="tasks with a label")
    skipped: Count = Field(description="tasks that people skipped")
    set_aside: Count = Field(description="tasks and annotations that cannot be used")
    set_aside_reasons: list[str] = Field(description="how many, and for which reason")
    set_aside_causes: list[Cause] = Field(
        description="the same for scripts, the most frequent cause first: `of`"
        " (`tasks` or `annotations`), `count`, `reason`, and the first `tasks`"
    )
    pending: Count = Field(description="tasks whose files have not been read yet")
    pool: Count = Field(description="tasks that Dubito can still ask for")
    version: str = Field(description="model version of the predictions")
    round: Count = Field(description="number of the last round")
    events_pending: Count = Field(
        description="events that no round has learnt from; 0 after the next round"
    )
    settled: bool = Field(
        description="whether the order in Label Studio reflects all labels"
    )
    last_event_at: float | None = Field(description="Unix time of the last event")
    last_round_seconds: float | None = Field(description="duration of the last round")
    published_at: float | None = Field(description="Unix time of the last publication")
    rebuilt_at: float | None = Field(
        description="Unix time at which everything was read again into an empty store"
    )
    last_error: str = Field(description="what is wrong; empty if nothing is")
    mode: Mode = Field(
        description="`events`, `polling`, or `not_publishing` (there is no usable key)"
    )
    label_studio: str = Field(
        description="how Label Studio answered Dubito last, whatever the project:"
        " `up`, `away`, `failing`, `refuses the key`, or `unknown` (not asked in the"
        " last 2 minutes)"
    )
    window: list[WindowPlace] = Field(
        description="the next tasks, in the order in which Label Studio serves them:"
        " `task`, `certainty`, `score` and `why` (`start`, `doubt`, `audit`)"
    )
    window_written: Count = Field(
        description="places of `window` that stand in Label Studio"
    )
    scores_written: Count = Field(
        description="open tasks that have their score in Label Studio"
    )
    scores: WrittenScores = Field(
        description="how many `of` the open tasks have their score in Label Studio"
    )
    accuracy: Accuracy = Field(
        description="estimated accuracy with a 95 % interval (`low` to `high`), based"
        " on `n` randomly drawn tasks; null as long as there is less than"
        " `accuracy_needs`, and after `kind` has changed until the next assessment"
    )
    accuracy_needs: str = Field(
        description="what an estimate of the accuracy needs, as the object of a"
        " sentence: how many labels, how many of them of tasks drawn at random, and of"
        " how many groups if too few groups have labels; or why as many labels have not"
        " given one yet"
    )
    f1: SetF1 | None = Field(
        description="of a question of the kind `any of`: `micro` and `macro` F1 with"
        " 95 % intervals on `n` randomly drawn tasks; `accuracy` is then the share of"
        " tasks whose whole set is right"
    )
    mean_error: MeanError | None = Field(
        description="of the kinds `ordered` and `number`: by how many grades (steps of"
        " the scale), or by how much, predictions are wrong, on average, with a 95 %"
        " interval, on `n` randomly drawn tasks; `accuracy` is then the share of tasks"
        " whose grade is exactly right, and of numbers always null"
    )
    curve: list[MeasuredAccuracy] = Field(
        description="the accuracy that was estimated at each number of `labels`; of"
        " the kind `number` the mean error"
    )
    stop: StopAdvice = Field(
        description="whether Dubito advises to stop labelling, and the reasons"
    )
    doubtful: tuple[Suspect, ...] = Field(
        description="possible label errors: what the model, trained without them,"
        " predicts instead; where people mark stretches, `start` and `end` say which"
        " part of the task that is about, and are null otherwise"
    )
    assessed: Assessed = Field(
        description="the labels and the round that the last assessment is based on"
    )
    estimates: str = Field(
        description="a mark that changes with each assessment, of any question or of"
        " all answers together: then the estimates of auto-labels change"
    )
    again: list[RelabelStatus] = Field(
        description="tasks that were sent back for relabelling, and how many `answers`"
        " are kept of each"
    )
    questions: list[QuestionStatus] = Field(
        description="the questions that Dubito learns, the first one first, each with"
        " its `control`, `kind`, `classes`, `labels`, `accuracy`, `f1`, `mean_error`"
        " and whether it `can_stop`"
    )
    question: str = Field(
        description="control of the question that `labels`, `accuracy`, `f1`,"
        " `mean_error`, `curve`, `doubtful`, `assessed`, `agreement`, `acceptance`,"
        " `classes` and `kind` are about: the first one, or that of `?question=NAME`"
    )
    not_learnt: list[str] = Field(
        description="why Dubito does not learn each other control of the label config"
    )
    agreement: Agreement | None = Field(
        description="agreement between annotators (Krippendorff's alpha), and of each"
        " with the others; null if no task has two answers"
    )
    acceptance: Acceptance | None = Field(
        description="answers that began as a prediction which the editor showed: how"
        " many `of` them people submitted `unchanged`; null if there are none"
    )
    start: Start = Field(description="size of the seed set, and labels missing")
    links: Links = Field(description="addresses of the project in Label Studio")
    reads: InputSpec | None = Field(description="what Dubito reads from each task")
    notes: list[str] = Field(description="what is worth knowing")
    classes: list[str] = Field(
        description="choices of the question; none of the kind `number`"
    )
    kind: AnswerKind = Field(
        description="`one of` if a task has one of the classes, `any of` if it may have"
        " several or none: then a label is a JSON list of classes; `ordered` if the"
        " classes are grades, the lowest first; `number` if a label is any number"
    )
    knows_class_names: bool = Field(
        description="whether the names of the classes teach, before the first label"
    )
    learner: str = Field(description="the learner in use")
    strategy: str = Field(description="the measure of certainty in use")
    preferences: Preferences = Field(description="all settings of the project")


class NamedNumber(ResponseModel):
    """A feature of a task, as people know it."""

    name: str
    value: float | str


class Channel(ResponseModel):
    """A channel of a recording, thinned for drawing."""

    name: str
    at: list[Count] = Field(description="Positions of the samples.")
    values: list[float]


class Trace(ResponseModel):
    """A recording, thinned for drawing."""

    channels: list[Channel]
    channels_left_out: Count
    samples: Count


class OtherAnswer(ResponseModel):
    """What is answered to another question."""

    control: str
    kind: AnswerKind
    label: str | None
    predicted: str | None


class ShownItem(ResponseModel):
    """One of the items that a task shows."""

    name: str = Field(description="left or right, a number in a list, or empty.")
    trace: Trace | None
    image: str | None = Field(description="Address of the picture for browsers.")
    audio: str | None = Field(description="Address of the sound for browsers.")
    video: str | None = Field(description="Address of the video for browsers.")
    document: str | None = Field(description="Address of the PDF for browsers.")
    note: str = Field(description="Why the item is not shown.")


class TaskDetail(ResponseModel):
    """A task, as a person looks at it."""

    task: Count
    link: str = Field(description="Address of the task in Label Studio.")
    label: str | None
    predicted: str | None
    certainty: Share | None
    others: list[OtherAnswer] = Field(description="The other questions.")
    place: Count | None = Field(description="Place among the next tasks.")
    why: Why | None
    text: str | None
    numbers: list[NamedNumber]
    numbers_left_out: Count
    items: list[ShownItem] = Field(description="Files: one, both of a pair, a list.")
    items_left_out: Count
    refused: str = Field(description="Why Dubito could not read the task.")
    note: str = Field(description="What is not shown, and why.")
