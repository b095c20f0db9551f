"""The computations behind the synchrony cards: the measures of every epoch, their null, and phases at one epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dyn_explorer import analysis
from dyn_explorer.capture import History
from dyn_explorer.errors import DynExplorerError
from dyn_explorer.inspector.jobs import Job
from dyn_explorer.inspector.recorder import Memo

from ..base import Settings
from .options import DRAWS, VOLATILITY_WINDOW

FEWEST = 6  # steps; one goes at each end, and four must be left
SHOWN = ("integration", "metastability", "index")


@dataclass(frozen=True, eq=False)
class Portrait:
    """Oscillators at one epoch.

    Attributes
    ----------
    steps : ndarray (n,)
        Epochs or positions of layers, along which the oscillators were followed.
    order : ndarray (n,)
        Order parameter at each step, nan at the trimmed ends.
    phases : ndarray (n_oscillators,)
        Radians, at the step `at`.
    names : tuple of str
        Of the oscillators.
    at : float
        Where on `steps` the wheel stands, and `place`, in words.
    place : str
    independent : float
        Mean order parameter of as many independent oscillators.
    """

    steps: np.ndarray
    order: np.ndarray
    phases: np.ndarray
    names: tuple[str, ...]
    at: float
    place: str
    independent: float


@dataclass(frozen=True, eq=False)
class RunSynchrony:
    """What the responses to the probe inputs say of the runs that differ in their seed only.

    Attributes
    ----------
    epochs : ndarray (n,)
    seeds : tuple of TrainingMeasures
        One per history; empty where nothing could be measured.
    reason : str
        Why not, or what makes the numbers uncertain.
    volatilities : dict of str to ndarray (n,)
        Of the index, loss, accuracy and the step of the responses, each as a share of its largest; first seed.
    bands : dict of str to ndarray (2, n)
        5 % and 95 % of each measure under the null; arrives a moment later.
    """

    epochs: np.ndarray
    seeds: tuple[analysis.TrainingMeasures, ...]
    reason: str = ""
    volatilities: dict[str, np.ndarray] | None = None
    bands: dict[str, np.ndarray] | None = None

    def over_seeds(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, lowest and highest of a measure over the seeds."""
        values = np.array([getattr(measures, name) for measures in self.seeds])
        return values.mean(axis=0), values.min(axis=0), values.max(axis=0)


class Signals:
    """What is followed of each run; of a run that grows, only the epochs that are new are read."""

    def __init__(self, most: int) -> None:
        self._read = Memo(most)

    def of(self, history: History) -> tuple[np.ndarray, np.ndarray]:
        """Epochs whose responses are kept, and the signals (epochs, inputs, layers)."""
        epochs = history.epochs
        if not history.layers:
            return np.empty(0), np.empty((0, 0, 0))
        key = (history.run_id, history.layers)
        before = self._read.get(key, lambda: _signals(history))
        new = epochs[len(before) :]
        if new:
            self._read.put(key, np.concatenate([before, *(_signals(history, epoch) for epoch in new)]))
        signals = self._read.get(key, lambda: before)[: len(epochs)]
        kept = np.isfinite(signals).all(axis=(1, 2))
        return np.array(epochs, dtype=float)[kept], signals[kept]


def _signals(history: History, epoch: int | None = None) -> np.ndarray:
    traces = [history.trace(layer, epoch) for layer in history.layers]
    return analysis.probe_signals(traces if epoch is None else [trace[None] for trace in traces])


def is_measurable(history: History, follow: str) -> bool:
    """Whether there are two oscillators, and steps enough to follow them along."""
    if len(history.epochs) < FEWEST or not history.layers:
        return False
    n_layers, n_inputs = len(history.layers), len(history.trace(history.layers[0], history.epochs[0]))
    return n_layers >= 2 if follow == "epoch" else n_inputs >= 2 and n_layers >= FEWEST


