"""Many measures of many models at once: one line per model, one upright axis per measure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, LinearColorMapper, TapTool
from bokeh.palettes import Viridis256
from bokeh.transform import transform

from .base import View, empty, hover, plain_glyph, quiet_figure
from .theme import NEUTRAL, SELECTED

_PER_LABEL = 12
_COLORS = Viridis256[64:232]  # thin lines of the ends would be lost on one of the two backgrounds


class ParallelCoordinates(View):
    """Each measure on its own axis, from its least to its largest value over the models; colour is the last measure.

    A line has a gap where a model's number is undefined, and is grey where the last measure is. A tap on a line is the
    row of its model.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.ParallelCoordinates()
    >>> view.update(np.array([[1.0, 0.2], [3.0, 0.9]]), names=["a", "b"], measures=["rank", "accuracy"])
    >>> view.summary
    '2 models on 2 measures, coloured by accuracy; rank from 1 to 3, accuracy from 0.2 to 0.9.'
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows = ColumnDataSource({name: [] for name in ("xs", "ys", "row", "name", "color", "said")})
        self._chosen = ColumnDataSource({"xs": [], "ys": []})
        self.figure = quiet_figure(x_range=self._range(-0.5, 0.5), y_range=self._range(-0.05, 1.05))
        self.figure.yaxis.axis_label = "between the least and the largest value"
        self.figure.xaxis.axis_label = "measure, its range over the models below it"
        self.figure.ygrid.visible = False
        self._colors = LinearColorMapper(palette=_COLORS, low=0.0, high=1.0, nan_color=NEUTRAL)
        lines = plain_glyph(
            self.figure.multi_line(
                "xs", "ys", source=self.rows, line_color=transform("color", self._colors), line_width=2, line_alpha=0.75
            )
        )
        self.figure.multi_line("xs", "ys", source=self._chosen, line_color=SELECTED, line_width=3)
        self.figure.add_tools(TapTool(renderers=[lines]), hover([lines], [("", "@name"), ("", "@said")]))

    def update(self, values: np.ndarray, *, names: Sequence[str], measures: Sequence[str], selected: int = -1) -> None:
        """Show models.

        Parameters
        ----------
        values : ndarray (n_models, n_measures)
            ``nan`` where undefined.
        names : sequence of str
            Of the models.
        measures : sequence of str
            In the order of the axes; the last one gives the colours.
        selected : int
            Model that is marked; -1 for none.
        """
        low, high = _ends(values)
        span = np.where(high > low, high - low, 1.0)
        heights = np.where(high > low, (values - low) / span, np.where(np.isfinite(values), 0.5, np.nan))
        places = np.arange(len(measures), dtype=float)
        self.rows.data = {
            "xs": [places for _ in names],
            "ys": list(heights),
            "row": np.arange(1, len(names) + 1),
            "name": list(names),
            "color": heights[:, -1] if len(names) else [],
            "said": [_said(measures, row) for row in values],
        }
        marked = heights[[selected]] if 0 <= selected < len(names) else []
        self._chosen.data = {"xs": [places for _ in marked], "ys": list(marked)}
        axis = self.figure.xaxis[0]
        axis.ticker = FixedTicker(ticks=list(places))
        ranges = [f"{one:.3g} to {other:.3g}" for one, other in zip(low, high, strict=True)]
        axis.major_label_overrides = {
            float(place): f"{_folded(measure)}\n{ends}"
            for place, measure, ends in zip(places, measures, ranges, strict=True)
        }
        self.figure.title.text = f"{len(names)} models, coloured by {measures[-1]}"
        self._fit(self.figure.x_range, -0.5, max(0.5, len(measures) - 0.5))
        words = ", ".join(
            f"{measure} from {one:.3g} to {other:.3g}" for measure, one, other in zip(measures, low, high, strict=True)
        )
        self.summary = f"{len(names)} models on {len(measures)} measures, coloured by {measures[-1]}; {words}."

    def clear(self) -> None:
        """Take every model away."""
        empty(self.rows)
        empty(self._chosen)
        self.figure.title.text = ""
        self.summary = "There is nothing to draw."


def _ends(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    finite = np.isfinite(values)
    low = np.min(values, axis=0, where=finite, initial=np.inf)
    high = np.max(values, axis=0, where=finite, initial=-np.inf)
    there = finite.any(axis=0)
    return np.where(there, low, np.nan), np.where(there, high, np.nan)


def _said(measures: Sequence[str], row: np.ndarray) -> str:
    return ", ".join(f"{measure} {value:.3g}" for measure, value in zip(measures, row, strict=True))


def _folded(name: str) -> str:
    """A long name on several lines, broken where its words are."""
    lines = [""]
    for word in name.replace("_", " ").split():
        if lines[-1] and len(lines[-1]) + len(word) >= _PER_LABEL:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)
