"""What random-matrix theory says of each layer's weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ...analysis import AffineLayer, weight_spectrum
from ...analysis.weight_spectrum import WeightSpectrum
from ...errors import DynExplorerError
from ..finding import Finding
from ..look import Look
from .family import WEIGHTED, Family
from .words import Words

NULL = "the weights in other orders"
WORDS = {
    "alpha": Words("power-law exponent α", "Of the tail of the spectrum; needs 50 eigenvalues.", NULL),
    "spikes": Words("spikes", "Eigenvalues beyond the Marchenko-Pastur edge.", NULL),
    "spectral_norm": Words("spectral norm σ₁", "Largest singular value of the unfolded weight.", NULL),
    "spectral_entropy": Words("spectral entropy H / ln r", "1 where all singular values are equal.", NULL),
}
MEASURES = tuple(WORDS)


def spectrum(look: Look) -> Iterable[Finding]:
    """The power-law exponent of the tail, spikes beyond the Marchenko-Pastur edge, spectral norm and entropy.

    The null is the mean over the same weights in random order. A layer of fewer than 50 eigenvalues has no exponent,
    and its row says so.

    References
    ----------
    Martin & Mahoney (2021), "Implicit self-regularization in deep neural networks", JMLR 22, arXiv:1810.01075.
    """
    for name, layer in look.wanted_affine.items():
        look.check_cancelled()
        if isinstance(layer, DynExplorerError):
            yield from (Finding(measure, layer=name, error=str(layer)) for measure in MEASURES)
            continue
        first = look.seed("spectrum", name)
        found = _spectrum(layer, None)
        draws = [_values(_spectrum(layer, first + draw)) for draw in range(look.options.shuffles)]
        values, n = _values(found), layer.weight.numel()
        for measure, value in values.items():
            null = float(np.mean([draw[measure] for draw in draws]))
            reason = None if np.isfinite(value) else f"undefined: {found.reason}"
            yield Finding(measure, value, null, n, name, reason)


def _spectrum(layer: AffineLayer, shuffle: int | None) -> WeightSpectrum:
    return weight_spectrum(layer.weight, groups=layer.groups, transposed=layer.transposed, shuffle=shuffle)


def _values(found: WeightSpectrum) -> Mapping[str, float]:
    fit = found.fit
    if fit is None:
        return dict(zip(MEASURES, (np.nan, np.nan, found.spectral_norm, np.nan), strict=True))
    return dict(zip(MEASURES, (fit.alpha, float(fit.spikes), found.spectral_norm, fit.entropy), strict=True))


SPECTRUM = Family("spectrum", MEASURES, spectrum, title="Filters", words=WORDS, where=WEIGHTED)
