"""Where a layer looks, without gradients and without dynamics: the picture that DMD modes must be compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from dyn_explorer.analysis.compress import CompressedSnapshots, compress
from dyn_explorer.analysis.dmd_options import checked_window
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class SVDHeatMap:
    """The first principal component of a set of maps.

    Parameters
    ----------
    values : ndarray (n_features,) or ``map_shape``, float64
        Signed so that their sum is not negative.
    share : float
        Part of the maps' energy that this one map holds, in (0, 1].
    """

    values: np.ndarray
    share: float


def svd_heat_map(
    snapshots: CompressedSnapshots | torch.Tensor | np.ndarray,
    *,
    window: tuple[int, int] | None = None,
    map_shape: tuple[int, ...] | None = None,
) -> SVDHeatMap:
    """Project the maps, one per column, on their first right singular vector; nothing is centred.

    With the channels of one layer and one image as columns this is EigenCAM.

    Parameters
    ----------
    snapshots : CompressedSnapshots, Tensor or ndarray (n_features, n_snapshots)
    window : (int, int), optional
        Columns that take part, stop exclusive; all by default.
    map_shape : tuple of int, optional
        Shape to give the map; its product must be n_features.

    Returns
    -------
    SVDHeatMap

    Raises
    ------
    DynExplorerError
        All maps are zero, or ``map_shape`` does not hold n_features values.

    References
    ----------
    Muhammad & Yeasin, "Eigen-CAM: Class Activation Map using Principal Components", IJCNN 2020,
    doi:10.1109/IJCNN48605.2020.9206626, arXiv:2008.00299.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> bright = np.array([0.0, 3.0, 4.0, 0.0])
    >>> heat = analysis.svd_heat_map(np.outer(bright, [1.0, 2.0, -2.0]), map_shape=(2, 2))
    >>> heat.values.round(6) + 0.0, round(heat.share, 6)
    (array([[ 0.,  9.],
           [12.,  0.]]), 1.0)
    """
    compressed = snapshots if isinstance(snapshots, CompressedSnapshots) else compress(snapshots)
    shape = (compressed.n_features,) if map_shape is None else tuple(map_shape)
    if np.prod(shape) != compressed.n_features:
        raise DynExplorerError(
            f"`map_shape` (={shape}) holds {np.prod(shape)} values and the snapshots have {compressed.n_features} "
            "features; give the shape that the maps had before they were flattened"
        )
    start, stop = checked_window(window, compressed.n_snapshots)
    svd = compressed.svd(start, stop)
    energies = svd.singular_values**2
    if energies[0] == 0:
        raise DynExplorerError(f"every map in the window {(start, stop)} is zero; choose another layer or input")
    values = compressed.lift(svd.right[:1].T, start)[:, 0]
    sign = -1.0 if values.sum() < 0 else 1.0
    return SVDHeatMap(values=(sign * values).reshape(shape), share=float(energies[0] / energies.sum()))
