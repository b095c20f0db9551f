"""Whether a measure goes with accuracy over a population of models, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.rank_coefficients import centred_ranks, kendall, partial_spearman, spearman
from dyn_explorer.errors import DynExplorerError

FEWEST = 4


@dataclass(frozen=True, eq=False)
class Coefficient:
    """A rank correlation with its interval and its null.

    Parameters
    ----------
    value : float
        In -1..1; ``nan`` where undefined.
    low, high : float
        Percentile interval over resampled models.
    p_value : float
        Share of random orders whose coefficient is at least as far from 0, this order counted.
    null : tuple of float
        Central interval of the coefficient over random orders.
    reason : str or None
        Why it is ``nan``.
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    null: tuple[float, float] = (math.nan, math.nan)
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Correlation:
    """How two numbers go together over models.

    Parameters
    ----------
    spearman, kendall : Coefficient
        Of ranks; Kendall's is tau-b.
    partial : Coefficient or None
        Spearman's with the controls held fixed; None without controls.
    controls : tuple of str
        What was held fixed: those that differ between models.
    kept : ndarray (n,) of bool
        Models of which all numbers are finite; the others are left out.
    n : int
        How many those are.
    level : float
        Of the intervals.
    resamples, permutations, seed : int
        As asked.
    """

    spearman: Coefficient
    kendall: Coefficient
    partial: Coefficient | None
    controls: tuple[str, ...]
    kept: np.ndarray
    n: int
    level: float
    resamples: int
    permutations: int
    seed: int


def correlation(
    x: np.ndarray,
    y: np.ndarray,
    *,
    controls: Mapping[str, np.ndarray] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    permutations: int = 2000,
    seed: int = 0,
) -> Correlation:
    """Rank correlations of two numbers over models, each with a bootstrap interval and a permutation p-value.

    Models are the replicates: the interval is over models drawn with replacement, the null over random pairings.

    Parameters
    ----------
    x, y : array-like (n_models,)
        A measure and, say, the accuracy; ``nan`` leaves a model out.
    controls : mapping of str to array-like (n_models,), optional
        Numbers that may explain both, such as rank, width and depth. The partial correlation is that of what is left of
        the ranks of `x` and `y` after least squares on the ranks of the controls; its null reorders what is left of
        `x`. A control that is the same for all models is left out.
    level : float in 0..1, default 0.95
        Of the intervals.
    resamples, permutations : int, default 2000
    seed : int, default 0

    Returns
    -------
    Correlation

    Raises
    ------
    DynExplorerError
        The numbers do not belong to the same models, or an option cannot be used.

    Notes
    -----
    A p-value holds for one measure that was chosen beforehand. Of twenty measures without any relation, one has a
    p-value below 0.05. Ranks follow ranks only nearly in a straight line, so a strong common cause leaves a trace.

    References
    ----------
    Kendall & Gibbons, "Rank Correlation Methods" (1990). Freedman & Lane, "A nonstochastic interpretation of reported
    significance levels" (1983), doi:10.1080/07350015.1983.10509354. Phipson & Smyth, "Permutation p-values should never
    be zero" (2010), doi:10.2202/1544-6115.1585.

    Example
    -------
    >>> from dyn_explorer import analysis
    >>> found = analysis.correlation([1, 2, 3, 4, 5, 6], [2, 3, 5, 7, 11, 10])
    >>> round(found.spearman.value, 3), round(found.kendall.value, 3), found.spearman.p_value < 0.05
    (0.943, 0.867, True)
    """
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise DynExplorerError(f"`level` (={level!r}) must lie between 0 and 1")
    for name, value, least in (("resamples", resamples, 1), ("permutations", permutations, 1), ("seed", seed, 0)):
        if not is_integer(value) or value < least:
            raise DynExplorerError(f"`{name}` (={value!r}) must be a whole number of at least {least}")
    columns = {"x": x, "y": y, **{f"control {name}": values for name, values in (controls or {}).items()}}
    numbers = _checked(columns)
    kept = np.isfinite(numbers).all(axis=0)
    table = numbers[:, kept]
    varies = [bool(len(row)) and np.ptp(row) > 0 for row in table[2:]]
    held = tuple(name for name, does in zip(controls or {}, varies, strict=True) if does)
    judge = partial(_judged, level=level, resamples=resamples, permutations=permutations, seed=seed)
    partly = None if not controls else Coefficient(reason="each control is the same for all models")
    if held:
        partly = judge(table[[True, True, *varies]], partial_spearman)
    return Correlation(
        spearman=judge(table[:2], spearman),
        kendall=judge(table[:2], kendall),
        partial=partly,
        controls=held,
        kept=kept,
        n=int(kept.sum()),
        level=level,
        resamples=resamples,
        permutations=permutations,
        seed=seed,
    )


