"""Components of a hypergraph for every s at once, as bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True, eq=False)
class Barcode:
    """One bar per hyperedge that holds anything: the s for which it stands for a component of its own.

    As s falls, hyperedges appear when s reaches their size and join when s reaches their overlap; of two components
    that join, the one that appeared at the smaller s ends (of equals, the one whose hyperedge comes later).

    Parameters
    ----------
    edge : ndarray (n_bars,) of int
        Hyperedge that stands for the component; longest bar first.
    birth : ndarray (n_bars,) of int
        The largest s at which the component is there: the size of that hyperedge.
    death : ndarray (n_bars,) of int
        The s at which it joins another; 0 where it never does. The component is there for ``death < s <= birth``.

    Example
    -------
    >>> from dyn_explorer.analysis import Hypergraph
    >>> bars = Hypergraph.from_edges([[0, 1, 2], [1, 2, 3], [3, 4]], n_vertices=5).barcode
    >>> list(zip(bars.edge.tolist(), bars.birth.tolist(), bars.death.tolist()))
    [(0, 3, 0), (1, 3, 2), (2, 2, 1)]
    """

    edge: np.ndarray
    birth: np.ndarray
    death: np.ndarray

    def count(self, s: int) -> int:
        """Components of hyperedges with at least `s` vertices."""
        return int(np.count_nonzero((self.death < s) & (s <= self.birth)))


def component_barcode(sizes: np.ndarray, overlaps: sparse.csr_array) -> Barcode:
    """Bars of the components as s falls, from sizes (n_edges,) and the sparse overlaps of different hyperedges."""
    root = np.arange(len(sizes))
    death = np.zeros(len(sizes), dtype=np.int64)

    def find(edge: int) -> int:
        while root[edge] != edge:
            root[edge] = root[root[edge]]
            edge = root[edge]
        return edge

    for first, second, shared in _strongest_links(overlaps):
        older, younger = sorted((find(first), find(second)), key=lambda edge: (-sizes[edge], edge))
        root[younger] = older
        death[younger] = shared
    edge = np.flatnonzero(sizes > 0)
    edge = edge[np.lexsort((edge, death[edge] - sizes[edge]))]
    return Barcode(edge, np.asarray(sizes)[edge], death[edge])


def _strongest_links(overlaps: sparse.csr_array) -> list[tuple[int, int, int]]:
    """Links of a spanning forest of largest overlaps, strongest first: all that components depend on."""
    if overlaps.nnz == 0:
        return []
    most = int(overlaps.data.max()) + 1
    lengths = overlaps.copy()
    lengths.data = most - lengths.data
    tree = sparse.csgraph.minimum_spanning_tree(lengths).tocoo()
    shared = most - tree.data.astype(np.int64)
    order = np.lexsort((tree.col, tree.row, -shared))
    return [(int(tree.row[k]), int(tree.col[k]), int(shared[k])) for k in order]
