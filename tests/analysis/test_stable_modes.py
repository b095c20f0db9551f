"""Which modes count as stable."""

from __future__ import annotations

import numpy as np
import pytest
from pairing import paired

from dyn_explorer.analysis import dmd, stable_modes
from dyn_explorer.errors import DynExplorerError


def test_pairs_count_once_and_the_strongest_comes_first(planted):
    eigenvalues = np.array([0.99 * np.exp(0.4j), 0.99 * np.exp(-0.4j), 1.02, -0.97, 0.6, 0.5 + 0.5j, 0.5 - 0.5j])
    result = dmd(planted(eigenvalues))
    found = stable_modes(result)
    np.testing.assert_allclose(
        paired(result.eigenvalues[found], eigenvalues[[0, 2, 3]]), eigenvalues[[0, 2, 3]], atol=1e-8
    )
    assert np.all(np.diff(result.strengths[found]) <= 0)
    assert np.all(result.eigenvalues[found].imag >= 0)


def test_the_band_widens_with_the_tolerance(planted):
    result = dmd(planted())
    counts = [len(stable_modes(result, tol=tol)) for tol in (0.0, 0.04, 0.06, 0.25, 0.6)]
    assert counts == [0, 0, 1, 2, 3]


@pytest.mark.parametrize("tol", [-0.1, float("nan"), float("inf")])
def test_bad_tolerances_are_refused(tol, planted):
    with pytest.raises(DynExplorerError, match="must be a finite number of at least 0"):
        stable_modes(dmd(planted()), tol=tol)
