"""Groups of similar tasks."""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

from model.arrays import Features, Positions
from model.threads import one_thread

NEIGHBOURS = 20

SAMPLE = 20_000
"""Centres are found from so many tasks at most; all tasks are then assigned."""

DENSITY_SAMPLE = 1_000
"""Of a bigger cluster only so many members are compared with each other."""


def cluster(features: Features, n_clusters: int, seed: int) -> NDArray[np.intp]:
    """Assign each task to one of at most `n_clusters` clusters by k-means.

    Returns
    -------
    (n,) labels; fewer clusters are used if there are fewer distinct tasks
    """
    count = min(n_clusters, len(features), SAMPLE)
    if count < 2 or features.shape[1] == 0:
        return np.zeros(len(features), dtype=np.intp)
    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore", ConvergenceWarning)  # copies of one task
        if len(features) <= SAMPLE:
            found = KMeans(count, n_init=1, random_state=seed).fit(features)
            return np.asarray(found.labels_, dtype=np.intp)
        rng = np.random.default_rng(seed)
        sample = np.sort(rng.choice(len(features), SAMPLE, replace=False))
        coarse = MiniBatchKMeans(count, n_init=1, random_state=seed)
        found = coarse.fit(features[sample])
        return np.asarray(found.predict(features), dtype=np.intp)


def sizes_descending(members: NDArray[np.intp]) -> list[int]:
    """Return the labels of the clusters, biggest first, equals by label."""
    sizes = np.bincount(members)
    order = np.argsort(-sizes, kind="stable")
    return [int(label) for label in order if sizes[label] > 0]


def densest_member(features: Features, is_member: NDArray[np.bool_]) -> int:
    """Return the position of the member that is nearest to its neighbours."""
    members = _thinned(np.flatnonzero(is_member))
    if len(members) == 1:
        return int(members[0])
    squared = squared_distances(features[members])
    nearest = min(NEIGHBOURS, len(members) - 1)
    # The first of the nearest is the member itself, at distance 0.
    closest = np.partition(squared, nearest, axis=1)[:, : nearest + 1]
    return int(members[np.sqrt(closest).sum(axis=1).argmin()])


def _thinned(members: Positions) -> Positions:
    step = -(-len(members) // DENSITY_SAMPLE)
    return members[::step]


def squared_distances(rows: Features) -> NDArray[np.float64]:
    """Return the (n, n) squared Euclidean distances between rows."""
    exact = rows.astype(np.float64)
    length = np.square(exact).sum(axis=1)
    squared = length[:, None] + length[None, :] - 2 * (exact @ exact.T)
    np.fill_diagonal(squared, 0.0)
    return np.asarray(np.maximum(squared, 0.0))
