"""Basin size: the amplitude of noise at which accuracy falls below a threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Real

import numpy as np

from dyn_explorer.errors import DynExplorerError

FEWEST_CLASSES = 4  # with fewer, one half is too near to chance


@dataclass(frozen=True, eq=False)
class Basin:
    """Accuracy against the amplitude of noise, S amplitudes, T draws, P samples, C classes.

    Parameters
    ----------
    space : str
        "sample" or "weight".
    sigmas : ndarray (S,), float64
        Amplitudes, ascending: in units of the inputs, or of each layer's standard deviation of weights.
    right : ndarray (S, T, P), bool
        Whether each sample was in its basin at each amplitude and draw.
    clean : ndarray (P,), bool
        The same without noise.
    labels : ndarray (P,), int64
        Class that counts as right.
    n_classes : int
    threshold : float
        Accuracy at which the basin ends.
    draws, seed : int
        Noise: draw t of a seed is the same at every amplitude and for every checkpoint.
    search : str
        "grid", or "bisection", which looks only at the amplitudes that it needs.
    target : str
        "label" or "prediction", which `labels` are.
    layers : tuple of str
        Perturbed layers, in weight space.
    scale : dict of str to float
        What an amplitude is to be compared with: ``low``, ``high`` and ``sd`` of the inputs, or the standard deviation
        of each perturbed parameter.
    notes : tuple of str
        What was done differently than asked for, or must be known to read the numbers.
    """

    space: str
    sigmas: np.ndarray
    right: np.ndarray
    clean: np.ndarray
    labels: np.ndarray
    n_classes: int
    threshold: float
    draws: int
    seed: int
    search: str = "grid"
    target: str = "label"
    layers: tuple[str, ...] = ()
    scale: dict[str, float] | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def accuracy(self) -> np.ndarray:
        """(S,), mean over draws and samples."""
        return self.right.mean(axis=(1, 2))

    @cached_property
    def draw_accuracy(self) -> np.ndarray:
        """(S, T), of each draw; their spread is the band over seeds."""
        return self.right.mean(axis=2)

    @cached_property
    def sample_accuracy(self) -> np.ndarray:
        """(S, P), of each sample over the draws."""
        return self.right.mean(axis=1)

    @cached_property
    def class_accuracy(self) -> np.ndarray:
        """(S, C), of each class; nan for a class without samples."""
        return _by_class(self.sample_accuracy, self.labels, self.n_classes)

    @property
    def clean_accuracy(self) -> float:
        """Accuracy without noise."""
        return float(self.clean.mean())

    @cached_property
    def half_width(self) -> float:
        """Amplitude at which accuracy first falls below the threshold: S50 in sample space, W50 in weight space.

        ``nan`` where it lies below without noise, ``inf`` where it does not fall on these amplitudes.
        """
        return float(crossing(self.sigmas, self.accuracy, self.clean_accuracy, self.threshold))

    @cached_property
    def draw_half_widths(self) -> np.ndarray:
        """(T,), of each draw alone."""
        return crossing(self.sigmas, self.draw_accuracy, np.full(self.draws, self.clean_accuracy), self.threshold)

    @cached_property
    def class_half_widths(self) -> np.ndarray:
        """(C,), of each class alone; all nan after a bisection, which follows the mean only."""
        if self.search != "grid":
            return np.full(self.n_classes, np.nan)
        clean = _by_class(self.clean[None].astype(float), self.labels, self.n_classes)[0]
        return crossing(self.sigmas, self.class_accuracy, clean, self.threshold)

    @cached_property
    def sample_half_widths(self) -> np.ndarray:
        """(P,), of each sample alone, over its draws; all nan after a bisection."""
        if self.search != "grid":
            return np.full(len(self.labels), np.nan)
        return crossing(self.sigmas, self.sample_accuracy, self.clean.astype(float), self.threshold)

    @cached_property
    def area(self) -> float:
        """Area under the accuracy over log10 of the amplitude, in decades; it needs no threshold.

        ``nan`` after a bisection and with fewer than two amplitudes.
        """
        positive = self.sigmas > 0
        if self.search != "grid" or positive.sum() < 2:
            return float("nan")
        return float(np.trapezoid(self.accuracy[positive], np.log10(self.sigmas[positive])))

    @property
    def reason(self) -> str:
        """Why `half_width` is not an ordinary number; empty where it is."""
        name = "S50" if self.space == "sample" else "W50"
        if np.isnan(self.half_width):
            return (
                f"{name} is undefined: without noise the accuracy is {self.clean_accuracy:.3g}, below the threshold of "
                f"{self.threshold:.3g}"
            )
        last = f"{self.sigmas[-1]:.3g}" if len(self.sigmas) else "any amplitude"
        if np.isinf(self.half_width):
            return f"{name} lies beyond the grid: up to {last} the accuracy stays at or above {self.threshold:.3g}"
        if len(self.sigmas) and 0 < self.half_width < self.sigmas[0]:
            return f"{name} lies below the grid's first amplitude {self.sigmas[0]:.3g}: interpolated from zero"
        return ""

    def at_threshold(self, threshold: float) -> Basin:
        """The same curve cut at another threshold, without running the model again.

        Raises
        ------
        DynExplorerError
            For a threshold outside 0..1, or after a bisection, which looked only where the first threshold needed it.
        """
        if self.search != "grid":
            raise DynExplorerError("a bisection holds for its own threshold; run it again, or use search='grid'")
        return replace(self, threshold=checked_threshold(threshold, self.n_classes)[0])


def _by_class(values: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Mean over the samples of each class, (S, P) to (S, C)."""
    members = labels[:, None] == np.arange(n_classes)
    counts = members.sum(axis=0)
    return np.divide(values @ members, counts, out=np.full((len(values), n_classes), np.nan), where=counts > 0)


