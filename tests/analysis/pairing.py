"""Comparing spectra whose order means nothing."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def paired(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Eigenvalues in the order that brings each to the expected one it belongs to.

    Sorting will not do: conjugates have equal real parts but for rounding, which differs from machine to machine.
    """
    found, expected = np.asarray(found), np.asarray(expected)
    rows, columns = linear_sum_assignment(np.abs(expected[:, None] - found[None, :]))
    assert len(rows) == len(found) == len(expected)
    return found[columns]
