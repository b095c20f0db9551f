"""Singular values of the window and where the rank cuts them."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, Span

from .base import View, decades_only, empty, hover, log_bounds, quiet_figure
from .theme import NEUTRAL, SELECTED, STABLE

FLOOR = 1e-17


class SingularValues(View):
    """Relative singular values ``sigma_k / sigma_1`` of the snapshots, filled where the rank keeps them.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import analysis, views
    >>> scree = views.SingularValues()
    >>> scree.update(analysis.dmd(np.random.default_rng(0).normal(size=(50, 8)), rank=4))
    """

    def __init__(self) -> None:
        super().__init__()
        self._values = ColumnDataSource({name: [] for name in ("index", "relative", "sigma", "fill", "kept", "energy")})
        self.figure = quiet_figure(
            x_range=self._range(0.5, 8.5),
            y_range=self._range(1e-3, 2.0),
            y_axis_type="log",
            x_axis_label="index k",
            y_axis_label="σₖ / σ₁",
        )
        self.figure.xgrid.visible = False
        decades_only(self.figure.yaxis)
        self.figure.xaxis.ticker.min_interval = 1
        self.figure.line("index", "relative", source=self._values, color=NEUTRAL, line_width=1)
        dots = self.figure.scatter(
            "index",
            "relative",
            size=7,
            line_color=STABLE,
            fill_color=STABLE,
            fill_alpha="fill",
            source=self._values,
        )
        self._cut = Span(dimension="height", line_color=SELECTED, line_width=2, line_dash="dashed", visible=False)
        self.figure.add_layout(self._cut)
        tips = [("k", "@index (@kept)"), ("σₖ", "@sigma{0.000e+0}"), ("energy up to k", "@energy{0.00%}")]
        self.figure.add_tools(hover([dots], tips))

    def update(self, result) -> None:
        """Show ``result.singular_values (n,)`` with the cut after ``result.rank``."""
        sigma = np.asarray(result.singular_values, dtype=float)
        relative = sigma / sigma[0] if sigma[0] > 0 else np.zeros_like(sigma)
        kept = np.arange(1, len(sigma) + 1) <= result.rank
        energy = np.cumsum(relative**2) / max(np.sum(relative**2), np.finfo(float).tiny)
        low, _ = log_bounds(relative, floor=FLOOR)
        self._values.data = {
            "index": np.arange(1, len(sigma) + 1),
            "relative": np.maximum(relative, FLOOR),
            "sigma": sigma,
            "fill": np.where(kept, 0.8, 0.0),
            "kept": np.where(kept, "kept", "cut").tolist(),
            "energy": energy,
        }
        self._cut.update(location=result.rank + 0.5, visible=True)
        self._fit(self.figure.x_range, 0.4, len(sigma) + 0.6)
        self._fit(self.figure.y_range, low, 2.0)
        self.summary = (
            f"{len(sigma)} singular values; rank {result.rank} keeps {energy[result.rank - 1]:.2%} of the energy, "
            f"{_condition(float(relative[result.rank - 1]))}."
        )

    def clear(self) -> None:
        """Take every value away."""
        empty(self._values)
        self._cut.visible = False
        self.summary = "No singular values to show."


def _condition(smallest_kept: float) -> str:
    if smallest_kept == 0:
        return "the last one kept is zero"
    return f"condition number {1 / smallest_kept:.2g}"
