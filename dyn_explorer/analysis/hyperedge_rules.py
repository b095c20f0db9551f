"""Which images a signed singular direction holds: the two incidence rules."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from dyn_explorer.errors import DynExplorerError

RULES = ("quantile", "influence")
TIE_SEED = 0


def quantile_weights(signals: np.ndarray, quantile: float, *, signed: bool) -> sparse.csr_array:
    """The images of each direction's largest and smallest signals, weighted by the signal's magnitude.

    Parameters
    ----------
    signals : ndarray (P, r)
    quantile : float
        Share of the images in each hyperedge.
    signed : bool
        Whether the two ends of a direction are two hyperedges; else one holds the largest magnitudes.

    Returns
    -------
    sparse array (P, 2 r) or (P, r)
        Columns +0, -0, +1, -1, ...; entries may be 0 and are kept.
    """
    count = round(quantile * len(signals))
    if count < 1:
        raise DynExplorerError(
            f"`quantile` (={quantile:g}) of {len(signals)} images is less than one image per hyperedge; "
            f"raise it to at least {1 / max(len(signals), 1):.2g} or give more images"
        )
    ends = (signals, -signals) if signed else (np.abs(signals),)
    masks = np.stack([_largest(end, count) for end in ends], axis=2).reshape(len(signals), -1)
    image, edge = np.nonzero(masks)
    magnitude = np.abs(signals[image, edge // len(ends)])
    return sparse.csr_array((magnitude, (image, edge)), shape=masks.shape)


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """True at the `count` largest entries of each column; ties are broken in one random order of the rows.

    Rows are often sorted by class: with ties broken by row number a dead direction would look perfectly pure.
    """
    threshold = np.partition(values, len(values) - count, axis=0)[len(values) - count]
    mask = values >= threshold
    order = np.random.default_rng(TIE_SEED).permutation(len(values))
    for column in np.flatnonzero(mask.sum(axis=0) > count):
        above = values[:, column] > threshold[column]
        tied = order[values[order, column] == threshold[column]]
        mask[:, column] = above
        mask[tied[: count - above.sum()], column] = True
    return mask


def influence_weights(signals: np.ndarray, tau: float, *, signed: bool) -> sparse.csr_array:
    """The directions that lead each image, by the prefix rule: sorted by magnitude, up to a share `tau`, plus one more.

    Parameters
    ----------
    signals : ndarray (P, r)
    tau : float
        Share of an image's summed magnitudes.
    signed : bool
        Whether the sign decides between two hyperedges of a direction.

    Returns
    -------
    sparse array (P, 2 r) or (P, r)
        Weight: magnitude over the sum of the accepted ones, so that each image's weights add to 1. Columns as in
        `quantile_weights`. An image without any signal lies in no hyperedge.

    Example
    -------
    >>> influence_weights(np.array([[3.0, -2.0, 1.0, 1.0]]), 0.5, signed=False).toarray().tolist()
    [[0.6, 0.4, 0.0, 0.0]]
    """
    magnitudes = np.abs(signals)
    order = np.argsort(-magnitudes, axis=1, kind="stable")
    ranked = np.take_along_axis(magnitudes, order, axis=1)
    total = ranked.sum(axis=1, keepdims=True)
    within = np.cumsum(ranked, axis=1) <= tau * total
    accepted = np.column_stack([np.ones(len(signals), dtype=bool), within[:, :-1]]) & (ranked > 0)
    row, place = np.nonzero(accepted)
    direction = order[row, place]
    weight = ranked[row, place] / np.where(accepted, ranked, 0.0).sum(axis=1)[row]
    edge = 2 * direction + (signals[row, direction] < 0) if signed else direction
    return sparse.csr_array((weight, (row, edge)), shape=(len(signals), signals.shape[1] * (1 + signed)))
