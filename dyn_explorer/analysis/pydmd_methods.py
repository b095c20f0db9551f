"""PyDMD's other methods, run on the compressed coordinates and lifted through the snapshots.

Each of them commutes with an orthogonal change of coordinates, so that its result on the small factor is its result on
the tall matrix.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dyn_explorer.analysis.conjugates import conjugate_partners
from dyn_explorer.analysis.dmd_fit import Fit, FitProblem, no_convergence
from dyn_explorer.analysis.one_thread import one_thread
from dyn_explorer.errors import DynExplorerError

# PyDMD warns of what the result's own condition number says.
_KNOWN_WARNINGS = (
    "Input data condition number",
    "Initial trial of Optimized DMD failed",
    "lies outside the recommended",
)
_LIFT_TOLERANCE = 1e-12
_STEPS, _MORE_STEPS = 40, 8
# The window's growth may not exceed e to this power.
_LARGEST_EXPONENT = 300.0
_NEARLY_PAIRED, _NEARLY_REAL = 1e-4, 1e-12
# More steps that lower the error by more than this share mean that the first had not arrived.
_ARRIVED = 1e-2
_EXACT_FIT = 1e-8
_ADMM_STEPS = 3000
_SPARSITY = 0.02


def fit_total_least_squares(problem: FitProblem) -> Fit:
    """Noise is taken off both sides of the regression."""

    def build(pydmd: Any) -> Any:
        return pydmd.DMD(svd_rank=problem.rank, tlsq_rank=problem.rank, exact=True).fit(problem.columns)

    return _fit(problem, "total least squares", build)


def fit_optimised(problem: FitProblem) -> Fit:
    """All snapshots fitted at once by exponentials, through variable projection; no bagging."""
    first = _optimise(problem, None, _STEPS)
    with np.errstate(divide="ignore"):
        reached = np.log(first.eigenvalues)
    if not np.isfinite(reached).all():
        raise DynExplorerError(no_convergence("optimised", problem, "a mode vanishes after one step"))
    before, after = _error(problem, first), _error(problem, _optimise(problem, reached, _MORE_STEPS))
    if not np.isfinite(before) or (before > _EXACT_FIT and after < (1 - _ARRIVED) * before):
        reason = f"after {_STEPS} steps, {_MORE_STEPS} more still lower its error from {before:.2g} to {after:.2g}"
        raise DynExplorerError(no_convergence("optimised", problem, reason))
    return _with_exact_pairs(first)


def _optimise(problem: FitProblem, start: np.ndarray | None, steps: int) -> Fit:
    fastest_growth = _LARGEST_EXPONENT / problem.n_snapshots

    def stay_finite(exponents: np.ndarray) -> np.ndarray:
        # LAPACK's least squares may never return from values that are not finite.
        if not np.isfinite(exponents).all():
            raise FloatingPointError("its exponents are no longer finite")
        return np.minimum(exponents.real, fastest_growth) + 1j * exponents.imag

    def build(pydmd: Any) -> Any:
        options = {"maxiter": steps, "eps_stall": 1e-9, "tol": 1e-10}
        model = pydmd.BOPDMD(
            svd_rank=problem.rank, init_alpha=start, eig_constraints=stay_finite, varpro_opts_dict=options
        )
        return model.fit(problem.columns, np.arange(problem.n_snapshots, dtype=float))

    return _fit(problem, "optimised", build, continuous=True)


def _with_exact_pairs(fit: Fit) -> Fit:
    """Make pairs that rounding in the iteration has pulled apart exact again."""
    values, modes, weights, amplitudes = (
        array.copy() for array in (fit.eigenvalues, fit.coordinates, fit.coefficients, fit.amplitudes)
    )
    partners = conjugate_partners(values, tolerance=_NEARLY_PAIRED)
    for upper in np.flatnonzero((values.imag > 0) & (partners != np.arange(len(values)))):
        lower = partners[upper]
        values[lower], amplitudes[lower] = values[upper].conj(), amplitudes[upper].conj()
        modes[:, lower], weights[:, lower] = modes[:, upper].conj(), weights[:, upper].conj()
    real = np.abs(values.imag) <= _NEARLY_REAL * np.abs(values)
    values[real] = values[real].real
    return replace(fit, eigenvalues=values, coordinates=modes, coefficients=weights, amplitudes=amplitudes)


def fit_sparsity_promoting(problem: FitProblem) -> Fit:
    """Exact DMD with the amplitudes of modes that the whole window can spare set to zero."""
    size = np.linalg.norm(problem.columns) / np.sqrt(problem.n_snapshots)
    steps = 0

    def build(pydmd: Any) -> Any:
        class CountedSpDMD(pydmd.SpDMD):
            def _update(self, *arguments: np.ndarray) -> tuple[np.ndarray, ...]:
                nonlocal steps
                steps += 1
                return super()._update(*arguments)

        # Snapshots of unit size make one penalty mean the same for every window.
        model = CountedSpDMD(
            svd_rank=problem.rank,
            exact=True,
            gamma=_SPARSITY * problem.n_snapshots,
            rho=float(problem.n_snapshots),
            max_iterations=_ADMM_STEPS,
            verbose=False,
        )
        return model.fit(problem.columns / size)

    fit = _fit(problem, "sparsity-promoting", build, scale=size)
    if steps > _ADMM_STEPS:
        reason = f"its alternating directions did not settle in {_ADMM_STEPS} steps"
        raise DynExplorerError(no_convergence("sparsity-promoting", problem, reason))
    return fit


def _fit(
    problem: FitProblem,
    name: str,
    build: Callable[[Any], Any],
    *,
    continuous: bool = False,
    scale: float = 1.0,
) -> Fit:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Slow to import, and it brings pyplot along.
        import pydmd

        try:
            with one_thread():
                model = build(pydmd)
        except (np.linalg.LinAlgError, ValueError, RuntimeError, ArithmeticError) as error:
            raise DynExplorerError(no_convergence(name, problem, str(error) or type(error).__name__)) from error
    eigenvalues = np.asarray(model.eigs, dtype=np.complex128)
    coordinates = np.asarray(model.modes, dtype=np.complex128) * scale
    amplitudes = np.asarray(model.amplitudes, dtype=np.complex128)
    if continuous:
        eigenvalues = np.exp(eigenvalues)
    if not all(np.isfinite(values).all() for values in (eigenvalues, coordinates, amplitudes)):
        raise DynExplorerError(no_convergence(name, problem, "it returned values that are not finite"))
    return Fit(
        eigenvalues=eigenvalues,
        coordinates=coordinates,
        coefficients=_combination_of_snapshots(problem, coordinates),
        amplitudes=amplitudes,
        notes=_notes(caught),
    )


def _combination_of_snapshots(problem: FitProblem, coordinates: np.ndarray) -> np.ndarray:
    """Weights of the window's snapshots that give these modes."""
    svd = problem.compressed.svd(*problem.window)
    kept = svd.singular_values > _LIFT_TOLERANCE * svd.singular_values[0]
    return (svd.right[kept].T / svd.singular_values[kept]) @ (svd.left[:, kept].T @ coordinates)


def _error(problem: FitProblem, fit: Fit) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        powers = np.vander(fit.eigenvalues, problem.n_snapshots, increasing=True)
        rebuilt = (fit.coordinates * fit.amplitudes @ powers).real
        return float(np.linalg.norm(problem.columns - rebuilt) / np.linalg.norm(problem.columns))


def _notes(caught: list[warnings.WarningMessage]) -> tuple[str, ...]:
    messages = dict.fromkeys(" ".join(str(warning.message).split()) for warning in caught)
    return tuple(message for message in messages if not any(known in message for known in _KNOWN_WARNINGS))
