"""Complex conjugate eigenvalues, found and counted as one."""

from __future__ import annotations

import numpy as np

# Relative to the larger of |λ| and 1: LAPACK returns exact pairs for real matrices, iterative methods nearly so.
PAIR_TOLERANCE = 1e-8


def conjugate_partners(eigenvalues: np.ndarray, *, tolerance: float = PAIR_TOLERANCE) -> np.ndarray:
    """Index of each eigenvalue's complex conjugate, or its own index where it has none.

    Parameters
    ----------
    eigenvalues : ndarray (r,), complex
    tolerance : float, default 1e-8
        How far apart the members of a pair may be, relative to the larger of \\|λ\\| and 1.

    Returns
    -------
    ndarray (r,), int

    Example
    -------
    >>> import numpy as np
    >>> conjugate_partners(np.array([0.9, 0.5 + 0.1j, -0.9, 0.5 - 0.1j])).tolist()
    [0, 3, 2, 1]
    """
    partners = np.arange(len(eigenvalues))
    upper = np.flatnonzero(eigenvalues.imag > 0)
    lower = np.flatnonzero(eigenvalues.imag < 0)
    if not (len(upper) and len(lower)):
        return partners
    if len(upper) == len(lower):
        upper, lower = _by_value(upper, eigenvalues), _by_value(lower, eigenvalues.conj())
        if np.array_equal(eigenvalues[upper], eigenvalues[lower].conj()):
            partners[upper], partners[lower] = lower, upper
            return partners
    distances = np.abs(eigenvalues[upper][:, None] - eigenvalues[lower].conj()[None, :])
    allowed = tolerance * np.maximum(1.0, np.abs(eigenvalues[upper]))
    for row, index in enumerate(upper):
        column = int(np.argmin(distances[row]))
        if distances[row, column] <= allowed[row]:
            partners[index] = lower[column]
            partners[lower[column]] = index
            distances[:, column] = np.inf
    return partners


def _by_value(indices: np.ndarray, eigenvalues: np.ndarray) -> np.ndarray:
    values = eigenvalues[indices]
    return indices[np.lexsort([indices, values.imag, values.real])]


def representatives(eigenvalues: np.ndarray) -> np.ndarray:
    """Indices that count each conjugate pair once, by its member with positive imaginary part, in order.

    Example
    -------
    >>> import numpy as np
    >>> representatives(np.array([0.5 - 0.1j, 0.9, 0.5 + 0.1j])).tolist()
    [1, 2]
    """
    partners = conjugate_partners(eigenvalues)
    return np.flatnonzero((partners == np.arange(len(eigenvalues))) | (eigenvalues.imag > 0))


def strongest_first(eigenvalues: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Order that puts the strongest first and keeps the members of a pair together, positive imaginary part first."""
    partners = conjugate_partners(eigenvalues)
    rows = np.flatnonzero((partners == np.arange(len(eigenvalues))) | (eigenvalues.imag > 0))
    rows = rows[np.argsort(-strengths[rows], kind="stable")]
    order = np.column_stack([rows, partners[rows]])
    is_second = np.column_stack([np.zeros(len(rows), dtype=bool), partners[rows] == rows])
    return order[~is_second]
