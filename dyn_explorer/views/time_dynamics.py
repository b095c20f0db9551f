"""What one mode does from snapshot to snapshot."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, Span

from .base import View, empty, hover, largest_finite, quiet_figure
from .theme import NEUTRAL, SELECTED

MARKS_UP_TO = 48


class TimeDynamics(View):
    """``Re(b lambda^t) ||phi||`` of the chosen mode over the window, inside its envelope ``|b| |lambda|^t ||phi||``.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import analysis, views
    >>> result = analysis.dmd(np.random.default_rng(0).normal(size=(50, 8)), rank=4)
    >>> course = views.TimeDynamics()
    >>> course.update(result, selected=0, labels=[f"channel {k}" for k in range(8)])
    """

    def __init__(self) -> None:
        super().__init__()
        self._course = ColumnDataSource({name: [] for name in ("step", "value", "high", "low", "label", "size")})
        self.figure = quiet_figure(
            x_range=self._range(0, 8),
            y_range=self._range(-1, 1),
            x_axis_label="snapshot",
            y_axis_label="Re b λᵗ ‖φ‖",
        )
        self.figure.xaxis.ticker.min_interval = 1
        self.figure.add_layout(Span(dimension="width", location=0, line_color=NEUTRAL, line_width=1))
        self.figure.varea(x="step", y1="low", y2="high", source=self._course, fill_color=NEUTRAL, fill_alpha=0.15)
        self.figure.line("step", "value", source=self._course, color=SELECTED, line_width=2)
        dots = self.figure.scatter("step", "value", size="size", source=self._course, color=SELECTED)
        tips = [("snapshot", "@step · @label"), ("value", "@value{0.000e+0}"), ("envelope", "@high{0.000e+0}")]
        self.figure.add_tools(hover([dots], tips))

    def update(self, result, *, selected: int = 0, labels=()) -> None:
        """Show the course of one row of a DMD.

        Parameters
        ----------
        result : dyn_explorer.analysis.DMDResult
            Its ``eigenvalues``, ``amplitudes``, ``norms``, ``rows`` and ``window`` are read.
        selected : int, default 0
            Row; for a conjugate pair the sum of both members is drawn.
        labels : sequence of str
            One label per column of the whole snapshot matrix.
        """
        index = int(np.asarray(result.rows)[selected])
        start, stop = result.window
        steps = np.arange(stop - start)
        value = complex(np.asarray(result.eigenvalues)[index])
        start_value = complex(np.asarray(result.amplitudes)[index]) * float(np.asarray(result.norms)[index])
        members = 2 if abs(value.imag) > 0 else 1
        # Far outside the unit circle the powers overflow; the picture is cut there, not faked.
        with np.errstate(over="ignore", invalid="ignore"):
            course = members * start_value * np.power(value, steps)
            envelope = np.abs(course)
        drawn = np.isfinite(envelope)
        course, envelope = np.where(drawn, course, np.nan), np.where(drawn, envelope, np.nan)
        names = [str(label) for label in labels[start:stop]]
        self._course.data = {
            "step": steps + start,
            "value": course.real,
            "high": envelope,
            "low": -envelope,
            "label": names + [""] * (len(steps) - len(names)),
            "size": np.full(len(steps), 6.0 if len(steps) <= MARKS_UP_TO else 3.0),
        }
        top = 1.08 * min(largest_finite(envelope), 1e307) or 1.0
        self._fit(self.figure.x_range, start - 0.5, stop - 0.5)
        self._fit(self.figure.y_range, -top, top)
        if not drawn.any() or not np.isfinite(value):
            self.summary = f"Mode {selected + 1} has no finite course: its factor per snapshot is {abs(value):.3g}."
            return
        cut = "" if drawn.all() else f"; only the first {int(drawn.sum())} are finite and drawn"
        trend = "grows" if abs(value) > 1.001 else "decays" if abs(value) < 0.999 else "keeps its size"
        self.summary = f"Mode {selected + 1} {trend}: a factor of {abs(value):.3g} per snapshot over {len(steps)}{cut}."

    def clear(self) -> None:
        """Take the course away."""
        empty(self._course)
        self.summary = "No mode to follow."
