"""Which images each hyperedge holds, as a matrix with the images sorted by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, TapTool

from .base import View, empty, hover, label_ticks, plain_glyph, quiet_figure
from .theme import GROWING, NEUTRAL, SELECTED, STABLE

MOST_CELLS = 12_000
MOST_TICKS = 8
MOST_CLASS_TICKS = 20


class IncidenceMatrix(View):
    """A cell where a hyperedge (column) holds an image (row); its colour says whether the image is of the main class.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.IncidenceMatrix()
    >>> view.update(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0, 1]), ["cat", "dog"], ["+0", "-0"])
    >>> view.summary
    '2 hyperedges over 2 images of 2 classes; 2 of 2 cells are of the main class of their hyperedge.'
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows = ColumnDataSource(
            {name: [] for name in ("x", "y", "row", "edge", "image", "label", "weight", "color")}
        )
        self._borders = ColumnDataSource({name: [] for name in ("y", "left", "right")})
        self._chosen = ColumnDataSource({name: [] for name in ("left", "right", "bottom", "top")})
        self.figure = quiet_figure(
            x_range=self._range(-0.5, 7.5),
            y_range=self._range(8.0, 0.0),
            x_axis_label="hyperedge, strongest direction first",
            y_axis_label="image, by class",
        )
        self.figure.grid.visible = False
        for axis in self.figure.axis:
            axis.ticker = FixedTicker()
        self.figure.segment("left", "y", "right", "y", source=self._borders, line_color=NEUTRAL, line_alpha=0.35)
        cells = plain_glyph(
            self.figure.rect("x", "y", 0.86, 1.0, source=self.rows, fill_color="color", line_color=None)
        )
        self.figure.quad(
            "left", "right", "top", "bottom", source=self._chosen, fill_alpha=0, line_color=SELECTED, line_width=2
        )
        tips = [("hyperedge", "@edge"), ("image", "@image"), ("class", "@label"), ("weight", "@weight{0.000}")]
        self.figure.add_tools(TapTool(renderers=[cells]), hover([cells], tips))

    def update(
        self,
        weights: np.ndarray,
        codes: np.ndarray,
        class_names: Sequence[str],
        edge_names: Sequence[str],
        *,
        incidence: np.ndarray | None = None,
        selected: int | None = None,
    ) -> None:
        """Show a hypergraph.

        Parameters
        ----------
        weights : array (P, n_edges)
            Of each image in each hyperedge.
        codes : array (P,) of int
            Class of each image, as a place in `class_names`.
        class_names, edge_names : sequence of str
        incidence : array (P, n_edges), optional
            Where an image is in a hyperedge; by default where the weight is not zero.
        selected : int, optional
            Hyperedge that is marked.
        """
        held = np.asarray(weights) != 0 if incidence is None else np.asarray(incidence) != 0
        order = np.argsort(codes, kind="stable")
        counts = np.stack([held[codes == code].sum(axis=0) for code in range(len(class_names))])
        main = counts.argmax(axis=0)
        row, edge = np.nonzero(held[order])
        image = order[row]
        own = codes[image] == main[edge]
        weight = np.asarray(weights)[image, edge]
        drawn = np.sort(np.argsort(-weight, kind="stable")[:MOST_CELLS])
        self.rows.data = {
            "x": edge[drawn],
            "y": row[drawn] + 0.5,
            "row": edge[drawn] + 1,
            "edge": [edge_names[k] for k in edge[drawn]],
            "image": image[drawn],
            "label": [class_names[k] for k in codes[image[drawn]]],
            "weight": weight[drawn],
            "color": np.where(own[drawn], STABLE, GROWING).tolist(),
        }
        self._show_classes(np.bincount(codes, minlength=len(class_names)), class_names, len(edge_names))
        self._show_edges(edge_names, selected, len(codes))
        self._fit(self.figure.x_range, -0.6, len(edge_names) - 0.4)
        self._fit(self.figure.y_range, float(len(codes)), 0.0)
        hidden = f"; the {MOST_CELLS} of largest weight are drawn" if len(edge) > MOST_CELLS else ""
        self.summary = (
            f"{len(edge_names)} hyperedges over {len(codes)} images of {len(class_names)} classes; {own.sum()} of "
            f"{len(edge)} cells are of the main class of their hyperedge{hidden}."
        )

    def _show_classes(self, sizes: np.ndarray, class_names: Sequence[str], n_edges: int) -> None:
        ends = np.cumsum(sizes)
        self._borders.data = {
            "y": ends[:-1],
            "left": np.full(len(ends) - 1, -0.5),
            "right": np.full(len(ends) - 1, n_edges - 0.5),
        }
        middles = ends - sizes / 2
        shown = range(0, len(middles), -(-len(middles) // MOST_CLASS_TICKS))
        label_ticks(self.figure.yaxis[0], [float(middles[k]) for k in shown], [class_names[k] for k in shown])

    def _show_edges(self, edge_names: Sequence[str], selected: int | None, n_images: int) -> None:
        shown = range(0, len(edge_names), -(-len(edge_names) // MOST_TICKS) or 1)
        label_ticks(self.figure.xaxis[0], [float(k) for k in shown], [edge_names[k] for k in shown])
        chosen = [] if selected is None else [selected]
        self._chosen.data = {
            "left": [k - 0.5 for k in chosen],
            "right": [k + 0.5 for k in chosen],
            "bottom": [n_images for _ in chosen],
            "top": [0 for _ in chosen],
        }

    def clear(self) -> None:
        """Take every cell away."""
        for source in (self.rows, self._borders, self._chosen):
            empty(source)
        self.summary = "No hypergraph to show."
