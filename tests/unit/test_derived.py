"""Labels are derived once for each state of the annotations."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.services import Services
from dubito.backend.state.annotations import AnnotationStore
from dubito.backend.state.derived import KEPT, DerivedValues
from tests.builders import KEY, annotation, project


def labels(services: Services) -> dict[int, str]:
    snapshot = ProjectSnapshot.of(services.projects.at(KEY))
    assert snapshot is not None
    return dict(snapshot.labels.chosen)


def test_annotations_are_not_read_again_while_nothing_changes(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = services.projects.at(KEY)
    state.note(project=project())
    state.annotations.save([annotation(1, "a", task=1)])
    assert labels(services) == {1: "a"}
    readings: list[object] = []
    read_all = AnnotationStore.all

    def counted(store: AnnotationStore) -> object:
        readings.append(store)
        return read_all(store)

    monkeypatch.setattr(AnnotationStore, "all", counted)

    assert labels(services) == {1: "a"}
    assert not readings
    state.annotations.save([annotation(2, "b", task=2)])
    assert labels(services) == {1: "a", 2: "b"}
    assert len(readings) == 1


def test_other_rules_of_the_project_count_at_once(services: Services) -> None:
    state = services.projects.at(KEY)
    state.note(project=project(maximum_annotations=1))
    state.annotations.save([annotation(1, "a", task=1)])
    state.tasks.receive([])
    first = ProjectSnapshot.of(state)
    assert first is not None
    assert first.labels.closed == {1}

    state.note(project=project(maximum_annotations=2))

    second = ProjectSnapshot.of(state)
    assert second is not None
    assert second.labels.closed == set()


def test_a_project_that_was_forgotten_starts_without_its_old_labels(
    services: Services,
) -> None:
    state = services.projects.at(KEY)
    state.note(project=project())
    state.annotations.save([annotation(1, "a", task=1)])
    assert labels(services) == {1: "a"}

    state.forget()
    state.note(project=project())
    assert labels(services) == {}
    state.annotations.save([annotation(7, "b", task=7)])

    assert labels(services) == {7: "b"}


def test_a_store_put_back_to_an_earlier_day_has_other_labels(
    services: Services, redis: Redis
) -> None:
    state = services.projects.at(KEY)
    state.note(project=project())
    state.annotations.save([annotation(1, "a", task=1)])
    backup = {name: redis.dump(name) for name in redis.scan_iter()}
    state.annotations.save([annotation(2, "a", task=2)])
    assert labels(services) == {1: "a", 2: "a"}

    redis.flushdb()
    for name, content in backup.items():
        redis.restore(name, 0, content)
    state.annotations.save([annotation(3, "b", task=3)])

    assert labels(services) == {1: "a", 3: "b"}


def test_threads_that_ask_together_derive_a_value_once() -> None:
    values, count, may_end = DerivedValues(), [0], threading.Event()

    def derive() -> str:
        count[0] += 1
        may_end.wait()
        return "value"

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(values.of, "name", 1, derive) for _ in range(4)]
        may_end.set()
        assert {answer.result() for answer in answers} == {"value"}

    assert count == [1]


def test_few_values_are_kept() -> None:
    values = DerivedValues()
    for number in range(KEPT + 1):
        values.of(str(number), 0, lambda: number)  # noqa: B023  # called at once

    assert values.of(str(KEPT), 0, lambda: -1) == KEPT
    assert values.of("0", 0, lambda: -1) == -1
