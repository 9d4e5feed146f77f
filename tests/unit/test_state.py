"""What is kept of a project beside tasks and answers, and who may see it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from redis import Redis

from dubito.backend.errors import UnknownProjectError
from dubito.backend.state import keys
from dubito.backend.state.facts import Connection, WindowEntry
from dubito.backend.state.history import Round as Line
from dubito.backend.state.pool import TaskInput
from dubito.backend.state.project import Projects, ProjectState
from dubito.backend.state.ranking import Ranking
from tests.builders import KEY, OTHER, annotation, project, read, receive
from tests.store import kept_in

HANDED_OVER = "a key that came with a call"


@pytest.fixture
def state(redis: Redis) -> ProjectState:
    return ProjectState(redis, KEY)


def test_a_row_is_known_with_its_score(state: ProjectState) -> None:
    state.published.note(1, 11, 0.123456789012345)
    state.published.note(2, 12, -0.5)

    assert state.published.row(1) == 11
    assert state.published.rows() == {1: 11, 2: 12}
    assert list(state.published.scores().items()) == [(2, -0.5), (1, 0.123456789012345)]
    assert state.published.scores_of([2, 3]) == [-0.5, None]
    assert state.published.scores_of([]) == []


def test_a_score_is_unknown_while_it_is_written(state: ProjectState) -> None:
    state.published.note(1, 11, 0.5)

    state.published.forget_score(1)

    assert (state.published.row(1), state.published.scores()) == (11, {})


def test_a_row_that_is_gone_is_forgotten_with_its_score(state: ProjectState) -> None:
    state.published.note(1, 11, 0.5)

    state.published.forget_row(1)

    assert (state.published.row(1), state.published.scores()) == (None, {})


def test_rows_read_from_label_studio_replace_all_or_fill_gaps(
    state: ProjectState,
) -> None:
    state.published.note(1, 11, 0.5)

    state.published.adopt({1: (99, 0.9), 2: (12, 0.2)})
    filled = state.published.rows(), state.published.scores()
    state.published.replace({3: (13, 0.3)})
    replaced = state.published.rows(), state.published.scores()
    state.published.replace({})

    assert filled == ({1: 11, 2: 12}, {1: 0.5, 2: 0.2})
    assert replaced == ({3: 13}, {3: 0.3})
    assert state.published.rows() == {}


def test_one_bulk_write_at_a_time(state: ProjectState) -> None:
    assert state.published.begin_bulk(60)
    assert not state.published.begin_bulk(60)
    assert state.published.is_bulk_running()
    state.published.end_bulk()
    assert state.published.begin_bulk(60)


def test_facts_are_kept_one_by_one(state: ProjectState) -> None:
    known = project(title="Walks")
    place = WindowEntry(task=3, certainty=None, why="start")

    state.note(project=known, token=HANDED_OVER)
    state.note(window=(place,), connection=Connection(mode="polling"))

    facts = state.facts()
    assert facts.project == known
    assert facts.window == (place,)
    assert facts.connection == Connection(mode="polling")
    assert facts.token == HANDED_OVER
    assert HANDED_OVER not in repr(facts)


@pytest.mark.parametrize("classes", [("a", "b"), ()])
def test_what_a_round_found_is_kept_whole(
    state: ProjectState, classes: tuple[str, ...]
) -> None:
    ranking = Ranking(
        round=3,
        basis="basis",
        task_ids=np.array([1, 5, 2**40], dtype=np.int64),
        classes=classes,
        probabilities=np.full((3, len(classes)), 0.5),
        certainty=np.array([0.1, 0.123456, 1.0]),
    )

    state.save_ranking(ranking)

    kept = state.ranking()
    assert kept is not None
    assert (kept.round, kept.basis, kept.classes) == (3, "basis", classes)
    for name in ("task_ids", "probabilities", "certainty"):
        assert np.array_equal(getattr(kept, name), getattr(ranking, name))
    assert state.round() == 3


RANKING = Ranking(
    round=1,
    basis="basis",
    task_ids=np.array([3, 5, 8], dtype=np.int64),
    classes=("a", "b"),
    probabilities=np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]),
    certainty=np.array([0.8, 0.6, 0.0]),
)


def test_a_ranking_knows_the_likeliest_class_of_each_task() -> None:
    """Of equals the first."""
    assert RANKING.labels() == ["a", "b", "a"]
    assert [RANKING.likeliest_of(task) for task in (3, 5, 8)] == ["a", "b", "a"]


@pytest.mark.parametrize("task", [0, 4, 9, 2**63 - 1])
def test_a_ranking_knows_nothing_of_other_tasks(task: int) -> None:
    assert RANKING.row_of(task) is None
    assert RANKING.likeliest_of(task) is None


def test_without_a_model_no_class_is_the_likeliest() -> None:
    without = replace(RANKING, classes=(), probabilities=np.empty((3, 0)))

    assert not without.has_model
    assert without.likeliest_of(3) is None


@pytest.mark.parametrize("tasks", [{8, 3, 4}, frozenset[int]()])
def test_a_part_of_a_ranking_says_the_same_of_its_tasks(tasks: set[int]) -> None:
    part = RANKING.among(tasks)

    assert part.task_ids.tolist() == sorted(tasks & {3, 5, 8})
    for task in part.task_ids.tolist():
        row, place = RANKING.row_of(task), part.row_of(task)
        assert part.likeliest_of(task) == RANKING.likeliest_of(task)
        assert part.certainty[place] == RANKING.certainty[row]


def test_without_a_round_there_is_no_ranking(state: ProjectState) -> None:
    assert state.ranking() is None
    assert state.round() == 0


def test_a_project_is_found_by_number_the_newest_first_or_by_key(
    redis: Redis,
) -> None:
    projects = Projects(redis)
    for key in ("1.900", "1.1000", "11.950", "2.999"):
        projects.add(key)

    assert projects.known() == ["1.900", "11.950", "2.999", "1.1000"]
    assert projects.find("1").key == "1.1000"
    assert projects.find("1.900").key == "1.900"
    assert projects.find("11").id == 11


@pytest.mark.parametrize(
    ("name", "number"),
    [
        *(("3", "3"), ("1.", "1"), ("1.9", "1")),
        *((name, "ID") for name in ("", "*", "{1.900}", "one", "3\n", "0")),
    ],
)
def test_an_unknown_project_is_refused_with_the_cure(
    redis: Redis, name: str, number: str
) -> None:
    Projects(redis).add("1.900")

    with pytest.raises(
        UnknownProjectError, match=f"dubito connect --project {number}`"
    ):
        Projects(redis).find(name)


def fill(state: ProjectState) -> None:
    """Keep something of everything."""
    state.note(title="x", project=project(state.id), token=HANDED_OVER)
    state.annotations.save([annotation(1), annotation(2)])
    state.annotations.drop([2])
    receive(state, t1=0, t2=0, t3=0, t4=0)
    read(state, 1, x=1.0)
    state.tasks.save({2: TaskInput(refused="bad")}, state.tasks.digests([2]))
    state.tasks.remove([3])
    state.published.note(1, 11, 0.5)
    state.published.begin_bulk(60)
    state.work.request("everything")
    state.work.claim_queue_slot()
    state.work.due_in(5)
    state.work.back_off(500)
    state.history.add(Line(round=1, at=0.0, labels=1, seconds=0.1))
    ids = np.array([1], dtype=np.int64)
    half = np.array([[0.5, 0.5]])
    ranking = Ranking(
        round=1,
        basis="b",
        task_ids=ids,
        classes=("a", "b"),
        probabilities=half,
        certainty=np.zeros(1),
    )
    state.save_ranking(ranking)
    with state.work.lease() as lease:
        assert lease is not None
        state.work.finish(lease, 1)


@pytest.mark.parametrize("other", [OTHER, "1.17672256", "11.1767225600", "1.1", "0.1"])
def test_two_projects_never_see_each_others_state(redis: Redis, other: str) -> None:
    """Law 7, for every key: whatever is done to one leaves the other alone."""
    one, two = Projects(redis).at(KEY), Projects(redis).at(other)
    fill(two)
    before = kept_in(redis)

    fill(one)
    after = kept_in(redis)
    Projects(redis).remove(KEY)

    assert {name: after[name] for name in before} == before
    assert all(f"{{{KEY}}}" in name for name in after.keys() - before.keys())
    assert kept_in(redis) == before


def test_a_project_made_anew_under_an_old_number_starts_empty(redis: Redis) -> None:
    fill(ProjectState(redis, "1.900"))

    reborn = ProjectState(redis, "1.901")

    assert reborn.facts().project is None
    assert reborn.annotations.ids() == reborn.tasks.ids() == set()
    assert reborn.work.requested() == 0


def test_every_kind_of_thing_has_a_key_of_its_own() -> None:
    names = {
        name: value
        for name, value in vars(keys).items()
        if name.isupper() and isinstance(value, str)
    }

    assert len(set(names.values())) == len(names)


def test_a_lost_store_is_noticed_once(redis: Redis) -> None:
    projects = Projects(redis)

    assert projects.mark()
    assert not projects.mark()
    redis.flushall()
    assert projects.mark()


@pytest.mark.parametrize("act", [Projects.add, Projects.remove])
def test_looking_after_a_project_is_safe_to_repeat(
    redis: Redis, act: Callable[[Projects, str], None]
) -> None:
    projects = Projects(redis)

    act(projects, KEY)
    once = projects.known()
    act(projects, KEY)

    assert projects.known() == once
