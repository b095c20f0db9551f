"""What the Training panel computes: numbers of each run, and metrics of its dynamics at each epoch with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dyn_explorer.capture import History

if TYPE_CHECKING:
    import pandas as pd


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
    null : DataFrame or None
        Mean and standard deviation of each metric under shuffled columns, by epoch; it arrives a moment later.
    """

    name: str
    histories: tuple[History, ...]
    trends: tuple[pd.DataFrame, ...]
    null: pd.DataFrame | None = None

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
    reason : str
        Why there is no trend, or nothing.
    """

    runs: tuple[Run, ...]
    layer: str
    metric: str
    images: int
    epoch: int | None
    reason: str = ""


def positions(epochs: Sequence[float]) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """Where epochs stand on the axis: evenly where they are even, else by ``log2(1 + epoch)``, with ticks."""
    values = np.asarray(epochs, dtype=float)
    steps = np.diff(values)
    if len(values) < 3 or values.min() < 0 or steps.max() < 3 * steps.min():
        return values, []
    return np.log2(1 + values), [(float(np.log2(1 + value)), f"{value:g}") for value in values]
