"""One number of each sample, for the samples of a class and for all others."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource

from .base import View, empty, hover, quiet_figure
from .theme import GROWING, STABLE

BINS = 24


class ClassHistograms(View):
    """Two histograms over the same bins, each with area 1.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.ClassHistograms()
    >>> view.update(np.array([0.0, 1.0, 2.0]), np.array([False, True, True]), name="3", label="field")
    >>> view.summary
    'field: 2 samples of class 3 have mean 1.5, the 1 others 0.'
    """

    def __init__(self) -> None:
        super().__init__()
        self._source = ColumnDataSource({name: [] for name in ("left", "right", "own", "others", "n_own", "n_others")})
        self.figure = quiet_figure(
            x_range=self._range(-1.0, 1.0), y_range=self._range(0.0, 1.0), y_axis_label="density", x_axis_label=" "
        )
        drawn = [
            self.figure.quad(
                "left", "right", column, 0, source=self._source, color=color, fill_alpha=0.4, hatch_pattern=hatch,
                hatch_color=color, hatch_alpha=0.6, line_width=1,
            )
            for column, color, hatch in (("others", STABLE, None), ("own", GROWING, "right_diagonal_line"))
        ]  # fmt: skip
        tips = [("from", "@left{0.000} to @right{0.000}"), ("class", "@n_own samples"), ("others", "@n_others samples")]
        self.figure.add_tools(hover(drawn[:1], tips))

    def update(self, values: np.ndarray, members: np.ndarray, *, name: str, label: str) -> None:
        """Show one number.

        Parameters
        ----------
        values : ndarray (P,)
        members : ndarray (P,) of bool
            Samples of the class.
        name : str
            Of the class.
        label : str
            What the number is, for the axis.
        """
        values = np.asarray(values, dtype=float)
        edges = np.histogram_bin_edges(values, BINS)
        own, others = (np.histogram(values[chosen], edges)[0] for chosen in (members, ~members))
        width = edges[1] - edges[0]
        densities = [count / max(count.sum(), 1) / width for count in (own, others)]
        self._source.data = {
            "left": edges[:-1],
            "right": edges[1:],
            "own": densities[0],
            "others": densities[1],
            "n_own": own,
            "n_others": others,
        }
        self.figure.xaxis.axis_label = label
        self._fit(self.figure.x_range, float(edges[0]), float(edges[-1]))
        self._fit(self.figure.y_range, 0.0, 1.05 * float(np.max(densities)))
        self.summary = (
            f"{label}: {own.sum()} samples of class {name} have mean {_mean(values[members])}, the {others.sum()} "
            f"others {_mean(values[~members])}."
        )

    def clear(self) -> None:
        """Take the bars away."""
        empty(self._source)
        self.summary = "No neuron to show."


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.3g}" if len(values) else "n/a"
