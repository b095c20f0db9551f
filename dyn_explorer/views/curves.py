"""Curves of several runs with their bands, against epochs or against another number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.core.properties import field
from bokeh.models import ColumnDataSource, FixedTicker, Span, TapTool

from .base import View, empty, finite_bounds, hover, plain_glyph, quiet_figure
from .theme import DECAYING, GROWING, NEUTRAL, OUTSIDE, SELECTED, STABLE

MOST_LETTERS = 40  # of ticks, side by side
SLANT = 0.8  # radians
RUN_COLORS = (STABLE, GROWING, DECAYING, OUTSIDE)
RUN_MARKERS = ("circle", "triangle", "square", "diamond")


@dataclass(frozen=True, eq=False)
class Curve:
    """One curve.

    Parameters
    ----------
    name : str
        What the hover calls it.
    x, y : ndarray (n,)
        Points in the order in which they are joined; points that are nan are left out.
    low, high : ndarray (n,) or None
        Band around it.
    run : int
        Which run it belongs to, for colour and marker; ignored where it is a null.
    is_null : bool
        Whether it is drawn as the grey band that every null has.
    epochs : sequence (n,) or None
        Epoch of each point, or what else the view calls its points, for the hover.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    run: int = 0
    is_null: bool = False
    epochs: np.ndarray | None = None


class Curves(View):
    """Lines with markers over their bands; nulls are grey bands without markers.

    Parameters
    ----------
    point : str, default "epoch"
        What the hover calls a curve's `epochs`.
    beside : Curves, optional
        Shares its horizontal range with this view: zooming one zooms the other.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.Curves()
    >>> view.update([views.Curve("a", np.arange(3.0), np.array([1.0, 3.0, 2.0]))], x_label="epoch", y_label="loss")
    >>> view.summary
    'loss against epoch: a goes from 1 to 2.'
    """

    def __init__(self, point: str = "epoch", *, beside: Curves | None = None) -> None:
        super().__init__()
        self._bands = ColumnDataSource({name: [] for name in ("xs", "ys", "color")})
        self._lines = ColumnDataSource({name: [] for name in ("xs", "ys", "color", "dash")})
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "row", "name", "epoch", "color", "marker")})
        across = self._range(0.0, 1.0) if beside is None else beside.figure.x_range
        self.figure = quiet_figure(x_range=across, y_range=self._range(0.0, 1.0))
        self.figure.xaxis.axis_label = self.figure.yaxis.axis_label = " "
        self.figure.xaxis[0].ticker.desired_num_ticks = 4  # long labels of small numbers must not meet
        self._ticks, self._own_ticks = self.figure.xaxis[0].ticker, FixedTicker()
        self.figure.patches("xs", "ys", source=self._bands, fill_color="color", fill_alpha=0.18, line_color=None)
        self.figure.multi_line("xs", "ys", source=self._lines, color="color", line_width=1.5, line_dash=field("dash"))
        dots = plain_glyph(
            self.figure.scatter("x", "y", marker="marker", size=6, color="color", source=self.rows, line_color=None)
        )
        self._cursor = Span(dimension="height", line_color=SELECTED, line_width=2, visible=False)
        self.figure.add_layout(self._cursor)
        tips = [("", "@name"), (point, "@epoch"), ("x", "@x{0.[000]}"), ("y", "@y{0.[000]}")]
        self.figure.add_tools(TapTool(renderers=[dots]), hover([dots], tips))

    def update(
        self,
        curves: Sequence[Curve],
        *,
        x_label: str,
        y_label: str,
        cursor: float | None = None,
        ticks: Sequence[tuple[float, str]] = (),
        places: np.ndarray | None = None,
    ) -> None:
        """Show curves.

        Parameters
        ----------
        curves : sequence of Curve
        x_label, y_label : str
            Of the axes.
        cursor : float, optional
            Where a vertical line marks what is chosen.
        ticks : sequence of (position, label), optional
            Of the horizontal axis; Bokeh's own by default. Where they would run into each other, they are slanted.
        places : ndarray, optional
            What the horizontal axis reaches over; by default the points of the curves.
        """
        self.figure.visible = True
        self._bands.data = _bands(curves)
        self._lines.data = _lines(curves)
        self.rows.data = _points([curve for curve in curves if not curve.is_null])
        self.figure.xaxis.axis_label, self.figure.yaxis.axis_label = x_label, y_label
        self._set_ticks(ticks)
        self._fit(self.figure.x_range, *finite_bounds([curve.x for curve in curves] if places is None else [places]))
        self._fit(self.figure.y_range, *finite_bounds([part for curve in curves for part in _heights(curve)]))
        self.mark(cursor)
        self.summary = _summary(curves, x_label, y_label)

    def mark(self, cursor: float | None) -> None:
        """Move the vertical line that marks what is chosen, or take it away."""
        self._cursor.visible = cursor is not None
        if cursor is not None:
            self._cursor.location = cursor

    def _set_ticks(self, ticks: Sequence[tuple[float, str]]) -> None:
        axis = self.figure.xaxis[0]
        # A new ticker makes Bokeh walk through the whole document, which a slider would feel.
        if ticks:
            self._own_ticks.ticks = [place for place, _ in ticks]
        if axis.ticker is not (wanted := self._own_ticks if ticks else self._ticks):
            axis.ticker = wanted
        axis.major_label_overrides = dict(ticks)
        letters = sum(1 + len(text) for _, text in ticks)
        axis.major_label_orientation = SLANT if letters > MOST_LETTERS else "horizontal"

    def clear(self) -> None:
        """Take every curve away."""
        for source in (self._bands, self._lines, self.rows):
            empty(source)
        self._cursor.visible = False
        self.summary = "There is nothing to draw."


