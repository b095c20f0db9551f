"""DMD eigenvalues against the unit circle."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, TapTool
from bokeh.plotting.contour import contour_data

from .base import View, empty, hover, largest_finite, plain_glyph, quiet_figure
from .theme import DECAYING, GROWING, MARKERS, NEUTRAL, OUTSIDE, SELECTED, STABLE

REACH = 2.0  # further out than this an eigenvalue is drawn on the rim, so that one outlier cannot hide the rest
LEVELS = [-1.5, -1.0, -0.5, -0.22, -0.045]  # of log10 tau: tau = 0.03, 0.1, 0.3, 0.6, 0.9
CONTOUR_COLORS = ["#00224E", "#35456C", "#666970", "#948E77", "#C8B866"]  # cividis, dark for nearly an eigenvalue
_NOTHING = {
    name: []
    for name in (
        "x",
        "y",
        "re",
        "im",
        "size",
        "color",
        "marker",
        "kind",
        "row",
        "modulus",
        "turn",
        "strength",
        "alpha",
        "residual",
    )
}


class EigenvalueCircle(View):
    """Eigenvalues in the complex plane with the unit circle and the stability band.

    Colour and shape say whether a mode is stable, growing or decaying over the snapshots; the size grows with its
    strength ``|b| ||phi||``. Eigenvalues beyond ``|lambda| = 2`` are drawn as diamonds on the rim with their true value
    in the hover.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import analysis, views
    >>> result = analysis.dmd(np.random.default_rng(0).normal(size=(50, 8)), rank=4)
    >>> circle = views.EigenvalueCircle()
    >>> circle.update(result)
    >>> circle.figure.title is not None
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows = ColumnDataSource(dict(_NOTHING))
        self._mark = ColumnDataSource({"x": [], "y": []})
        angle = np.linspace(0, 2 * np.pi, 241)
        # Borders that are wider than the axes and equal in both directions keep the frame of a square figure square.
        self.figure = quiet_figure(
            x_range=self._range(-1.25, 1.25),
            y_range=self._range(-1.25, 1.25),
            x_axis_label="Re λ",
            y_axis_label="Im λ",
            min_border_left=60,
            min_border_right=8,
            min_border_bottom=60,
            min_border_top=8,
        )
        self._band = self.figure.annulus(
            x=0, y=0, inner_radius=0.95, outer_radius=1.05, color=NEUTRAL, alpha=0.18, line_width=0
        )
        self._contours = ColumnDataSource({"xs": [], "ys": [], "color": []})
        self.figure.multi_line("xs", "ys", line_color="color", line_width=1.2, source=self._contours)
        self.figure.line(np.cos(angle), np.sin(angle), color=NEUTRAL, line_width=1.2)
        dots = plain_glyph(
            self.figure.scatter(
                "x",
                "y",
                size="size",
                marker="marker",
                fill_color="color",
                fill_alpha="alpha",
                line_color="color",
                source=self.rows,
            )
        )
        self.figure.scatter(
            "x", "y", size=22, marker="circle", fill_alpha=0, line_color=SELECTED, line_width=3, source=self._mark
        )
        self.figure.add_tools(
            TapTool(renderers=[dots]),
            hover(
                [dots],
                [
                    ("mode", "@row"),
                    ("λ", "@re{0.0000} + @im{0.0000} i"),
                    ("|λ|", "@modulus{0.0000} (@kind)"),
                    ("turn per step", "@turn{0.000} of 2π"),
                    ("|b| ‖φ‖", "@strength{0.000e+0}"),
                    ("residual / |λ|", "@residual{0.000}"),
                ],
            ),
        )

    def update(
        self, result, *, selected: int = 0, tol: float = 0.05, residuals=None, most_residual: float = np.inf
    ) -> None:
        """Show the eigenvalues of a DMD.

        Parameters
        ----------
        result : dyn_explorer.analysis.DMDResult
            Its ``eigenvalues (r,)``, ``strengths (r,)`` and ``rows (m,)`` are read.
        selected : int, default 0
            Row (a conjugate pair is one) that is marked.
        tol : float, default 0.05
            Half width of the stability band, in ``|lambda|``.
        residuals : array (r,), optional
            Residual of each eigenpair relative to ``|lambda|``; the fill fades from 0 to 1 and beyond.
        most_residual : float, optional
            Eigenvalues with a larger residual are not drawn.
        """
        values = np.asarray(result.eigenvalues)
        residual = np.zeros(len(values)) if residuals is None else np.nan_to_num(residuals, nan=np.inf)
        shown = residual <= most_residual
        modulus = np.abs(values)
        finite = np.isfinite(modulus)
        outside = modulus > REACH
        largest = largest_finite(values)
        reach = float(np.clip(1.12 * max(1.0, min(largest, REACH)), 1.25, 1.15 * REACH))
        # What is not finite has no place in the plane; the summary counts it and the table lists it.
        direction = np.divide(values, modulus, out=np.full_like(values, np.nan), where=finite & outside)
        drawn = np.where(outside, REACH * direction, values)
        color = np.where(modulus > 1 + tol, GROWING, np.where(modulus < 1 - tol, DECAYING, STABLE))
        color = np.where(outside, OUTSIDE, color)
        kind = {STABLE: "stable", GROWING: "growing", DECAYING: "decaying", OUTSIDE: "growing, off the scale"}
        strengths = np.asarray(result.strengths)
        strongest = largest_finite(strengths) or 1.0
        relative = np.nan_to_num(strengths, nan=0.0, posinf=strongest) / strongest
        columns = {
            "x": drawn.real.astype(np.float32),
            "y": drawn.imag.astype(np.float32),
            "re": values.real,
            "im": values.imag,
            "size": (6 + 8 * np.sqrt(relative)).astype(np.float32),
            "color": list(color),
            "marker": [MARKERS[c] for c in color],
            "kind": [kind[c] for c in color],
            "row": row_of_each(result) + 1,
            "modulus": modulus,
            "turn": np.abs(np.angle(values)) / (2 * np.pi),
            "strength": strengths,
            "alpha": 0.12 + 0.68 * (1 - np.clip(residual, 0, 1)),
            "residual": residual,
        }
        self.rows.data = {name: _kept(column, shown) for name, column in columns.items()}
        members = (row_of_each(result) == selected) & shown
        self._mark.data = {"x": drawn.real[members], "y": drawn.imag[members]}
        self._band.glyph.update(inner_radius=max(0.0, 1 - tol), outer_radius=1 + tol)
        self._fit(self.figure.x_range, -reach, reach)
        self._fit(self.figure.y_range, -reach, reach)
        hidden = int(np.sum(~shown[result.rows]))
        stable = int(np.sum(np.abs(modulus[result.rows] - 1) <= tol))
        self.summary = (
            f"{len(result.rows)} modes, {stable} within {tol:g} of the unit circle, "
            f"largest modulus {largest:.3g}{'' if finite.all() else f', {np.sum(~finite)} not finite and not drawn'}"
            f"{f'; {hidden} with a larger residual are hidden' if hidden else ''}."
        )

    def show_pseudospectrum(self, pseudospectrum) -> None:
        """Lay contours of log10 tau under the eigenvalues.

        Parameters
        ----------
        pseudospectrum : (grid, tau) or None
            ``grid (n, n)`` complex points and ``tau (n, n)`` as `dyn_explorer.analysis.pseudospectrum` returns them;
            None takes the contours away.
        """
        if pseudospectrum is None:
            empty(self._contours)
            return
        grid, tau = pseudospectrum
        lines = contour_data(grid.real, grid.imag, np.log10(np.maximum(tau, 1e-12)), LEVELS).line_data
        self._contours.data = {"xs": lines.xs, "ys": lines.ys, "color": CONTOUR_COLORS}

    def clear(self) -> None:
        """Take every eigenvalue away."""
        self.show_pseudospectrum(None)
        empty(self.rows)
        empty(self._mark)
        self.summary = "No eigenvalues to show."


def _kept(column, shown: np.ndarray):
    return (
        column[shown] if isinstance(column, np.ndarray) else [v for v, keep in zip(column, shown, strict=True) if keep]
    )


def row_of_each(result) -> np.ndarray:
    """Row number of every eigenvalue; both members of a conjugate pair carry their pair's row.

    Rows hold the member with non-negative imaginary part and its partner follows it.
    """
    rows = np.asarray(result.rows)
    return np.searchsorted(rows, np.arange(len(result.eigenvalues)), side="right") - 1
