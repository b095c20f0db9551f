"""How strongly the singular directions of one layer feed those of the next, from the weights alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.direction_signals import strongest_first
from dyn_explorer.analysis.filter_svd import FilterSVD
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class DirectionSynapses:
    """Links between the directions of two consecutive layers.

    Parameters
    ----------
    strengths : ndarray (n_target, n_source)
        How much of a target's input pattern lies along a source's output direction, in [0, 1]. Directions are in the
        order of `strongest_first`.
    null_mean : ndarray (n_target, n_source)
        Its mean for a random pattern: 1 / channels; 0 where the groups of the layers do not meet.
    threshold : ndarray (n_target, n_source)
        What a random pattern exceeds with probability ``1 - level``; infinite where groups do not meet.
    edges : ndarray (n_target, n_source) of bool
        ``strengths > threshold``.
    taps : int
        Kernel positions of the target.
    level : float
        As asked.
    """

    strengths: np.ndarray
    null_mean: np.ndarray
    threshold: np.ndarray
    edges: np.ndarray
    taps: int
    level: float


def direction_synapses(source: FilterSVD, target: FilterSVD, *, level: float = 0.99) -> DirectionSynapses:
    """Link the output directions u of one layer with the input patterns v of the next.

    The strength is ``sum_z (sum_o v[o, z] u[o])^2`` over kernel positions z and channels o. It knows nothing of
    activation functions, pooling or normalisation between the layers.

    Parameters
    ----------
    source, target : FilterSVD
        With vectors; the target takes the source's outputs as its inputs. A linear target behind a flattened
        convolution is read as a kernel over all its positions.
    level : float, default 0.99
        Share of random links that lie below the threshold. With many directions some random links pass it.

    Returns
    -------
    DirectionSynapses

    Raises
    ------
    DynExplorerError
        If channels do not fit, there are no vectors, or `level` is not inside (0, 1).

    Notes
    -----
    The null is a pattern of random direction over `taps` positions: channels times strength then follows, for many
    channels, ``chi^2`` with `taps` degrees of freedom over `taps`. For few channels the threshold is a little too
    strict. Layers in groups, linear targets behind a convolution, and the choice of level are ours.

    References
    ----------
    The links between a singular direction and those of the next layer follow the public code ``danmlr/svr``.

    Example
    -------
    >>> import torch
    >>> from dyn_explorer.analysis import filter_svd
    >>> first = filter_svd(torch.diag(torch.tensor([3.0, 2.0, 1.0])))
    >>> second = filter_svd(torch.tensor([[0.0, 5.0, 0.0]]))
    >>> direction_synapses(first, second).strengths.tolist()
    [[0.0, 1.0, 0.0]]
    """
    from scipy.stats import chi2  # slow to import

    if not 0 < level < 1:
        raise DynExplorerError(f"`level` (={level!r}) must lie strictly between 0 and 1")
    outward = _outward(source)
    patterns = _inward(target, outward.shape[1])
    order = strongest_first(target)
    taps = math.prod(patterns.shape[3:])
    per_group = patterns.shape[2]
    strengths = np.empty((len(order), len(outward)))
    shares = np.empty_like(strengths)
    for group in range(len(patterns)):
        seen = outward[:, group * per_group : (group + 1) * per_group]
        rows = np.flatnonzero(order[:, 0] == group)
        chosen = patterns[group, order[rows, 1]].reshape(len(rows), per_group, taps)
        strengths[rows] = np.square(np.einsum("toz,so->tsz", chosen, seen)).sum(axis=2)
        shares[rows] = np.square(seen).sum(axis=1)
    null_mean = shares / per_group
    factor = chi2.ppf(level, taps) / taps
    threshold = np.where(shares > 0, factor * null_mean, np.inf)
    return DirectionSynapses(strengths, null_mean, threshold, strengths > threshold, taps, level)


def _outward(found: FilterSVD) -> np.ndarray:
    """Output directions over all channels of the layer, zero outside their group: (n_directions, n_channels)."""
    order = strongest_first(found)
    per_group = found.left.shape[1]
    spread = np.zeros((len(order), len(found.left) * per_group))
    for row, (group, place) in enumerate(order):
        spread[row, group * per_group : (group + 1) * per_group] = found.left[group, :, place]
    return spread


def _inward(found: FilterSVD, channels: int) -> np.ndarray:
    """Input patterns with a channel axis that fits the source: (groups, r, channels of a group, kernel ...)."""
    strongest_first(found)  # refuses values without vectors
    patterns = found.right
    mine = patterns.shape[0] * patterns.shape[2]
    if patterns.ndim == 3 and len(patterns) == 1 and mine > channels and mine % channels == 0:
        return patterns.reshape(1, patterns.shape[1], channels, -1)
    if mine != channels:
        raise DynExplorerError(
            f"the first layer puts out {channels} channels and the second takes {mine}; give two layers of which one "
            "follows the other"
        )
    return patterns if patterns.ndim > 3 else patterns[..., None]
