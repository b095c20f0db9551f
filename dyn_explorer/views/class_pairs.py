"""A number for each pair of classes, as a heat map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, LinearColorMapper, TapTool

from .base import View, empty, hover, label_ticks, largest_finite, plain_glyph, quiet_figure
from .color_bar import color_bar
from .theme import MAGNITUDE_PALETTE, NEUTRAL, SELECTED

MOST_CLASSES = 40
MOST_TICKS = 20
MOST_LETTERS = 22  # that stand side by side below the figure
SLANT = 0.8  # radians


class ClassPairs(View):
    """A symmetric matrix over classes; a pair without a number is grey.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.ClassPairs()
    >>> view.update(np.array([[0.5, 0.1], [0.1, 0.3]]), ["cat", "dog"], label="mean Jaccard index")
    >>> view.summary
    'mean Jaccard index of 2 x 2 classes; of different ones, cat and dog are closest with 0.1.'
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "row", "first", "second", "value")})
        self._chosen = ColumnDataSource({"x": [], "y": []})
        self.mapper = LinearColorMapper(palette=MAGNITUDE_PALETTE, low=0, high=1, nan_color=NEUTRAL)
        self.figure = quiet_figure(
            x_range=self._range(-0.5, 1.5), y_range=self._range(1.5, -0.5), x_axis_label="class", y_axis_label="class"
        )
        self.figure.grid.visible = False
        for axis in self.figure.axis:
            axis.ticker = FixedTicker()
        cells = plain_glyph(
            self.figure.rect(
                "x",
                "y",
                1,
                1,
                source=self.rows,
                fill_color={"field": "value", "transform": self.mapper},
                line_color=None,
            )
        )
        self.figure.rect("x", "y", 1, 1, source=self._chosen, fill_alpha=0, line_color=SELECTED, line_width=2.5)
        bar = color_bar(self.mapper, width=8, padding=2)
        self.figure.add_layout(bar, "right")
        tips = [("classes", "@first and @second"), ("value", "@value{0.000}")]
        self.figure.add_tools(TapTool(renderers=[cells]), hover([cells], tips))

    def update(
        self, values: np.ndarray, class_names: Sequence[str], *, label: str, selected: tuple[int, int] | None = None
    ) -> None:
        """Show a matrix.

        Parameters
        ----------
        values : array (C, C)
            Non-negative, symmetric; nan where there is no pair. Of more than 40 classes the first 40 are drawn.
        class_names : sequence of str
        label : str
            What the values are, for the summary.
        selected : (int, int), optional
            Pair that is marked, in both orders.
        """
        values = np.asarray(values, dtype=float)
        total, count = len(values), min(len(values), MOST_CLASSES)
        first, second = (grid.ravel() for grid in np.indices((count, count)))
        self.rows.data = {
            "x": second,
            "y": first,
            "row": first * total + second + 1,
            "first": [class_names[k] for k in first],
            "second": [class_names[k] for k in second],
            "value": values[:count, :count].ravel(),
        }
        pairs = {selected, selected[::-1]} if selected is not None and max(selected) < count else set()
        self._chosen.data = {"x": [b for _, b in pairs], "y": [a for a, _ in pairs]}
        self.mapper.high = largest_finite(values) or 1.0
        shown = range(0, count, -(-count // MOST_TICKS))
        for axis in (self.figure.xaxis[0], self.figure.yaxis[0]):
            label_ticks(axis, list(shown), [class_names[k] for k in shown])
        letters = sum(1 + len(class_names[k]) for k in shown)
        self.figure.xaxis[0].major_label_orientation = "horizontal" if letters <= MOST_LETTERS else SLANT
        self._fit(self.figure.x_range, -0.5, count - 0.5)
        self._fit(self.figure.y_range, count - 0.5, -0.5)
        hidden = f" (the first {count} are drawn)" if total > count else ""
        self.summary = f"{label} of {total} x {total} classes{hidden}{_closest(values, class_names)}."

    def clear(self) -> None:
        """Take every cell away."""
        empty(self.rows)
        empty(self._chosen)
        self.summary = "No classes to compare."


def _closest(values: np.ndarray, class_names: Sequence[str]) -> str:
    others = np.where(np.eye(len(values), dtype=bool) | ~np.isfinite(values), -np.inf, values)
    first, second = divmod(int(others.argmax()), len(values))
    if others[first, second] == -np.inf:
        return ""
    names = f"{class_names[first]} and {class_names[second]}"
    return f"; of different ones, {names} are closest with {values[first, second]:.3g}"