def _checked(columns: Mapping[str, object]) -> np.ndarray:
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    for name, values in arrays.items():
        if values.ndim != 1 or values.dtype.kind not in "biuf" or len(values) != len(arrays["x"]):
            raise DynExplorerError(
                f"`{name}` has shape {values.shape} and type {values.dtype}; it must hold one real number for each of "
                f"the {len(arrays['x'])} models"
            )
    return np.stack([values.astype(float) for values in arrays.values()])


def _judged(
    table: np.ndarray,
    coefficient: Callable[[np.ndarray], np.ndarray],
    *,
    level: float,
    resamples: int,
    permutations: int,
    seed: int,
) -> Coefficient:
    """A coefficient of the first two rows, given the others, with its interval and null."""
    count = table.shape[1]
    if reason := _why_undefined(table):
        return Coefficient(reason=reason)
    value = float(coefficient(table[:, None])[0])
    if not math.isfinite(value):
        return Coefficient(reason="nothing is left of `x` or `y` once the controls are held fixed")
    generator = np.random.default_rng(seed)
    chosen = generator.integers(count, size=(resamples, count))
    drawn = coefficient(table[:, chosen])
    defined = drawn[np.isfinite(drawn)]
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(defined, ends) if len(defined) else (math.nan, math.nan)
    orders = generator.permuted(np.tile(np.arange(count), (permutations, 1)), axis=1)
    chance = _chance(table, coefficient, orders)
    # Sums in another order differ in their last bits: equal coefficients must count as equal.
    p_value = (1 + np.count_nonzero(np.abs(chance) >= abs(value) - 1e-12)) / (1 + permutations)
    null = np.quantile(chance, ends)
    return Coefficient(value, float(low), float(high), float(p_value), (float(null[0]), float(null[1])))


def _chance(table: np.ndarray, coefficient: Callable[[np.ndarray], np.ndarray], orders: np.ndarray) -> np.ndarray:
    """The coefficient over random orders of the first row, or of what the controls leave of it."""
    if len(table) == 2:
        return coefficient(np.stack([table[0][orders], np.broadcast_to(table[1], orders.shape)]))
    ranks = centred_ranks(table)
    basis = np.linalg.svd(ranks[2:].T, full_matrices=False)
    held = basis[0][:, basis[1] > 1e-9 * basis[1].max(initial=1.0)]
    left = ranks[:2] - ranks[:2] @ held @ held.T
    shuffled = left[0][orders]
    shuffled = shuffled - shuffled @ held @ held.T
    return shuffled @ left[1] / (np.linalg.norm(shuffled, axis=1) * np.linalg.norm(left[1]))


def _why_undefined(table: np.ndarray) -> str | None:
    count, controls = table.shape[1], len(table) - 2
    if count < FEWEST + controls:
        return f"{count} models with finite numbers are too few; at least {FEWEST + controls} are needed"
    for name, row in zip(("x", "y"), table, strict=False):
        if np.ptp(row) == 0:
            return f"`{name}` is the same for all {count} models"
    return None