def crossing(sigmas: np.ndarray, accuracy: np.ndarray, clean: np.ndarray | float, threshold: float) -> np.ndarray:
    """Amplitude at which each curve first falls below the threshold.

    Linear in accuracy and logarithmic in the amplitude; below the first amplitude linear in both, from zero.

    Parameters
    ----------
    sigmas : ndarray (S,)
        Ascending.
    accuracy : ndarray (S, ...)
    clean : ndarray (...) or float
        Without noise.
    threshold : float

    Returns
    -------
    ndarray (...)
        ``nan`` where `clean` lies below the threshold or is nan, ``inf`` where the curve never does.

    Example
    -------
    >>> crossing(np.array([0.1, 1.0, 10.0]), np.array([1.0, 0.75, 0.25]), 1.0, 0.5).round(3).item()
    3.162
    """
    clean = np.asarray(clean, dtype=float)
    place = np.concatenate([[0.0], sigmas])
    curve = np.concatenate([clean[None], accuracy])
    below = curve < threshold
    first = below.argmax(axis=0)
    before = np.maximum(first - 1, 0)
    high = np.take_along_axis(curve, before[None], axis=0)[0]
    low = np.take_along_axis(curve, first[None], axis=0)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (high - threshold) / (high - low)
        start, stop = place[before], place[first]
        found = np.where(start > 0, start * (stop / start) ** share, share * stop)
    found = np.where(below.any(axis=0), found, np.inf)
    return np.where(clean >= threshold, found, np.nan)


def checked_threshold(threshold: float | None, n_classes: int) -> tuple[float, tuple[str, ...]]:
    """The threshold and what must be said about it: 1/2, or halfway between chance and 1 for two or three classes."""
    if threshold is None:
        if n_classes >= FEWEST_CLASSES:
            return 0.5, ()
        moved = (1 + 1 / n_classes) / 2
        note = (
            f"with {n_classes} classes 1/2 is {'chance' if n_classes == 2 else 'near chance'}, so the threshold is "
            f"halfway between chance and 1: {moved:.3g}"
        )
        return moved, (note,)
    if isinstance(threshold, bool) or not isinstance(threshold, Real) or not 0 < threshold < 1:
        raise DynExplorerError(f"`threshold` (={threshold!r}) must be an accuracy between 0 and 1")
    return float(threshold), ()
