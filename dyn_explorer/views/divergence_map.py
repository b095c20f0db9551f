"""How far each two of several distributions lie apart, as a square of colours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, LinearColorMapper, TapTool

from .base import View, empty, hover, plain_glyph, quiet_figure
from .color_bar import color_bar
from .theme import MAGNITUDE_PALETTE, SELECTED

MOST_TICKS = 12
LONGEST_NAME = 8
SLANT = 0.8  # radians


class DivergenceMap(View):
    """A symmetric table of divergences in bits, from 0 to 1.

    Parameters
    ----------
    axis : str
        What the numbers at the axes count.
    named : bool
        Whether names stand there instead, where they are short and few.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.DivergenceMap()
    >>> view.update(np.array([[0.0, 0.4], [0.4, 0.0]]), ["conv1", "conv2"])
    >>> view.summary
    'Divergence of 2 distributions; the furthest apart are conv1 and conv2, 0.4 bits.'
    """

    def __init__(self, axis: str = "place in the table", *, named: bool = False) -> None:
        super().__init__()
        self._named = named
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "row", "value", "one", "other")})
        self._chosen = ColumnDataSource({"x": [], "y": [], "width": [], "height": []})
        mapper = LinearColorMapper(palette=MAGNITUDE_PALETTE, low=0, high=1)
        self.figure = quiet_figure(
            x_range=self._range(0, 1), y_range=self._range(0, 1), min_border_right=26, min_border_top=8
        )
        self.figure.grid.visible = False
        self._axis = axis
        self.figure.xaxis.axis_label = self.figure.yaxis.axis_label = axis
        cells = plain_glyph(
            self.figure.rect(
                "x", "y", 1, 1, source=self.rows, fill_color={"field": "value", "transform": mapper}, line_color=None
            )
        )
        self.figure.rect(
            "x", "y", "width", "height", source=self._chosen, fill_alpha=0, line_color=SELECTED, line_width=2
        )
        bar = color_bar(mapper, height=10, title="bits")
        self.figure.add_layout(bar, "below")
        self.figure.add_tools(
            TapTool(renderers=[cells]), hover([cells], [("", "@one"), ("and", "@other"), ("bits", "@value{0.000}")])
        )

    def update(self, values, names: Sequence[str], *, numbers: Sequence[int] = (), selected: int | None = None) -> None:
        """Show divergences.

        Parameters
        ----------
        values : array (n, n)
            In bits.
        names : sequence of str
            Of the distributions.
        numbers : sequence of int, optional
            Row of the panel's table (from 0) that each stands for, also at the axes; by default in order.
        selected : int, optional
            Row of the table that is marked.
        """
        values, count = np.asarray(values, float), len(names)
        self.figure.visible = True
        numbers = list(numbers) or list(range(count))
        row, column = (index.ravel() for index in np.indices((count, count)))
        self.rows.data = {
            "x": column + 0.5, "y": count - row - 0.5, "row": np.array(numbers, dtype=int)[row] + 1,
            "value": values.ravel(), "one": [names[k] for k in row], "other": [names[k] for k in column],
        }  # fmt: skip
        for axis_range in (self.figure.x_range, self.figure.y_range):
            self._fit(axis_range, 0.0, float(max(count, 1)))
        is_named = self._named and count <= MOST_TICKS and max(map(len, names), default=0) <= LONGEST_NAME
        labels = list(names) if is_named else [str(number) for number in numbers]
        every = max(1, -(-count // MOST_TICKS))
        for axis, places in (
            (self.figure.xaxis[0], [k + 0.5 for k in range(count)]),
            (self.figure.yaxis[0], [count - k - 0.5 for k in range(count)]),
        ):
            axis.ticker = FixedTicker(ticks=places[::every])
            axis.major_label_overrides = dict(zip(places[::every], labels[::every], strict=True))
            axis.axis_label = None if is_named else self._axis
        self.figure.xaxis[0].major_label_orientation = SLANT if is_named else "horizontal"
        self._mark(numbers.index(selected) if selected in numbers else None, count)
        self.summary = _summary(values, names)

    def _mark(self, place: int | None, count: int) -> None:
        if place is None:
            empty(self._chosen)
            return
        middle = count / 2
        self._chosen.data = {
            "x": [place + 0.5, middle], "y": [middle, count - place - 0.5], "width": [1, count], "height": [count, 1],
        }  # fmt: skip

    def clear(self) -> None:
        """Take the table away."""
        empty(self.rows)
        empty(self._chosen)
        self.summary = "There is nothing to compare."


def _summary(values: np.ndarray, names: Sequence[str]) -> str:
    if len(names) < 2:
        return "One distribution: there is nothing to compare."
    one, other = np.unravel_index(np.nanargmax(values), values.shape)
    return (
        f"Divergence of {len(names)} distributions; the furthest apart are {names[one]} and {names[other]}, "
        f"{values[one, other]:.3g} bits."
    )
