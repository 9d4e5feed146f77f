"""A project: seen, learnable, asked for in our order, and looked after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.doctor.findings import Mark, Verdict, fault, warning, well
from backend.doctor.patient import age
from backend.errors import ProjectGoneError, ProjectSettingsError, SchemaError
from backend.labelstudio.config import read_schema
from backend.labelstudio.scores import VERSION
from backend.learning.preferences import read_preferences
from backend.records import UNCERTAINTY

if TYPE_CHECKING:
    from backend.doctor.patient import Patient
    from backend.state.project import Facts, ProjectState

RANDOM_ORDER = "Label Studio asks for tasks in another order than the model wants"
LATE_SECONDS = 60.0


def connect_again(patient: Patient) -> str:
    """Return the command that sets a project right."""
    return f"`dubito connect --project {patient.number}`"


def check_project(patient: Patient) -> Verdict:
    """Look whether the project is there, and the same that we know."""
    try:
        project = patient.project
    except ProjectGoneError:
        return fault(
            f"there is no project {patient.number}, or the key's owner may not see it",
            "its tasks can be neither read nor ordered",
            "take the number from the project's address: …/projects/NUMBER/data",
            "if it was deleted, let Dubito forget it:"
            f" `dubito disconnect --project {patient.number}`",
        )
    tasks = f"{project.task_number or 0} tasks"
    labels = f"{project.total_annotations_number or 0} annotations"
    return well(f"{project.title}: {tasks}, {labels}")


def check_label_config(patient: Patient) -> Verdict:
    """Look whether there is a control that can be learnt."""
    try:
        schema = read_schema(patient.project.label_config)
    except SchemaError as error:
        return fault(
            str(error),
            "there is nothing to learn, so no order either",
            "Label Studio, Settings → Labeling Interface: add"
            ' <Choices name="label" toName="…" choice="single"> with its <Choice>s',
        )
    classes = ", ".join(schema.classes[:5])
    more = f" and {len(schema.classes) - 5} more" if len(schema.classes) > 5 else ""
    return well(f"learns {schema.control!r}: {classes}{more}")


def check_known(patient: Patient) -> Verdict:
    """Look whether Dubito looks after this very project."""
    if patient.services is None:
        return Verdict(mark=Mark.SKIPPED, what="not known without the store")
    if patient.state is None or patient.connection is None:
        return fault(
            "not connected",
            "Dubito does not look after it",
            connect_again(patient),
            "Label Studio, Settings → Model → Connect Model: Dubito's address",
            mends=True,
        )
    if patient.state.key != patient.project.key:
        return fault(
            "this is another project of the same number",
            "the one that Dubito knew has been deleted, and this one was made anew",
            connect_again(patient),
            mends=True,
        )
    return well(f"connected, by {patient.connection.mode}")


def check_extra_params(patient: Patient) -> Verdict:
    """Look whether the project's own settings can be used."""
    row = patient.row
    try:
        read_preferences(None if row is None else row.extra_params)
    except ProjectSettingsError as error:
        return warning(
            str(error),
            "the defaults are used instead",
            "Label Studio, Settings → Model → ⋯ → Edit: correct the extra params",
        )
    return well("usable")


def check_sampling(patient: Patient) -> Verdict:
    """Look whether Label Studio orders by score at all."""
    sampling = patient.project.sampling
    if sampling == UNCERTAINTY:
        return well(sampling)
    return fault(
        f"Task Sampling is {sampling!r}",
        RANDOM_ORDER,
        "Label Studio, Settings → General → Task Sampling: Uncertainty sampling",
        connect_again(patient),
        mends=True,
    )


def check_model_version(patient: Patient) -> Verdict:
    """Look whether Label Studio orders by our scores."""
    version = patient.project.model_version
    if version == VERSION:
        return well(VERSION)
    said = f"the project's model version is {version or ''!r}, not {VERSION!r}"
    titles = {row.title for row in patient.backends}
    if version not in {"", None, *titles}:
        return fault(said, RANDOM_ORDER, connect_again(patient), mends=True)
    facts = patient.facts()
    if facts is not None and not patient.project.task_number:
        return well("set with the first task")
    return warning(
        said,
        f"{RANDOM_ORDER}; a worker puts that right within half a minute, if one lives",
        "wait half a minute, and look again",
        connect_again(patient),
        mends=True,
    )


def check_work(patient: Patient) -> Verdict:
    """Look whether the project is learnt and its order published."""
    state, facts = patient.state, patient.facts()
    if state is None or facts is None:
        return well("nothing yet")
    said = facts.paused or facts.last_error
    if said:
        return fault(
            said,
            "until then nothing is published",
            "cure what it says; Dubito then goes on by itself within half a minute",
            connect_again(patient),
            mends=bool(facts.paused),
        )
    return _progress(patient, state, facts)


def _progress(patient: Patient, state: ProjectState, facts: Facts) -> Verdict:
    pending = state.work.pending()
    since = max(facts.last_event_at or 0.0, facts.published_at or 0.0)
    now = state.clock()
    if pending and now - since > LATE_SECONDS:
        return fault(
            f"{pending} events wait, and none has been seen to for a minute",
            "what people labelled since is not learnt yet",
            "see whether a worker lives (above), and what its log says",
            "start `dubito worker`",
        )
    if not facts.queue_ready and patient.project.task_number:
        return warning(
            "the first order is not published yet",
            f"{RANDOM_ORDER} until it is",
            f"wait; `dubito status --project {patient.number}` shows how far it is",
        )
    published = facts.published_at
    when = (
        f"order published {age(published, now)}"
        if published
        else "nothing to order yet"
    )
    return well(f"{when}, events that wait: {pending}")
