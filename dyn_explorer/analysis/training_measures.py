"""Integration, metastability and the stability index of a whole training run, with their nulls."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dyn_explorer.analysis.dfa import FEW_POINTS, FEWEST_POINTS, checked_real, default_scales, row_exponents
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.analysis.stability import integration, stability_index, volatility
from dyn_explorer.analysis.surrogates import checked_kind, one_surrogate
from dyn_explorer.analysis.synchrony import (
    LEAST_TRIM,
    batch_order_parameter,
    batch_phases,
    independent_metastability,
    kept_steps,
    prepared_rows,
)
from dyn_explorer.errors import Cancelled, DynExplorerError

_NULLS = {
    "depth": ("shuffle", "phase_randomised", "circular_shift", "layer_permutation"),
    # All layers of an epoch stand in one column, so their order plays no part there.
    "epoch": ("shuffle", "phase_randomised", "circular_shift"),
}
_ROWS_AT_ONCE = 20_000
_FEWEST_OSCILLATORS = 2


@dataclass(frozen=True, eq=False)
class TrainingMeasures:
    """Five numbers an epoch, what they were before being joined, and what chance gives.

    Parameters
    ----------
    axis : str
        Along which oscillators were followed: "depth" or "epoch".
    alpha : ndarray (T,), float64
        DFA exponent, the mean over oscillators.
    integration, metastability, index, volatility : ndarray (T,), float64
        ``metastability`` is the ratio to that of independent oscillators. ``nan`` where undefined.
    mean_order : ndarray (T,), float64
        Mean order parameter.
    oscillators : ndarray (T,), int64
        How many of them varied; constant ones are left out.
    steps : int
        Points along the axis: layers, or the epochs of the window.
    weights : tuple of float
        Of integration and metastability in the index.
    preprocess : str
        As asked.
    nulls : dict of str to dict of str to ndarray (draws, T)
        By kind of null, then by name of the measure.
    reasons : dict of str to str
        By name of the measure: why it is ``nan`` throughout, or uncertain.
    """

    axis: str
    alpha: np.ndarray
    integration: np.ndarray
    metastability: np.ndarray
    index: np.ndarray
    volatility: np.ndarray
    mean_order: np.ndarray
    oscillators: np.ndarray
    steps: int
    weights: tuple[float, float]
    preprocess: str
    nulls: dict[str, dict[str, np.ndarray]]
    reasons: dict[str, str]

    def band(self, measure: str, kind: str, levels: tuple[float, float] = (0.05, 0.95)) -> np.ndarray:
        """Quantiles over the draws of one null: (2, T), ``nan`` where no draw is defined."""
        draws = self.nulls[kind][measure]
        limits = np.full((2, draws.shape[1]), np.nan)
        defined = np.isfinite(draws).all(axis=0)
        limits[:, defined] = np.quantile(draws[:, defined], levels, axis=0)
        return limits


def training_measures(
    signals: np.ndarray,
    *,
    axis: str,
    window: int = 58,
    preprocess: str = "demean",
    trim: float = LEAST_TRIM,
    order: int = 1,
    force: bool = False,
    weights: tuple[float, float] = (0.5, 0.5),
    normalise: str = "none",
    volatility_window: int = 5,
    nulls: Sequence[str] = (),
    draws: int = 20,
    seed: int = 0,
    untrained: np.ndarray | None = None,
    cancel: threading.Event | None = None,
) -> TrainingMeasures:
    """Measure every epoch of a run; what comes later changes nothing of what is there.

    Parameters
    ----------
    signals : array-like (T, C, L)
        Response of L layers to C probe images after each of T epochs, as from `probe_signals`.
    axis : {"depth", "epoch"}
        "depth": images are oscillators and layers the steps, an epoch at a time. "epoch": layers are oscillators, each
        the mean over images, and the last ``window`` epochs the steps. There is no default: the two are different
        questions.
    window : int, default 58
        Epochs, for "epoch"; until it is full the measures are ``nan``.
    preprocess : {"demean", "detrend", "difference"}, default "demean"
        As in `phases`.
    trim : float, default 0.05
        As in `metastability`.
    order : {1, 2}, default 1
        As in `dfa`.
    force : bool, default False
        Give alpha, integration, index and volatility for fewer than 50 steps too.
    weights, normalise
        As in `stability_index`.
    volatility_window : int, default 5
        Epochs, as in `volatility`.
    nulls : sequence of str, default ()
        Kinds of `surrogates`; "layer_permutation" for "depth" only.
    draws, seed : int, default 20, 0
        Of each null.
    untrained : array-like (n, C, L), optional
        The same signals of n untrained networks, for "depth": the null "untrained", the same at every epoch. It has
        no volatility.
    cancel : threading.Event, optional
        Looked at between draws.

    Returns
    -------
    TrainingMeasures

    Raises
    ------
    DynExplorerError
        Signals are not finite real numbers of shape (T, C, L), or an option does not suit them.
    Cancelled
        ``cancel`` was set.

    References
    ----------
    arXiv:2604.09716 (the idea; the definitions are ours, since the paper's are not available).

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> run = np.random.default_rng(0).standard_normal((3, 8, 64))
    >>> measures = analysis.training_measures(run, axis="depth", nulls=["shuffle"], draws=5)
    >>> measures.alpha.shape, measures.band("alpha", "shuffle").shape
    ((3,), (2, 3))
    """
    values = checked_real(signals, "signals", 3)
    if axis not in _NULLS:
        raise DynExplorerError(f"`axis` (={axis!r}) is unknown; choose depth or epoch")
    if order not in (1, 2):
        raise DynExplorerError(f"`order` (={order!r}) must be 1 or 2, the degree of the trend in each segment")
    for kind in nulls:
        checked_kind(kind)
        if kind not in _NULLS[axis]:
            raise DynExplorerError(f"`nulls` names {kind!r}, which does nothing along {axis}; leave it out")
    if nulls and not (is_integer(draws) and draws >= 1):
        raise DynExplorerError(f"`draws` (={draws!r}) must be a whole number of at least 1")
    if nulls and not (is_integer(seed) and seed >= 0):
        raise DynExplorerError(f"`seed` (={seed!r}) must be a whole number of at least 0")
    blocks, lead = _blocks(values, axis, window)
    _checked_oscillators(blocks, axis)
    options = _Options(preprocess, trim, order, force, weights, normalise, volatility_window)
    bands = {}
    for kind in nulls:
        series = []
        for draw in range(draws):
            if cancel is not None and cancel.is_set():
                raise Cancelled("the nulls of the training measures were cancelled")
            rng = np.random.default_rng([seed, draw])
            series.append(_measure(one_surrogate(blocks, kind, rng), lead, options))
        bands[kind] = {name: np.stack([each[name] for each in series]) for name in series[0]}
    if untrained is not None:
        bands["untrained"] = _untrained(untrained, values, axis, options)
    measured = _measure(blocks, lead, options)
    oscillators = measured.pop("oscillators")
    for band in bands.values():
        band.pop("oscillators")
    return TrainingMeasures(
        axis=axis,
        **measured,
        oscillators=oscillators.astype(np.int64),
        steps=blocks.shape[2],
        weights=tuple(weights),
        preprocess=preprocess,
        nulls=bands,
        reasons=_reasons(blocks, lead, axis, force),
    )


def probe_signals(traces: Sequence[np.ndarray]) -> np.ndarray:
    """One number an epoch, image and layer: log(1 + mean \\|activation\\|) over the layer's units.

    Channels have no identity across depth, so the images are what can be followed from layer to layer (our choice).

    Parameters
    ----------
    traces : sequence of array-like (T, C, n_units)
        One a layer, in the order of depth; the number of units may differ.

    Returns
    -------
    ndarray (T, C, L), float64

    Raises
    ------
    DynExplorerError
        No layer, or layers of different epochs or images.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> analysis.probe_signals([np.zeros((5, 3, 10)), np.ones((5, 3, 4))]).shape
    (5, 3, 2)
    """
    arrays = [np.asarray(trace) for trace in traces]
    shapes = [array.shape for array in arrays]
    if not arrays or any(array.ndim != 3 or not array.size for array in arrays) or len({s[:2] for s in shapes}) > 1:
        raise DynExplorerError(
            f"`traces` of shapes {shapes} must be one array (epochs, images, units) a layer, with the same epochs "
            "and images in all"
        )
    return np.stack([np.log1p(np.abs(array).mean(axis=2, dtype=np.float64)) for array in arrays], axis=2)


@dataclass(frozen=True)
class _Options:
    preprocess: str
    trim: float
    order: int
    force: bool
    weights: tuple[float, float]
    normalise: str
    volatility_window: int


def _blocks(values: np.ndarray, axis: str, window: int) -> tuple[np.ndarray, int]:
    """Signals (n, oscillators, steps) of each epoch that has them, and how many epochs before have none."""
    if axis == "depth":
        return values, 0
    if not (is_integer(window) and 4 <= window <= len(values)):
        raise DynExplorerError(
            f"`window` (={window!r}) must be a whole number of epochs in 4..{len(values)}, the length of the run"
        )
    course = values.mean(axis=1)
    return np.lib.stride_tricks.sliding_window_view(course, window, axis=0), int(window) - 1


def _checked_oscillators(blocks: np.ndarray, axis: str) -> None:
    if blocks.shape[1] < _FEWEST_OSCILLATORS:
        what = "probe image" if axis == "depth" else "layer"
        raise DynExplorerError(
            f"along {axis} each {what} is an oscillator, and {blocks.shape[1]} is too few; give at least "
            f"{_FEWEST_OSCILLATORS}"
        )


def _measure(blocks: np.ndarray, lead: int, options: _Options) -> dict[str, np.ndarray]:
    count = max(1, _ROWS_AT_ONCE // blocks.shape[1])
    parts = [_block_measures(blocks[first : first + count], options) for first in range(0, len(blocks), count)]
    alpha, changing, agreement, oscillators = (
        np.concatenate([np.full(lead, before), *columns])
        for columns, before in zip(zip(*parts, strict=True), (np.nan, np.nan, np.nan, 0), strict=True)
    )
    whole = integration(alpha)
    index = stability_index(whole, changing, weights=options.weights, normalise=options.normalise).values
    return {
        "alpha": alpha,
        "integration": whole,
        "metastability": changing,
        "index": index,
        "volatility": volatility(index, options.volatility_window),
        "mean_order": agreement,
        "oscillators": oscillators,
    }


def _block_measures(blocks: np.ndarray, options: _Options) -> tuple[np.ndarray, ...]:
    exponents = row_exponents(blocks, order=options.order, force=options.force)
    prepared = prepared_rows(blocks, options.preprocess)
    start, stop = kept_steps(prepared.shape[-1], options.trim)
    present = np.isfinite(prepared).all(axis=-1)
    angles = batch_phases(prepared)
    alpha, changing, agreement = (np.full(len(blocks), np.nan) for _ in range(3))
    oscillators = present.sum(axis=1)
    for number in np.unique(oscillators[oscillators >= _FEWEST_OSCILLATORS]):
        rows = np.flatnonzero(oscillators == number)
        chosen = angles[rows][present[rows]].reshape(len(rows), number, -1)
        order = batch_order_parameter(chosen)[:, start:stop]
        agreement[rows] = order.mean(axis=1)
        changing[rows] = order.std(axis=1) / independent_metastability(int(number))
    defined = np.isfinite(exponents)
    some = defined.any(axis=1)
    alpha[some] = np.where(defined, exponents, 0.0)[some].sum(axis=1) / defined[some].sum(axis=1)
    return alpha, changing, agreement, oscillators


def _untrained(untrained: np.ndarray, values: np.ndarray, axis: str, options: _Options) -> dict[str, np.ndarray]:
    if axis != "depth":
        raise DynExplorerError("`untrained` networks have no epochs to follow; give it with axis='depth' only")
    fresh = checked_real(untrained, "untrained", 3)
    if fresh.shape[1:] != values.shape[1:]:
        raise DynExplorerError(
            f"`untrained` of shape {fresh.shape} must have the images and layers of `signals` {values.shape}"
        )
    # Each network stands alone, so a normaliser that looks back over epochs has nothing to look at.
    measured = _measure(fresh, 0, replace(options, normalise="none"))
    measured["volatility"] = np.full(len(fresh), np.nan)
    if options.normalise != "none":
        measured["index"] = np.full(len(fresh), np.nan)
    return {name: np.repeat(each[:, None], len(values), axis=1) for name, each in measured.items()}


def _reasons(blocks: np.ndarray, lead: int, axis: str, force: bool) -> dict[str, str]:
    steps = blocks.shape[2]
    what = "layers" if axis == "depth" else "epochs in the window"
    reasons = {}
    if len(default_scales(steps)) < 3:
        reasons["alpha"] = f"{steps} {what} give too few scales for a slope; 24 are the fewest, {FEWEST_POINTS} better"
    elif steps < FEWEST_POINTS and not force:
        reasons["alpha"] = f"{steps} {what}: below {FEWEST_POINTS} alpha does not tell long memory from a trend"
    elif steps < FEW_POINTS:
        reasons["alpha"] = f"{steps} {what}: below {FEW_POINTS} alpha is uncertain; look at the null bands"
    if "alpha" in reasons and "uncertain" not in reasons["alpha"]:
        reasons |= dict.fromkeys(("integration", "index", "volatility"), reasons["alpha"])
    if lead:
        reasons["window"] = f"the first {lead} epochs have no value: the window is not full"
    return reasons
