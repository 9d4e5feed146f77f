"""A map that keeps neighbours together (t-SNE), drawn in short steps.

Two directions cannot tell many classes apart; a map of who is near whom can. It is
made of some tasks, the landmarks, and the others take their places among these.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from dubito.model.arrays import Coordinates, Features, Positions, TaskIds
from dubito.model.determinism import one_thread
from dubito.model.projection.pca import framed, pca_projection
from dubito.model.query.seed_set import permutation

METHOD = "tsne"
STEPS = 3
"""The first pulls groups apart, the others put each in order; more changes little."""

LANDMARKS = 1_000
"""A step over so many takes half a second: whoever waits does not wait longer."""

FEWEST = 30
MOST = 200_000
"""To place more among the landmarks takes seconds in one go."""

ITERATIONS = 250
PERPLEXITY = 30.0
APART = 12.0
SLOWEST = 50.0
START_SIZE = 1e-4
NEIGHBOURS = 3
AT_A_TIME = 20_000


def is_worth(features: Features) -> bool:
    """Return whether such a map can be drawn, and shows more than two directions."""
    return FEWEST <= len(features) <= MOST and features.shape[1] > 2


def landmarks(task_ids: TaskIds, seed: int) -> Positions:
    """Return the rows of the tasks of which the map is made, ascending."""
    return np.sort(permutation(task_ids, seed)[:LANDMARKS])


def begin(features: Features, task_ids: TaskIds, seed: int) -> Coordinates:
    """Return where the landmarks begin: as on the map by two directions."""
    return pca_projection(features, task_ids, seed) * np.float32(START_SIZE)


def improve(features: Features, points: Coordinates, step: int) -> Coordinates:
    """Move the landmarks so that neighbours come together.

    Parameters
    ----------
    features, points : of the landmarks
    step : from 0 to `STEPS` - 1
    """
    count = len(points)
    mover = TSNE(
        init=points,
        early_exaggeration=APART if step == 0 else 1.0,
        learning_rate=max(SLOWEST, count / 4 / APART),
        max_iter=ITERATIONS,
        perplexity=min(PERPLEXITY, (count - 1) / 3),
        random_state=0,
        n_jobs=1,
    )
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of tasks that are all equal
        coordinates: Coordinates = mover.fit_transform(np.nan_to_num(features))
    return np.nan_to_num(coordinates).astype(np.float32)


def placed(features: Features, rows: Positions, points: Coordinates) -> Coordinates:
    """Place all tasks: each among the landmarks nearest to it.

    Parameters
    ----------
    features : (n, d), of all tasks
    rows : of the landmarks
    points : where these have come to lie

    Returns
    -------
    (n, 2) array in [-1, 1]: each axis fills the picture
    """
    nearest = NearestNeighbors(
        n_neighbors=min(NEIGHBOURS, rows.size), algorithm="brute", n_jobs=1
    ).fit(features[rows])
    places = np.zeros((len(features), 2))
    with one_thread():
        for start in range(0, len(features), AT_A_TIME):
            away, near = nearest.kneighbors(features[start : start + AT_A_TIME])
            places[start : start + AT_A_TIME] = _among(points[near], away)
    places[rows] = points
    return framed(places)


def _among(points: Coordinates, away: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of (n, k, 2) points, the nearer ones weighing more."""
    weight = 1 / (np.square(away) + np.finfo(np.float32).eps)
    weight /= weight.sum(axis=1, keepdims=True)
    middle: NDArray[np.float64] = (points * weight[:, :, None]).sum(axis=1)
    return middle
