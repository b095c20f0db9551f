"""Every number of one decomposition, with the rank and condition that it depends on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from dyn_explorer.analysis.dmd_result import DMDResult
from dyn_explorer.analysis.eigenvalue_metrics import eigenvalue_entropy, spectral_gap
from dyn_explorer.analysis.stable import stable_modes
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True)
class DynamicsMetrics:
    """The metrics of one decomposition; in counts and fractions a conjugate pair is one mode.

    Parameters
    ----------
    entropy_share, entropy_hist256, entropy_histogram : float
        `eigenvalue_entropy` of each kind, in bits.
    entropy_share_normalised : float
        ``entropy_share / log2(r)``, in [0, 1]; ``nan`` for a single eigenvalue.
    gap_leading, gap_second_to_unit : float
        `spectral_gap` of each kind; ``nan`` with fewer than two modes.
    stable_fraction : float
        Share of the modes that `stable_modes` returns.
    zero_amplitude_modes : int
        `zero_amplitude_modes` of the decomposition.
    zero_amplitude_fraction : float
        Their share of the modes.
    mean_square_modulus : float
        Mean of \\|λ\\|² over all eigenvalues.
    reconstruction_error : float
        Relative Frobenius error over the window.
    rank : int
        Singular values retained.
    modes : int
        Modes, a conjugate pair counted once.
    condition : float
        Largest over smallest retained singular value.
    """

    entropy_share: float
    entropy_hist256: float
    entropy_histogram: float
    entropy_share_normalised: float
    gap_leading: float
    gap_second_to_unit: float
    stable_fraction: float
    zero_amplitude_modes: int
    zero_amplitude_fraction: float
    mean_square_modulus: float
    reconstruction_error: float
    rank: int
    modes: int
    condition: float

    def as_dict(self) -> dict[str, float]:
        """The metrics by name, in the order above."""
        return asdict(self)


def dynamics_metrics(result: DMDResult, *, stable_tol: float = 0.05, amplitude_tol: float = 1e-3) -> DynamicsMetrics:
    """Compute every metric of a decomposition, in well under a millisecond beyond the decomposition itself.

    Parameters
    ----------
    result : DMDResult
    stable_tol : float, default 0.05
        Half-width of the stability band.
    amplitude_tol : float, default 1e-3
        A mode counts as zero below this share of the strongest.

    Returns
    -------
    DynamicsMetrics

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> course = np.array([1.0, 0.5])[:, None] ** np.arange(10)
    >>> result = analysis.dmd(np.random.default_rng(0).standard_normal((300, 2)) @ course)
    >>> metrics = analysis.dynamics_metrics(result)
    >>> round(metrics.gap_leading, 6), metrics.stable_fraction, metrics.rank
    (0.5, 0.5, 2)
    """
    values = result.eigenvalues
    share = eigenvalue_entropy(values)
    count = len(result.rows)
    zeros = zero_amplitude_modes(result, tol=amplitude_tol)
    return DynamicsMetrics(
        entropy_share=share,
        entropy_hist256=eigenvalue_entropy(values, kind="hist256"),
        entropy_histogram=eigenvalue_entropy(values, kind="histogram"),
        entropy_share_normalised=share / math.log2(len(values)) if len(values) > 1 else math.nan,
        gap_leading=spectral_gap(values),
        gap_second_to_unit=spectral_gap(values, kind="second_to_unit"),
        stable_fraction=len(stable_modes(result, tol=stable_tol)) / count,
        zero_amplitude_modes=zeros,
        zero_amplitude_fraction=zeros / count,
        mean_square_modulus=float(np.mean(np.abs(values) ** 2)),
        reconstruction_error=result.reconstruction_error,
        rank=result.rank,
        modes=count,
        condition=result.condition,
    )


def zero_amplitude_modes(result: DMDResult, *, tol: float = 1e-3) -> int:
    """Count the modes whose strength ``|b| ||phi||`` is at most ``tol`` of the strongest one's.

    The source gives no threshold; this definition is ours. A conjugate pair counts once.

    Parameters
    ----------
    result : DMDResult
    tol : float, default 1e-3
        Share of the strongest mode's strength.

    Returns
    -------
    int

    Raises
    ------
    DynExplorerError
        ``tol`` is not between 0 and 1.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> snapshots = np.array([[1.0, 0.5, 0.25, 0.125], [0.0, 1.0, 0.1, 0.01]])
    >>> analysis.zero_amplitude_modes(analysis.dmd(snapshots))
    0
    """
    if not 0 <= tol <= 1:
        raise DynExplorerError(f"`tol` (={tol!r}) must lie between 0 and 1: a share of the strongest mode")
    strengths = result.strengths[result.rows]
    return int(np.count_nonzero(strengths <= tol * strengths.max()))
