"""Label Studio's own export is the truth: what we hold is compared with it."""

from collections.abc import Mapping

from dubito.backend.records import Annotation, Task
from dubito.backend.state.encoding import digest, packed_data
from dubito.backend.state.project import ProjectState
from tests.label_studio import LabelStudio


def assert_equal_state(label_studio: LabelStudio, state: ProjectState) -> None:
    """Compare every annotation and task we hold with Label Studio's own."""
    exported = [
        Annotation.model_validate(annotation)
        for task in label_studio.export(state.id)
        for annotation in task["annotations"]
    ]
    theirs = {annotation.id: annotation for annotation in exported}
    ours = {annotation.id: annotation for annotation in state.annotations.all()}
    assert ours == theirs, _difference(ours, theirs)
    listed = label_studio.tasks(state.id, include="id,data", resolve_uri="false")
    tasks = [Task.model_validate(task) for task in listed]
    wanted = {task.id: digest(packed_data(task.data)) for task in tasks}
    digests = state.tasks.digests(state.tasks.ids())
    assert digests == wanted, _difference(digests, wanted)


def _difference(ours: Mapping[int, object], theirs: Mapping[int, object]) -> str:
    differs = {n for n in ours.keys() & theirs.keys() if ours[n] != theirs[n]}
    numbers = {*(ours.keys() ^ theirs.keys()), *differs}
    lines = (f"{n}: ours {ours.get(n)}, theirs {theirs.get(n)}" for n in numbers)
    return "\n".join(lines)
