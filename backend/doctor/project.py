"""A project: seen, learnable, asked for in our order, and looked after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.connection.sampling_settings import own_title
from dubito.backend.doctor.context import age
from dubito.backend.doctor.findings import Severity, Verdict, fault, warning, well
from dubito.backend.errors import ProjectGoneError, ProjectSettingsError, SchemaError
from dubito.backend.features.data_notes import exclusion
from dubito.backend.features.learnt_questions import in_words
from dubito.backend.labelstudio.bulk_import import QUICK_IMPORT_FLAG, imports_quickly
from dubito.backend.labelstudio.questions import read_questions
from dubito.backend.project_settings import read_preferences
from dubito.backend.publishing.bulk import BULK_TASKS
from dubito.backend.publishing.scores import VERSION
from dubito.backend.records import UNCERTAINTY

if TYPE_CHECKING:
    from dubito.backend.doctor.context import DiagnosticContext
    from dubito.backend.state.facts import ProjectFacts
    from dubito.backend.state.project import ProjectState

RANDOM_ORDER = "Label Studio serves tasks in another order than Dubito's"
SET_LATER = "Dubito sets this with the first open task"
LATE_SECONDS = 60.0


def connect_again(patient: DiagnosticContext) -> str:
    """Return the command that sets a project right."""
    return f"`dubito connect --project {patient.number}`"


def check_project(patient: DiagnosticContext) -> Verdict:
    """Look whether the project is there, and the same that we know."""
    try:
        project = patient.project
    except ProjectGoneError as error:
        return fault(
            str(error),
            "Dubito can neither read nor order its tasks",
            "take the number from the project's address: …/projects/NUMBER/data",
            "if it was deleted, let Dubito forget it:"
            f" `dubito disconnect --project {patient.number}`",
        )
    tasks = f"{project.task_number or 0} tasks"
    labels = f"{project.total_annotations_number or 0} annotations"
    return well(f"{project.title}: {tasks}, {labels}")


def check_label_config(patient: DiagnosticContext) -> Verdict:
    """Look whether there is a control that can be learnt."""
    try:
        learnt = read_questions(patient.project.label_config).learnt()
    except SchemaError as error:
        return fault(
            str(error),
            "Dubito cannot train a model, so there is no order",
            "Label Studio, Settings → Labeling Interface: add"
            ' <Choices name="label" toName="…" choice="single"> with its <Choice>s',
        )
    return well(f"learns {'; '.join(map(in_words, learnt))}")


def check_known(patient: DiagnosticContext) -> Verdict:
    """Look whether Dubito looks after this very project."""
    if patient.services is None:
        return Verdict(mark=Severity.SKIPPED, what="not known without the store")
    if patient.state is None or patient.connection is None:
        return fault(
            "not connected",
            "Dubito does not process this project",
            connect_again(patient),
            (
                "in Label Studio, Settings → Model → Connect Model: enter Dubito's"
                " address"
            ),
            mends=True,
        )
    if patient.state.key != patient.project.key:
        return fault(
            "this is another project with the same number",
            "the project that Dubito knew was deleted, and this one was created later",
            connect_again(patient),
            mends=True,
        )
    return well(f"connected, by {patient.connection.mode}")


def check_extra_params(patient: DiagnosticContext) -> Verdict:
    """Look whether the project's own settings can be used."""
    row = patient.row
    params = None if row is None else row.extra_params
    try:
        if controls := read_preferences(params).controls:
            read_questions(patient.project.label_config).learnt(controls)
    except (ProjectSettingsError, SchemaError) as error:
        return warning(
            str(error),
            "Dubito uses the defaults instead",
            "in Label Studio, Settings → Model → ⋯ → Edit: correct the extra params",
        )
    names = ", ".join(map(repr, controls))
    return well(f"usable; of all controls Dubito learns {names}" if names else "usable")


def check_sampling(patient: DiagnosticContext) -> Verdict:
    """Look whether Label Studio orders by score at all."""
    sampling = patient.project.sampling
    if sampling == UNCERTAINTY:
        return well(sampling)
    if _has_no_order(patient):
        return well(SET_LATER)
    return fault(
        f"Task Sampling is {sampling!r}",
        RANDOM_ORDER,
        (
            "in Label Studio, Settings → General → Task Sampling: choose Uncertainty"
            " sampling"
        ),
        connect_again(patient),
        mends=True,
    )


