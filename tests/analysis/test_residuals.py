"""Residuals and pseudospectra against their definitions on the full matrices."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import scipy.linalg

from dyn_explorer.analysis import dmd, mode_residuals, pseudospectrum
from dyn_explorer.errors import Cancelled, DynExplorerError


def direct_quantities(matrix: np.ndarray, rank: int):
    """U, B, G1, G2 of the definitions, from the uncompressed matrix."""
    before, after = matrix[:, :-1], matrix[:, 1:]
    left, sigma, right = np.linalg.svd(before, full_matrices=False)
    left, sigma, right = left[:, :rank], sigma[:rank], right[:rank]
    return left, after @ right.T / sigma, (left.T @ before).T, (left.T @ after).T


def matched(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    nearest = np.argmin(np.abs(values[None, :] - targets[:, None]), axis=1)
    assert len(set(nearest)) == len(targets)
    return nearest


@pytest.mark.parametrize("rank", [1, 5, 12, 19])
def test_mode_residuals_equal_the_direct_ones(rank, noise):
    matrix = noise(300, 20, mean=0.5)
    left, image, _, _ = direct_quantities(matrix, rank)
    values, vectors = np.linalg.eig(left.T @ image)
    direct = np.linalg.norm(image @ vectors - left @ vectors * values, axis=0)
    result = dmd(matrix, rank=rank)
    order = matched(values, result.eigenvalues)
    np.testing.assert_allclose(mode_residuals(result), direct[order], atol=1e-9)
    np.testing.assert_allclose(mode_residuals(result, relative=True), (direct / np.abs(values))[order], atol=1e-8)
    projected = dmd(matrix, rank=rank, method="projected")
    np.testing.assert_allclose(np.sort(mode_residuals(projected)), np.sort(direct), atol=1e-9)


@pytest.mark.parametrize("rank", [1, 5, 12, 18])
def test_observable_residuals_equal_the_direct_ones(rank, noise):
    matrix = noise(300, 20, mean=0.5)
    _, _, before, after = direct_quantities(matrix, rank)
    values, vectors = np.linalg.eig(np.linalg.pinv(before) @ after)
    direct = np.linalg.norm(after @ vectors - before @ vectors * values, axis=0) / np.linalg.norm(
        before @ vectors, axis=0
    )
    result = dmd(matrix, rank=rank)
    order = matched(values, result.eigenvalues)
    np.testing.assert_allclose(mode_residuals(result, kind="observable"), direct[order], atol=1e-9)


@pytest.mark.parametrize("rank", [3, 12, 19])
def test_the_pseudospectrum_equals_the_direct_one(rank, noise):
    matrix = noise(300, 20, mean=0.5)
    _, _, before, after = direct_quantities(matrix, rank)
    triangle = np.linalg.qr(before, mode="r")
    grid, tau = pseudospectrum(dmd(matrix, rank=rank), grid=9)
    assert grid[0, 0] == -1.5 - 1.5j
    assert grid[-1, 0] == -1.5 + 1.5j
    for point, value in zip(grid.ravel(), tau.ravel(), strict=True):
        reduced = scipy.linalg.solve_triangular(triangle.T, (after - point * before).T, lower=True).T
        assert value == pytest.approx(np.linalg.svd(reduced, compute_uv=False)[-1], abs=1e-9)


@pytest.mark.parametrize("rank", [2, 7, 12])
def test_no_vector_does_worse_than_the_eigenvector(rank, noise):
    result = dmd(noise(300, 30, mean=1.0), rank=rank)
    tau = pseudospectrum(result, grid=result.eigenvalues).tau
    assert np.all(tau <= mode_residuals(result, kind="observable") + 1e-12)


def test_a_planted_system_has_no_residual(planted):
    result = dmd(planted())
    assert mode_residuals(result).max() < 1e-10
    assert mode_residuals(result, kind="observable").max() < 1e-10
    assert pseudospectrum(result, grid=result.eigenvalues).tau.max() < 1e-10


def test_modes_made_up_from_noise_have_large_residuals(planted, known_eigenvalues):
    matrix = planted(n_snapshots=24)
    noisy = matrix + 1e-4 * np.random.default_rng(1).standard_normal(matrix.shape)
    result = dmd(noisy, rank=12)
    true = matched(result.eigenvalues, known_eigenvalues)
    residuals = mode_residuals(result, relative=True)
    others = np.setdiff1d(np.arange(12), true)
    assert residuals[true].max() < 0.1
    assert np.median(residuals[others]) > 0.3


def test_full_rank_observables_are_not_informative(noise):
    result = dmd(noise(300, 10))
    assert np.isnan(mode_residuals(result, kind="observable")).all()
    assert mode_residuals(result).max() > 0.1
    assert pseudospectrum(result, grid=result.eigenvalues).tau.max() < 1e-10


def test_rotation_changes_nothing(noise):
    matrix = noise(60, 18, mean=0.5)
    rotation = np.linalg.qr(noise(60, 60, seed=9))[0]
    plain, turned = dmd(matrix, rank=7), dmd(rotation @ matrix, rank=7)
    for kind in ("mode", "observable"):
        np.testing.assert_allclose(mode_residuals(turned, kind=kind), mode_residuals(plain, kind=kind), atol=1e-10)
    np.testing.assert_allclose(pseudospectrum(turned, grid=5).tau, pseudospectrum(plain, grid=5).tau, atol=1e-10)


def test_a_defective_operator_still_has_residuals():
    # Columns e1, e2, ..., followed by zero: the shift, whose only eigenvalue is 0.
    matrix = np.hstack([np.eye(8)[:, :6], np.zeros((8, 2))])
    result = dmd(matrix)
    assert result.rank == 6
    np.testing.assert_array_equal(result.eigenvalues, 0)
    # Its adjoint sends the last vector on to nothing: an exact eigenpair.
    assert mode_residuals(result, kind="observable").max() < 1e-12
    assert not np.isfinite(mode_residuals(result, relative=True)).any()


@pytest.mark.parametrize("method", ["hankel", "total_least_squares", "optimised"])
def test_methods_without_eigenvectors_of_their_own_have_residuals(method, planted):
    result = dmd(planted(n_features=300), rank=4, method=method)
    assert mode_residuals(result).max() < 1e-5
    assert mode_residuals(result, kind="observable").max() < 1e-5
    tau = pseudospectrum(result, grid=result.eigenvalues).tau
    np.testing.assert_allclose(mode_residuals(result, kind="observable"), tau, atol=1e-12)


def test_a_rank_beyond_that_of_the_snapshots_makes_nothing_up():
    wave = np.outer(np.arange(1.0, 101.0), np.cos(0.7 * np.arange(30)))
    result = dmd(wave, method="hankel")
    assert result.rank == 2
    # One snapshot after the other, the wave is no linear map of itself: the true eigenvalues are far from being exact.
    assert np.all(mode_residuals(result) > 0.1)
    assert np.all(mode_residuals(result) < 2)


def test_tiny_residuals_keep_their_digits(noise):
    result = dmd(noise(200, 16), rank=15)
    near = result.eigenvalues[0] + np.array([1e-4, 1e-7, 1e-10])
    tau = pseudospectrum(result, grid=near).tau
    np.testing.assert_allclose(tau[0] / tau[1], 1e3, rtol=1e-2)
    np.testing.assert_allclose(tau[1] / tau[2], 1e3, rtol=1e-2)


@pytest.mark.parametrize("grid", [1, 0, -4, 2.5, "fine", np.array([np.nan])])
def test_bad_grids_are_refused(grid, planted):
    with pytest.raises(DynExplorerError, match="whole number of at least 2, or an array of finite complex points"):
        pseudospectrum(dmd(planted()), grid=grid)


def test_unknown_kinds_and_cancel(planted):
    result = dmd(planted())
    with pytest.raises(DynExplorerError, match=r"`kind` \(='full'\) is unknown; choose one of mode, observable"):
        mode_residuals(result, kind="full")
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled, match="pseudospectrum was cancelled"):
        pseudospectrum(result, cancel=cancel)
