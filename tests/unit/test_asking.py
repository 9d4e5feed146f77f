"""Which tasks are asked for next: those that are asked again before all others."""

import numpy as np
import pytest

from dubito.model.query.selection import (
    CandidatePool,
    QueryConfig,
    QueryState,
    select_queries,
)

N_TASKS = 30


def places(
    *again: int, answered: tuple[int, ...] = (), has_model: bool = True, window: int = 6
) -> list[tuple[int, str]]:
    is_open = np.ones(N_TASKS, dtype=bool)
    is_open[list(answered)] = False
    tasks = CandidatePool(
        task_ids=np.arange(N_TASKS),
        features=np.arange(N_TASKS, dtype=np.float32)[:, None],
        start=lambda _: np.arange(N_TASKS),
    )
    so_far = QueryState(
        labelled=10,
        is_open=is_open,
        certainty=np.linspace(0, 1, N_TASKS) if has_model else None,
        again=again,
    )
    manner = QueryConfig(centres=2, random=2, audit_every=3, window=window, seed=0)
    return [
        (place.position, place.why) for place in select_queries(tasks, so_far, manner)
    ]


@pytest.mark.parametrize("has_model", [True, False])
def test_what_is_asked_again_comes_first_and_once(*, has_model: bool) -> None:
    places_of_draw = places(25, 3, has_model=has_model)

    assert places_of_draw[:2] == [(25, "doubt"), (3, "doubt")]
    positions = [position for position, _ in places_of_draw]
    assert len(set(positions)) == len(positions) == 6


def test_what_has_been_answered_is_not_asked_again() -> None:
    assert places(25, answered=(25,)) == places(answered=(25,))


def test_more_than_a_window_waits() -> None:
    assert places(*range(20, 30), window=4) == [(n, "doubt") for n in range(20, 24)]


def test_audits_are_counted_over_what_is_asked_again() -> None:
    audits = [why == "audit" for _, why in places(25)]

    assert audits == [(10 + place) % 3 == 0 for place in range(1, 7)]
