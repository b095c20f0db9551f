"""Components of a hypergraph for every s, as a barcode."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, Span, TapTool

from .base import View, empty, hover, plain_glyph, quiet_figure
from .theme import NEUTRAL, SELECTED, STABLE

MOST_BARS = 128


class ComponentBars(View):
    """One bar per component, over the s for which it is there; the line is the chosen s.

    Examples
    --------
    >>> from dyn_explorer import analysis, views
    >>> bars = views.ComponentBars()
    >>> found = analysis.Hypergraph.from_edges([[0, 1, 2], [1, 2, 3], [3, 4]], n_vertices=5)
    >>> bars.update(found.barcode, ["+0", "-0", "+1"], s=2)
    >>> bars.summary
    '2 components of hyperedges that share at least 2 images; there are most, 2, at s = 2.'
    """

    def __init__(self) -> None:
        super().__init__()
        names = ("y", "left", "right", "row", "edge", "death", "color", "line")
        self.rows = ColumnDataSource({name: [] for name in names})
        self.figure = quiet_figure(
            x_range=self._range(0, 10),
            y_range=self._range(8.5, 0.5),
            x_axis_label="s (images shared)",
            y_axis_label="component, longest first",
        )
        self.figure.ygrid.visible = False
        self.figure.yaxis.ticker.min_interval = 1
        self.figure.xaxis.ticker.min_interval = 1
        bars = plain_glyph(
            self.figure.hbar(
                y="y",
                left="left",
                right="right",
                height=0.7,
                fill_color="color",
                fill_alpha=0.75,
                line_color="line",
                line_width=2,
                source=self.rows,
            )
        )
        self._cursor = Span(dimension="height", line_color=SELECTED, line_width=2, visible=False)
        self.figure.add_layout(self._cursor)
        tips = [("hyperedge", "@edge"), ("images", "@right"), ("joins at s =", "@death")]
        self.figure.add_tools(TapTool(renderers=[bars]), hover([bars], tips))

    def update(self, barcode, edge_names: Sequence[str], *, s: int, selected: int | None = None) -> None:
        """Show a barcode.

        Parameters
        ----------
        barcode : Barcode
        edge_names : sequence of str
            Of all hyperedges.
        s : int
            Where the line stands; bars that cross it are components at this s.
        selected : int, optional
            Hyperedge that is marked.
        """
        edge, birth, death = (values[:MOST_BARS] for values in (barcode.edge, barcode.birth, barcode.death))
        there = (death < s) & (s <= birth)
        color = np.where(there, STABLE, NEUTRAL)
        self.rows.data = {
            "y": np.arange(1, len(edge) + 1),
            "left": death,
            "right": birth,
            "row": edge + 1,
            "edge": [edge_names[k] for k in edge],
            "death": [str(value) if value else "never" for value in death.tolist()],
            "color": color.tolist(),
            "line": [SELECTED if k == selected else own for k, own in zip(edge, color.tolist(), strict=True)],
        }
        largest = int(barcode.birth.max(initial=1))
        self._fit(self.figure.x_range, 0.0, 1.04 * largest)
        self._fit(self.figure.y_range, len(edge) + 0.5, 0.5)
        self._cursor.update(visible=True, location=s)
        counts = [barcode.count(k) for k in range(1, largest + 1)]
        most = max(counts)
        hidden = (
            f" The {MOST_BARS} longest of {len(barcode.edge)} bars are drawn." if len(barcode.edge) > MOST_BARS else ""
        )
        noun = "component" if barcode.count(s) == 1 else "components"
        self.summary = (
            f"{barcode.count(s)} {noun} of hyperedges that share at least {s} images; there are most, {most}, at "
            f"s = {1 + counts.index(most)}.{hidden}"
        )

    def clear(self) -> None:
        """Take every bar away."""
        empty(self.rows)
        self._cursor.visible = False
        self.summary = "No components to show."
