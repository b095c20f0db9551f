"""Signed numbers in a grid of named rows and columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, LinearColorMapper, TapTool
from bokeh.palettes import RdBu11, interp_palette

from .base import View, empty, hover, largest_finite, plain_glyph, quiet_figure, shortened
from .color_bar import color_bar
from .theme import NEUTRAL, SELECTED

LONGEST_NAME = 14
MOST_ROWS = 16  # that are named
WIDTH = 230  # pixels that the columns of the narrowest grid share
LETTER = 7
COLORS = interp_palette(RdBu11, 255)


class HeatMap(View):
    """One coloured cell per number, white at zero; cells that are no more than chance carry a grey cross.

    Parameters
    ----------
    row_word, column_word, value_word : str
        What the hover calls the row, the column and the number of a cell.
    empty_text : str
        What the summary says when there is nothing to show.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> grid = views.HeatMap("layer", "epoch", "G")
    >>> grid.update(np.array([[0.1, -0.2]]), rows=["conv1"], columns=["0", "1"])
    >>> grid.summary
    'G of 1 layer x 2 epochs, from -0.2 to 0.1.'
    """

    def __init__(
        self, row_word: str, column_word: str, value_word: str, empty_text: str = "There is nothing to show."
    ) -> None:
        super().__init__()
        self._words = row_word, column_word, value_word
        self._empty_text = empty_text
        names = ("x", "y", "value", "row", "row_name", "column_name", "note")
        self.rows = ColumnDataSource({name: [] for name in names})
        self._chance = ColumnDataSource({"x": [], "y": []})
        self._chosen = ColumnDataSource({"x": [], "y": []})
        self.mapper = LinearColorMapper(palette=COLORS, low=-1, high=1, nan_color="rgba(0, 0, 0, 0)")
        self.figure = quiet_figure(x_range=self._range(-0.5, 0.5), y_range=self._range(0.5, -0.5), tools="reset")
        self.figure.grid.visible = False
        self.figure.xaxis.ticker, self.figure.yaxis.ticker = FixedTicker(), FixedTicker()
        self.figure.xaxis.axis_label, self.figure.yaxis.axis_label = column_word, row_word
        color = {"field": "value", "transform": self.mapper}
        cells = plain_glyph(
            self.figure.rect("x", "y", 1, 1, source=self.rows, fill_color=color, line_color=color, line_width=0.5)
        )
        self.figure.scatter("x", "y", marker="x", size=4, line_color=NEUTRAL, source=self._chance)
        self.figure.rect("x", "y", 1, 1, source=self._chosen, fill_alpha=0, line_color=SELECTED, line_width=2.5)
        bar = color_bar(self.mapper, ticks=5, width=10)
        self.figure.add_layout(bar, "right")
        tips = [(row_word, "@row_name"), (column_word, "@column_name"), (value_word, "@value{+0.000}"), ("", "@note")]
        self.figure.add_tools(TapTool(renderers=[cells]), hover([cells], tips))

    def update(
        self,
        values: np.ndarray,
        *,
        rows: Sequence[str],
        columns: Sequence[str],
        chance: np.ndarray | None = None,
        notes: Sequence[str] = (),
        selected: tuple[int, int] | None = None,
        row_label: str | None = None,
        column_label: str | None = None,
        column_word: str | None = None,
        row_ticks: Sequence[str] | None = None,
        column_ticks: Sequence[str] | None = None,
    ) -> None:
        """Show a grid.

        Parameters
        ----------
        values : ndarray (n_rows, n_columns)
            nan is left blank.
        rows, columns : sequence of str
            Their names; the first row stands at the top.
        chance : ndarray (n_rows, n_columns) of bool, optional
            Cells that get a grey cross.
        notes : sequence of str, optional
            A line of the hover for each cell, row by row.
        selected : (row, column), optional
            Cell that is framed.
        row_label, column_label : str, optional
            Of the axes, where they say more than the words of the hover.
        column_word : str, optional
            What a column is now, in the summary and at the axis.
        row_ticks, column_ticks : sequence of str, optional
            Labels at the axes instead of the names.
        """
        values = np.asarray(values, dtype=float)
        height, width = values.shape
        y, x = (place.ravel() for place in np.indices(values.shape))
        self.rows.data = {
            "x": x,
            "y": y,
            "value": values.ravel(),
            "row": np.arange(1, values.size + 1),
            "row_name": [rows[place] for place in y],
            "column_name": [columns[place] for place in x],
            "note": list(notes) or [""] * values.size,
        }
        crossed = np.zeros(values.shape, bool) if chance is None else chance & np.isfinite(values)
        self._chance.data = {"x": x[crossed.ravel()], "y": y[crossed.ravel()]}
        framed = selected is not None and 0 <= selected[0] < height and 0 <= selected[1] < width
        self._chosen.data = {"x": [selected[1]], "y": [selected[0]]} if framed else {"x": [], "y": []}
        peak = largest_finite(values) or 1.0
        self.mapper.update(low=-peak, high=peak)
        self._fit(self.figure.x_range, -0.5, max(width, 1) - 0.5)
        self._fit(self.figure.y_range, max(height, 1) - 0.5, -0.5)
        self.figure.yaxis.axis_label = row_label or self._words[0]
        self.figure.xaxis.axis_label = column_label or column_word or self._words[1]
        _name_ticks(self.figure.yaxis[0], rows if row_ticks is None else row_ticks, height / MOST_ROWS)
        names = columns if column_ticks is None else column_ticks
        longest = min(max(map(len, names), default=0), LONGEST_NAME)
        _name_ticks(self.figure.xaxis[0], names, width * LETTER * (longest + 1) / WIDTH)
        self.summary = self._described(values, column_word or self._words[1])

    def _described(self, values: np.ndarray, column_word: str) -> str:
        finite = values[np.isfinite(values)]
        if not finite.size:
            return self._empty_text
        row_word, _, value_word = self._words
        size = f"{_counted(values.shape[0], row_word)} x {_counted(values.shape[1], column_word)}"
        return f"{value_word} of {size}, from {finite.min():.3g} to {finite.max():.3g}."

    def clear(self) -> None:
        """Take every cell away."""
        for source in (self.rows, self._chance, self._chosen):
            empty(source)
        self.summary = self._empty_text


def _counted(count: int, word: str) -> str:
    plural = f"{word}es" if word.endswith("s") else f"{word}s"
    return f"{count} {word if count == 1 else plural}"


def _name_ticks(axis, names: Sequence[str], crowd: float) -> None:
    """Name every place, or where `crowd` names would share one only some, the last among them.

    Long names lose their beginning.
    """
    step = max(1, math.ceil(crowd))
    last = len(names) - 1
    axis.ticker.ticks = [place for place in range(0, last, step) if last - place >= step] + [last] * bool(names)
    axis.major_label_overrides = {place: shortened(name, LONGEST_NAME) for place, name in enumerate(names)}
