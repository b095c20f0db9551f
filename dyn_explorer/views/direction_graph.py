"""Which directions of one layer feed which of the next, as a graph between columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, TapTool

from .base import View, empty, hover, plain_glyph, quiet_figure, shortened
from .theme import NEUTRAL, SELECTED, STABLE

LONGEST_NAME = 14
WIDEST = 4.0


@dataclass(frozen=True, eq=False)
class Links:
    """Links between two neighbouring columns.

    Parameters
    ----------
    strengths : ndarray (n_right, n_left)
        How strongly each direction on the left feeds each on the right.
    ratios : ndarray (n_right, n_left)
        The same over what a random pattern would have.
    drawn : ndarray (n_right, n_left) of bool
        Links beyond the null's threshold.
    """

    strengths: np.ndarray
    ratios: np.ndarray
    drawn: np.ndarray


class DirectionGraph(View):
    """Columns of directions, strongest on top; only links beyond the null are drawn, and the chosen one's are dark.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> links = views.Links(np.array([[0.9, 0.1]]), np.array([[1.8, 0.2]]), np.array([[True, False]]))
    >>> graph = views.DirectionGraph()
    >>> graph.update(["conv1", "conv2"], [np.array([2.0, 1.0]), np.array([3.0])], [links], chosen=1, selected=0)
    >>> graph.summary
    'conv1 to conv2: 1 of 2 links beyond the null.'
    """

    def __init__(self) -> None:
        super().__init__()
        self._edges = ColumnDataSource({name: [] for name in ("xs", "ys", "width", "alpha", "color", "about")})
        self._others = ColumnDataSource({name: [] for name in ("x", "y", "size", "about")})
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "size", "about", "row", "color")})
        self.figure = quiet_figure(
            x_range=self._range(-0.3, 2.3),
            y_range=self._range(8.6, 0.4),
            y_axis_label="direction, strongest first",
            x_axis_location="above",
        )
        self.figure.grid.visible = False
        self.figure.xaxis.major_tick_line_color = None
        self._ticker = FixedTicker(ticks=[])
        self.figure.xaxis[0].ticker = self._ticker
        self.figure.yaxis.ticker.min_interval = 1
        lines = self.figure.multi_line(
            "xs", "ys", source=self._edges, line_width="width", line_alpha="alpha", line_color="color"
        )
        others = self.figure.scatter("x", "y", size="size", source=self._others, color=NEUTRAL, line_color=None)
        dots = plain_glyph(self.figure.scatter("x", "y", size="size", source=self.rows, color="color", line_color=None))
        self.figure.add_tools(TapTool(renderers=[dots]), hover([lines, others, dots], [("", "@about")]))

    def update(
        self,
        names: Sequence[str],
        sigmas: Sequence[np.ndarray],
        links: Sequence[Links],
        *,
        chosen: int,
        selected: int | None = None,
    ) -> None:
        """Show columns of directions.

        Parameters
        ----------
        names : sequence of str
            Layers from left to right.
        sigmas : sequence of ndarray
            Singular values of each column's directions, descending.
        links : sequence of Links
            Between each column and the next; one less than columns.
        chosen : int
            Column of the layer whose directions can be tapped.
        selected : int, optional
            Direction of it that is chosen.
        """
        self._edges.data = _edges(names, links, chosen, selected)
        places = [_places(column, name, sigma) for column, (name, sigma) in enumerate(zip(names, sigmas, strict=True))]
        count = len(sigmas[chosen])
        self.rows.data = {
            **places[chosen],
            "row": np.arange(1, count + 1),
            "color": [SELECTED if row == selected else STABLE for row in range(count)],
        }
        others = [place for column, place in enumerate(places) if column != chosen]
        self._others.data = {
            name: np.concatenate([np.asarray(place[name]) for place in others]) if others else []
            for name in ("x", "y", "size", "about")
        }
        self._fit(self.figure.x_range, -0.3, len(names) - 0.7)
        self._fit(self.figure.y_range, max(len(sigma) for sigma in sigmas) + 0.6, 0.4)
        self._ticker.ticks = list(range(len(names)))
        self.figure.xaxis[0].major_label_overrides = {column: _short(name) for column, name in enumerate(names)}
        counted = [
            f"{_short(left)} to {_short(right)}: {int(part.drawn.sum())} of {part.drawn.size} links beyond the null"
            for left, right, part in zip(names, names[1:], links, strict=False)
        ]
        self.summary = f"{'; '.join(counted)}." if counted else "No layer here feeds this one or is fed by it alone."

    def clear(self) -> None:
        """Take every column away."""
        for source in (self._edges, self._others, self.rows):
            empty(source)
        self.summary = "No links to show."


def _short(name: str) -> str:
    return shortened(name, LONGEST_NAME)


def _places(column: int, name: str, sigma: np.ndarray) -> dict:
    largest = float(sigma.max(initial=0.0)) or 1.0
    return {
        "x": np.full(len(sigma), float(column)),
        "y": np.arange(1, len(sigma) + 1, dtype=float),
        "size": 6 + 8 * sigma / largest,
        "about": [f"{name}, direction {k + 1}, σ {value:.3g}" for k, value in enumerate(sigma)],
    }


def _edges(names: Sequence[str], links: Sequence[Links], chosen: int, selected: int | None) -> dict:
    drawn = []
    for column, part in enumerate(links):
        for right, left in np.argwhere(part.drawn):
            touches = selected is not None and selected == {chosen - 1: right, chosen: left}.get(column)
            about = (
                f"{names[column]} {left + 1} → {names[column + 1]} {right + 1}: {part.strengths[right, left]:.3f}, "
                f"{part.ratios[right, left]:.1f} × random"
            )
            drawn.append((touches, column, left, right, float(part.strengths[right, left]), about))
    drawn.sort(key=lambda edge: (edge[0], edge[4]))  # what matters most is drawn last
    largest = max((edge[4] for edge in drawn), default=1.0)
    return {
        "xs": [[column, column + 1] for _, column, _, _, _, _ in drawn],
        "ys": [[left + 1, right + 1] for _, _, left, right, _, _ in drawn],
        "width": [0.5 + WIDEST * strength / largest for *_, strength, _ in drawn],
        "alpha": [0.9 if touches else 0.25 for touches, *_ in drawn],
        "color": [STABLE if touches else NEUTRAL for touches, *_ in drawn],
        "about": [about for *_, about in drawn],
    }
