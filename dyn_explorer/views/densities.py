"""Densities of several groups, coloured by their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper
from bokeh.palettes import Viridis256

from .base import View, empty, hover, plain_glyph, quiet_figure
from .color_bar import color_bar

PALETTE = Viridis256[:220]  # the brightest end does not show on a light page


class Densities(View):
    """Outlines of histograms with common bins, from dark (the first group) to bright (the last).

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.Densities()
    >>> view.update(np.arange(4.0), np.ones((2, 3)), ["low", "high"], x_label="strength")
    >>> view.summary
    'Density of strength for low, high.'
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines = ColumnDataSource({name: [] for name in ("xs", "ys", "value", "name")})
        self.mapper = mapper = LinearColorMapper(palette=PALETTE, low=0, high=1)
        self.figure = quiet_figure(x_range=self._range(0.0, 1.0), y_range=self._range(0.0, 1.0))
        self.figure.xaxis.axis_label, self.figure.yaxis.axis_label = " ", "density"
        lines = plain_glyph(
            self.figure.multi_line(
                "xs", "ys", source=self._lines, line_color={"field": "value", "transform": mapper}, line_width=1.5
            )
        )
        bar = color_bar(mapper, least_step=1, width=8, title="bin")
        self.figure.add_layout(bar, "right")
        self.figure.add_tools(hover([lines], [("", "@name"), ("number", "@value")]))

    def update(self, edges, densities, names: Sequence[str], *, x_label: str) -> None:
        """Show densities.

        Parameters
        ----------
        edges : array (n + 1,)
            Of the bins.
        densities : array (n_groups, n)
        names : sequence of str
            Of the groups, in order; their numbers from 0 stand at the colour bar.
        x_label : str
        """
        edges, densities = np.asarray(edges, float), np.asarray(densities, float)
        self.figure.visible = True
        steps = np.repeat(edges, 2)[1:-1]
        self._lines.data = {
            "xs": [steps] * len(densities),
            "ys": [np.repeat(row, 2) for row in densities],
            "value": list(range(len(names))),
            "name": list(names),
        }
        self.mapper.high = max(len(names) - 1, 1)
        self._fit(self.figure.x_range, float(edges[0]), float(edges[-1]))
        self._fit(self.figure.y_range, 0.0, 1.05 * float(densities.max(initial=0.0)) or 1.0)
        self.figure.xaxis.axis_label = x_label
        self.summary = f"Density of {x_label} for {', '.join(names)}."

    def clear(self) -> None:
        """Take every line away."""
        empty(self._lines)
        self.summary = "No ensemble to show."
