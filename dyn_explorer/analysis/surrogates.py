"""The same signals with one thing about them destroyed."""

from __future__ import annotations

import numpy as np

from dyn_explorer.analysis.dfa import checked_real
from dyn_explorer.analysis.dmd_options import is_integer
from dyn_explorer.errors import DynExplorerError


def surrogates(signals: np.ndarray, *, kind: str, draws: int = 20, seed: int = 0) -> np.ndarray:
    """Copies of signals that keep everything but what a null is meant to destroy.

    Parameters
    ----------
    signals : array-like (C, T)
        One oscillator a row.
    kind : {"shuffle", "phase_randomised", "circular_shift", "layer_permutation"}
        "shuffle": each row in a random order of its own, so that only the values are left. "phase_randomised": each
        row with random Fourier phases, so that its linear spectrum is left. "circular_shift": each row turned by a
        random number of steps, so that only the timing between rows is lost. "layer_permutation": one random order of
        the columns for all rows, so that only the agreement of rows in each column is left.
    draws : int, default 20
    seed : int, default 0

    Returns
    -------
    ndarray (draws, C, T), float64
        Draw i depends on ``(seed, i)`` only.

    Raises
    ------
    DynExplorerError
        Signals are not finite real numbers of shape (C, T), the kind is unknown, or ``draws`` or ``seed`` is no such
        number.

    References
    ----------
    Theiler et al., "Testing for nonlinearity in time series: the method of surrogate data", Physica D 58 (1992),
    doi:10.1016/0167-2789(92)90102-S.

    Example
    -------
    >>> import numpy as np
    >>> from dyn_explorer import analysis
    >>> copies = analysis.surrogates([[1.0, 2.0, 3.0, 4.0]], kind="shuffle", draws=3)
    >>> copies.shape, np.sort(copies[0, 0]).tolist()
    ((3, 1, 4), [1.0, 2.0, 3.0, 4.0])
    """
    values = checked_real(signals, "signals", 2)
    checked_kind(kind)
    if not (is_integer(draws) and draws >= 1):
        raise DynExplorerError(f"`draws` (={draws!r}) must be a whole number of at least 1")
    if not (is_integer(seed) and seed >= 0):
        raise DynExplorerError(f"`seed` (={seed!r}) must be a whole number of at least 0")
    return np.stack([one_surrogate(values, kind, np.random.default_rng([seed, index])) for index in range(draws)])


def checked_kind(kind: str) -> None:
    """Refuse a kind of surrogate that there is not."""
    if kind not in _KINDS:
        raise DynExplorerError(f"`kind` (={kind!r}) is unknown; choose one of {', '.join(_KINDS)}")


def one_surrogate(values: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """One copy of (..., C, T) along the last axis; leading entries do not depend on those after them."""
    return _KINDS[kind](values, rng)


def _shuffled(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    order = np.argsort(rng.random(values.shape), axis=-1)
    return np.take_along_axis(values, order, axis=-1)


def _phase_randomised(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    steps = values.shape[-1]
    spectrum = np.fft.rfft(values, axis=-1)
    turns = np.exp(2j * np.pi * rng.random(spectrum.shape))
    # The mean, and the highest frequency of an even number of steps, have no phase but a sign.
    turns[..., 0] = 1
    if steps % 2 == 0:
        turns[..., -1] = 1
    return np.fft.irfft(spectrum * turns, n=steps, axis=-1)


def _circularly_shifted(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    steps = values.shape[-1]
    shifts = np.floor(rng.random(values.shape[:-1]) * steps).astype(int)
    places = (np.arange(steps) + shifts[..., None]) % steps
    return np.take_along_axis(values, places, axis=-1)


def _permuted_columns(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return values[..., rng.permutation(values.shape[-1])]


_KINDS = {
    "shuffle": _shuffled,
    "phase_randomised": _phase_randomised,
    "circular_shift": _circularly_shifted,
    "layer_permutation": _permuted_columns,
}
