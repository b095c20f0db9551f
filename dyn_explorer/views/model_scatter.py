"""A measure against accuracy over models, each model a mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from bokeh.models import ColumnDataSource, TapTool

from .base import View, empty, finite_bounds, hover, plain_glyph, quiet_figure
from .theme import NEUTRAL, SELECTED, STABLE

if TYPE_CHECKING:
    from dyn_explorer.analysis import Coefficient, Correlation

_NAMES = ("x", "y", "row", "name", "edge", "width")


class ModelScatter(View):
    """One mark per model, and in grey what chance gives for the same model.

    A tap on a mark is the row of its model.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import analysis, views
    >>> x, y = np.arange(6.0), np.array([0.1, 0.3, 0.2, 0.5, 0.8, 0.9])
    >>> view = views.ModelScatter()
    >>> view.update(x, y, analysis.correlation(x, y), names="abcdef", x_label="rank", y_label="accuracy")
    >>> view.summary.split(":")[0]
    'accuracy against rank over 6 models'
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows = ColumnDataSource({name: [] for name in _NAMES})
        self._nulls = ColumnDataSource({name: [] for name in ("x", "y", "to", "name")})
        self.figure = quiet_figure(x_range=self._range(0.0, 1.0), y_range=self._range(0.0, 1.0))
        self.figure.xaxis.axis_label = self.figure.yaxis.axis_label = " "
        self.figure.segment("x", "y", "to", "y", source=self._nulls, line_color=NEUTRAL, line_alpha=0.35)
        chance = plain_glyph(self.figure.scatter("x", "y", marker="x", size=6, line_color=NEUTRAL, source=self._nulls))
        marks = plain_glyph(
            self.figure.scatter(
                "x", "y", size=9, fill_color=STABLE, line_color="edge", line_width="width", source=self.rows
            )
        )
        tips = [("", "@name"), ("x", "@x{0.[0000]}"), ("y", "@y{0.[0000]}")]
        grey = [("", "@name"), ("by chance", "@x{0.[0000]}")]
        self.figure.add_tools(TapTool(renderers=[marks]), hover([marks], tips), hover([chance], grey))

    def update(
        self,
        x: np.ndarray,
        y: np.ndarray,
        result: Correlation,
        *,
        names: Sequence[str],
        x_label: str,
        y_label: str,
        null: np.ndarray | None = None,
        selected: int = -1,
    ) -> None:
        """Show models.

        Parameters
        ----------
        x, y : ndarray (n_models,)
            Models of which one is not finite are left out.
        result : Correlation
            Of `x` and `y`.
        names : sequence of str
            Of the models.
        x_label, y_label : str
            Of the axes, units included.
        null : ndarray (n_models,), optional
            What chance gives for `x` of each model.
        selected : int
            Model that is marked; -1 for none.
        """
        good = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        edge = [SELECTED if place == selected else STABLE for place in good]
        self.rows.data = {
            "x": x[good],
            "y": y[good],
            "row": good + 1,
            "name": [names[place] for place in good],
            "edge": edge,
            "width": [3.0 if place == selected else 0.0 for place in good],
        }
        chance = np.full(len(x), math.nan) if null is None else null
        there = good[np.isfinite(chance[good])]
        self._nulls.data = {
            "x": chance[there],
            "y": y[there],
            "to": x[there],
            "name": [names[place] for place in there],
        }
        self.figure.xaxis.axis_label, self.figure.yaxis.axis_label = x_label, y_label
        self._fit(self.figure.x_range, *finite_bounds([x[good], chance[there]]))
        self._fit(self.figure.y_range, *finite_bounds([y[good]]))
        self.figure.title.text = _in_short(result)
        self.summary = f"{y_label} against {x_label} over {result.n} models: {_in_words(result)}."

    def clear(self) -> None:
        """Take every model away."""
        empty(self.rows)
        empty(self._nulls)
        self.figure.title.text = ""
        self.summary = "There is nothing to draw."


def _in_short(result: Correlation) -> str:
    found = result.spearman
    if not math.isfinite(found.value):
        return f"no correlation: {found.reason}"
    return f"Spearman {found.value:.2f} ({found.low:.2f} to {found.high:.2f}), p = {found.p_value:.2g}"


def _in_words(result: Correlation) -> str:
    parts = [_coefficient("Spearman's", result.spearman, result.level)]
    parts.append(_coefficient("Kendall's", result.kendall, result.level))
    if result.partial is not None:
        held = ", ".join(result.controls) or "the controls"
        parts.append(_coefficient(f"with {held} held fixed, Spearman's", result.partial, result.level))
    return "; ".join(parts)


def _coefficient(name: str, found: Coefficient, level: float) -> str:
    if not math.isfinite(found.value):
        return f"{name} coefficient is undefined, because {found.reason}"
    return (
        f"{name} coefficient is {found.value:.2f}, {100 * level:g}% interval {found.low:.2f} to {found.high:.2f}, "
        f"p = {found.p_value:.2g}, by chance {found.null[0]:.2f} to {found.null[1]:.2f}"
    )
