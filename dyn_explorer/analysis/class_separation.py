"""How well the hyperedges of a hypergraph of images tell classes apart."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from dyn_explorer.analysis.one_thread import one_thread
from dyn_explorer.errors import DynExplorerError

MAJORITIES = ("linear", "majority", "strict")
_ROWS_AT_ONCE = 128  # so that a block stays in the processor's cache


def class_counts(incidence: sparse.csr_array, codes: np.ndarray, n_classes: int) -> np.ndarray:
    """Images of each class in each hyperedge, (n_edges, n_classes), for class numbers `codes` (P,)."""
    images = np.arange(len(codes))
    member = sparse.csr_array((np.ones(len(codes), np.int64), (images, codes)), shape=(len(codes), n_classes))
    return (incidence.T @ member).toarray()


def purity(counts: np.ndarray) -> np.ndarray:
    """Largest class share of each hyperedge, (n_edges,); nan for an empty one."""
    sizes = counts.sum(axis=1)
    return np.divide(counts.max(axis=1), sizes, out=np.full(len(counts), np.nan), where=sizes > 0)


def entropy(counts: np.ndarray) -> np.ndarray:
    """Entropy of each hyperedge's class shares over that of equal shares, (n_edges,); nan for an empty one."""
    sizes = counts.sum(axis=1)
    shares = counts / np.maximum(sizes, 1)[:, None]
    logs = np.log(shares, out=np.zeros(shares.shape), where=shares > 0)
    return np.where(sizes > 0, np.abs((shares * logs).sum(axis=1)) / np.log(counts.shape[1]), np.nan)


