"""The density of ranks against the flat one that chance gives."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource

from .base import View, empty, hover, quiet_figure
from .theme import GROWING, NEUTRAL, STABLE

DEVIATIONS = 2


class RankDensity(View):
    """Rank probability density of one class and of all, over the bands of two null deviations about 1.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.RankDensity()
    >>> view.update(np.array([0.5, 1.5]), np.array([0.1, 0.1]), np.array([0.8, 1.2]), np.array([0.05, 0.05]), name="3")
    >>> view.summary
    'Density of ranks: of class 3 from 0.5 to 1.5, of all classes from 0.8 to 1.2; by chance 1 ± 0.2 and 1 ± 0.1.'
    """

    def __init__(self) -> None:
        super().__init__()
        names = ("u", "low", "high", "mean_low", "mean_high")
        self._bands = ColumnDataSource({name: [] for name in names})
        self._points = ColumnDataSource({name: [] for name in ("u", "one", "mean", "from", "to", "sd", "mean_sd")})
        self.figure = quiet_figure(
            x_range=self._range(0.0, 1.0),
            y_range=self._range(0.0, 2.0),
            x_axis_label="rank u of the signed field (0 lowest, 1 highest)",
            y_axis_label="density (1 = flat)",
        )
        for low, high in (("low", "high"), ("mean_low", "mean_high")):
            self.figure.varea("u", low, high, source=self._bands, fill_color=NEUTRAL, fill_alpha=0.18)
        self.figure.hspan(y=1.0, line_color=NEUTRAL, line_dash="dashed", line_width=1.5)
        marks = []
        for column, color, marker in (("mean", STABLE, "circle"), ("one", GROWING, "triangle")):
            self.figure.line("u", column, source=self._points, color=color, line_width=1.5)
            marks.append(
                self.figure.scatter(
                    "u", column, source=self._points, marker=marker, color=color, size=6, line_color=None
                )
            )
        tips = [
            ("ranks", "@from{0.00} to @to{0.00}"),
            ("class", "@one{0.000} (chance 1 ± @sd{0.000})"),
            ("all classes", "@mean{0.000} (chance 1 ± @mean_sd{0.000})"),
        ]
        self.figure.add_tools(hover(marks, tips))

    def update(
        self, density: np.ndarray, sd: np.ndarray, mean_density: np.ndarray, mean_sd: np.ndarray, *, name: str
    ) -> None:
        """Show a class and the mean over classes.

        Parameters
        ----------
        density, sd : ndarray (bins,)
            Of the class, with its null deviation about 1.
        mean_density, mean_sd : ndarray (bins,)
            Of the mean over classes.
        name : str
            Of the class.
        """
        edges = np.linspace(0, 1, len(density) + 1)
        middle = (edges[1:] + edges[:-1]) / 2
        # Bands reach both ends of the axis.
        reach = np.concatenate([[0.0], middle, [1.0]])
        wide, narrow = (np.pad(DEVIATIONS * values, 1, mode="edge") for values in (sd, mean_sd))
        self._bands.data = {
            "u": reach,
            "low": 1 - wide,
            "high": 1 + wide,
            "mean_low": 1 - narrow,
            "mean_high": 1 + narrow,
        }
        self._points.data = {
            "u": middle,
            "one": density,
            "mean": mean_density,
            "from": edges[:-1],
            "to": edges[1:],
            "sd": sd,
            "mean_sd": mean_sd,
        }
        heights = np.concatenate([density, mean_density, 1 - wide, 1 + wide])
        heights = heights[np.isfinite(heights)]
        low, high = (heights.min(), heights.max()) if heights.size else (0.0, 2.0)
        room = 0.05 * (high - low) or 0.5
        self._fit(self.figure.y_range, max(low - room, -0.02), high + room)
        self.summary = _summary(density, sd, mean_density, mean_sd, name)

    def clear(self) -> None:
        """Take the curves away."""
        empty(self._bands)
        empty(self._points)
        self.summary = "No density of ranks to show."


def _summary(density: np.ndarray, sd: np.ndarray, mean: np.ndarray, mean_sd: np.ndarray, name: str) -> str:
    of_class = f"of class {name} from {density[0]:.2g} to {density[-1]:.2g}"
    if np.isnan(density).all():
        of_class = f"of class {name} undefined"
    bands = " and ".join(f"1 ± {DEVIATIONS * values.max():.2g}" for values in (sd, mean_sd))
    return f"Density of ranks: {of_class}, of all classes from {mean[0]:.2g} to {mean[-1]:.2g}; by chance {bands}."
