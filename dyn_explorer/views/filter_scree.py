"""Singular values of a layer's filters, with those beyond the random-matrix edge."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, Span, TapTool

from .base import View, empty, hover, plain_glyph, quiet_figure
from .theme import GROWING, NEUTRAL, SELECTED, STABLE


class FilterScree(View):
    """Singular values by index: triangles stand beyond the edge, the grey band is the same weights shuffled.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.FilterScree()
    >>> view.update(np.array([3.0, 1.0, 0.5]), edge=2.0, selected=0)
    >>> view.summary
    '3 singular values from 3 to 0.5; 1 beyond the edge at 2.'
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows = ColumnDataSource({name: [] for name in ("index", "sigma", "row", "marker", "color", "kind")})
        self._band = ColumnDataSource({name: [] for name in ("index", "low", "high", "mean")})
        self._ring = ColumnDataSource({"index": [], "sigma": []})
        self.figure = quiet_figure(
            x_range=self._range(0.5, 8.5),
            y_range=self._range(0.0, 1.0),
            x_axis_label="direction, strongest first",
            y_axis_label="singular value σ",
        )
        self.figure.xgrid.visible = False
        self.figure.xaxis.ticker.min_interval = 1
        self.figure.varea("index", "low", "high", source=self._band, fill_color=NEUTRAL, fill_alpha=0.3)
        self.figure.line("index", "mean", source=self._band, color=NEUTRAL, line_dash="dashed")
        dots = plain_glyph(
            self.figure.scatter(
                "index", "sigma", marker="marker", size=7, color="color", source=self.rows, line_color=None
            )
        )
        self.figure.scatter(
            "index", "sigma", source=self._ring, size=14, fill_color=None, line_color=SELECTED, line_width=2
        )
        self._edge = Span(dimension="width", line_color=GROWING, line_dash="dotted", line_width=1.5, visible=False)
        self.figure.add_layout(self._edge)
        tips = [("direction", "@row (@kind)"), ("σ", "@sigma{0.0000}")]
        self.figure.add_tools(TapTool(renderers=[dots]), hover([dots], tips))

    def update(
        self,
        sigma: np.ndarray,
        *,
        edge: float,
        shuffled: np.ndarray | None = None,
        selected: int | None = None,
    ) -> None:
        """Show singular values.

        Parameters
        ----------
        sigma : ndarray (n,)
            Descending.
        edge : float
            Of the Marchenko-Pastur law, as a singular value; nan without one.
        shuffled : ndarray (draws, n), optional
            The same of the weights in random orders.
        selected : int, optional
            Direction that is chosen, from 0.
        """
        index = np.arange(1, len(sigma) + 1)
        beyond = sigma > edge
        self.rows.data = {
            "index": index,
            "sigma": sigma,
            "row": index,
            "marker": np.where(beyond, "triangle", "circle").tolist(),
            "color": np.where(beyond, GROWING, STABLE).tolist(),
            "kind": np.where(beyond, "beyond the edge", "in the bulk").tolist(),
        }
        if shuffled is None:
            empty(self._band)
        else:
            low, high = shuffled.min(axis=0), shuffled.max(axis=0)
            self._band.data = {"index": index, "low": low, "high": high, "mean": shuffled.mean(axis=0)}
        has_ring = selected is not None and selected < len(sigma)
        self._ring.data = {
            "index": [selected + 1] if has_ring else [],
            "sigma": [float(sigma[selected])] if has_ring else [],
        }
        has_edge = bool(np.isfinite(edge)) and edge > 0
        self._edge.update(visible=has_edge, location=float(edge) if has_edge else 0.0)
        top = max(float(sigma.max(initial=0.0)), float(edge) if has_edge else 0.0)
        if shuffled is not None:
            top = max(top, float(shuffled.max(initial=0.0)))
        self._fit(self.figure.x_range, 0.3, len(sigma) + 0.7)
        self._fit(self.figure.y_range, 0.0, 1.08 * top or 1.0)
        bounds = f"{len(sigma)} singular values from {sigma.max():.3g} to {sigma.min():.3g}"
        self.summary = f"{bounds}; {int(beyond.sum())} beyond the edge at {edge:.3g}." if has_edge else f"{bounds}."

    def clear(self) -> None:
        """Take every value away."""
        for source in (self.rows, self._band, self._ring):
            empty(source)
        self._edge.visible = False
        self.summary = "No singular values to show."