def class_jaccard_sums(incidence: sparse.csr_array, codes: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum of Jaccard indices over ordered pairs of different images, and number of pairs, per pair of classes.

    The Jaccard index of two images is the number of hyperedges that hold both, over those that hold either. Only
    images that lie in some hyperedge count. Both results are (n_classes, n_classes).
    """
    covered = np.flatnonzero(incidence.sum(axis=1) > 0)
    covered = covered[np.argsort(codes[covered], kind="stable")]
    member, sorted_codes = _dense(incidence, covered), codes[covered]
    sums = np.zeros((n_classes, n_classes))
    with one_thread():
        for first in range(0, len(covered), _ROWS_AT_ONCE):
            _add_block(sums, member, sorted_codes, first)
    counts = np.bincount(sorted_codes, minlength=n_classes).astype(float)
    return sums, np.outer(counts, counts) - np.diag(counts)


def _add_block(sums: np.ndarray, member: np.ndarray, codes: np.ndarray, first: int) -> None:
    """Add the pairs of some images with each other and with those after them; the rest is its mirror image."""
    index = _jaccard(member[first : first + _ROWS_AT_ONCE], member[first:])
    np.fill_diagonal(index, 0.0)
    after = first + len(index)
    here, begin = np.unique(codes[first:after], return_index=True)
    by_class = np.add.reduceat(index, begin, axis=0)  # rows first, because neighbours in memory are added as one
    sums[np.ix_(here, here)] += np.add.reduceat(by_class[:, : len(index)], begin, axis=1)
    if after < len(codes):
        there, start = np.unique(codes[after:], return_index=True)
        rest = np.add.reduceat(by_class[:, len(index) :], start, axis=1)
        sums[np.ix_(here, there)] += rest
        sums[np.ix_(there, here)] += rest.T


def _dense(incidence: sparse.csr_array, images: np.ndarray) -> np.ndarray:
    # In float32 sums of ones are exact up to 16 million, and a product costs half.
    return incidence[images].toarray().astype(np.float32)


def _jaccard(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Jaccard index of each row of `first` with each row of `second`, none of them empty."""
    shared = first @ second.T
    either = first.sum(axis=1)[:, None] + second.sum(axis=1)[None, :]
    either -= shared
    return np.divide(shared, either, dtype=float)


def jaccard_means(sums: np.ndarray, pairs: np.ndarray) -> tuple[float, float, float]:
    """Mean Jaccard index within classes, between classes, and their ratio.

    The ratio is inf where only images of one class ever share a hyperedge, nan where there are no pairs of one kind or
    no two images share any.
    """
    return ratio_of(np.trace(sums), np.trace(pairs), sums.sum(), pairs.sum())


def ratio_of(within: float, n_within: float, total: float, n_total: float) -> tuple[float, float, float]:
    """The same from the sum and number of the pairs within classes, and of all pairs."""
    inside = _mean(within, n_within)
    # What is left of a sum after its only part is taken off may be a rounding error.
    between = _mean(max(total - within, 0.0), n_total - n_within)
    if np.isnan(inside) or np.isnan(between) or inside == between == 0:
        return inside, between, float("nan")
    return inside, between, float("inf") if between <= 1e-12 * inside else inside / between


def _mean(total: float, count: float) -> float:
    return float(total / count) if count else float("nan")


def within_sum(incidence: sparse.csr_array, codes: np.ndarray) -> tuple[float, float]:
    """Trace of both results of `class_jaccard_sums`, from the pairs within classes alone."""
    covered = np.flatnonzero(incidence.sum(axis=1) > 0)
    covered = covered[np.argsort(codes[covered], kind="stable")]
    member = _dense(incidence, covered)
    starts = np.unique(codes[covered], return_index=True)[1]
    total = pairs = 0.0
    with one_thread():
        for images in np.split(member, starts[1:]):
            total += _jaccard(images, images).sum() - len(images)
            pairs += len(images) * (len(images) - 1)
    return total, pairs


def modularity(counts: np.ndarray, majority: str = "linear") -> float:
    """How much more often one class holds the majority of a hyperedge than with images drawn by their degree alone.

    Parameters
    ----------
    counts : ndarray (n_edges, n_classes)
        As `class_counts` returns them; empty hyperedges do not count.
    majority : {"linear", "majority", "strict"}
        What a hyperedge counts for whose majority class has more than half of its images: that share, 1, or 1 only
        where all are of that class.

    Returns
    -------
    float
        nan without hyperedges.

    References
    ----------
    Kamiński, Poulin, Prałat, Szufel & Théberge (2019), *Clustering via hypergraph modularity*, PLoS ONE 14, e0224307,
    doi:10.1371/journal.pone.0224307; as HyperNetX computes it.
    """
    if majority not in MAJORITIES:
        raise DynExplorerError(f"`majority` (={majority!r}) must be one of {', '.join(map(repr, MAJORITIES))}")
    from scipy.stats import binom  # slow to import

    counts = counts[counts.sum(axis=1) > 0]
    if not len(counts):
        return float("nan")
    sizes, largest = counts.sum(axis=1), counts.max(axis=1)
    volumes = counts.sum(axis=0) / counts.sum()
    expected = 0.0
    for size, edges in zip(*np.unique(sizes, return_counts=True), strict=True):
        held = np.arange(size // 2 + 1, size + 1)
        chance = binom.pmf(held[:, None], size, volumes[None, :]).sum(axis=1)
        expected += edges * float(_worth(held, size, majority) @ chance)
    return float((_worth(largest, sizes, majority).sum() - expected) / len(counts))


def _worth(held: np.ndarray, size: np.ndarray | int, majority: str) -> np.ndarray:
    share = held / size
    worth = {"linear": share, "majority": np.ones(len(held)), "strict": (share == 1).astype(float)}[majority]
    return np.where(2 * held > size, worth, 0.0)


def conductance(counts: np.ndarray, kind: str = "walk") -> np.ndarray:
    """How easily one leaves each class along hyperedges, (n_classes,); nan for a class that lies in none.

    Parameters
    ----------
    counts : ndarray (n_edges, n_classes)
        As `class_counts` returns them.
    kind : {"walk", "cut"}
        "walk": the chance that a random walk, to a random hyperedge around an image and on to a random image in it,
        leaves the class (Zhou, Huang & Schölkopf). "cut": summed sizes of the hyperedges that hold the class and
        others, over the class's volume (HyperNetX); it exceeds 1 and says little where nearly all are mixed.

    References
    ----------
    Zhou, Huang & Schölkopf (2006), *Learning with hypergraphs*, NeurIPS 19, 1601-1608.
    """
    if kind not in ("walk", "cut"):
        raise DynExplorerError(f"`kind` (={kind!r}) must be 'walk' or 'cut'")
    sizes = counts.sum(axis=1, keepdims=True)
    if kind == "walk":
        out = (counts * (sizes - counts) / np.maximum(sizes, 1)).sum(axis=0)
    else:
        out = (sizes * ((counts > 0) & (counts < sizes))).sum(axis=0)
    volume = counts.sum(axis=0)
    return np.divide(out, volume, out=np.full(len(volume), np.nan), where=volume > 0)
