"""A hypergraph as its sparse incidence matrix, and everything that overlaps of its hyperedges say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg.blas import ssyrk

from dyn_explorer.analysis.component_barcode import Barcode, component_barcode
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.line_graph import betweenness, closeness, distances, eccentricity, harmonic
from dyn_explorer.errors import DynExplorerError

MOST_DENSE = 2**25  # entries; in float32 sums of ones are exact up to 16 million


@dataclass(frozen=True, eq=False)
class Hypergraph:
    """Vertices, and hyperedges that each hold any number of them.

    Parameters
    ----------
    incidence : sparse array (n_vertices, n_edges) of 0 and 1
        1 where a hyperedge holds a vertex. A hyperedge may be empty, and two may be equal.

    Notes
    -----
    The s-line graph has the hyperedges as nodes and links two that share at least s vertices. All measures named after
    s are those of that graph (Aksoy et al.); a hyperedge of fewer than s vertices is a node without links.

    References
    ----------
    Aksoy, Joslyn, Ortiz Marrero, Praggastis & Purvine (2020), *Hypernetwork science via high-order hypergraph walks*,
    EPJ Data Science 9, 16, doi:10.1140/epjds/s13688-020-00231-0.

    Example
    -------
    >>> chain = Hypergraph.from_edges([[0, 1, 2], [1, 2, 3], [3, 4]], n_vertices=5)
    >>> chain.s_components(1).tolist(), chain.s_components(2).tolist()
    ([0, 0, 0], [0, 0, 1])
    """

    incidence: sparse.csr_array

    @classmethod
    def from_edges(cls, edges, *, n_vertices: int) -> Hypergraph:
        """Hyperedges as sequences of vertex numbers; a vertex named twice counts once."""
        columns = [np.unique(np.asarray(edge, dtype=np.int64)) for edge in edges]
        vertices = np.concatenate([*columns, np.empty(0, np.int64)])
        if len(vertices) and not 0 <= vertices.min() <= vertices.max() < n_vertices:
            raise DynExplorerError(
                f"`edges` name vertices from {vertices.min()} to {vertices.max()}; with `n_vertices` (={n_vertices}) "
                f"they must lie in 0..{n_vertices - 1}"
            )
        edge = np.repeat(np.arange(len(columns)), [len(column) for column in columns])
        ones = np.ones(len(vertices), dtype=np.int64)
        return cls(sparse.csr_array((ones, (vertices, edge)), shape=(n_vertices, len(columns))))

    @property
    def n_vertices(self) -> int:
        """Number of vertices, those in no hyperedge included."""
        return self.incidence.shape[0]

    @property
    def n_edges(self) -> int:
        """Number of hyperedges, empty ones included."""
        return self.incidence.shape[1]

    @cached_property
    def sizes(self) -> np.ndarray:
        """Vertices in each hyperedge, (n_edges,)."""
        return self.incidence.sum(axis=0)

    @cached_property
    def degrees(self) -> np.ndarray:
        """Hyperedges around each vertex, (n_vertices,)."""
        return self.incidence.sum(axis=1)

    @cached_property
    def dual(self) -> Hypergraph:
        """Hyperedges as vertices and vertices as hyperedges; the dual of the dual is the hypergraph."""
        return Hypergraph(self.incidence.T.tocsr())

    @cached_property
    def overlaps(self) -> sparse.csr_array:
        """Vertices that each two different hyperedges share, sparse (n_edges, n_edges), zero on the diagonal."""
        return self.s_line_graph(1)

    @cached_property
    def _shared(self) -> np.ndarray | sparse.coo_array:
        """Overlaps above the diagonal, dense where that is small."""
        if 0 not in self.incidence.shape and self.n_edges * max(self.incidence.shape) <= MOST_DENSE:
            # Half of the dense product costs half of the sparse one: nearly every pair shares something.
            member = self.incidence.astype(np.float32).toarray(order="F")
            return np.triu(ssyrk(1.0, member, trans=1), 1)
        return sparse.triu(self.incidence.T @ self.incidence, 1, format="coo")

    def edges(self) -> list[np.ndarray]:
        """Vertex numbers of each hyperedge, ascending."""
        columns = self.incidence.tocsc()
        columns.sort_indices()
        return np.split(columns.indices, columns.indptr[1:-1])

    # ---------------------------------------------------------------- s-walks

    def s_line_graph(self, s: int = 1) -> sparse.csr_array:
        """Overlaps of at least `s`, sparse (n_edges, n_edges): a graph on the hyperedges, weighted by overlap.

        Raises
        ------
        DynExplorerError
            If `s` is no whole number of at least 1; so do all measures below.
        """
        if not is_integer(s) or s < 1:
            raise DynExplorerError(f"`s` (={s!r}) must be a whole number of at least 1: vertices that two edges share")
        shared = self._shared
        if isinstance(shared, np.ndarray):
            first, second = np.nonzero(shared >= s)
            weight = shared[first, second].astype(np.int64)
        else:
            strong = shared.data >= s
            first, second, weight = shared.row[strong], shared.col[strong], shared.data[strong]
        both = np.concatenate([first, second]), np.concatenate([second, first])
        return sparse.csr_array((np.concatenate([weight, weight]), both), shape=(self.n_edges, self.n_edges))

    def s_components(self, s: int = 1) -> np.ndarray:
        """Component of the s-line graph that each hyperedge lies in.

        Returns
        -------
        ndarray (n_edges,) of int
            Numbered from 0 in the order of their first hyperedge. One of fewer than `s` vertices is alone in its own.
        """
        return sparse.csgraph.connected_components(self.s_line_graph(s), directed=False)[1]

    @cached_property
    def barcode(self) -> Barcode:
        """Which components there are for every s at once; see `Barcode`."""
        return component_barcode(self.sizes, self.overlaps)

    def s_distance(self, s: int = 1) -> np.ndarray:
        """Steps between hyperedges in the s-line graph, (n_edges, n_edges); inf where there is no way."""
        return distances(self.s_line_graph(s))

    def s_diameter(self, s: int = 1) -> float:
        """The longest `s_distance` between hyperedges that are connected; nan where no two are."""
        found = self.s_distance(s)
        reached = found[np.isfinite(found) & (found > 0)]
        return float(reached.max()) if len(reached) else float("nan")

    def s_betweenness(self, s: int = 1) -> np.ndarray:
        """Share of shortest ways that pass through each hyperedge, over (n_edges - 1)(n_edges - 2) / 2; (n_edges,)."""
        return betweenness(self.s_line_graph(s))

    def s_closeness(self, s: int = 1) -> np.ndarray:
        """One over the mean distance to the others of the same component, (n_edges,); 0 for one that is alone."""
        return closeness(self.s_distance(s))

    def s_harmonic(self, s: int = 1) -> np.ndarray:
        """Mean of one over the distance to all others, (n_edges,)."""
        return harmonic(self.s_distance(s))

    def s_eccentricity(self, s: int = 1) -> np.ndarray:
        """Distance to the farthest hyperedge, (n_edges,); inf where the s-line graph is not connected."""
        return eccentricity(self.s_distance(s))
