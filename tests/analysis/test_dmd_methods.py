"""The other methods: on compressed coordinates they give what they give on the full matrix."""

from __future__ import annotations

import contextlib
import sys
import types
import warnings

import numpy as np
import pytest
from pairing import paired

from dyn_explorer.analysis import DMD_METHODS, compress, dmd
from dyn_explorer.analysis.dmd_core import hankel_delays
from dyn_explorer.errors import DynExplorerError

OTHERS = [name for name in DMD_METHODS if name not in ("exact", "projected")]


@pytest.fixture
def noisy(planted) -> np.ndarray:
    """Planted snapshots with a little noise."""
    return planted(n_features=600) + 0.05 * np.random.default_rng(3).standard_normal((600, 40))


def contributions(modes: np.ndarray, amplitudes: np.ndarray, eigenvalues: np.ndarray) -> np.ndarray:
    order = np.lexsort([eigenvalues.imag.round(6), eigenvalues.real.round(6)])
    return (modes * amplitudes)[:, order]


def fit_with_pydmd(method: str, matrix: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues, modes and amplitudes from PyDMD on the full matrix."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pydmd

        count = matrix.shape[1]
        if method == "total_least_squares":
            model = pydmd.DMD(svd_rank=rank, tlsq_rank=rank, exact=True).fit(matrix)
        elif method == "hankel":
            model = pydmd.HankelDMD(svd_rank=rank, exact=True, d=hankel_delays(count)).fit(matrix)
        elif method == "sparsity_promoting":
            size = np.linalg.norm(matrix) / np.sqrt(count)
            model = pydmd.SpDMD(svd_rank=rank, gamma=0.02 * count, rho=float(count), verbose=False).fit(matrix / size)
            return model.eigs, model.modes * size, model.amplitudes
        else:
            options = {"maxiter": 40, "eps_stall": 1e-9, "tol": 1e-10}
            model = pydmd.BOPDMD(svd_rank=rank, varpro_opts_dict=options).fit(matrix, np.arange(float(count)))
            return np.exp(model.eigs), model.modes, model.amplitudes
    modes = model.modes[: matrix.shape[0]]
    return model.eigs, modes, model.amplitudes


@pytest.mark.parametrize("method", [name for name in OTHERS if name != "forward_backward"])
def test_equals_pydmd_on_the_full_matrix(method, noisy):
    eigenvalues, modes, amplitudes = fit_with_pydmd(method, noisy, 6)
    ours = dmd(noisy, rank=6, method=method)
    reference = contributions(modes, amplitudes, eigenvalues)
    found = contributions(ours.modes(), ours.amplitudes, ours.eigenvalues)
    tolerance = 1e-5 if method == "optimised" else 1e-8
    np.testing.assert_allclose(paired(ours.eigenvalues, eigenvalues), eigenvalues, atol=tolerance)
    np.testing.assert_allclose(found, reference, atol=tolerance * np.abs(reference).max())


@pytest.mark.parametrize("method", list(DMD_METHODS))
def test_every_method_finds_a_planted_system(method, planted, known_eigenvalues):
    matrix = planted(n_features=600)
    result = dmd(matrix, rank=4, method=method)
    np.testing.assert_allclose(paired(result.eigenvalues, known_eigenvalues), known_eigenvalues, atol=1e-6)
    assert len(result.rows) == 3
    np.testing.assert_allclose(np.linalg.norm(result.modes(), axis=0), result.norms, rtol=1e-8)
    np.testing.assert_allclose(result.reconstruct(), matrix, atol=1e-5)


@pytest.mark.parametrize("method", OTHERS)
def test_rotation_changes_nothing(method, noisy):
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((600, 600)))[0]
    plain, turned = dmd(noisy, rank=4, method=method), dmd(rotation @ noisy, rank=4, method=method)
    tolerance = 1e-5 if method == "optimised" else 1e-9
    np.testing.assert_allclose(paired(turned.eigenvalues, plain.eigenvalues), plain.eigenvalues, atol=tolerance)


@pytest.mark.parametrize("method", [name for name in DMD_METHODS if name != "sparsity_promoting"])
def test_windows_are_lifted_from_their_own_snapshots(method, planted):
    matrix = planted(n_features=300)
    result = dmd(compress(matrix), rank=4, window=(3, 25), method=method)
    np.testing.assert_allclose(result.reconstruct(), matrix[:, 3:25], atol=1e-5)
    assert result.method == method


