"""What all the tasks tell, labelled or not."""

import numpy as np
import pytest

from dubito.model.arrays import Features
from dubito.model.learners import unlabelled_context as surroundings
from dubito.model.learners.unlabelled_context import Graph, UnlabelledContext


def blobs(per_blob: int, n_blobs: int = 3, width: int = 4) -> Features:
    """Build groups that lie far apart, one after the other."""
    rng = np.random.default_rng(0)
    centres = 10 * np.eye(n_blobs, width)
    rows = np.repeat(centres, per_blob, axis=0)
    return (rows + rng.normal(size=rows.shape)).astype(np.float32)


def test_groups_lie_apart_in_the_graph() -> None:
    """The walk on the graph hardly leaves a group: so its first places are groups."""
    features = blobs(40)[:100]
    places = UnlabelledContext(features).rows(features).places[:, :3]
    group = np.repeat(np.arange(3), 40)[:100]

    within = [places[group == each].std(axis=0).max() for each in range(3)]

    assert max(within) < 0.01 * places.std(axis=0).max()


def test_tasks_of_the_pool_are_placed_as_strangers_are() -> None:
    """What a task looks like must not depend on who asks."""
    around = UnlabelledContext(blobs(20))

    known, copy = around.rows(around.features), around.rows(around.features.copy())

    assert known.places == pytest.approx(copy.places, abs=1e-5)


def test_a_part_of_the_tasks_is_seen_as_in_the_whole() -> None:
    around = UnlabelledContext(blobs(20))

    whole = around.rows(around.features)
    part = around.rows(around.features, slice(7, 30))

    assert np.array_equal(part.places, whole.places[7:30])
    assert part.plain == pytest.approx(whole.plain[7:30])
    assert part.turned == pytest.approx(whole.turned[7:30])


def test_a_sample_of_many_tasks_joins_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "ANCHORS", 60)
    features = blobs(100)

    places = UnlabelledContext(features).rows(features).places[:, :3]

    within = [places[at : at + 100].std(axis=0).max() for at in (0, 100, 200)]
    assert max(within) < 0.3 * places.std(axis=0).max()


@pytest.mark.parametrize("n_tasks", [0, 1, 2, 10])
def test_few_tasks_have_no_graph(n_tasks: int) -> None:
    around = UnlabelledContext(blobs(10)[:n_tasks])

    assert around.graph is None
    assert around.rows(blobs(10)).places.shape == (30, 0)


def test_very_many_tasks_have_no_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "MOST_TASKS", 29)

    assert UnlabelledContext(blobs(10)).graph is None


def test_copies_of_one_task_are_joined() -> None:
    graph = Graph.of(np.zeros((50, 3), dtype=np.float32))

    places = graph.extend(np.zeros((4, 3), dtype=np.float32))

    assert np.isfinite(places).all()
    assert places[0] == pytest.approx(places[1])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_many_equal_tasks_are_joined(seed: int) -> None:
    """Of many such graphs the eigenvectors are not found from an even start."""
    rng = np.random.default_rng(seed)
    few = rng.standard_normal((int(rng.integers(40, 110)), 2))
    equals = few[rng.integers(len(few), size=int(rng.integers(150, 250)))]

    graph = Graph.of(equals.astype(np.float32))

    assert graph.strength[0] == pytest.approx(1)
    assert np.isfinite(graph.places).all()


def test_the_main_axes_even_out_how_far_tasks_spread() -> None:
    """Halfway: what was ten times as wide is the root of it wider."""
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(2_000, 2)) * [10, 1]).astype(np.float32)

    turned = UnlabelledContext(features).rows(features).turned

    wide, narrow = sorted(turned.std(axis=0), reverse=True)
    assert wide / narrow == pytest.approx(np.sqrt(10), rel=0.2)


def test_wide_features_are_left_as_they_are() -> None:
    features = np.eye(20, 600, dtype=np.float32)

    rows = UnlabelledContext(features).rows(features)

    assert np.array_equal(rows.turned, rows.plain)
