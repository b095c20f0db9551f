"""What the separation of classes would be if labels had nothing to do with the images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from dyn_explorer.analysis import class_separation
from dyn_explorer.analysis.class_hypergraph import ClassHypergraph
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError

SEPARATION = ("purity", "entropy", "jaccard_ratio", "modularity", "conductance")


def separation(found: ClassHypergraph) -> dict[str, float]:
    """A few numbers that say how far a hypergraph separates its classes.

    Parameters
    ----------
    found : ClassHypergraph

    Returns
    -------
    dict of str to float
        ``purity`` and ``entropy``: means over the hyperedges that hold anything; ``jaccard_ratio``; ``modularity``;
        ``conductance``: mean over classes of the walk's. nan where undefined.

    Example
    -------
    >>> from dyn_explorer.analysis import class_hypergraph
    >>> separation(class_hypergraph([[2.0], [-1.0]], ["cat", "dog"], quantile=0.5))["purity"]
    1.0
    """
    within, pairs = found.jaccard_sums
    ratio = class_separation.jaccard_means(within, pairs)[2]
    return _measures(found.class_counts, ratio)


def _measures(counts: np.ndarray, ratio: float) -> dict[str, float]:
    values = (
        _mean(class_separation.purity(counts)),
        _mean(class_separation.entropy(counts)),
        ratio,
        class_separation.modularity(counts),
        _mean(class_separation.conductance(counts)),
    )
    return dict(zip(SEPARATION, values, strict=True))


def _mean(values: np.ndarray) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else float("nan")


@dataclass(frozen=True, eq=False)
class SeparationNull:
    """Measures of a hypergraph with its labels dealt out anew.

    Parameters
    ----------
    values : mapping of str to ndarray (permutations,)
        By the names of `separation`.
    edge_purity : ndarray (permutations, n_edges)
        Purity of each hyperedge, to set beside a single one.
    permutations, seed : int
    """

    values: Mapping[str, np.ndarray]
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
    >>> found.mean_purity, bool(separation_null(found).values["purity"].max() < 1)
    (1.0, True)
    """
    if not is_integer(permutations) or permutations < 2:
        raise DynExplorerError(f"`permutations` (={permutations!r}) must be a whole number of at least 2")
    random = np.random.default_rng(seed)
    sums, pairs = found.jaccard_sums
    n_classes = len(found.classes)
    edge_purity, drawn = [], []
    for _ in range(permutations):
        codes = random.permutation(found.codes)
        counts = class_separation.class_counts(found.incidence, codes, n_classes)
        within, number = class_separation.within_sum(found.incidence, codes)
        ratio = class_separation.ratio_of(within, number, sums.sum(), pairs.sum())[2]
        drawn.append(_measures(counts, ratio))
        edge_purity.append(class_separation.purity(counts))
    values = {name: np.array([draw[name] for draw in drawn]) for name in SEPARATION}
    return SeparationNull(MappingProxyType(values), np.array(edge_purity), permutations, seed)
