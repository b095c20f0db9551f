"""A plane through a sample, coloured by the class that the model gives each point."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper

from .base import View, empty, hover, quiet_figure
from .theme import CLASS_PALETTE, SELECTED

SMALLEST_LABEL = 0.02  # of the plane


class ClassPlane(View):
    """Classes as colours, with the number of each in its region, the basin's radius and the sample in the middle.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.ClassPlane()
    >>> view.update(np.linspace(-1, 1, 3), np.array([[1, 1, 1], [0, 1, 1], [0, 1, 1]]), radius=0.5)
    >>> view.summary
    'The sample is taken for class 1; in the plane: class 1 78 %, class 0 22 %. The circle has radius 0.5.'
    """

    def __init__(self) -> None:
        super().__init__()
        self._image = ColumnDataSource({name: [] for name in ("image", "label", "x", "y", "dw", "dh")})
        self._names = ColumnDataSource({name: [] for name in ("x", "y", "text")})
        self._circle = ColumnDataSource({name: [] for name in ("x", "y", "width")})
        self.mapper = LinearColorMapper(palette=list(CLASS_PALETTE), low=-0.5, high=len(CLASS_PALETTE) - 0.5)
        self.figure = quiet_figure(
            x_range=self._range(-1, 1),
            y_range=self._range(-1, 1),
            x_axis_label="σ along direction 1",
            y_axis_label="σ along direction 2",
        )
        self.figure.grid.visible = False
        drawn = self.figure.image(
            image="image", x="x", y="y", dw="dw", dh="dh", source=self._image, color_mapper=self.mapper
        )
        self.figure.ellipse(
            x="x", y="y", width="width", height="width", source=self._circle, fill_alpha=0, line_color=SELECTED,
            line_width=2.5,
        )  # fmt: skip
        self.figure.scatter(x=[0], y=[0], marker="cross", size=14, line_color=SELECTED, line_width=2.5)
        self.figure.text(
            x="x", y="y", text="text", source=self._names, text_align="center", text_baseline="middle",
            text_font_size="13px", text_color="#202020", background_fill_color="#FFFFFF", background_fill_alpha=0.85,
            padding=3, border_radius=3,
        )  # fmt: skip
        self.figure.add_tools(hover([drawn], [("class", "@label"), ("σ", "$x{0.00}, $y{0.00}")]))

    def update(self, axis: np.ndarray, classes: np.ndarray, *, radius: float, names: dict[int, str] | None = None):
        """Show a plane.

        Parameters
        ----------
        axis : ndarray (g,)
            Evenly spaced coordinates, the sample at 0.
        classes : ndarray (g, g) of int
            Rows along the vertical direction.
        radius : float
            Of the circle; nan or inf draws none.
        names : dict of int to str, optional
            Of the classes; default their numbers.
        """
        names = names or {}
        self.figure.visible = True
        found, counts = np.unique(classes, return_counts=True)
        step = axis[1] - axis[0]
        self._image.data = {
            "image": [(classes % len(CLASS_PALETTE)).astype(np.float32)],
            "label": [classes.astype(np.float32)],
            "x": [axis[0] - step / 2],
            "y": [axis[0] - step / 2],
            "dw": [len(axis) * step],
            "dh": [len(axis) * step],
        }
        large = found[counts >= SMALLEST_LABEL * classes.size]
        places = [_inside(classes == index) for index in large]
        self._names.data = {
            "x": [axis[column] for _, column in places],
            "y": [axis[row] for row, _ in places],
            "text": [names.get(int(index), str(index)) for index in large],
        }
        if np.isfinite(radius):
            self._circle.data = {"x": [0.0], "y": [0.0], "width": [2 * radius]}
        else:
            empty(self._circle)
        for axis_range in (self.figure.x_range, self.figure.y_range):
            self._fit(axis_range, axis[0] - step / 2, axis[-1] + step / 2)
        self.summary = _summary(axis, classes, found, counts, radius, names)

    def clear(self) -> None:
        """Take the plane away."""
        for source in (self._image, self._names, self._circle):
            empty(source)
        self.summary = "No plane to show."


def _inside(mask: np.ndarray) -> tuple[int, int]:
    """A place well inside a region: the last that is left when its rim is taken away again and again."""
    while True:
        padded = np.pad(mask, 1)
        core = mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        if not core.any():
            rows, columns = np.nonzero(mask)
            middle = len(rows) // 2
            return int(rows[middle]), int(columns[middle])
        mask = core


def _summary(axis, classes, found, counts, radius, names) -> str:
    order = np.argsort(-counts)
    shares = ", ".join(
        f"class {names.get(int(found[index]), found[index])} {counts[index] / classes.size:.0%}".replace("%", " %")
        for index in order[:4]
    )
    middle = int(np.abs(axis).argmin())
    own = names.get(int(classes[middle, middle]), classes[middle, middle])
    circle = f"The circle has radius {radius:.3g}" if np.isfinite(radius) else "This sample has no radius to draw"
    return f"The sample is taken for class {own}; in the plane: {shares}. {circle}."