def measured(histories: tuple[History, ...], settings: Settings, known: Signals) -> RunSynchrony:
    """Measures of every epoch of runs that differ in their seed only, without nulls."""
    epochs, signals = known.of(histories[0])
    if len(epochs) < FEWEST:
        return RunSynchrony(epochs, (), f"Integration and metastability need {FEWEST} recorded epochs.")
    try:
        seeds = tuple(_measure(known.of(history)[1], settings) for history in histories)
    except DynExplorerError as error:
        return RunSynchrony(epochs, (), str(error))
    reason = "; ".join(dict.fromkeys(seeds[0].reasons.values()))
    return RunSynchrony(epochs, seeds, reason, _volatilities(histories[0], epochs, signals, seeds[0]))


def with_band(synchrony: RunSynchrony, history: History, settings: Settings, known: Signals, job: Job) -> RunSynchrony:
    """The same with the band of the chosen null, over draws of the first seed."""
    if not synchrony.seeds:
        return synchrony
    null = _measure(known.of(history)[1], settings, nulls=(settings.null,), draws=DRAWS, cancel=job.cancel)
    return replace(synchrony, bands={name: null.band(name, settings.null) for name in SHOWN})


def window_of(settings: Settings, n_epochs: int) -> int:
    """Epochs in a window: as chosen, or as many as there are."""
    return max(FEWEST, min(settings.window_epochs, n_epochs))


def _measure(signals: np.ndarray, settings: Settings, **options) -> analysis.TrainingMeasures:
    return analysis.training_measures(
        signals,
        axis=settings.follow,
        window=window_of(settings, len(signals)),
        force=settings.force,
        volatility_window=VOLATILITY_WINDOW,
        **options,
    )


def _volatilities(
    history: History, epochs: np.ndarray, signals: np.ndarray, measures: analysis.TrainingMeasures
) -> dict[str, np.ndarray]:
    moved = np.concatenate([[np.nan], np.sqrt((np.diff(signals, axis=0) ** 2).mean(axis=(1, 2)))])
    series = {"stability index": measures.volatility, "responses": analysis.volatility(moved, VOLATILITY_WINDOW)}
    kept = np.isin(history.epochs, epochs)
    for name in ("loss", "accuracy"):
        if name in history.metrics:
            series[name] = analysis.volatility(history.metrics[name][kept], VOLATILITY_WINDOW)
    return {name: _share_of_largest(values) for name, values in series.items()}


def _share_of_largest(values: np.ndarray) -> np.ndarray:
    largest = np.nanmax(values) if np.isfinite(values).any() else 0.0
    return values / largest if largest > 0 else np.full(len(values), np.nan)


def portrait(history: History, settings: Settings, at: int | None, known: Signals) -> Portrait | None:
    """The oscillators of a run at an epoch (the last one if None), or None where there are too few."""
    if not is_measurable(history, settings.follow):
        return None
    epochs, signals = known.of(history)
    if len(epochs) < FEWEST:
        return None
    place = int(np.abs(epochs - (epochs[-1] if at is None else at)).argmin())
    layers = history.layers
    if settings.follow == "epoch":
        rows, names = signals.mean(axis=1).T, layers
        steps, step, words = epochs, place, f"epoch {epochs[place]:g}"
    else:
        rows, names = signals[place], tuple(f"input {index}" for index in range(signals.shape[1]))
        steps = np.arange(len(layers), dtype=float)
        step = layers.index(settings.layer) if settings.layer in layers else len(layers) // 2
        words = f"{layers[step]} at epoch {epochs[place]:g}"
    varies = np.ptp(rows, axis=1) > 0
    if varies.sum() < 2:
        return None
    found = analysis.synchrony(rows[varies])
    order = np.full(len(steps), np.nan)
    order[slice(*found.kept)] = found.order_parameter[slice(*found.kept)]
    kept = tuple(name for name, there in zip(names, varies, strict=True) if there)
    independent = float(np.sqrt(np.pi / (4 * len(kept))))
    return Portrait(steps, order, found.phases[:, step], kept, float(steps[step]), words, independent)
