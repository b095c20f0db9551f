"""A small hypergraph as rubber bands around its vertices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, TapTool

from .base import View, empty, hover, plain_glyph, quiet_figure
from .theme import NEUTRAL, SELECTED, STABLE

MOST_VERTICES = 60
REACH = 1.3  # half width of the figure; the circle has radius 1
STEP = 0.12  # from one hyperedge to the next of the same vertices


class HullGraph(View):
    """Vertices on a circle, each hyperedge a point amid its own; lines join them, a band holds those of each hyperedge.

    On a circle the vertices of a hyperedge, in order, are the corners of its convex hull.

    Examples
    --------
    >>> from dyn_explorer import views
    >>> view = views.HullGraph()
    >>> view.update([[0, 1, 2], [2]], ["cat", "dog", "eel"], ["+0", "-0"], what="classes", selected=0)
    >>> view.summary
    '2 hyperedges that hold some of 3 classes; +0 holds cat, dog, eel.'
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "row", "edge", "members", "color", "size")})
        self._vertices = ColumnDataSource({name: [] for name in ("x", "y", "label_x", "label_y", "label")})
        self._links = ColumnDataSource({name: [] for name in ("x0", "y0", "x1", "y1", "color", "alpha")})
        self._bands = ColumnDataSource({name: [] for name in ("xs", "ys", "color", "alpha")})
        self.figure = quiet_figure(
            x_range=self._range(-REACH, REACH), y_range=self._range(-REACH, REACH), match_aspect=True
        )
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        self.figure.patches(
            "xs",
            "ys",
            source=self._bands,
            fill_color="color",
            fill_alpha="alpha",
            line_color="color",
            line_alpha="alpha",
            line_width=14,
            line_join="round",
        )
        self.figure.segment(
            "x0", "y0", "x1", "y1", source=self._links, line_color="color", line_alpha="alpha", line_width=1.5
        )
        self.figure.scatter("x", "y", source=self._vertices, size=8, color=NEUTRAL, line_color=None)
        labels = self.figure.text(
            "label_x",
            "label_y",
            "label",
            source=self._vertices,
            text_align="center",
            text_baseline="middle",
            text_color=NEUTRAL,
        )
        labels.glyph.text_font_size = "11px"
        points = plain_glyph(
            self.figure.scatter(
                "x", "y", source=self.rows, size="size", color="color", marker="square", line_color=None
            )
        )
        tips = [("hyperedge", "@edge"), ("holds", "@members")]
        self.figure.add_tools(TapTool(renderers=[points]), hover([points], tips))

    def update(
        self,
        edges: Sequence[Sequence[int]],
        vertex_names: Sequence[str],
        edge_names: Sequence[str],
        *,
        what: str,
        selected: int | None = None,
    ) -> None:
        """Show a hypergraph of at most 60 vertices; of more, the summary says so and nothing is drawn.

        Parameters
        ----------
        edges : sequence of sequence of int
            Vertices of each hyperedge; those that hold none are not drawn.
        vertex_names, edge_names : sequence of str
        what : str
            What the vertices are, in the plural.
        selected : int, optional
            Hyperedge that is marked.
        """
        if len(vertex_names) > MOST_VERTICES:
            self.clear()
            self.summary = f"{len(vertex_names)} {what} are too many to draw; {MOST_VERTICES} are not."
            return
        angle = np.pi / 2 - 2 * np.pi * np.arange(len(vertex_names)) / max(len(vertex_names), 1)
        place = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        drawn = [k for k, members in enumerate(edges) if len(members)]
        drawn.sort(key=lambda k: k == selected)  # the marked one lies on top
        members = {k: np.sort(np.asarray(edges[k], dtype=int)) for k in drawn}
        middle = _middles([members[k] for k in drawn], place)
        color = [SELECTED if k == selected else STABLE for k in drawn]
        self._vertices.data = {
            "x": place[:, 0],
            "y": place[:, 1],
            "label_x": 1.15 * place[:, 0],
            "label_y": 1.15 * place[:, 1],
            "label": list(vertex_names),
        }
        self._bands.data = {
            "xs": [place[members[k], 0] for k in drawn],
            "ys": [place[members[k], 1] for k in drawn],
            "color": color,
            "alpha": [0.3 if k == selected else 0.04 for k in drawn],
        }
        self._show_links(drawn, members, place, middle, selected)
        words = [", ".join(vertex_names[v] for v in members[k]) for k in drawn]
        self.rows.data = {
            "x": middle[:, 0],
            "y": middle[:, 1],
            "row": [k + 1 for k in drawn],
            "edge": [edge_names[k] for k in drawn],
            "members": words,
            "color": color,
            "size": [10 if k == selected else 6 for k in drawn],
        }
        chosen = ""
        if selected is not None:
            chosen = f"; {edge_names[selected]} holds {words[-1] if selected in members else 'none'}"
        noun = "hyperedge that holds" if len(drawn) == 1 else "hyperedges that hold"
        self.summary = f"{len(drawn)} {noun} some of {len(vertex_names)} {what}{chosen}."

    def _show_links(self, drawn, members, place, middle, selected) -> None:
        counts = [len(members[k]) for k in drawn]
        ends = place[np.concatenate([members[k] for k in drawn])] if drawn else np.empty((0, 2))
        starts = np.repeat(middle, counts, axis=0)
        marked = np.repeat([k == selected for k in drawn], counts).astype(bool)
        self._links.data = {
            "x0": starts[:, 0],
            "y0": starts[:, 1],
            "x1": ends[:, 0],
            "y1": ends[:, 1],
            "color": np.where(marked, SELECTED, STABLE).tolist(),
            "alpha": np.where(marked, 0.9, 0.25),
        }

    def clear(self) -> None:
        """Take everything away."""
        for source in (self.rows, self._vertices, self._links, self._bands):
            empty(source)
        self.summary = "No hypergraph to show."


def _middles(members: list[np.ndarray], place: np.ndarray) -> np.ndarray:
    """Where the point of each hyperedge stands: amid its vertices, further in than a single one and than its equals."""
    equals: Counter = Counter()
    middles = np.empty((len(members), 2))
    for number, own in enumerate(members):
        key = own.tobytes()
        inwards = (len(own) == 1) + equals[key]
        middles[number] = place[own].mean(axis=0) * max(1 - STEP * inwards, 0.2)
        equals[key] += 1
    return middles
