"""Both basin sizes at each epoch of a run."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper, TapTool
from bokeh.transform import transform

from .base import View, empty, hover, plain_glyph, quiet_figure
from .theme import MAGNITUDE_PALETTE, NEUTRAL, SELECTED

ROOM = 0.08


class BasinPath(View):
    """S50 against W50, coloured by time; lines join epochs.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.BasinPath()
    >>> view.update(np.array([0, 1, 2]), np.array([np.nan, 0.3, 0.5]), np.array([np.nan, 0.8, 1.2]), np.ones(3))
    >>> view.summary
    'From epoch 1 to epoch 2 S50 goes from 0.3 to 0.5 and W50 from 0.8 to 1.2; no point for epoch 0.'
    """

    def __init__(self) -> None:
        super().__init__()
        columns = ("x", "y", "row", "epoch", "accuracy", "time", "edge")
        self.rows = ColumnDataSource({name: [] for name in columns})
        self.figure = quiet_figure(
            x_range=self._range(0, 1),
            y_range=self._range(0, 1),
            x_axis_label="S50 (input units)",
            y_axis_label="W50 (sd of each layer's weights)",
        )
        mapper = LinearColorMapper(palette=MAGNITUDE_PALETTE, low=0, high=1)
        self.figure.line(x="x", y="y", source=self.rows, line_color=NEUTRAL, line_width=1)
        dots = plain_glyph(
            self.figure.scatter(
                x="x", y="y", source=self.rows, size=11, color=transform("time", mapper), line_color="edge",
                line_width=2.5,
            )
        )  # fmt: skip
        tips = [("epoch", "@epoch"), ("S50", "@x{0.000}"), ("W50", "@y{0.000}"), ("accuracy", "@accuracy{0.000}")]
        self.figure.add_tools(TapTool(renderers=[dots]), hover([dots], tips))

    def update(self, epochs, sample, weight, accuracy, *, chosen: int | None = None) -> None:
        """Show a run.

        Parameters
        ----------
        epochs : ndarray (E,) of int
        sample, weight : ndarray (E,)
            S50 and W50; points where one of them is nan or inf are left out.
        accuracy : ndarray (E,)
            Without noise, for the hover.
        chosen : int, optional
            Epoch that is marked.
        """
        good = np.isfinite(sample) & np.isfinite(weight)
        self.figure.visible = True
        place = np.flatnonzero(good)
        self.rows.data = {
            "x": sample[good],
            "y": weight[good],
            "row": place + 1,
            "epoch": epochs[good],
            "accuracy": accuracy[good],
            "time": place / max(len(epochs) - 1, 1),
            "edge": [SELECTED if epoch == chosen else "rgba(0, 0, 0, 0)" for epoch in epochs[good]],
        }
        self._fit(self.figure.x_range, *_bounds(sample[good]))
        self._fit(self.figure.y_range, *_bounds(weight[good]))
        self.summary = _summary(epochs, sample, weight, good)

    def clear(self) -> None:
        """Take every point away."""
        empty(self.rows)
        self.summary = "There is no run to show."


def _bounds(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    room = ROOM * (high - low) or 0.1 * abs(high) or 0.5
    return low - room, high + room


def _summary(epochs, sample, weight, good) -> str:
    left_out = ", ".join(str(epoch) for epoch in epochs[~good])
    missing = f"; no point for epoch {left_out}" if left_out else ""
    if not good.any():
        return f"No epoch has both basins{missing}."
    first, last = np.flatnonzero(good)[[0, -1]]
    return (
        f"From epoch {epochs[first]} to epoch {epochs[last]} S50 goes from {sample[first]:.3g} to {sample[last]:.3g} "
        f"and W50 from {weight[first]:.3g} to {weight[last]:.3g}{missing}."
    )
