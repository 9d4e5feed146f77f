"""Groups of similar tasks."""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from dubito.model.arrays import Features, Positions
from dubito.model.determinism import one_thread

NEIGHBOURS = 20

TREE_SAMPLE = 2_000
"""The tree compares each task with each: it is made from so many at most."""

DENSITY_SAMPLE = 1_000
"""Of a bigger cluster only so many members are compared with each other."""


def cluster(features: Features, n_clusters: int) -> NDArray[np.intp]:
    """Assign each task to one of at most `n_clusters` clusters by k-means.

    It begins at the centres of a tree of clusters (Ward 1963), not at random ones: no
    task needs luck to be found.

    Parameters
    ----------
    features : (n, d) rows in random order: the tree is made from the first of them

    Returns
    -------
    (n,) labels from 0; fewer clusters are used if there are fewer distinct tasks
    """
    if min(n_clusters, len(features)) < 2 or features.shape[1] == 0:
        return np.zeros(len(features), dtype=np.intp)
    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore", ConvergenceWarning)  # copies of one task
        centres = _centres_of_tree(features[:TREE_SAMPLE], n_clusters)
        kmeans = KMeans(len(centres), init=centres, n_init=1).fit(features)
    return np.asarray(np.unique(kmeans.labels_, return_inverse=True)[1], dtype=np.intp)


def _centres_of_tree(features: Features, n_clusters: int) -> Features:
    """Return the (at most n_clusters, d) means of the clusters of Ward's tree."""
    distance = np.sqrt(squared_distances(features))
    tree = linkage(squareform(distance, checks=False), "ward")
    members = fcluster(tree, n_clusters, "maxclust") - 1
    sums = np.zeros((members.max() + 1, features.shape[1]), dtype=np.float64)
    np.add.at(sums, members, features)
    means = sums / np.bincount(members)[:, None]
    return np.asarray(means, dtype=np.float32)


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
