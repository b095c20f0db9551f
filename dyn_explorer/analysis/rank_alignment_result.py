"""What `rank_alignment` finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MARGIN = 3.0  # null deviations that a single alignment must exceed to be called more than chance; our choice


@dataclass(frozen=True, eq=False)
class RankAlignment:
    """Rank alignment of each neuron with each class, and what chance gives.

    Parameters
    ----------
    gradient : ndarray (C, n), float64
        G = 2 AUC - 1 of the samples of a class against all others, of the field times the sign of its readout weight:
        1 where the class stands above all others, 0 without alignment. ``nan`` where the weight is 0, or the class has
        no samples or all of them.
    null_sd : ndarray (C,), float64
        Standard deviation of one entry of ``gradient`` when labels are permuted (without ties; ties lower it).
    density : ndarray (C, bins), float64
        Rank probability density of each class over u in [0, 1], averaged over neurons; 1 where it is flat.
    density_sd : ndarray (C, bins), float64
        Its standard deviation about 1 when labels are permuted, exact for these fields, neurons' correlations included.
    mean_density, mean_density_sd : ndarray (bins,), float64
        The mean over the classes that are defined, and its standard deviation under the same permutations.
    layer_gradient : float
        Mean of ``gradient`` over all defined pairs, each class weighing the same.
    layer_null_sd : float
        Its standard deviation when labels are permuted, exact for these fields.
    class_null_sd : ndarray (C,), float64
        Standard deviation of ``class_gradient`` when labels are permuted, exact for these fields.
    sign_sd : ndarray (C,), float64
        Root mean square of ``gradient`` over the neurons: the standard deviation of one entry where readout weights
        have random signs. Random features tell classes apart already, so that single entries of an untrained network
        may lie far outside ``null_sd``, on both sides alike.
    class_sign_sd : ndarray (C,), float64
    sign_null_sd : float
        Standard deviations of ``class_gradient`` and ``layer_gradient`` when each neuron's readout weights change sign
        together by chance: what a readout that was drawn at random and has learned nothing gives.
    counts : ndarray (C,), int64
        Samples of each class.
    ties : str
        As asked.
    reason : str
        Why some entries are ``nan``; empty where none is.
    """

    gradient: np.ndarray
    null_sd: np.ndarray
    density: np.ndarray
    density_sd: np.ndarray
    mean_density: np.ndarray
    mean_density_sd: np.ndarray
    layer_gradient: float
    layer_null_sd: float
    class_null_sd: np.ndarray
    sign_sd: np.ndarray
    class_sign_sd: np.ndarray
    sign_null_sd: float
    counts: np.ndarray
    ties: str
    reason: str

    @property
    def class_gradient(self) -> np.ndarray:
        """Mean over the neurons of each class, (C,)."""
        return mean_of_defined(self.gradient, axis=1)

    def beyond_chance(self, margin: float = MARGIN) -> np.ndarray:
        """Which entries exceed `margin` null deviations, (C, n) of bool; 3 is our choice."""
        with np.errstate(invalid="ignore"):
            return self.gradient > margin * self.null_sd[:, None]

    def shares(self, margin: float = MARGIN) -> tuple[float, float]:
        """Shares of the defined entries above `margin` null deviations and below as many, negative ones.

        An untrained readout has as many of the one as of the other; only their difference is a trace of learning.
        """
        defined = int(np.isfinite(self.gradient).sum())
        if not defined:
            return float("nan"), float("nan")
        with np.errstate(invalid="ignore"):
            below = self.gradient < -margin * self.null_sd[:, None]
        return float(self.beyond_chance(margin).sum() / defined), float(below.sum() / defined)


def mean_of_defined(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of the finite entries along an axis; nan where there is none."""
    present = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(present, values, 0).sum(axis=axis) / present.sum(axis=axis)
