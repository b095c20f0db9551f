"""A layer's eigenvalues as a density, beside the random-matrix law and the same weights shuffled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, Span, TapTool

from .base import View, empty, hover, plain_glyph, quiet_figure
from .theme import DECAYING, GROWING, NEUTRAL, SELECTED, STABLE

if TYPE_CHECKING:
    from dyn_explorer.analysis import RandomMatrixFit

FAINTEST = 1e-6  # of the largest eigenvalue; what is smaller is left of the axis
POINTS = 400
MOST_TICKS = 6


class SpectrumDensity(View):
    """Histogram over log λ, with the Marchenko-Pastur law, its edge, spikes beyond it, and the power-law tail.

    Areas are shares of the eigenvalues, for every curve alike, so that they can be compared.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import analysis, views
    >>> weights = np.random.default_rng(0).normal(size=(60, 300))
    >>> fit = analysis.random_matrix_fit(np.linalg.svd(weights, compute_uv=False), weights.shape)
    >>> view = views.SpectrumDensity()
    >>> view.update(fit, ratio=60 / 300)
    >>> view.summary
    '60 eigenvalues, 0 beyond the Marchenko-Pastur edge at 2.09; the tail of 33 points has the exponent 3.54.'
    """

    def __init__(self) -> None:
        super().__init__()
        bars = ("left", "right", "top", "count")
        self._null = ColumnDataSource({name: [] for name in bars})
        self._bars = ColumnDataSource({name: [] for name in bars})
        self._law = ColumnDataSource({"x": [], "y": []})
        self._tail = ColumnDataSource({"x": [], "y": []})
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "row", "color")})
        self.figure = quiet_figure(
            x_range=self._range(0.1, 10.0),
            y_range=self._range(0.0, 1.0),
            x_axis_type="log",
            x_axis_label="eigenvalue λ = σ² / larger side",
            y_axis_label="share per factor of 10",
        )
        self.figure.xgrid.visible = False
        self._ticker = FixedTicker(ticks=[1.0])  # kept: a new one would have Bokeh look through the whole document
        self.figure.xaxis[0].ticker = self._ticker
        box = {"left": "left", "right": "right", "top": "top", "bottom": 0}
        self.figure.quad(source=self._null, fill_color=NEUTRAL, fill_alpha=0.3, line_color=None, **box)
        quads = self.figure.quad(
            source=self._bars, fill_color=STABLE, fill_alpha=0.35, line_color=STABLE, line_width=0.5, **box
        )
        self.figure.line("x", "y", source=self._law, color=GROWING, line_width=2)
        self.figure.line("x", "y", source=self._tail, color=DECAYING, line_width=2, line_dash="dashed")
        spikes = plain_glyph(
            self.figure.scatter("x", "y", marker="triangle", size=9, color="color", source=self.rows, line_color=None)
        )
        self._edge = Span(dimension="height", line_color=GROWING, line_dash="dotted", line_width=1.5, visible=False)
        self._chosen = Span(dimension="height", line_color=SELECTED, line_width=2, visible=False)
        self.figure.add_layout(self._edge)
        self.figure.add_layout(self._chosen)
        self.figure.add_tools(
            TapTool(renderers=[spikes]),
            hover([quads], [("λ", "@left{0.000e+0} to @right{0.000e+0}"), ("eigenvalues", "@count")]),
            hover([spikes], [("spike", "@row"), ("λ", "@x{0.000e+0}")]),
        )

    def update(
        self,
        fit: RandomMatrixFit,
        *,
        ratio: float,
        shuffled: np.ndarray | None = None,
        selected: int | None = None,
    ) -> None:
        """Show a spectrum.

        Parameters
        ----------
        fit : RandomMatrixFit
            Of the layer.
        ratio : float
            Smaller over larger side of the matrix.
        shuffled : ndarray, optional
            Eigenvalues of the same weights in a random order, any number of draws.
        selected : int, optional
            Direction that is chosen, from 0, the strongest first.
        """
        values = fit.eigenvalues[fit.eigenvalues > FAINTEST * fit.eigenvalues[0]]
        if not len(values):
            self.clear()
            return
        self.figure.visible = True
        null = np.empty(0) if shuffled is None else shuffled[shuffled > FAINTEST * fit.eigenvalues[0]]
        edges = _bins(np.concatenate([values, null]), len(values))
        self._bars.data, peak = _histogram(values, edges, len(fit.eigenvalues))
        self._null.data, null_peak = _histogram(null, edges, np.size(shuffled) if shuffled is not None else 1)
        law_peak = self._show_law(fit, ratio, edges)
        self._show_tail(fit)
        self._show_spikes(fit, selected, 0.03 * max(peak, null_peak))
        low, high = edges[0] / 1.1, max(edges[-1], fit.edge) * 1.1
        self._set_ticks(low, high)
        self._fit(self.figure.x_range, low, high)
        # The law has a pole at 0 for square matrices; the bars decide how much of it is seen.
        self._fit(self.figure.y_range, 0.0, 1.1 * max(peak, null_peak, min(law_peak, 1.3 * peak)))
        self.summary = _summary(fit)

    def _show_law(self, fit: RandomMatrixFit, ratio: float, edges: np.ndarray) -> float:
        has_law = fit.variance > 0
        self._edge.update(visible=has_law, location=fit.edge if has_law else 1.0)
        if not has_law:
            empty(self._law)
            return 0.0
        low = max(fit.variance * (1 - math.sqrt(ratio)) ** 2, edges[0] / 1.1)
        x = np.geomspace(low, fit.edge, POINTS)
        y = fit.bulk_density(x, ratio) * x * math.log(10)
        self._law.data = {"x": x, "y": y}
        return float(y.max())

    def _show_tail(self, fit: RandomMatrixFit) -> None:
        if not fit.tail_points:
            empty(self._tail)
            return
        x = np.geomspace(fit.x_min, fit.eigenvalues[0], POINTS)
        share = fit.tail_points / len(fit.eigenvalues)
        density = (fit.alpha - 1) / fit.x_min * (x / fit.x_min) ** -fit.alpha
        self._tail.data = {"x": x, "y": share * density * x * math.log(10)}

    def _show_spikes(self, fit: RandomMatrixFit, selected: int | None, height: float) -> None:
        spikes = fit.eigenvalues[: fit.spikes]
        self.rows.data = {
            "x": spikes,
            "y": np.full(len(spikes), height),
            "row": np.arange(1, len(spikes) + 1),
            "color": [SELECTED if row == selected else GROWING for row in range(len(spikes))],
        }
        is_shown = selected is not None and selected < len(fit.eigenvalues) and fit.eigenvalues[selected] > 0
        self._chosen.update(visible=is_shown, location=float(fit.eigenvalues[selected]) if is_shown else 1.0)

    def _set_ticks(self, low: float, high: float) -> None:
        self._ticker.ticks = ticks = _ticks(low, high)
        self.figure.xaxis[0].major_label_overrides = {tick: f"{tick:g}" for tick in ticks}

    def clear(self) -> None:
        """Take every curve away."""
        for source in (self._null, self._bars, self._law, self._tail, self.rows):
            empty(source)
        self._edge.visible = self._chosen.visible = False
        self.summary = "No spectrum to show."


def _bins(values: np.ndarray, count: int) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low / 1.5, high * 1.5
    return np.geomspace(low, high, int(np.clip(3 * math.sqrt(count), 10, 60)) + 1)


def _histogram(values: np.ndarray, edges: np.ndarray, total: int) -> tuple[dict, float]:
    """Bars whose areas over log10 are shares of `total`, and the highest."""
    # Rounding may leave the outermost value outside.
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    heights = counts / total / np.diff(np.log10(edges))
    keep = counts > 0
    data = {"left": edges[:-1][keep], "right": edges[1:][keep], "top": heights[keep], "count": counts[keep]}
    return data, float(heights.max())


def _ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for mantissas in ((1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0**d for d in decades for m in mantissas if low <= m * 10.0**d <= high]
        if len(ticks) <= MOST_TICKS:
            return ticks
    return ticks[:: -(-len(ticks) // MOST_TICKS)]


def _summary(fit: RandomMatrixFit) -> str:
    tail = (
        f"the tail of {fit.tail_points} points has the exponent {fit.alpha:.3g}"
        if fit.tail_points
        else f"no exponent: {fit.reason}"
    )
    return (
        f"{len(fit.eigenvalues)} eigenvalues, {fit.spikes} beyond the Marchenko-Pastur edge at {fit.edge:.3g}; {tail}."
    )
