"""Dynamic mode decomposition of a layer's responses, averaged over samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import fields

import numpy as np

from ...analysis import DynamicsMetrics, compress, dmd, dynamics_metrics, shuffled_columns_null
from ...capture import snapshots
from ...errors import Cancelled, DynExplorerError
from ..finding import Finding
from ..look import Look
from .family import Family
from .words import Words

WHERE = "a layer that puts out maps"
NULL = "shuffled columns"
WORDS = {
    "entropy_share": Words(
        "entropy, energy share", "bits; −Σ p log₂ p with p = |λ|² / Σ|λ|². It grows with the rank.", NULL
    ),
    "entropy_share_normalised": Words("… over log₂ r", "The same between 0 and 1, to compare ranks.", NULL),
    "entropy_hist256": Words(
        "entropy, hist256", "bits; the published code's image histogram: all |λ| ≥ 1 fall in one bin.", NULL
    ),
    "entropy_histogram": Words("entropy, histogram", "bits; 32 bins of |λ| between 0 and 2 (our choice).", NULL),
    "gap_leading": Words("spectral gap |λ|₁ − |λ|₂", "Conjugate pairs count once.", NULL),
    "gap_second_to_unit": Words("spectral gap 1 − |λ|₂", "Conjugate pairs count once.", NULL),
    "stable_fraction": Words("stable fraction", "Modes inside the stability band.", NULL),
    "zero_amplitude_fraction": Words(
        "zero-amplitude modes", "Modes with less than 1e-3 of the largest |b|‖φ‖ (our choice).", NULL
    ),
    "mean_square_modulus": Words("mean |λ|²", "Over all eigenvalues.", NULL),
    "reconstruction_error": Words("reconstruction error", "Relative to the window's snapshots.", NULL),
}
MEASURES = tuple(field.name for field in fields(DynamicsMetrics))


def dynamics(look: Look) -> Iterable[Finding]:
    """Every metric of `analysis.dynamics_metrics`, the mean over samples; its null, over shuffled columns too.

    `n` is the number of samples for which the metric is defined. The mean over samples is our choice.

    References
    ----------
    *Unveiling learning trends in convolutional neural networks with dynamic mode decomposition*, Engineering
    Applications of Artificial Intelligence 144 (2025), doi:10.1016/j.engappai.2025.110146.
    """
    layers = _layers(look)
    if not layers:
        raise DynExplorerError(
            "no layer with weights puts out maps, so there are no channels to decompose; name `layers`, or leave the "
            "dynamics out of `measures`"
        )
    for layer in layers:
        yield from _of_layer(look, layer)


def _layers(look: Look) -> list[str]:
    recording = look.recording
    if look.options.layers is not None:
        return list(look.options.layers)
    return [
        layer.name
        for layer in recording.layers
        if layer.name in recording.activations and layer.weight_shape and len(recording.shapes[layer.name]) > 1
    ]


def _of_layer(look: Look, layer: str) -> Iterator[Finding]:
    values, nulls, reasons = [], [], []
    for sample in range(look.recording.n_samples):
        look.check_cancelled()
        try:
            value, null = _of_sample(look, layer, sample)
        except Cancelled:
            raise
        except DynExplorerError as error:
            reasons.append(str(error))
            continue
        values.append(value)
        nulls.append(null)
    for measure in MEASURES:
        defined = [value[measure] for value in values if math.isfinite(value[measure])]
        if not defined:
            error = reasons[0] if reasons else f"undefined for each of the {len(values)} samples"
            yield Finding(measure, layer=layer, error=error)
            continue
        chance = [null[measure] for null in nulls if math.isfinite(null[measure])]
        yield Finding(measure, float(np.mean(defined)), float(np.mean(chance or [math.nan])), len(defined), layer)


def _of_sample(look: Look, layer: str, sample: int) -> tuple[dict[str, float], dict[str, float]]:
    options = look.options
    made = snapshots(look.recording, layer, options.axis, sample)
    compressed = compress(made.matrix, cancel=look.cancel)
    result = dmd(compressed, rank=options.rank, method=options.method)
    null = shuffled_columns_null(
        compressed,
        shuffles=options.shuffles,
        seed=look.seed("dynamics", layer, str(sample)),
        rank=result.rank,
        method=options.method,
        cancel=look.cancel,
    )
    return dynamics_metrics(result).as_dict(), null.mean


DYNAMICS = Family("dynamics", MEASURES, dynamics, by_default=True, title="Dynamics", words=WORDS, where=WHERE)
