"""Accuracy against the amplitude of noise, with the threshold and where the curve crosses it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bokeh.models import ColumnDataSource, LogTicker, Span

from .base import View, empty, hover, quiet_figure
from .theme import NEUTRAL, SELECTED

HEADROOM = 0.04


@dataclass(frozen=True, eq=False)
class NoiseCurve:
    """Accuracy of one model at ascending amplitudes.

    Parameters
    ----------
    sigmas, accuracy : ndarray (S,)
    low, high : ndarray (S,)
        Band over the draws of noise.
    half_width : float
        Where it crosses the threshold; nan or inf where it does not.
    """

    sigmas: np.ndarray
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    half_width: float


class BasinCurve(View):
    """One curve over its band, the null in grey, the threshold as a dashed line, the crossing as a dotted one.

    Parameters
    ----------
    name : str
        What the crossing is called, as S50.
    x_label : str
        What the amplitude is measured in.
    color, marker : str
        Of the curve.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.BasinCurve("S50", "noise amplitude σ", "#0072B2", "circle")
    >>> sigmas, accuracy = np.array([0.1, 1.0, 10.0]), np.array([1.0, 0.5, 0.1])
    >>> view.update(views.NoiseCurve(sigmas, accuracy, accuracy, accuracy, 1.0), threshold=0.5)
    >>> view.summary
    'Accuracy falls from 1 at σ = 0.1 to 0.1 at σ = 10 and crosses 0.5 at S50 = 1.'
    """

    def __init__(self, name: str, x_label: str, color: str, marker: str) -> None:
        super().__init__()
        self._name = name
        self._sources = {
            key: ColumnDataSource({column: [] for column in ("x", "y", "low", "high")}) for key in ("null", "curve")
        }
        self.figure = quiet_figure(
            x_range=self._range(0.008, 20.0),
            y_range=self._range(-HEADROOM, 1 + HEADROOM),
            x_axis_type="log",
            x_axis_label=x_label,
            y_axis_label="accuracy",
        )
        self.figure.xaxis.ticker = LogTicker(mantissas=[1], num_minor_ticks=0, desired_num_ticks=5)
        dots = []
        for key, ink in (("null", NEUTRAL), ("curve", color)):
            source = self._sources[key]
            self.figure.varea(x="x", y1="low", y2="high", source=source, fill_color=ink, fill_alpha=0.18)
            dash = "dashed" if key == "null" else "solid"
            self.figure.line(x="x", y="y", source=source, line_color=ink, line_width=1.5, line_dash=dash)
            size = 2 if key == "null" else 5
            dots.append(
                self.figure.scatter(x="x", y="y", source=source, marker=marker, size=size, color=ink, line_color=None)
            )
        self._threshold = Span(dimension="width", line_color=NEUTRAL, line_dash="dashed", line_width=1.5)
        self._crossing = Span(dimension="height", line_color=color, line_dash="dotted", line_width=2, visible=False)
        self._cursor = Span(dimension="height", line_color=SELECTED, line_width=2, visible=False)
        for line in (self._threshold, self._crossing, self._cursor):
            self.figure.add_layout(line)
        tips = [("σ", "@x{0.000}"), ("accuracy", "@y{0.000}"), ("band", "@low{0.000} to @high{0.000}")]
        self.figure.add_tools(hover(dots, tips))

    def update(
        self, curve: NoiseCurve, *, threshold: float, null: NoiseCurve | None = None, cursor: float | None = None
    ) -> None:
        """Show a curve.

        Parameters
        ----------
        curve : NoiseCurve
        threshold : float
        null : NoiseCurve, optional
            Of an untrained copy.
        cursor : float, optional
            Amplitude that is looked at.
        """
        for key, drawn in (("null", null), ("curve", curve)):
            if drawn is None:
                empty(self._sources[key])
            else:
                columns = {"x": drawn.sigmas, "y": drawn.accuracy, "low": drawn.low, "high": drawn.high}
                keep = drawn.sigmas > 0  # a log axis has no place for 0
                self._sources[key].data = {name: values[keep] for name, values in columns.items()}
        self._threshold.location = threshold
        self._crossing.visible = bool(np.isfinite(curve.half_width))
        if self._crossing.visible:
            self._crossing.location = curve.half_width
        self._cursor.visible = cursor is not None
        if cursor is not None:
            self._cursor.location = cursor
        if len(curve.sigmas) > 2:
            positive = curve.sigmas[curve.sigmas > 0]
            self._fit(self.figure.x_range, 0.8 * positive[0], 1.25 * positive[-1])
        self.summary = self._said(curve, threshold)

    def _said(self, curve: NoiseCurve, threshold: float) -> str:
        crosses = (
            f"crosses {threshold:.3g} at {self._name} = {curve.half_width:.3g}"
            if np.isfinite(curve.half_width)
            else f"{self._name} is undefined"
            if np.isnan(curve.half_width)
            else f"does not fall below {threshold:.3g}"
        )
        if not len(curve.sigmas):
            return f"No amplitude was looked at: {crosses}."
        first, last = curve.accuracy[[0, -1]]
        return (
            f"Accuracy falls from {first:.3g} at σ = {curve.sigmas[0]:.3g} to {last:.3g} at σ = {curve.sigmas[-1]:.3g} "
            f"and {crosses}."
        )

    def clear(self) -> None:
        """Take the curves away."""
        for source in self._sources.values():
            empty(source)
        self._crossing.visible = self._cursor.visible = False
        self.summary = "There is nothing to draw."
