"""Basin sizes of several things side by side: classes, or layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, Span

from .base import View, empty, hover, quiet_figure, shortened
from .theme import NEUTRAL

MOST_BARS = 64
MOST_NAMES = 5  # in the summary
LONGEST, CROWDED = 14, 10  # letters below a bar; the latter, upright, where there are more than FEW
FEW = 7
ROOM = 1.12


class HalfWidths(View):
    """One bar per thing; what is undefined is a cross at zero, what lies beyond the grid a bar with a triangle on top.

    Parameters
    ----------
    name : str
        As S50.
    x_label, y_label : str
    color : str

    Examples
    --------
    >>> from dyn_explorer import views
    >>> bars = views.HalfWidths("S50", "class", "S50 (input units)", "#0072B2")
    >>> bars.update(["0", "1", "2"], [0.5, 0.7, float("nan")], overall=0.6)
    >>> bars.summary
    'S50 of 3: smallest 0.5 (0), largest 0.7 (1); undefined for 2.'
    """

    def __init__(self, name: str, x_label: str, y_label: str, color: str) -> None:
        super().__init__()
        self._name = name
        self._bars = ColumnDataSource({column: [] for column in ("x", "top", "label", "said")})
        self.figure = quiet_figure(
            x_range=self._range(0, 10), y_range=self._range(0, 1), x_axis_label=x_label, y_axis_label=y_label
        )
        self.figure.xgrid.visible = False
        bars = self.figure.vbar(
            x="x", top="top", width=0.72, source=self._bars, fill_color=color, fill_alpha=0.75, line_color=None
        )
        self._marks = ColumnDataSource({column: [] for column in ("x", "y", "marker", "color", "label", "said")})
        marks = self.figure.scatter(x="x", y="y", marker="marker", source=self._marks, size=9, color="color")
        self._overall = Span(dimension="width", line_color=color, line_dash="dotted", line_width=2, visible=False)
        self.figure.add_layout(self._overall)
        self.figure.add_tools(hover([bars, marks], [(x_label, "@label"), (name, "@said")]))

    def update(self, labels: Sequence[str], values: Sequence[float], *, overall: float | None = None) -> None:
        """Show the values of the first 64 things.

        Parameters
        ----------
        labels : sequence of str
        values : sequence of float
            nan is undefined, inf beyond the grid.
        overall : float, optional
            Of all of them together: a dotted line.
        """
        shown = np.asarray(values, dtype=float)[:MOST_BARS]
        names = [str(label) for label in labels][:MOST_BARS]
        finite = shown[np.isfinite(shown)]
        reference = [overall] if overall is not None and np.isfinite(overall) else []
        top = ROOM * max([*finite, *reference], default=1.0)
        place = np.arange(len(shown), dtype=float)
        said = [_said(value) for value in shown]
        height = np.where(np.isnan(shown), 0.0, np.minimum(shown, top))
        self._bars.data = {"x": place, "top": height, "label": names, "said": said}
        odd = np.flatnonzero(~np.isfinite(shown))
        self._marks.data = {
            "x": place[odd],
            "y": np.where(np.isnan(shown[odd]), 0.03 * top, 0.93 * top),
            "marker": ["x" if np.isnan(shown[index]) else "triangle" for index in odd],
            "color": [NEUTRAL if np.isnan(shown[index]) else "#FFFFFF" for index in odd],  # the latter on its bar
            "label": [names[index] for index in odd],
            "said": [said[index] for index in odd],
        }
        axis = self.figure.xaxis[0]
        axis.ticker = FixedTicker(ticks=list(place) if len(names) <= 24 else list(place[:: 1 + len(names) // 24]))
        crowded = len(names) > FEW and max(map(len, names)) > 4
        axis.major_label_overrides = {
            place: shortened(name, CROWDED if crowded else LONGEST) for place, name in enumerate(names)
        }
        slanted = 0.6 if max(map(len, names), default=0) > 4 else "horizontal"
        axis.major_label_orientation = "vertical" if crowded else slanted
        self._overall.visible = bool(reference)
        if reference:
            self._overall.location = reference[0]
        self._fit(self.figure.x_range, -0.6, max(len(names), 1) - 0.4)
        self._fit(self.figure.y_range, 0.0, top)
        self.summary = self._about(names, shown)

    def _about(self, names: list[str], shown: np.ndarray) -> str:
        finite = np.flatnonzero(np.isfinite(shown))
        text = f"{self._name} of {len(names)}"
        if len(finite):
            low, high = finite[shown[finite].argmin()], finite[shown[finite].argmax()]
            text += f": smallest {shown[low]:.3g} ({names[low]}), largest {shown[high]:.3g} ({names[high]})"
        for mask, word in ((np.isnan(shown), "undefined for"), (np.isinf(shown), "beyond the grid for")):
            if mask.any():
                there = [shortened(names[index], 20) for index in np.flatnonzero(mask)]
                more = f" and {len(there) - MOST_NAMES} more" if len(there) > MOST_NAMES else ""
                text += f"; {word} {', '.join(there[:MOST_NAMES])}{more}"
        return f"{text}."

    def clear(self) -> None:
        """Take every bar away."""
        empty(self._bars)
        empty(self._marks)
        self._overall.visible = False
        self.summary = f"No {self._name} to show yet."


def _said(value: float) -> str:
    if np.isnan(value):
        return "undefined: below the threshold without noise"
    return "beyond the grid" if np.isinf(value) else f"{value:.3g}"
