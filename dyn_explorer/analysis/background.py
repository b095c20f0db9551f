"""What stays and what moves: snapshots split by modes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyn_explorer.analysis.dmd_result import DMDResult
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class BackgroundForeground:
    """Snapshots rebuilt from the steadiest mode, and from all the others.

    Parameters
    ----------
    mode : int
        Index of the mode nearest λ = 1; of a conjugate pair, the member with positive imaginary part.
    distance : float
        Its \\|λ - 1\\|: far from 0 there is no background to speak of.
    share : float
        Its part of the summed strengths at the window's first snapshot, in [0, 1].
    background : ndarray (n_features, k), float64
        ``b phi lambda^t`` of that mode, a pair whole.
    foreground : ndarray (n_features, k), float64
        The sum of the same over all other modes.
    """

    mode: int
    distance: float
    share: float
    background: np.ndarray
    foreground: np.ndarray


def background_foreground(result: DMDResult, *, times: int | Sequence[int] | None = None) -> BackgroundForeground:
    """Split the reconstruction into the mode nearest λ = 1, which hardly changes, and the rest.

    Both parts add up to ``result.reconstruct(times=times)``. Time starts at 0 and the modes are those that the
    amplitudes were fitted with; the published pipeline starts at 1 and uses one real factor for all modes.

    Parameters
    ----------
    result : DMDResult
    times : int or sequence of int, optional
        Steps after the window's first snapshot; by default all of the window's snapshots.

    Returns
    -------
    BackgroundForeground

    Raises
    ------
    DynExplorerError
        Every mode has amplitude zero, so there is nothing to split.

    References
    ----------
    Grosek & Kutz, "Dynamic mode decomposition for real-time background/foreground separation in video", 2014,
    arXiv:1404.7592.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> course = np.array([1.0, 0.5])[:, None] ** np.arange(10)
    >>> split = analysis.background_foreground(analysis.dmd(np.eye(300)[:, :2] @ course), times=[0, 3])
    >>> split.background[:2].round(6) + 0.0, split.foreground[:2].round(6) + 0.0
    (array([[1., 1.],
           [0., 0.]]), array([[0.   , 0.   ],
           [1.   , 0.125]]))
    """
    strengths = np.where(result.partners == np.arange(len(result.partners)), 1, 2) * result.strengths
    candidates = result.rows[strengths[result.rows] > 0]
    if not len(candidates):
        raise DynExplorerError(
            f"every mode of the {result.method} decomposition has amplitude zero, so there is nothing to split; "
            "choose another method or window"
        )
    distances = np.abs(result.eigenvalues[candidates] - 1)
    nearest = int(candidates[np.argmin(distances)])
    others = np.setdiff1d(result.rows, [nearest])
    return BackgroundForeground(
        mode=nearest,
        distance=float(distances.min()),
        share=float(strengths[nearest] / strengths[result.rows].sum()),
        background=result.reconstruct(nearest, times=times),
        foreground=result.reconstruct(others, times=times),
    )
