"""Labels are derived once for each state of the annotations."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.services import Services
from dubito.backend.state.annotations import AnnotationStore
from dubito.backend.state.derived import MOST, DerivedValues
from tests.builders import KEY, annotation, project
from tests.label_studio import CONTROL, ITEM, choice_result


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


def test_all_questions_are_answered_by_the_same_annotations(
    services: Services,
) -> None:
    """One question asked before another annotation arrives, the other one after."""
    state = services.projects.at(KEY)
    config = f'<View><Text name="{ITEM}" value="$text"/>' + "".join(
        f'<Choices name="{control}" toName="{ITEM}" choice="single">'
        '<Choice value="a"/><Choice value="b"/></Choices>'
        for control in (CONTROL, "other")
    )
    state.note(project=project(label_config=f"{config}</View>"))
    [region] = choice_result("a")
    both = [region, {**region, "from_name": "other"}]
    state.annotations.save([annotation(1, both, task=1)])
    snapshot = ProjectSnapshot.of(services.projects.at(KEY))
    assert snapshot is not None
    first, second = snapshot.questions
    assert first.labels.chosen.keys() == {1}

    state.annotations.save([annotation(2, both, task=2)])

    assert second.labels.chosen.keys() == {1}


def test_threads_that_ask_together_derive_a_value_once() -> None:
    values, count, may_end = DerivedValues(), [0], threading.Event()

    def derive() -> str:
        count[0] += 1
        may_end.wait()
        return "value"

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(values.of, "1.1", 1, derive, len) for _ in range(4)]
        may_end.set()
        assert {answer.result() for answer in answers} == {"value"}

    assert count == [1]


def test_no_more_is_kept_than_the_last_value_or_so_much() -> None:
    values = DerivedValues()
    sizes = {"1.1": MOST // 2, "2.1": MOST // 2, "3.1": 1, "4.1": 2 * MOST}

    def survivors() -> set[str]:
        answers = {
            name: values.of(name, 0, lambda: "new", lambda _: 0) for name in [*sizes]
        }
        return {name for name, answer in answers.items() if answer == "old"}

    for name in ("1.1", "2.1", "3.1"):
        values.of(name, 0, lambda: "old", lambda _: sizes[name])  # noqa: B023  # called at once
    assert survivors() == {"2.1", "3.1"}
    values.of("4.1", 1, lambda: "old", lambda _: sizes["4.1"])
    values.forget("2.1")
    assert values.of("4.1", 1, lambda: "new", lambda _: 0) == "old"
    assert values.of("3.1", 0, lambda: "new", lambda _: 0) == "new"
