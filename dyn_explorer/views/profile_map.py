"""How alike the profiles of inputs or classes are, sorted by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, LinearColorMapper, TapTool

from .base import View, empty, hover, label_ticks, plain_glyph, quiet_figure
from .color_bar import color_bar
from .theme import MAGNITUDE_PALETTE, NEUTRAL, SELECTED

MOST_TICKS = 16


class ProfileMap(View):
    """A symmetric map whose lines stand in groups; a line can be tapped.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.ProfileMap()
    >>> view.update(np.eye(3), ["cat", "cat", "dog"], names=["input 0", "input 2", "input 1"], rows=[0, 2, 1])
    >>> view.summary
    'Similarity of 3 profiles in 2 classes.'
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "width", "row", "name", "group")})
        self._map = ColumnDataSource({name: [] for name in ("image", "x", "y", "dw", "dh")})
        self._chosen = ColumnDataSource({"x": [], "y": [], "width": []})
        self._drawn: np.ndarray | None = None
        self._borders = ColumnDataSource({name: [] for name in ("x0", "y0", "x1", "y1")})
        mapper = LinearColorMapper(palette=MAGNITUDE_PALETTE, low=0, high=1, nan_color=NEUTRAL)
        self.figure = quiet_figure(x_range=self._range(0, 1), y_range=self._range(0, 1), tools="reset")
        self.figure.grid.visible = False
        for axis in self.figure.axis:
            axis.ticker = FixedTicker()
        cells = self.figure.image(
            "image", source=self._map, color_mapper=mapper, level="glyph",
            **{name: name for name in ("x", "y", "dw", "dh")},
        )  # fmt: skip
        self.figure.segment(
            source=self._borders, line_color="white", line_alpha=0.7, **{name: name for name in self._borders.data}
        )
        lines = plain_glyph(self.figure.rect("x", "y", "width", 1, source=self.rows, fill_alpha=0, line_alpha=0))
        self.figure.rect("x", "y", "width", 1, source=self._chosen, fill_alpha=0, line_color=SELECTED, line_width=2)
        self.figure.add_layout(color_bar(mapper, width=8, padding=2), "right")
        tips = [("row", "@name, class @group")]
        self.figure.add_tools(
            TapTool(renderers=[lines]), hover([lines], tips), hover([cells], [("similarity", "@image{0.000}")])
        )

    def update(
        self,
        values: np.ndarray,
        groups: Sequence[str],
        *,
        names: Sequence[str],
        rows: Sequence[int],
        word: str = "input",
        note: str = "",
        selected: int | None = None,
    ) -> None:
        """Show a matrix.

        Parameters
        ----------
        values : array (n, n)
            In 0..1; nan is grey. What is drawn already is not sent to the browser again.
        groups : sequence of str (n,)
            Class of each line; those of one class follow one another.
        names : sequence of str (n,)
        rows : sequence of int (n,)
            What a tap on a line chooses.
        word : str
            What a line is.
        note : str
            For the summary.
        selected : int, optional
            Row that is marked.
        """
        count = len(values)
        middle, centres = np.full(count, count / 2), count - np.arange(count) - 0.5
        mine = [k for k, row in enumerate(rows) if row == selected]
        self._chosen.data = {"x": middle[mine], "y": centres[mine], "width": np.full(len(mine), count)}
        starts = [k for k in range(count) if k == 0 or groups[k] != groups[k - 1]]
        self.summary = f"Similarity of {count} profiles in {len(starts)} classes.{f' {note}' if note else ''}"
        if values is self._drawn:
            return
        self._drawn = values
        # Bokeh draws the first row of an image at the bottom.
        image = np.asarray(values, dtype=np.float32)[::-1]
        self._map.data = {"image": [image], "x": [0], "y": [0], "dw": [count], "dh": [count]}
        self.rows.data = {
            "x": middle,
            "y": centres,
            "width": np.full(count, count),
            "row": [row + 1 for row in rows],
            "name": list(names),
            "group": list(groups),
        }
        ends = [*starts[1:], count]
        inner = np.array(starts[1:] if len(starts) < count else [], dtype=float)
        low, high = np.zeros(len(inner)), np.full(len(inner), float(count))
        self._borders.data = {
            "x0": np.concatenate([inner, low]),
            "y0": np.concatenate([low, count - inner]),
            "x1": np.concatenate([inner, high]),
            "y1": np.concatenate([high, count - inner]),
        }
        step = -(-len(starts) // MOST_TICKS)
        ticks = [(begin + end) / 2 for begin, end in zip(starts, ends, strict=True)][::step]
        for axis, places in ((self.figure.xaxis[0], ticks), (self.figure.yaxis[0], [count - at for at in ticks])):
            label_ticks(axis, places, [groups[begin] for begin in starts[::step]])
            axis.axis_label = word if len(starts) == count else f"{word}, by class"
        self._fit(self.figure.x_range, 0, max(count, 1))
        self._fit(self.figure.y_range, 0, max(count, 1))

    def clear(self) -> None:
        """Take every line away."""
        self._drawn = None
        for source in (self.rows, self._map, self._chosen, self._borders):
            empty(source)
        self.summary = "No profiles to compare."
