"""What all the tasks tell, labelled or not: how features vary, which are alike."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import ArpackError, eigsh
from sklearn.neighbors import NearestNeighbors

from dubito.model.arrays import Features, Views, cut, descriptions, plain
from dubito.model.determinism import one_thread

ANCHORS = 5_000
"""The graph joins so many tasks at most; the others take their neighbours' places."""

NEIGHBOURS = 10
DIRECTIONS = 60
"""Eigenvectors of the graph that are kept."""

MOST_TASKS = 100_000
"""Among more tasks the graph would cost more time than its labels save."""

MOST_COLUMNS = 512
"""Axes of wider features are not looked for: it takes the cube of the width."""

FLOOR = 0.01
"""Of the mean variance: below it an axis is taken for noise."""

FAINTEST = 1e-3
"""The least weight of an edge, so that no task is cut off by rounding."""

AT_A_TIME = 10_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Tasks as the kernels see them.

    Attributes
    ----------
    plain : (m, d) features
    turned : (m, d) features along the main axes, their variances evened out
    places : (m, r) coordinates in the graph of neighbours; r is 0 without a graph
    views : the same tasks as each of their views describes them
    """

    plain: NDArray[np.float64]
    turned: NDArray[np.float64]
    places: NDArray[np.float64]
    views: tuple["Rows", ...] = ()

    def __getitem__(self, positions: NDArray[np.intp] | slice) -> "Rows":
        """Return some of the rows."""
        views = tuple(view[positions] for view in self.views)
        return Rows(
            self.plain[positions], self.turned[positions], self.places[positions], views
        )

    def along(self, axes: NDArray[np.float64]) -> "Rows":
        """Return the rows with their features along other axes, (d, k)."""
        along = self.plain @ axes
        return Rows(along, along, self.places)


@dataclass(frozen=True, slots=True)
class Axes:
    """The main axes of the tasks, each divided by the root of its deviation.

    Halfway between the features as they are and full whitening, which would blow
    up noise.
    """

    mean: NDArray[np.float64]
    turn: NDArray[np.float64]
    """(d, d)"""

    @classmethod
    def of(cls, features: Features) -> "Axes":
        """Find the axes of (n, d) features."""
        rows = features.astype(np.float64)
        mean = rows.mean(axis=0)
        spread = (rows - mean).T @ (rows - mean) / len(rows)
        variance, axes = np.linalg.eigh(spread)
        share = np.maximum(variance, 0) / (variance.mean() or 1)
        return cls(mean, axes / (share + FLOOR) ** 0.25)

    def apply(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n, d) rows along the axes."""
        return (rows - self.mean) @ self.turn


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks joined to their nearest neighbours, drawn in a few dimensions.

    The coordinates are the leading eigenvectors of the random walk on the graph
    (Laplacian eigenmaps: Belkin and Niyogi 2003), the edges scaled to the density
    around them (Zelnik-Manor and Perona 2004). Tasks it does not join get the mean
    place of their neighbours (Bengio et al. 2004).
    """

    finder: NearestNeighbors
    reach: NDArray[np.float64]
    """(n,) distance of each anchor to its last neighbour"""

    places: NDArray[np.float64]
    """(n, r)"""

    strength: NDArray[np.float64]
    """(r,) eigenvalues, largest first"""

    @classmethod
    def of(cls, anchors: Features) -> "Graph":
        """Join (n, d) tasks, n > 2."""
        count = min(NEIGHBOURS, len(anchors) - 1)
        finder = NearestNeighbors(n_neighbors=count).fit(anchors)
        distance, near = finder.kneighbors()
        reach = np.maximum(distance[:, -1], np.finfo(np.float32).tiny)
        weight = _weights(distance, reach, reach[near])
        starts = np.arange(0, weight.size + 1, count)
        edges = (weight.ravel(), near.ravel(), starts)
        joined = csr_array(edges, shape=(len(anchors), len(anchors)))
        joined = joined.maximum(joined.T)
        degree = np.asarray(joined.sum(axis=1), dtype=np.float64)
        scale = diags_array(1 / np.sqrt(degree))
        strength, vectors = _leading(csr_array(scale @ joined @ scale))
        places = vectors * np.sqrt(degree.sum() / degree)[:, None]
        return cls(finder, reach, places, strength)

    def extend(self, features: Features) -> NDArray[np.float64]:
        """Return the (m, r) places of (m, d) tasks."""
        distance, near = self.finder.kneighbors(features)
        own = np.maximum(distance[:, -1], np.finfo(np.float32).tiny)
        weight = _weights(distance, own, self.reach[near])
        weight /= weight.sum(axis=1, keepdims=True)
        return np.asarray(np.einsum("ik,ikr->ir", weight, self.places[near]))


@dataclass(eq=False)
class UnlabelledContext:
    """All tasks of a project, and what is found out about them once.

    Attributes
    ----------
    features : (n, d), on one scale
    views : columns of each view, the last ones; each has axes and neighbours of its own
    """

    features: Features
    views: Views = ()

    @cached_property
    def axes(self) -> Axes | None:
        """Return the main axes; None without tasks, and for no column or too many."""
        n_tasks, columns = self._plain.shape
        if n_tasks == 0 or not 0 < columns <= MOST_COLUMNS:
            return None
        with one_thread():
            return Axes.of(self._sample)

    @cached_property
    def graph(self) -> Graph | None:
        """Return the graph of neighbours; None for very few or very many tasks."""
        n_tasks, columns = self._plain.shape
        if columns == 0 or not NEIGHBOURS < n_tasks <= MOST_TASKS:
            return None
        with one_thread():
            return Graph.of(self._sample)

    @property
    def strength(self) -> NDArray[np.float64]:
        """Return the (r,) eigenvalues of the graph, largest first."""
        return np.empty(0) if self.graph is None else self.graph.strength

    @cached_property
    def others(self) -> tuple["UnlabelledContext", ...]:
        """Return what each view that describes the tasks tells of all of them."""
        parts = cut(self.features, self.views)[: len(descriptions(self.views))]
        return tuple(map(UnlabelledContext, parts))

    @cached_property
    def mirrored(self) -> "UnlabelledContext":
        """Return what pairs and their mirror images tell together."""
        return UnlabelledContext(mirrored(self.features), self.views)

    @property
    def _plain(self) -> Features:
        return plain(self.features, self.views)

    @cached_property
    def _sample(self) -> Features:
        if len(self.features) <= ANCHORS:
            return self._plain
        sample = np.random.default_rng(0).choice(len(self.features), ANCHORS, False)  # noqa: FBT003 - without replacement
        return self._plain[np.sort(sample)]

    @cached_property
    def places(self) -> NDArray[np.float32]:
        """Return the (n, r) places of all tasks."""
        parts = range(0, len(self.features), AT_A_TIME)
        places = [self._placed(self._plain[at : at + AT_A_TIME]) for at in parts]
        return np.concatenate(places).astype(np.float32)

    def without_tasks(self) -> "UnlabelledContext":
        """Return what was found out, without the tasks, to look at others with."""
        bare = UnlabelledContext(self.features[:0], self.views)
        others = tuple(other.without_tasks() for other in self.others)
        # As if found by itself.
        vars(bare).update(axes=self.axes, graph=self.graph, others=others)
        return bare

    def rows(self, features: Features, part: slice = slice(None)) -> Rows:
        """Return how the kernels see a part of some tasks, of these or of others."""
        known = features is self.features
        values = plain(features[part], self.views)
        places = self.places[part] if known else self._placed(values)
        rows = values.astype(np.float64)
        turned = rows if self.axes is None else self.axes.apply(rows)
        views = (
            other.rows(other.features if known else columns, part)
            for other, columns in zip(
                self.others, cut(features, self.views), strict=False
            )
        )
        return Rows(rows, turned, places.astype(np.float64), tuple(views))

    def _placed(self, features: Features) -> NDArray[np.float64]:
        if self.graph is None or len(features) == 0:
            return np.zeros((len(features), 0))
        with one_thread():
            return self.graph.extend(features)


def mirrored(features: Features) -> Features:
    """Return (2n, d) rows: pairs, each the same way round, then all their opposites."""
    turned = features * orientations(features)
    return np.concatenate([turned, -turned])


def orientations(features: Features) -> Features:
    """Return (n, 1) signs: -1 for each pair whose mirror image is looked at instead.

    Of (n, d) pairs the first entry that is not 0 decides: it differs in its sign.
    """
    signs = np.sign(features)
    if signs.shape[1] == 0:
        return np.ones((len(features), 1), dtype=np.float32)
    first = np.take_along_axis(signs, (signs != 0).argmax(axis=1)[:, None], axis=1)
    return np.where(first < 0, -1, 1).astype(np.float32)


def _weights(
    distance: NDArray[np.float64],
    own: NDArray[np.float64],
    theirs: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the weight of each edge, from its length and the reach of its ends."""
    return np.maximum(np.exp(-(distance**2) / (own[:, None] * theirs)), FAINTEST)


def _leading(
    symmetric: csr_array,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the largest eigenvalues, descending, and their eigenvectors."""
    values, vectors = _some(symmetric) or np.linalg.eigh(symmetric.toarray())
    order = np.argsort(-values)[:DIRECTIONS]
    return values[order], vectors[:, order]


def _some(
    symmetric: csr_array,
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return a few eigenvalues and their vectors; None if only all can be found.

    Among many equal tasks a start may lie within a few eigenvectors, so that no
    others are found from there.
    """
    size = symmetric.shape[0]
    if size <= 2 * DIRECTIONS:
        return None
    mixed = np.random.default_rng(0).standard_normal(size)
    for start in (np.full(size, 1 / np.sqrt(size)), mixed):
        with suppress(ArpackError):
            return eigsh(symmetric, k=DIRECTIONS, v0=start, tol=1e-5)
    return None
