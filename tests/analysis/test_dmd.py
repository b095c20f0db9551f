"""Dynamic mode decomposition against known systems, identities and PyDMD."""

from __future__ import annotations

import warnings

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from pairing import paired
from pydmd import DMD

from dyn_explorer.analysis import compress, dmd
from dyn_explorer.errors import DynExplorerError

METHODS = ["exact", "projected"]


def by_value(values: np.ndarray) -> np.ndarray:
    return np.lexsort([values.imag.round(9), values.real.round(9)])


def assert_equals_pydmd(matrix: np.ndarray, *, rank: int | float, window: tuple[int, int], method: str) -> None:
    ours = dmd(matrix, rank=rank, window=window, method=method)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Input data condition number")
        theirs = DMD(svd_rank=rank, exact=method == "exact").fit(matrix[:, slice(*window)])
    assert len(theirs.eigs) == ours.rank
    mine, other = by_value(ours.eigenvalues), by_value(theirs.eigs)
    scale = np.abs(theirs.eigs).max()
    np.testing.assert_allclose(ours.eigenvalues[mine], theirs.eigs[other], atol=1e-8 * scale)
    weighted, reference = ours.modes() * ours.amplitudes, theirs.modes * theirs.amplitudes
    np.testing.assert_allclose(weighted[:, mine], reference[:, other], atol=1e-8 * np.abs(reference).max())
    np.testing.assert_allclose(ours.norms[mine], np.linalg.norm(theirs.modes, axis=0)[other], rtol=1e-8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("rank", "window"), [(4, (0, 30)), (11, (3, 25)), (29, (0, 30)), (2, (10, 13)), (0.6, (0, 30))]
)
def test_equals_pydmd_on_random_snapshots(method, rank, window, noise):
    assert_equals_pydmd(noise(800, 30), rank=rank, window=window, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_equals_pydmd_on_a_planted_system(method, planted):
    assert_equals_pydmd(planted(), rank=4, window=(5, 40), method=method)


@pytest.mark.parametrize("method", METHODS)
def test_equals_pydmd_on_a_rank_deficient_matrix_at_the_tolerance(method, noise):
    matrix = noise(600, 5) @ noise(5, 24, seed=1)
    found = dmd(matrix, method=method)
    assert found.rank == 5
    assert found.full_condition > 1e12 > 1e3 > found.condition
    assert_equals_pydmd(matrix, rank=5, window=(0, 24), method=method)


@pytest.mark.parametrize("method", METHODS)
def test_equals_pydmd_on_a_wide_matrix(method, noise):
    assert_equals_pydmd(noise(9, 30), rank=6, window=(2, 28), method=method)


@hypothesis.given(
    n_features=st.integers(3, 60),
    n_snapshots=st.integers(3, 20),
    seed=st.integers(0, 2**16),
    data=st.data(),
    method=st.sampled_from(METHODS),
)
@hypothesis.settings(max_examples=40)
def test_compressed_equals_direct(n_features, n_snapshots, seed, data, method):
    matrix = np.random.default_rng(seed).standard_normal((n_features, n_snapshots))
    start = data.draw(st.integers(0, n_snapshots - 3))
    stop = data.draw(st.integers(start + 3, n_snapshots))
    rank = data.draw(st.integers(1, min(n_features, stop - start - 1)))
    before, after = matrix[:, start : stop - 1], matrix[:, start + 1 : stop]
    left, sigma, right = np.linalg.svd(before, full_matrices=False)
    hypothesis.assume(sigma[rank - 1] > 1e-3 * sigma[0])
    operator = left[:, :rank].T @ after @ right[:rank].T / sigma[:rank]
    direct = np.linalg.eigvals(operator)
    found = dmd(matrix, rank=rank, window=(start, stop), method=method)
    # The characteristic polynomial, unlike single eigenvalues, is not sensitive to a near-defective operator.
    np.testing.assert_allclose(np.poly(found.eigenvalues), np.poly(direct), atol=1e-8 * np.abs(np.poly(direct)).max())


def test_planted_eigenvalues_come_back(planted, known_eigenvalues):
    result = dmd(planted())
    assert result.rank == 4
    np.testing.assert_allclose(paired(result.eigenvalues, known_eigenvalues), known_eigenvalues, atol=1e-8)
    assert result.reconstruction_error < 1e-12
    assert len(result.rows) == 3


def test_full_rank_is_the_regression_of_the_last_snapshot_on_the_others(noise):
    matrix = noise(4000, 20)
    weights = np.linalg.lstsq(matrix[:, :-1], matrix[:, -1], rcond=None)[0]
    # np.roots takes the coefficient of the highest power first.
    roots = np.roots(np.concatenate([[1.0], -weights[::-1]]))
    eigenvalues = dmd(matrix).eigenvalues
    assert np.abs(paired(eigenvalues, roots) - roots).max() < 1e-12


@pytest.mark.parametrize(
    ("mean", "quantiles"), [(2.0, [0.88, 0.92, 0.93, 0.94, 1.0]), (0.0, [0.03, 0.89, 0.92, 0.93, 0.94])]
)
def test_columns_without_dynamics_still_lie_near_the_unit_circle(mean, quantiles, noise):
    moduli = np.abs(dmd(noise(4000, 40, mean=mean, seed=3)).eigenvalues)
    found = np.quantile(moduli, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(found[1:], quantiles[1:], atol=0.03)


@pytest.mark.parametrize("method", METHODS)
def test_modes_are_eigenvectors_of_the_map_that_made_the_snapshots(method, planted):
    matrix = planted()
    result = dmd(matrix, method=method)
    modes = result.modes()
    advanced = matrix[:, 1:] @ np.linalg.pinv(matrix[:, :-1], rcond=1e-10) @ modes
    np.testing.assert_allclose(advanced, modes * result.eigenvalues, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(modes, axis=0), result.norms, rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_modes_keep_their_identities(method, noise):
    result = dmd(noise(400, 16), rank=9, method=method)
    np.testing.assert_allclose(result.energies, np.abs(result.amplitudes) ** 2 * result.norms**2)
    strengths = result.strengths[result.rows]
    assert np.all(np.diff(strengths) <= 1e-9 * strengths[0])
    assert np.all(result.eigenvalues.imag[result.rows] >= 0)
    np.testing.assert_array_equal(result.eigenvalues[result.partners], result.eigenvalues.conj())
    pairs = result.rows[result.partners[result.rows] != result.rows]
    np.testing.assert_array_equal(result.partners[pairs], pairs + 1)
    np.testing.assert_allclose(result.modes([pairs[0] + 1]), result.modes([pairs[0]]).conj(), atol=1e-12)


def test_times_scale_with_dt(planted):
    unit, half = dmd(planted()), dmd(planted(), dt=0.5)
    np.testing.assert_array_equal(unit.eigenvalues, half.eigenvalues)
    np.testing.assert_allclose(half.continuous_eigenvalues, 2 * unit.continuous_eigenvalues)
    np.testing.assert_allclose(half.frequencies * 2 * np.pi, half.continuous_eigenvalues.imag)
    np.testing.assert_allclose(half.growth, half.continuous_eigenvalues.real)


def test_an_eigenvalue_of_zero_dies_at_once():
    matrix = np.zeros((5, 4))
    matrix[:2, 0] = 1.0
    result = dmd(matrix)
    assert result.eigenvalues.tolist() == [0]
    assert np.isneginf(result.growth[0])
    assert np.isneginf(result.continuous_eigenvalues[0].real)
    assert result.reconstruction_error == pytest.approx(1.0)


def test_constant_snapshots_have_rank_one_and_eigenvalue_one():
    result = dmd(np.full((50, 6), 3.0))
    assert result.rank == 1
    np.testing.assert_allclose(result.eigenvalues, [1.0])
    assert result.reconstruction_error < 1e-14


def test_dead_and_duplicate_columns_are_cut_by_the_tolerance(noise):
    matrix = noise(300, 12)
    matrix[:, 3] = 0
    matrix[:, 7:9] = matrix[:, 2:3]
    result = dmd(matrix)
    assert result.rank == 8
    assert result.condition < 1e3
    assert result.full_condition > 1e12


def test_reconstruction_is_the_sum_of_the_modes_courses(planted):
    matrix = planted()
    result = dmd(matrix, window=(4, 30))
    np.testing.assert_allclose(result.reconstruct(), matrix[:, 4:30], atol=1e-10)
    whole = (result.modes() @ result.dynamics()).real
    np.testing.assert_allclose(result.reconstruct(), whole, atol=1e-10)
    parts = sum(result.reconstruct(row, times=[0, 5]) for row in result.rows)
    np.testing.assert_allclose(parts, matrix[:, [4, 9]], atol=1e-10)
    assert result.dynamics(0, n=7).shape == (1, 7)
    assert result.modes([]).shape == (4000, 0)


def test_a_mode_that_overflows_has_no_finite_reconstruction():
    matrix = np.zeros((20, 80))
    matrix[:, 0], matrix[:, 78], matrix[:, 79] = 1e-3, 1.0, 1e5
    result = dmd(matrix, rank=1)
    np.testing.assert_allclose(result.eigenvalues, [1e5], rtol=1e-5)
    assert result.reconstruction_error == np.inf


@pytest.mark.parametrize("size", [1e-200, 1e-30, 1e100])
@pytest.mark.parametrize("method", METHODS)
def test_the_size_of_the_snapshots_does_not_matter(size, method, noise):
    plain, scaled = dmd(noise(60, 12), rank=5, method=method), dmd(noise(60, 12) * size, rank=5, method=method)
    np.testing.assert_allclose(scaled.eigenvalues, plain.eigenvalues, atol=1e-10)
    np.testing.assert_allclose(scaled.strengths / size, plain.strengths, rtol=1e-8)
    assert scaled.reconstruction_error == pytest.approx(plain.reconstruction_error)


def test_ranks_far_beyond_that_of_the_data_warn_by_their_condition():
    # Below the first, the singular values are what is added here; rounding alone leaves exact zeros on some machines.
    rng = np.random.default_rng(0)
    snapshots = rng.standard_normal((30, 1)) * np.ones(12) + 1e-15 * rng.standard_normal((30, 12))
    result = dmd(snapshots, rank=8)
    assert result.condition > 1e14
    assert result.full_condition >= result.condition


def test_rotating_the_features_changes_nothing(noise):
    matrix = noise(40, 15)
    rotation = np.linalg.qr(noise(40, 40, seed=5))[0]
    plain, turned = dmd(matrix, rank=6), dmd(rotation @ matrix, rank=6)
    np.testing.assert_allclose(turned.eigenvalues, plain.eigenvalues, atol=1e-10)
    np.testing.assert_allclose(turned.strengths, plain.strengths, atol=1e-10)


def test_an_energy_fraction_keeps_the_fewest_values_that_reach_it(noise):
    values = np.array([3.0, 2.0, 1.0, 0.5])
    matrix = np.linalg.qr(noise(50, 4))[0] * values @ np.linalg.qr(noise(8, 4, seed=1))[0].T
    energies = np.cumsum(dmd(matrix).singular_values ** 2)
    for fraction in (0.1, 0.5, 0.9, 0.99, 0.999999):
        kept = dmd(matrix, rank=fraction).rank
        assert energies[kept - 1] >= fraction * energies[-1] * (1 - 1e-12)
        assert kept == 1 or energies[kept - 2] < fraction * energies[-1]


@pytest.mark.parametrize("rank", [0, -1, 8, 200])
def test_ranks_outside_the_window_are_refused(rank, noise):
    with pytest.raises(DynExplorerError, match=rf"`rank` \(={rank}\) must lie in 1..7 for the window \(2, 10\)"):
        dmd(noise(50, 12), rank=rank, window=(2, 10))


@pytest.mark.parametrize("rank", [True, 0.0, 1.0, 3.0, -0.5, float("nan"), float("inf"), "all", np.bool_(True), [3]])
def test_what_is_no_rank_is_refused(rank, noise):
    with pytest.raises(DynExplorerError, match=r"is not a rank .* whole number, an energy fraction"):
        dmd(noise(50, 12), rank=rank)


def test_numpy_numbers_are_numbers(noise):
    assert dmd(noise(50, 12), rank=np.int64(3), window=np.array([0, 9])).rank == 3
    assert dmd(noise(50, 12), rank=np.float32(0.5)).rank >= 1


@pytest.mark.parametrize("window", [(0, 2), (-1, 5), (0, 13), (8, 4), (10, 12)])
def test_windows_that_do_not_fit_are_refused(window, noise):
    with pytest.raises(DynExplorerError, match=r"does not fit 12 snapshots; give \(start, stop\)"):
        dmd(noise(50, 12), window=window)


@pytest.mark.parametrize(
    ("window", "message"),
    [(5, "is not a pair"), ((1, 2, 3), "is not a pair"), ((0.0, 5.0), "whole"), ((True, 5), "whole")],
)
def test_what_is_no_window_is_refused(window, message, noise):
    with pytest.raises(DynExplorerError, match=message):
        dmd(noise(50, 12), window=window)


@pytest.mark.parametrize("dt", [0, -1.0, float("nan"), True, "1"])
def test_bad_steps_are_refused(dt, noise):
    with pytest.raises(DynExplorerError, match="must be a positive, finite number"):
        dmd(noise(50, 12), dt=dt)


def test_unknown_methods_are_refused(noise):
    with pytest.raises(DynExplorerError, match=r"`method` \(='optimal'\) is unknown; choose one of exact, projected"):
        dmd(noise(50, 12), method="optimal")


def test_two_snapshots_are_too_few(noise):
    with pytest.raises(DynExplorerError, match=r"2 snapshots and dynamics need at least 3; .* transpose"):
        dmd(noise(50, 2))


def test_zeros_are_refused():
    matrix = np.zeros((30, 5))
    matrix[:, 4] = 1.0
    with pytest.raises(DynExplorerError, match=r"every snapshot of the window .* but the last is zero"):
        dmd(matrix)


def test_a_rank_that_keeps_exact_zeros_is_refused():
    matrix = np.zeros((4, 4))
    matrix[0, 0] = matrix[1, 1] = 1.0
    with pytest.raises(DynExplorerError, match=r"keeps singular values that are exactly zero .* at most 2"):
        dmd(matrix, rank=3)


@pytest.mark.parametrize("indices", [-1, 6, [0, 6], [0.5], [[0]]])
def test_modes_that_do_not_exist_are_refused(indices, noise):
    with pytest.raises(DynExplorerError, match=r"must be whole numbers in 0..5"):
        dmd(noise(50, 12), rank=6).modes(indices)


@pytest.mark.gpu
def test_on_a_gpu_modes_are_lifted_there(planted):
    matrix = planted()
    on_cpu, on_gpu = dmd(matrix), dmd(compress(torch.from_numpy(matrix).cuda()))
    np.testing.assert_allclose(on_gpu.eigenvalues, on_cpu.eigenvalues, atol=1e-9)
    weighted = on_gpu.modes() * on_gpu.amplitudes
    np.testing.assert_allclose(weighted, on_cpu.modes() * on_cpu.amplitudes, atol=1e-8)
