"""How far distributions of weights or strengths lie apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError


def jensen_shannon(samples: Sequence[object], *, bins: int = 64) -> np.ndarray:
    """Jensen-Shannon divergence between every two samples, from histograms with common bins.

    It is bounded and symmetric, unlike the symmetric Kullback-Leibler divergence of the published code, and its values
    are not comparable with those. Small samples look further apart than they are: the bias is about
    ``(bins - 1) / (4 n ln 2)`` bits for two samples of n values.

    Parameters
    ----------
    samples : sequence of tensors or arrays
        Finite values, any shapes.
    bins : int, default 64
        Equal bins between the least and the greatest value of all samples (our choice).

    Returns
    -------
    ndarray (n_samples, n_samples) of float64
        In bits, between 0 and 1; 0 on the diagonal.

    Raises
    ------
    DynExplorerError
        If a sample is empty or not finite, or `bins` is no whole number of at least 2.

    References
    ----------
    Lin (1991), *Divergence measures based on the Shannon entropy*, doi:10.1109/18.61115.

    Example
    -------
    >>> jensen_shannon([[0.0, 1.0], [0.0, 1.0], [5.0, 6.0]]).round(3).tolist()
    [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    """
    if not is_integer(bins) or bins < 2:
        raise DynExplorerError(f"`bins` (={bins!r}) must be a whole number of at least 2")
    arrays = [np.asarray(torch.as_tensor(values).detach().cpu().double()).ravel() for values in samples]
    for index, values in enumerate(arrays):
        if values.size == 0 or not np.isfinite(values).all():
            raise DynExplorerError(f"sample {index} must hold at least one value, and only finite ones")
    low, high = min(values.min() for values in arrays), max(values.max() for values in arrays)
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
    shares = np.array([np.histogram(values, edges)[0] / values.size for values in arrays])
    middle = 0.5 * (shares[:, None] + shares[None])
    joint = _entropy(middle) - 0.5 * (_entropy(shares)[:, None] + _entropy(shares)[None])
    return np.clip(joint, 0.0, 1.0)


def _entropy(shares: np.ndarray) -> np.ndarray:
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    return -(shares * logs).sum(axis=-1)
