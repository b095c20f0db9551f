"""Directions in a layer's output space: its strongest singular ones, and two controls that know less of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.direction_signals import strongest_first
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.filter_svd import by_group, filter_svd
from dyn_explorer.errors import DynExplorerError

BASES = ("svd", "channel", "random")


@dataclass(frozen=True, eq=False)
class DirectionBasis:
    """Orthonormal directions among a layer's output channels.

    Parameters
    ----------
    vectors : ndarray (n_channels, r)
        One direction per column.
    gains : ndarray (r,)
        Length of each direction's row of the weight, ``|| u . W ||``: the singular value (svd), or the filter's norm
        (channel). Descending but for "random".
    kind : str
        "svd", "channel" or "random".
    """

    vectors: np.ndarray
    gains: np.ndarray
    kind: str


def direction_basis(
    weight: object,
    *,
    kind: str = "svd",
    directions: int | None = None,
    groups: int = 1,
    transposed: bool = False,
    seed: int = 0,
) -> DirectionBasis:
    """Directions along which a layer's outputs are read.

    Parameters
    ----------
    weight, groups, transposed
        As `filter_svd` takes them.
    kind : {"svd", "channel", "random"}
        "svd": left singular directions, strongest first over all groups. The controls are ours: "channel" takes the
        channels whose filters have the largest norm, "random" the first columns of a random orthogonal matrix.
    directions : int, optional
        How many; default and at most one per singular value.
    seed : int, default 0
        For "random".

    Returns
    -------
    DirectionBasis

    Raises
    ------
    DynExplorerError
        If the weight or an option cannot be used.

    Example
    -------
    >>> weight = np.diag([1.0, 3.0, 2.0])
    >>> direction_basis(weight, directions=2).gains.tolist()
    [3.0, 2.0]
    >>> direction_basis(weight, kind="channel", directions=2).vectors.T.tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if kind not in BASES:
        raise DynExplorerError(f"`kind` (={kind!r}) must be one of {', '.join(map(repr, BASES))}")
    if directions is not None and (not is_integer(directions) or directions < 1):
        raise DynExplorerError(f"`directions` (={directions!r}) must be a whole number of at least 1, or None for all")
    matrices = by_group(weight, groups, transposed).flatten(2).cpu().numpy()
    count, per_group, inputs = matrices.shape
    most = count * min(per_group, inputs)
    kept = most if directions is None else min(directions, most)
    if kind == "svd":
        vectors, gains = _singular(weight, groups, transposed, kept, everything=kept == most)
        return DirectionBasis(vectors, gains, kind)
    if kind == "channel":
        norms = np.linalg.norm(matrices, axis=2).ravel()
        chosen = np.argsort(-norms, kind="stable")[:kept]
        return DirectionBasis(np.eye(count * per_group)[:, chosen], norms[chosen], kind)
    vectors = _random_orthonormal(count * per_group, kept, seed)
    rows = np.einsum("gdr,gdk->grk", vectors.reshape(count, per_group, -1), matrices)
    return DirectionBasis(vectors, np.sqrt((rows**2).sum(axis=(0, 2))), kind)


def _singular(
    weight: object, groups: int, transposed: bool, kept: int, everything: bool
) -> tuple[np.ndarray, np.ndarray]:
    found = filter_svd(weight, groups=groups, transposed=transposed, keep=None if everything else kept)
    per_group = found.left.shape[1]
    vectors = np.zeros((found.left.shape[0] * per_group, kept))
    order = strongest_first(found)[:kept]
    for column, (group, place) in enumerate(order):
        vectors[group * per_group : (group + 1) * per_group, column] = found.left[group, :, place]
    return vectors, found.singular_values[order[:, 0], order[:, 1]]


def _random_orthonormal(size: int, kept: int, seed: int) -> np.ndarray:
    """Columns of a random orthogonal matrix: the signs of R are moved into Q (Mezzadri 2007, arXiv:math-ph/0609050)."""
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, kept)))
    return q * np.sign(np.diag(r))
