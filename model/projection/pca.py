"""Where tasks lie on a map: two numbers for each, similar tasks near each other."""

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from dubito.model.arrays import Coordinates, Features, TaskIds
from dubito.model.determinism import one_thread
from dubito.model.query.seed_set import permutation

METHOD = "pca"
FIT_ON = 10_000
FIT_ON_NUMBERS = 5_000_000
FEWEST = 2_000
"""The axes are found from so many tasks at most, the first in random order: from
fewer where their features are many."""

AT_A_TIME = 20_000
EDGE = 0.005
"""What lies farther out than all but this share, on either side, is drawn nearer."""

FAR = 1.5
"""Up to so many times what the others take up, it is left where it lies."""

RIM = 0.25
"""Beside the picture of the rest, so much room is left for it."""

FAINTEST = 1e-6
"""Of the first axis' length: a second one that is shorter is rounding."""


def pca_projection(features: Features, task_ids: TaskIds, seed: int) -> Coordinates:
    """Place tasks along the two directions in which they differ most (PCA).

    Where tasks are added or removed the rest moves little: the axes come from the
    first tasks in the random order, and their signs do not flip by chance.

    Parameters
    ----------
    features : (n, d), on one scale; what is no number counts as 0
    task_ids : (n,) of distinct ids

    Returns
    -------
    (n, 2) array in [-1, 1]: each axis fills the picture; 0 along an axis on which
    the tasks do not differ
    """
    axes = _axes(features, task_ids, seed)
    places = np.zeros((len(features), 2))
    with one_thread():
        for start in range(0, len(features), AT_A_TIME):
            rows = _finite(features[start : start + AT_A_TIME])
            places[start : start + AT_A_TIME, : axes.shape[1]] = rows @ axes
    return framed(places)


def framed(places: NDArray[np.float64]) -> Coordinates:
    """Return (n, 2) places in [-1, 1], each axis filling the picture."""
    columns = [_framed(column) for column in _without_rounding(places).T]
    return np.column_stack(columns).astype(np.float32)


def _finite(rows: Features) -> NDArray[np.float64]:
    return np.nan_to_num(rows.astype(np.float64))


def _axes(features: Features, task_ids: TaskIds, seed: int) -> NDArray[np.float64]:
    """Return (d, k) directions, k at most 2; none if all tasks are alike."""
    most = min(FIT_ON, max(FEWEST, FIT_ON_NUMBERS // max(1, features.shape[1])))
    sample = _finite(features[np.sort(permutation(task_ids, seed)[:most])])
    size = float(np.abs(sample).max(initial=0.0)) or 1.0
    sample /= size  # squares of the largest numbers would be endless
    if sample.size == 0 or not np.ptp(sample, axis=0).any():
        return np.empty((features.shape[1], 0))
    with one_thread():
        fitted = PCA(n_components=min(2, *sample.shape), random_state=0).fit(sample)
    axes: NDArray[np.float64] = fitted.components_.T
    strongest = np.abs(axes).argmax(axis=0)
    axes *= np.sign(axes[strongest, np.arange(axes.shape[1])]) / size
    return axes


def _without_rounding(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places with 0 along an axis whose differences are but rounding."""
    if not len(places):
        return places
    spread = np.ptp(places, axis=0)
    faint = spread <= FAINTEST * max(spread.max(), np.abs(places).max())
    return np.where(faint, 0.0, places)


def _framed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values in [-1, 1], their order kept; a few far ones are drawn nearer."""
    if not values.size:
        return values
    low, high = np.quantile(values, [EDGE, 1 - EDGE])
    reach = np.ptp(values)
    if not FAINTEST * reach < high - low < reach / FAR:  # none is far, or nearly all
        low, high = values.min(), values.max()
    if high <= low:
        return np.zeros_like(values)
    places = (2 * values - low - high) / (high - low)
    beyond = np.maximum(np.abs(places) - 1, 0)
    away = np.minimum(np.abs(places), 1) + RIM * -np.expm1(-beyond)
    points: NDArray[np.float64] = np.sign(places) * away / (1 + RIM)
    return points
