"""Rank correlations of many samples at once."""

from __future__ import annotations

import numpy as np

_PAIRS_AT_ONCE = 2**22
# What rounding leaves of a rank that the controls explain wholly.
_NOTHING = 1e-9


def centred_ranks(values: np.ndarray) -> np.ndarray:
    """Average ranks along the last axis, less their mean.

    Example
    -------
    >>> centred_ranks(np.array([[5.0, 1.0, 1.0]])).tolist()
    [[1.0, -0.5, -0.5]]
    """
    from scipy.stats import rankdata  # slow to import

    ranks = rankdata(values, axis=-1)
    return ranks - ranks.mean(axis=-1, keepdims=True)


def spearman(table: np.ndarray) -> np.ndarray:
    """Spearman's coefficient of each sample: (2, samples, n) to (samples,); ``nan`` where one side is constant.

    Example
    -------
    >>> spearman(np.array([[[1.0, 2.0, 3.0]], [[3.0, 2.0, 1.0]]])).round(3).tolist()
    [-1.0]
    """
    return _cosine(*centred_ranks(table))


def kendall(table: np.ndarray) -> np.ndarray:
    """Kendall's tau-b of each sample: (2, samples, n) to (samples,); ``nan`` where one side is constant.

    Example
    -------
    >>> kendall(np.array([[[1.0, 2.0, 3.0]], [[1.0, 3.0, 2.0]]])).round(3).tolist()
    [0.333]
    """
    samples, n = table.shape[1:]
    one, other = np.triu_indices(n, 1)
    at_once = max(1, _PAIRS_AT_ONCE // max(1, len(one)))
    parts = []
    for start in range(0, samples, at_once):
        some = table[:, start : start + at_once]
        parts.append(_cosine(*np.sign(some[..., one] - some[..., other])))
    return np.concatenate(parts)


def partial_spearman(table: np.ndarray) -> np.ndarray:
    """Correlation of what is left of the ranks of the first two rows after least squares on those of the others.

    Parameters
    ----------
    table : ndarray (2 + controls, samples, n)

    Returns
    -------
    ndarray (samples,)
        ``nan`` where nothing is left.

    Example
    -------
    >>> rising = np.arange(5.0)
    >>> partial_spearman(np.stack([rising, rising, rising])[:, None]).tolist()
    [nan]
    """
    ranks = np.moveaxis(centred_ranks(table), 0, 1)
    sides, controls = ranks[:, :2], ranks[:, 2:]
    left = sides - sides @ np.linalg.pinv(controls, rcond=_NOTHING) @ controls
    lengths = np.linalg.norm(left, axis=2)
    explained = (lengths <= _NOTHING * np.linalg.norm(sides, axis=2)).any(axis=1)
    return np.where(explained, np.nan, _cosine(left[:, 0], left[:, 1]))


def _cosine(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)
    return np.divide((x * y).sum(axis=-1), lengths, out=np.full(len(x), np.nan), where=lengths > 0)