def _color(curve: Curve) -> str:
    return NEUTRAL if curve.is_null else RUN_COLORS[curve.run % len(RUN_COLORS)]


def _bands(curves: Sequence[Curve]) -> dict:
    xs, ys, colors = [], [], []
    for curve in curves:
        if curve.low is None:
            continue
        good = np.isfinite(curve.x) & np.isfinite(curve.low) & np.isfinite(curve.high)
        xs.append(np.concatenate([curve.x[good], curve.x[good][::-1]]))
        ys.append(np.concatenate([curve.high[good], curve.low[good][::-1]]))
        colors.append(_color(curve))
    return {"xs": xs, "ys": ys, "color": colors}


def _lines(curves: Sequence[Curve]) -> dict:
    good = [np.isfinite(curve.x) & np.isfinite(curve.y) for curve in curves]
    return {
        "xs": [curve.x[keep] for curve, keep in zip(curves, good, strict=True)],
        "ys": [curve.y[keep] for curve, keep in zip(curves, good, strict=True)],
        "color": [_color(curve) for curve in curves],
        "dash": ["dashed" if curve.is_null else "solid" for curve in curves],
    }


def _points(curves: Sequence[Curve]) -> dict:
    def joined(parts: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(parts) if parts else np.empty(0)

    sizes = [len(curve.x) for curve in curves]
    epochs = [np.arange(size) if c.epochs is None else c.epochs for c, size in zip(curves, sizes, strict=True)]
    return {
        "x": joined([curve.x for curve in curves]),
        "y": joined([curve.y for curve in curves]),
        "row": joined([np.arange(1, size + 1) for size in sizes]),
        "name": [curve.name for curve, size in zip(curves, sizes, strict=True) for _ in range(size)],
        "epoch": joined(epochs),
        "color": [_color(curve) for curve, size in zip(curves, sizes, strict=True) for _ in range(size)],
        "marker": [
            RUN_MARKERS[curve.run % len(RUN_MARKERS)]
            for curve, size in zip(curves, sizes, strict=True)
            for _ in range(size)
        ],
    }


def _heights(curve: Curve) -> list[np.ndarray]:
    return [curve.y] if curve.low is None else [curve.y, curve.low, curve.high]


def _summary(curves: Sequence[Curve], x_label: str, y_label: str) -> str:
    drawn = [curve for curve in curves if np.isfinite(curve.y).any()]
    if not drawn:
        return "There is nothing to draw yet."
    ends = [curve.y[np.isfinite(curve.y)][[0, -1]] for curve in drawn]
    words = [
        f"{curve.name} {'(grey) ' if curve.is_null else ''}goes from {first:.3g} to {last:.3g}"
        for curve, (first, last) in zip(drawn, ends, strict=True)
    ]
    return f"{y_label} against {x_label}: {'; '.join(words)}."
