"""What the separation of classes would be if labels had nothing to do with the images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis import class_separation
from dyn_explorer.analysis.class_hypergraph import ClassHypergraph
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class SeparationNull:
    """Measures of a hypergraph with its labels dealt out anew.

    Parameters
    ----------
    purity : ndarray (permutations,)
        Mean purity over hyperedges.
    jaccard_ratio : ndarray (permutations,)
    modularity : ndarray (permutations,)
    edge_purity : ndarray (permutations, n_edges)
        Purity of each hyperedge, to set beside a single one.
    permutations, seed : int
    """

    purity: np.ndarray
    jaccard_ratio: np.ndarray
    modularity: np.ndarray
    edge_purity: np.ndarray
    permutations: int
    seed: int


def separation_null(found: ClassHypergraph, *, permutations: int = 20, seed: int = 0) -> SeparationNull:
    """Permute the labels among the images; the hypergraph stays as it is.

    The overlaps of pairs do not change either, so a permutation costs only the pairs within its classes.

    Parameters
    ----------
    found : ClassHypergraph
    permutations : int, default 20
        At least 2.
    seed : int, default 0
        The same seed gives the same permutations.

    Returns
    -------
    SeparationNull

    Raises
    ------
    DynExplorerError
        If `permutations` is less than 2.

    Example
    -------
    >>> from dyn_explorer.analysis import class_hypergraph
    >>> labels = np.arange(40) % 2
    >>> found = class_hypergraph(np.where(labels, 1.0, -1.0)[:, None], labels)
    >>> found.mean_purity, bool(separation_null(found).purity.max() < 1)
    (1.0, True)
    """
    if not is_integer(permutations) or permutations < 2:
        raise DynExplorerError(f"`permutations` (={permutations!r}) must be a whole number of at least 2")
    random = np.random.default_rng(seed)
    sums, pairs = found.jaccard_sums
    n_classes = len(found.classes)
    edge_purity, ratios, modularities = [], [], []
    for _ in range(permutations):
        codes = random.permutation(found.codes)
        counts = class_separation.class_counts(found.incidence, codes, n_classes)
        edge_purity.append(class_separation.purity(counts))
        modularities.append(class_separation.modularity(counts))
        within, number = class_separation.within_sum(found.incidence, codes)
        ratios.append(class_separation.ratio_of(within, number, sums.sum(), pairs.sum())[2])
    held = found.hypergraph.sizes > 0
    purity = np.array(edge_purity)
    means = purity[:, held].mean(axis=1) if held.any() else np.full(permutations, np.nan)
    return SeparationNull(means, np.array(ratios), np.array(modularities), purity, permutations, seed)
