"""How much each DMD mode carries."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, TapTool

from .base import View, decades_only, empty, hover, largest_finite, log_bounds, plain_glyph, quiet_figure
from .theme import DECAYING, GROWING, SELECTED, STABLE

MOST_BARS = 64


class ModeEnergies(View):
    """Energy ``|b|^2 ||phi||^2`` of each mode, strongest first, on a log scale.

    A conjugate pair is one bar, as high as one of its equal members; its share counts both. At most 64 bars are drawn;
    the table has them all.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import analysis, views
    >>> bars = views.ModeEnergies()
    >>> bars.update(analysis.dmd(np.random.default_rng(0).normal(size=(50, 8)), rank=4))
    """

    def __init__(self) -> None:
        super().__init__()
        names = ("row", "energy", "top", "share", "color", "edge", "bottom")
        self.rows = ColumnDataSource({name: [] for name in names})
        self.figure = quiet_figure(
            x_range=self._range(0.5, 8.5),
            y_range=self._range(1e-3, 1.0),
            y_axis_type="log",
            x_axis_label="mode (strongest first)",
            y_axis_label="energy |b|²‖φ‖²",
        )
        self.figure.xgrid.visible = False
        decades_only(self.figure.yaxis)
        self.figure.xaxis.ticker.min_interval = 1
        bars = plain_glyph(
            self.figure.vbar(
                x="row",
                top="top",
                bottom="bottom",
                width=0.72,
                fill_color="color",
                fill_alpha=0.75,
                line_color="edge",
                line_width=2.5,
                source=self.rows,
            )
        )
        self.figure.add_tools(
            TapTool(renderers=[bars]),
            hover([bars], [("mode", "@row"), ("energy", "@energy{0.000e+0}"), ("share", "@share{0.0%}")]),
        )

    def update(self, result, *, selected: int = 0, tol: float = 0.05) -> None:
        """Show the energies of a DMD; see `EigenvalueCircle.update` for the parameters."""
        rows = np.asarray(result.rows)
        energy = np.asarray(result.energies)[rows]
        shares = row_shares(result)
        modulus = np.abs(np.asarray(result.eigenvalues)[rows])
        color = np.where(modulus > 1 + tol, GROWING, np.where(modulus < 1 - tol, DECAYING, STABLE))
        shown = slice(0, MOST_BARS)
        low, high = log_bounds(energy[shown], floor=max(1e-12 * (largest_finite(energy) or 1.0), 1e-300))
        edge = color.astype(object)
        if selected < len(edge):
            edge[selected] = SELECTED
        number = np.arange(1, len(rows) + 1)
        self.rows.data = {
            "row": number[shown],
            "energy": energy[shown],
            # A log axis has no place for 0: such a bar has no height, and its hover says so.
            "top": np.where(energy[shown] > low, energy[shown], low),
            "share": shares[shown],
            "color": list(color[shown]),
            "edge": list(edge[shown]),
            "bottom": np.full(len(number[shown]), low),
        }
        self._fit(self.figure.x_range, 0.4, min(len(rows), MOST_BARS) + 0.6)
        self._fit(self.figure.y_range, low, high)
        hidden = f"; the first {MOST_BARS} are drawn" if len(rows) > MOST_BARS else ""
        self.summary = f"Energies of {len(rows)} modes{hidden}; {_about(energy, shares)}."

    def clear(self) -> None:
        """Take every bar away."""
        empty(self.rows)
        self.summary = "No mode energies to show."


def row_shares(result) -> np.ndarray:
    """Share of each row (both members of a pair) in the sum of all energies; nan where that sum is 0 or not finite."""
    energies, rows = np.asarray(result.energies), np.asarray(result.rows)
    largest = energies.max(initial=0.0)
    if not (0 < largest < np.inf):
        return np.full(len(rows), np.nan)
    relative = energies / largest  # a sum of the energies themselves may overflow
    return np.add.reduceat(relative, rows) / relative.sum()


def _about(energy: np.ndarray, shares: np.ndarray) -> str:
    if np.isfinite(shares[0]):
        return f"the strongest holds {shares[0]:.0%} of their sum"
    why = "not all finite" if not np.isfinite(energy).all() else "all zero"
    return f"their shares are undefined, because they are {why}"
