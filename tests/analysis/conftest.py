"""Systems whose eigenvalues are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

KNOWN_EIGENVALUES = np.array([0.95 * np.exp(0.3j), 0.95 * np.exp(-0.3j), 0.8, 0.5])


def planted_snapshots(
    eigenvalues: np.ndarray = KNOWN_EIGENVALUES, n_features: int = 4000, n_snapshots: int = 40, seed: int = 0
) -> np.ndarray:
    """Real snapshots of a linear system with these eigenvalues (conjugates adjacent) and random modes."""
    rng = np.random.default_rng(seed)
    modes = rng.standard_normal((n_features, len(eigenvalues))).astype(complex)
    for index in np.flatnonzero(np.imag(eigenvalues) > 0):
        modes[:, index] += 1j * rng.standard_normal(n_features)
        modes[:, index + 1] = modes[:, index].conj()
    return (modes @ np.vander(eigenvalues, n_snapshots, increasing=True)).real


@pytest.fixture
def planted() -> Callable[..., np.ndarray]:
    """Function that makes snapshots with chosen eigenvalues."""
    return planted_snapshots


@pytest.fixture
def known_eigenvalues() -> np.ndarray:
    """The four eigenvalues that `planted` uses unless told otherwise."""
    return KNOWN_EIGENVALUES


@pytest.fixture
def noise() -> Callable[..., np.ndarray]:
    """Function that makes independent columns with a chosen mean: no dynamics at all."""

    def make(n_features: int = 500, n_snapshots: int = 20, mean: float = 0.0, seed: int = 0) -> np.ndarray:
        return mean + np.random.default_rng(seed).standard_normal((n_features, n_snapshots))

    return make
