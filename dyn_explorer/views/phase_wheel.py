"""Phases of oscillators on a circle, and the mean of their unit vectors."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource
from bokeh.palettes import Cividis256

from .base import View, empty, hover, quiet_figure
from .theme import NEUTRAL, SELECTED

RIM = 1.25


class PhaseWheel(View):
    """Oscillators as marks on the unit circle, first dark and last light; the line in the middle is their mean.

    Its length is Kuramoto's order parameter. The grey circle has the length that as many independent oscillators have
    on average.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.PhaseWheel()
    >>> view.update(np.array([0.0, 0.1]), ("relu1", "relu2"), independent=0.63)
    >>> view.summary
    '2 phases agree to R = 0.999; independent ones would to 0.63 on average.'
    """

    def __init__(self) -> None:
        super().__init__()
        self._dots = ColumnDataSource({name: [] for name in ("x", "y", "name", "degrees", "color")})
        self._mean = ColumnDataSource({"x": [], "y": []})
        self._chance = ColumnDataSource({"x": [], "y": []})
        self.figure = quiet_figure(
            x_range=self._range(-RIM, RIM), y_range=self._range(-RIM, RIM), match_aspect=True, tools="reset"
        )
        self.figure.xaxis.axis_label, self.figure.yaxis.axis_label = "cos θ", "sin θ"
        turn = np.linspace(0, 2 * np.pi, 181)
        self.figure.line(np.cos(turn), np.sin(turn), color=NEUTRAL, line_width=1)
        self.figure.line("x", "y", source=self._chance, color=NEUTRAL, line_dash="dashed", line_width=1)
        self.figure.line("x", "y", source=self._mean, color=SELECTED, line_width=4, line_cap="round")
        dots = self.figure.scatter("x", "y", source=self._dots, size=10, color="color", line_color=NEUTRAL)
        self.figure.add_tools(hover([dots], [("", "@name"), ("θ", "@degrees{0} °")]))

    def update(self, phases: np.ndarray, names: tuple[str, ...], *, independent: float) -> None:
        """Show oscillators.

        Parameters
        ----------
        phases : ndarray (n,)
            Radians.
        names : tuple of str
        independent : float
            Mean order parameter of n independent oscillators.
        """
        x, y = np.cos(phases), np.sin(phases)
        shades = np.linspace(0, 255, len(phases)).astype(int)
        self._dots.data = {
            "x": x,
            "y": y,
            "name": list(names),
            "degrees": np.degrees(phases),
            "color": [Cividis256[shade] for shade in shades],
        }
        self._mean.data = {"x": [0.0, float(x.mean())], "y": [0.0, float(y.mean())]}
        turn = np.linspace(0, 2 * np.pi, 91)
        self._chance.data = {"x": independent * np.cos(turn), "y": independent * np.sin(turn)}
        order = float(np.hypot(x.mean(), y.mean()))
        self.summary = (
            f"{len(phases)} phases agree to R = {order:.3g}; independent ones would to {independent:.2g} on average."
        )

    def clear(self) -> None:
        """Take every oscillator away."""
        for source in (self._dots, self._mean, self._chance):
            empty(source)
        self.summary = "There are no phases to show."