def check_model_version(patient: DiagnosticContext) -> Verdict:
    """Look whether Label Studio orders by our scores."""
    version = patient.project.model_version
    if version == VERSION:
        return well(VERSION)
    if _has_no_order(patient):
        return well(SET_LATER)
    what = f"the project's model version is {version or ''!r}, not {VERSION!r}"
    if version not in {"", None, own_title(patient.backends, patient.connection)}:
        return fault(what, RANDOM_ORDER, connect_again(patient), mends=True)
    return warning(
        what,
        f"{RANDOM_ORDER}; a running worker repairs this within half a minute",
        "wait half a minute, then run `dubito doctor` again",
        connect_again(patient),
        mends=True,
    )


def check_first_scores(patient: DiagnosticContext) -> Verdict:
    """Look whether Label Studio stores the scores of a big project quickly."""
    tasks = patient.project.task_number or 0
    if tasks <= BULK_TASKS:
        return well("all in one call")
    if imports_quickly(patient.client, patient.project.id):
        return well("200 in a call, without a wait for anybody")
    return warning(
        f"each bulk import makes Label Studio count all {tasks} tasks anew",
        "first scores are written one by one until nobody has labelled for a minute;"
        f" then one call keeps annotators waiting for about {tasks // 1_000} s",
        f"start Label Studio with {QUICK_IMPORT_FLAG}=true in its environment",
    )


def _has_no_order(patient: DiagnosticContext) -> bool:
    """Return whether Dubito has looked, and there is no task to put in order."""
    state, facts = patient.state, patient.facts()
    if state is None or facts is None or facts.queue_ready or facts.window:
        return False
    return bool(facts.synced_at) and not state.work.pending()


def check_columns(patient: DiagnosticContext) -> Verdict:
    """Look whether a column of the data gives the labels away."""
    state, facts = patient.state, patient.facts()
    finding = None if state is None else state.assessments.finding()
    predictors = () if finding is None else finding.sole_predictors
    if facts is None or facts.reads is None or not predictors:
        return well("no column predicts the labels alone")
    names = ", ".join(f"{one.column!r} ({one.accuracy:.0%})" for one in predictors[:5])
    return warning(
        f"these columns alone predict the labels: {names}",
        "if such a column is filled in only when a task is labelled, the model does"
        " not work for new tasks",
        exclusion(facts.reads, predictors),
    )


def check_work(patient: DiagnosticContext) -> Verdict:
    """Look whether the project is learnt and its order published."""
    state, facts = patient.state, patient.facts()
    if state is None or facts is None:
        return well("nothing yet")
    obstacle = facts.paused or facts.last_error
    if obstacle:
        return fault(
            obstacle,
            "Dubito publishes no order until this is fixed",
            "fix this problem; Dubito continues within half a minute",
            connect_again(patient),
            mends=bool(facts.paused),
        )
    return _progress(patient, state, facts)


def _progress(
    patient: DiagnosticContext, state: ProjectState, facts: ProjectFacts
) -> Verdict:
    pending = state.work.unlearnt()
    since = max(facts.last_event_at or 0.0, facts.published_at or 0.0)
    now = state.clock()
    if pending and now - since > LATE_SECONDS:
        return fault(
            f"{pending} events wait, and none was processed for a minute",
            "the model does not know the newest labels",
            "check that a worker runs (see above), and read its log",
            "start `dubito worker`",
        )
    if not facts.queue_ready and not _has_no_order(patient):
        return warning(
            "the first order is not published yet",
            f"{RANDOM_ORDER} until it is",
            f"wait; `dubito status --project {patient.number}` shows the progress",
        )
    published_at = facts.published_at
    when = (
        f"order published {age(published_at, now)}"
        if published_at
        else "no task to order yet"
    )
    places = f"{facts.window_written} of {len(facts.window)} next tasks in order"
    return well(f"{when}, {places}, waiting events: {pending}")
