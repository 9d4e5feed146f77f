"""Laws of the map: where tasks lie, and how recordings are thinned."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from dubito.model.arrays import Features
from dubito.model.features.downsampling import telling_samples
from dubito.model.projection.pca import pca_projection

seeds = st.integers(-(2**70), 2**70)


def tables(
    elements: st.SearchStrategy[float], max_rows: int = 40
) -> st.SearchStrategy[Features]:
    shapes = st.tuples(st.integers(0, max_rows), st.integers(0, 6))
    return arrays(np.float32, shapes, elements=elements)


anything = tables(st.floats(width=32))
usual = tables(st.sampled_from([-1.0, 0.0, 0.5, 0.51, 3.0]))


def ids(rows: Features) -> NDArray[np.int64]:
    return np.arange(7, 7 + len(rows), dtype=np.int64)


@given(rows=anything, seed=seeds)
def test_every_task_has_a_place_in_the_frame(rows: Features, seed: int) -> None:
    """Whatever the numbers: none at all, endless ones, equal ones."""
    points = pca_projection(rows, ids(rows), seed)

    assert points.shape == (len(rows), 2)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()
    assert np.abs(points).max(initial=0.0) <= 1.0


@given(rows=usual, seed=seeds)
def test_equal_tasks_have_equal_places(rows: Features, seed: int) -> None:
    twice = np.vstack([rows, rows])

    points = pca_projection(twice, ids(twice), seed)

    assert np.abs(points[: len(rows)] - points[len(rows) :]).max(initial=0.0) < 1e-5
    again = pca_projection(twice.copy(), ids(twice), seed)
    assert np.array_equal(points, again)


@given(count=st.integers(5, 60), value=st.sampled_from([-3.0, 0.0, 1e6]), seed=seeds)
def test_a_constant_column_changes_nothing(count: int, value: float, seed: int) -> None:
    """Of columns that differ clearly: of equal ones no direction is the first."""
    rng = np.random.default_rng(count)
    rows = (rng.normal(size=(count, 3)) * [9.0, 3.0, 1.0]).astype(np.float32)
    wider = np.insert(rows, 1, np.float32(value), axis=1)

    difference = pca_projection(wider, ids(rows), seed) - pca_projection(
        rows, ids(rows), seed
    )

    assert np.abs(difference).max() < 1e-3


signals = arrays(
    np.float64, st.integers(1, 3_000), elements=st.floats(-1e9, 1e9, width=32)
)


@given(signal=signals, most=st.integers(4, 300))
def test_a_thinned_recording_juts_out_as_far(
    signal: NDArray[np.float64], most: int
) -> None:
    at = telling_samples(signal, most)

    assert at.size <= most
    assert (np.diff(at) > 0).all()
    assert (at[0], at[-1]) == (0, signal.size - 1)
    assert signal[at].min() == signal.min()
    assert signal[at].max() == signal.max()
