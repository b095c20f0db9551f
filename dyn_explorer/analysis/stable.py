"""Modes that neither grow nor die."""

from __future__ import annotations

import numpy as np

from dyn_explorer.analysis.dmd_result import DMDResult
from dyn_explorer.errors import DynExplorerError


def stable_modes(result: DMDResult, *, tol: float = 0.05) -> np.ndarray:
    """Indices of the modes with \\|λ\\| within ``tol`` of 1, strongest first; a conjugate pair counts once.

    The band and its width are our choice: the published pipeline draws only the unit circle.

    Parameters
    ----------
    result : DMDResult
    tol : float, default 0.05
        Half-width of the stability band around \\|λ\\| = 1; its edges belong to it.

    Returns
    -------
    ndarray (m,), int
        A pair is listed by its member with non-negative imaginary part; strength is ``|b| ||phi||``.

    Raises
    ------
    DynExplorerError
        ``tol`` is negative or not finite.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> course = np.array([1.0, 0.5])[:, None] ** np.arange(10)
    >>> result = analysis.dmd(np.random.default_rng(0).standard_normal((300, 2)) @ course)
    >>> abs(result.eigenvalues[analysis.stable_modes(result)]).round(6).tolist()
    [1.0]
    """
    if not (np.isfinite(tol) and tol >= 0):
        raise DynExplorerError(f"`tol` (={tol!r}) must be a finite number of at least 0, such as 0.05")
    rows = result.rows
    inside = rows[np.abs(np.abs(result.eigenvalues[rows]) - 1) <= tol]
    return inside[np.argsort(-result.strengths[inside], kind="stable")]
