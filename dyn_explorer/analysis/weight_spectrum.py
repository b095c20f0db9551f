"""The spectrum of any layer's weight in a few numbers, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.filter_svd import FilterSVD, filter_svd
from dyn_explorer.analysis.random_matrix_fit import RandomMatrixFit, random_matrix_fit
from dyn_explorer.errors import DynExplorerError


@dataclass(frozen=True, eq=False)
class WeightSpectrum:
    """What is known of a weight's spectrum.

    Parameters
    ----------
    fit : RandomMatrixFit or None
        Of all groups together; None with `reason`.
    spectral_norm : float
        Largest singular value of the unfolded weight; nan where there are no finite weights.
    shape : (int, int) or None
        Rows and columns of the matrix of one group.
    reason : str
        Why there is no fit, or no exponent in it, or "".
    """

    fit: RandomMatrixFit | None
    spectral_norm: float
    shape: tuple[int, int] | None
    reason: str


def weight_spectrum(
    weight: object,
    *,
    groups: int = 1,
    transposed: bool = False,
    shuffle: int | None = None,
    found: FilterSVD | None = None,
) -> WeightSpectrum:
    """Set the spectrum of a weight beside random-matrix theory; a weight that has none is a reason, not an error.

    Parameters
    ----------
    weight, groups, transposed
        As for `filter_svd`.
    shuffle : int, optional
        Seed of a random order in which the entries are put first: the null of the same weights without structure.
    found : FilterSVD, optional
        Its decomposition, where there is one already.

    Returns
    -------
    WeightSpectrum
        Without a fit for weights that are zero, equal, NaN or infinite, and where each group has one row or column.

    Raises
    ------
    DynExplorerError
        If `shuffle` is no whole number.

    Example
    -------
    >>> weight_spectrum(torch.zeros(4, 3)).reason
    'all weights are zero'
    """
    if shuffle is not None and not is_integer(shuffle):
        raise DynExplorerError(f"`shuffle` (={shuffle!r}) must be a whole number, the seed of the order, or None")
    try:
        values = torch.as_tensor(weight).detach()
        values = values if shuffle is None else _shuffled(values, shuffle)
        if found is None or shuffle is not None:
            found = filter_svd(values, groups=groups, transposed=transposed, compute="values")
    except DynExplorerError as error:
        return WeightSpectrum(None, float("nan"), None, str(error))
    norm = float(found.singular_values.max())
    reason = "all weights are zero" if norm == 0 else _trivial(values.flatten(), found.shape)
    if reason:
        return WeightSpectrum(None, norm, found.shape, reason)
    fit = random_matrix_fit(found.singular_values, found.shape)
    return WeightSpectrum(fit, norm, found.shape, fit.reason)


def spectrum_verdict(spectrum: WeightSpectrum, shuffled: Sequence[WeightSpectrum]) -> str:
    """Say whether a spectrum has structure that the same weights in random orders lack.

    Parameters
    ----------
    spectrum : WeightSpectrum
        Of a layer.
    shuffled : sequence of WeightSpectrum
        The null: `weight_spectrum` with `shuffle`, several times.

    Returns
    -------
    str
        "structured" where the layer has more spikes than any shuffle and its largest eigenvalue is beyond all of
        theirs, else "untrained-like"; "unknown" where there is nothing to compare. With k shuffles, random weights are
        called structured with a probability of at most 1 / (k + 1).

    Notes
    -----
    The rule is ours. It does not use the exponent, which random weights have as well. Shuffling keeps the entries, so a
    layer with structure in the sizes of its entries alone is untrained-like here.

    Example
    -------
    >>> weight = torch.randn(40, 90, generator=torch.Generator().manual_seed(0))
    >>> spectrum_verdict(weight_spectrum(weight), [weight_spectrum(weight, shuffle=k) for k in range(5)])
    'untrained-like'
    """
    fits = [drawn.fit for drawn in shuffled if drawn.fit is not None]
    if spectrum.fit is None or not fits:
        return "unknown"
    more_spikes = spectrum.fit.spikes > max(fit.spikes for fit in fits)
    larger = spectrum.fit.eigenvalues[0] > max(fit.eigenvalues[0] for fit in fits)
    return "structured" if more_spikes and larger else "untrained-like"


def _shuffled(values: torch.Tensor, seed: int) -> torch.Tensor:
    order = torch.randperm(values.numel(), generator=torch.Generator().manual_seed(seed))
    return values.flatten()[order.to(values.device)].reshape(values.shape)


def _trivial(values: torch.Tensor, shape: tuple[int, int]) -> str:
    if bool(values[0] == values[-1]) and bool((values == values[0]).all()):
        return "all weights are equal, so there is one direction"
    if min(shape) == 1:
        what = (
            "output, so its one direction is the filter itself" if shape[0] == 1 else "input, so it has one direction"
        )
        return f"each group has one {what}"
    return ""
