"""Distances and centralities of a graph that has a few hundred nodes: all sources at once, as matrix products."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def distances(graph: sparse.csr_array) -> np.ndarray:
    """Steps between all nodes of an undirected graph, weights aside, (n, n); inf where there is no way."""
    if graph.shape[0] == 0:
        return np.zeros((0, 0))
    return sparse.csgraph.shortest_path(graph, directed=False, unweighted=True)


def betweenness(graph: sparse.csr_array) -> np.ndarray:
    """Betweenness centrality of all nodes, normalised by the (n - 1)(n - 2) / 2 pairs, (n,).

    Brandes' algorithm, level by level for all sources together.

    References
    ----------
    Brandes (2001), *A faster algorithm for betweenness centrality*, J. Math. Sociol. 25, 163,
    doi:10.1080/0022250X.2001.9990249.

    Example
    -------
    >>> path = sparse.csr_array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> betweenness(path).tolist()
    [0.0, 1.0, 0.0]
    """
    n = graph.shape[0]
    if n < 3:
        return np.zeros(n)
    links = (graph.toarray() > 0).astype(float)
    level = distances(graph)
    ways = np.eye(n)  # from each source (row) to each node
    deepest = int(level[np.isfinite(level)].max())
    for depth in range(1, deepest + 1):
        ways += np.where(level == depth, np.where(level == depth - 1, ways, 0.0) @ links, 0.0)
    dependency = np.zeros((n, n))
    for depth in range(deepest, 0, -1):
        share = np.divide(1 + dependency, ways, out=np.zeros((n, n)), where=level == depth)
        dependency += np.where(level == depth - 1, ways * (share @ links), 0.0)
    np.fill_diagonal(dependency, 0.0)  # a source does not lie between itself and others
    return dependency.sum(axis=0) / ((n - 1) * (n - 2))


def closeness(steps: np.ndarray) -> np.ndarray:
    """One over the mean distance to the nodes that can be reached, (n,); 0 where there are none."""
    reached = np.isfinite(steps) & (steps > 0)
    total = np.where(reached, steps, 0.0).sum(axis=1)
    return np.divide(reached.sum(axis=1), total, out=np.zeros(len(steps)), where=total > 0)


def harmonic(steps: np.ndarray) -> np.ndarray:
    """Mean of one over the distance to all others, (n,); one over infinity is 0."""
    others = np.divide(1.0, steps, out=np.zeros(steps.shape), where=steps > 0)
    return others.sum(axis=1) / max(len(steps) - 1, 1)


def eccentricity(steps: np.ndarray) -> np.ndarray:
    """Distance to the farthest node, (n,); inf where some node cannot be reached."""
    return steps.max(axis=1, initial=0.0)
