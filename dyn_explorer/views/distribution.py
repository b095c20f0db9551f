"""A distribution as a histogram, with the band of its null and another one beside it."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource

from .base import View, empty, hover, quiet_figure
from .theme import DECAYING, NEUTRAL, STABLE


class Distribution(View):
    """Bars of a density, the grey band of its null, and the outline of a second density.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.Distribution()
    >>> view.update(np.array([0.0, 1.0, 2.0]), np.array([0.25, 0.75]), x_label="strength")
    >>> view.summary
    'Density of strength in 2 bins from 0 to 2; highest between 1 and 2.'
    """

    def __init__(self) -> None:
        super().__init__()
        self._bars = ColumnDataSource({name: [] for name in ("left", "right", "top")})
        self._band = ColumnDataSource({"x": [], "low": [], "high": []})
        self._other = ColumnDataSource({"x": [], "y": []})
        self.figure = quiet_figure(x_range=self._range(0.0, 1.0), y_range=self._range(0.0, 1.0))
        self.figure.xaxis.axis_label, self.figure.yaxis.axis_label = " ", "density"
        bars = self.figure.quad(
            left="left", right="right", top="top", bottom=0, source=self._bars, fill_color=STABLE, fill_alpha=0.45,
            line_color=STABLE, line_width=0.5,
        )  # fmt: skip
        self.figure.varea("x", "low", "high", source=self._band, fill_color=NEUTRAL, fill_alpha=0.4)
        for edge in ("low", "high"):
            self.figure.line("x", edge, source=self._band, line_color=NEUTRAL, line_width=1, line_dash="dashed")
        self.figure.line("x", "y", source=self._other, line_color=DECAYING, line_width=1.5)
        self.figure.add_tools(hover([bars], [("from", "@left{0.000}"), ("to", "@right{0.000}"), ("density", "@top")]))

    def update(self, edges, density, *, x_label: str, null=None, other=None) -> None:
        """Show a density.

        Parameters
        ----------
        edges : array (n + 1,)
            Of the bins, growing.
        density : array (n,)
            Per unit of x.
        x_label : str
        null : (low, high), arrays (n,), optional
            The band of the null.
        other : array (n,), optional
            Another density in the same bins.
        """
        edges, density = np.asarray(edges, float), np.asarray(density, float)
        self._bars.data = {"left": edges[:-1], "right": edges[1:], "top": density}
        steps = np.repeat(edges, 2)[1:-1]
        if null is None:
            empty(self._band)
        else:
            low, high = (np.repeat(np.asarray(part, float), 2) for part in null)
            self._band.data = {"x": steps, "low": np.maximum(low, 0), "high": high}
        if other is None:
            empty(self._other)
        else:
            self._other.data = {"x": steps, "y": np.repeat(np.asarray(other, float), 2)}
        heights = [density, *([] if null is None else [null[1]]), *([] if other is None else [other])]
        top = max(float(np.max(part, initial=0.0)) for part in heights)
        self._fit(self.figure.x_range, float(edges[0]), float(edges[-1]))
        self._fit(self.figure.y_range, 0.0, 1.05 * top or 1.0)
        self.figure.xaxis.axis_label = x_label
        self.summary = _summary(edges, density, x_label, null)

    def clear(self) -> None:
        """Take everything away."""
        for source in (self._bars, self._band, self._other):
            empty(source)
        self.summary = "No distribution to show."


def _summary(edges: np.ndarray, density: np.ndarray, x_label: str, null) -> str:
    if not density.size:
        return "No distribution to show."
    peak = int(np.argmax(density))
    words = (
        f"Density of {x_label} in {len(density)} bins from {edges[0]:.3g} to {edges[-1]:.3g}; highest between "
        f"{edges[peak]:.3g} and {edges[peak + 1]:.3g}"
    )
    if null is None:
        return f"{words}."
    outside = (density < np.asarray(null[0])) | (density > np.asarray(null[1]))
    share = float((density * np.diff(edges))[outside].sum())
    return f"{words}; {100 * share:.0f} % of the nodes lie in bins outside the grey band of the null."