def test_forward_backward_takes_off_the_bias_of_noise(planted):
    eigenvalues = np.array([np.exp(0.4j), np.exp(-0.4j), -0.95])
    exact, both = [], []
    for seed in range(8):
        matrix = planted(eigenvalues, n_features=40, n_snapshots=120)
        matrix = matrix + 1.5 * np.random.default_rng(seed).standard_normal(matrix.shape)
        exact.append(np.abs(dmd(matrix, rank=3).eigenvalues).mean())
        result = dmd(matrix, rank=3, method="forward_backward")
        both.append(np.abs(result.eigenvalues).mean())
        assert result.eigenvalues.real.min() < -0.8
    truth = np.abs(eigenvalues).mean()
    assert abs(np.mean(both) - truth) < 0.3 * abs(np.mean(exact) - truth)


def test_hankel_sees_a_standing_wave_that_one_snapshot_hides():
    matrix = np.outer(np.arange(1.0, 101.0), np.cos(0.7 * np.arange(30)))
    assert dmd(matrix).rank == 1
    result = dmd(matrix, method="hankel")
    np.testing.assert_allclose(paired(result.eigenvalues, np.exp([-0.7j, 0.7j])), np.exp([-0.7j, 0.7j]), atol=1e-8)
    np.testing.assert_allclose(result.reconstruct(), matrix, atol=1e-6)
    assert dmd(matrix[:, :3], method="hankel").rank == 1


def test_sparsity_promoting_switches_off_what_the_window_can_spare(noisy):
    exact, sparse = dmd(noisy, rank=12), dmd(noisy, rank=12, method="sparsity_promoting")
    off = sparse.strengths == 0
    assert 0 < off.sum() < 12
    assert sparse.reconstruction_error < 2 * exact.reconstruction_error


def test_no_real_root_is_said(noise):
    with pytest.raises(
        DynExplorerError, match=r"forward-backward method did not converge .* no real root; lower the rank"
    ):
        dmd(noise(500, 128), rank=20, method="forward_backward")


def test_an_iteration_that_has_not_arrived_is_said(noise, monkeypatch):
    monkeypatch.setattr("dyn_explorer.analysis.pydmd_methods._STEPS", 1)
    with pytest.raises(
        DynExplorerError, match=r"optimised method did not converge .* after 1 steps, 8 more still lower"
    ):
        dmd(noise(500, 40), rank=8, method="optimised")


@pytest.mark.parametrize("seed", range(3))
def test_exponents_that_run_away_are_held(seed, noise):
    # Left alone, they overflow, and LAPACK's least squares never returns.
    with contextlib.suppress(DynExplorerError):
        result = dmd(noise(38, 19, seed=seed), method="optimised")
        assert np.isfinite(result.strengths).all()


def test_alternating_directions_that_do_not_settle_are_said(noisy, monkeypatch):
    monkeypatch.setattr("dyn_explorer.analysis.pydmd_methods._ADMM_STEPS", 1)
    with pytest.raises(DynExplorerError, match=r"sparsity-promoting method .* did not settle in 1 steps"):
        dmd(noisy, rank=8, method="sparsity_promoting")


@pytest.mark.parametrize("error", [np.linalg.LinAlgError("singular"), ValueError("no good"), ZeroDivisionError()])
def test_pydmds_own_errors_come_in_words(error, noisy, monkeypatch):
    def fail(**options: object) -> None:
        raise error

    monkeypatch.setitem(sys.modules, "pydmd", types.SimpleNamespace(DMD=fail))
    with pytest.raises(
        DynExplorerError, match=rf"did not converge .* {str(error) or 'ZeroDivisionError'}; lower the rank"
    ):
        dmd(noisy, rank=3, method="total_least_squares")


def test_warnings_become_notes(noisy, monkeypatch):
    import pydmd

    class Warner(pydmd.DMD):
        def fit(self, *arguments):
            warnings.warn("the   moon\nis full", stacklevel=1)
            warnings.warn("Input data condition number 9. Consider", stacklevel=1)
            return super().fit(*arguments)

    monkeypatch.setattr(pydmd, "DMD", Warner)
    assert dmd(noisy, rank=3, method="total_least_squares").notes == ("the moon is full",)


def test_values_that_are_not_finite_are_refused(noisy, monkeypatch):
    import pydmd

    class Broken(pydmd.DMD):
        @property
        def eigs(self):
            return np.array([np.nan])

    monkeypatch.setattr(pydmd, "DMD", Broken)
    with pytest.raises(DynExplorerError, match="returned values that are not finite"):
        dmd(noisy, rank=3, method="total_least_squares")


def test_every_method_has_a_label_and_one_sentence():
    for info in DMD_METHODS.values():
        assert info.label
        assert info.helps.endswith(".")
        assert len(info.helps) < 120
