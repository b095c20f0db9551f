"""What the Training panel computes: numbers of each run, and metrics of its dynamics at each epoch with weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer.capture import History

from ..epoch_axis import EpochAxis
from .synchrony import Portrait, RunSynchrony

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class RunScalar:
    """A measure of another panel over the epochs of the runs that differ in their seed only.

    Attributes
    ----------
    epochs : ndarray (n,)
        Those measured so far, of `total`.
    values, nulls : ndarray (n_seeds, n)
        nan or inf where undefined, or where there is no null.
    total : int
    reason : str
        Why there are no values, or some are missing.
    """

    epochs: np.ndarray
    values: np.ndarray
    nulls: np.ndarray
    total: int
    reason: str = ""

    @staticmethod
    def over_seeds(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, lowest and highest."""
        return values.mean(axis=0), values.min(axis=0), values.max(axis=0)


@dataclass(frozen=True, eq=False)
class Run:
    """Runs that differ in their seed only.

    Attributes
    ----------
    name : str
        What they were trained on.
    histories : tuple of History
        One per seed.
    trends : tuple of DataFrame
        As `dyn_explorer.metrics_trend` returns them, one per seed; empty where there are no weights.
    reason : str
        Why the layer has no trends, or nothing.
    null : DataFrame or None
        Mean and standard deviation of each metric under shuffled columns, by epoch; it arrives a moment later.
    synchrony : RunSynchrony
        Integration, metastability and the stability index of every epoch.
    """

    name: str
    histories: tuple[History, ...]
    trends: tuple[pd.DataFrame, ...]
    reason: str = ""
    null: pd.DataFrame | None = None
    synchrony: RunSynchrony = field(default_factory=lambda: RunSynchrony(np.empty(0), ()))

    @property
    def has_nulls(self) -> bool:
        """Whether every null that there can be is there."""
        return (self.null is not None or not self.trends) and (
            self.synchrony.bands is not None or not self.synchrony.seeds
        )

    def number(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
        """A number of the training loop: epochs, mean over seeds, lowest and highest; None where no run has it."""
        series = [history.metrics[name] for history in self.histories if name in history.metrics]
        if not series:
            return None
        values = np.array(series)
        mean = values.mean(axis=0)
        return np.array(self.histories[0].epochs, dtype=float), mean, values.min(axis=0), values.max(axis=0)

    def trend(self, metric: str, x: str = "epoch") -> tuple[np.ndarray, ...]:
        """A metric of the dynamics by epoch: `x`, mean, mean minus and plus a standard deviation, and the epochs.

        The mean and the deviation are over all images and seeds; `x` is ``epoch`` or a ``run_`` column.
        """
        grouped = self._joined().groupby("epoch")
        mean, sd = grouped[metric].mean(), grouped[metric].std(ddof=0)
        place = mean.index.to_numpy(float) if x == "epoch" else grouped[x].mean().to_numpy(float)
        return place, mean.to_numpy(), (mean - sd).to_numpy(), (mean + sd).to_numpy(), mean.index.to_numpy()

    @cached_property
    def trend_epochs(self) -> list[int]:
        """Epochs of the trends."""
        return sorted(set().union(*(trend["epoch"] for trend in self.trends)))

    def _joined(self) -> pd.DataFrame:
        import pandas  # slow to import

        return pandas.concat(self.trends, ignore_index=True)

    def has(self, column: str) -> bool:
        """Whether the trends have a column with numbers in it."""
        return bool(self.trends) and all(column in t and t[column].notna().any() for t in self.trends)

    def rank_correlation(self, metric: str, x: str) -> tuple[float, int]:
        """Spearman's rho of a metric (mean over images) with `x` over epochs and seeds, and the number of pairs."""
        from scipy.stats import spearmanr  # slow to import

        pairs = np.concatenate([_means(trend, x, metric) for trend in self.trends])
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        if len(pairs) < 3 or len(np.unique(pairs[:, 0])) < 2 or len(np.unique(pairs[:, 1])) < 2:
            return float("nan"), len(pairs)
        return float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic), len(pairs)


def _means(trend: pd.DataFrame, x: str, y: str) -> np.ndarray:
    """Means over the images of each epoch, (n_epochs, 2)."""
    means = trend.groupby("epoch", as_index=False).mean(numeric_only=True)
    return means[[x, y]].to_numpy(float)


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """What the Training panel shows.

    Attributes
    ----------
    runs : tuple of Run
    layer : str
        Layer whose dynamics are followed.
    metric : str
        Field of `DynamicsMetrics` that is drawn.
    images : int
        Images that each mean is over.
    epoch : int or None
        Epoch that is chosen.
    follow : str
        Along what the oscillators were followed: "epoch" or "depth".
    portraits : dict of str to Portrait
        Phases at the chosen epoch, by name of the run, first seed; without the runs that have none.
    bundled : bool
        Whether the runs are those of the demo network, and not the person's own.
    detail : int
        Place of the run whose phases and volatility are shown.
    scalar : str
        Measure of another panel that is followed beside, or "none".
    scalars : tuple of RunScalar
        It, of each run, as far as it is measured; empty where none is chosen.
    reason : str
        Why there is no trend, or nothing.
    """

    runs: tuple[Run, ...]
    layer: str
    metric: str
    images: int
    epoch: int | None
    follow: str
    portraits: dict[str, Portrait]
    bundled: bool
    detail: int
    scalar: str
    scalars: tuple[RunScalar, ...]
    reason: str = ""

    @property
    def detailed(self) -> Run:
        """The run whose phases and volatility are shown."""
        return self.runs[self.detail]

    @cached_property
    def epochs(self) -> np.ndarray:
        """Every epoch that any of the runs recorded."""
        return _joint([run.histories[0].epochs for run in self.runs])

    @cached_property
    def trend_epochs(self) -> np.ndarray:
        """Every epoch that any of the trends has."""
        return _joint([run.trend_epochs for run in self.runs])

    @cached_property
    def axis(self) -> EpochAxis:
        """Where recorded epochs stand."""
        return EpochAxis.of(self.epochs)

    @cached_property
    def trend_axis(self) -> EpochAxis:
        """Where the epochs of the trends stand, which may be few and far between."""
        return EpochAxis.of(self.trend_epochs)


def _joint(parts: list) -> np.ndarray:
    return np.unique(np.concatenate([np.asarray(part, dtype=float) for part in parts]))
