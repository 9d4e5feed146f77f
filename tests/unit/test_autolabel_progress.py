"""How long the auto-labelling job still takes."""

from dataclasses import replace

from dubito.backend.autolabel.models import AutolabelCommand
from dubito.backend.autolabel.plan import request_autolabel
from dubito.backend.autolabel.progress import FEWEST_TASKS, progress_of
from dubito.backend.services import Services
from dubito.backend.state.autolabel import AutolabelJob, AutolabelRow
from dubito.backend.state.project import ProjectState

TASKS = 4 * FEWEST_TASKS
BEGAN = 1_000.0


def at(state: ProjectState, seconds: float) -> ProjectState:
    """Return the project so many seconds after its job began."""
    return replace(state, clock=lambda: BEGAN + seconds)


def begin(state: ProjectState) -> None:
    labels = {n: AutolabelRow(label="a", certainty=0.9) for n in range(TASKS)}
    job = AutolabelJob(
        state="writing", certainty=0.5, of=TASKS, began_at=BEGAN, began_with=TASKS
    )
    assert state.autolabel.begin(job, labels)


def test_the_time_left_follows_from_what_is_done(state: ProjectState) -> None:
    begin(state)
    state.autolabel.finish(range(FEWEST_TASKS - 1))
    assert progress_of(at(state, 60)).time_left == ""

    state.autolabel.finish([FEWEST_TASKS])

    assert progress_of(at(state, 120)).time_left == "about 6 min left"
    assert progress_of(at(state, 6)).time_left == "less than a minute left"


def test_a_job_that_went_on_does_not_count_its_pause(
    state: ProjectState, services: Services
) -> None:
    begin(state)
    state.autolabel.finish(range(FEWEST_TASKS))
    request_autolabel(AutolabelCommand(action="pause"), state, services)
    assert progress_of(at(state, 120)).time_left == ""

    request_autolabel(AutolabelCommand(action="resume"), at(state, 9_000), services)
    state.autolabel.finish(range(FEWEST_TASKS, 2 * FEWEST_TASKS))

    assert progress_of(at(state, 9_060)).time_left == "about 2 min left"


def test_an_undo_has_a_time_left_too(state: ProjectState, services: Services) -> None:
    begin(state)
    state.autolabel.note_rows({task: task for task in range(TASKS)})
    state.autolabel.note_answers({task: task for task in range(FEWEST_TASKS)})
    request_autolabel(AutolabelCommand(action="undo"), at(state, 500), services)

    for task in range(FEWEST_TASKS, 3 * FEWEST_TASKS):
        state.autolabel.forget_row(task)

    progress = progress_of(at(state, 740))
    assert (progress.doing, progress.written) == ("undoing", TASKS // 2)
    assert progress.time_left == "about 4 min left"


def test_a_job_of_an_older_dubito_has_no_time_left(state: ProjectState) -> None:
    begin(state)
    state.autolabel.move({"writing"}, began_at=0.0, began_with=0)
    state.autolabel.finish(range(FEWEST_TASKS))

    assert progress_of(at(state, 60)).time_left == ""
