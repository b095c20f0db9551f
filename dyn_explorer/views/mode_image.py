"""The chosen mode as an image laid over the input."""

from __future__ import annotations

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper
from PIL import Image

from .base import View, empty, hover, largest_finite, quiet_figure
from .color_bar import color_bar
from .theme import MAGNITUDE_PALETTE, NEUTRAL

SIGNED_PALETTE = "RdBu11"
BIGGEST = 3e38  # of single precision, in which pictures travel
FINEST = 96  # pixels along the longer side of the smoothed overlay


class ModeImage(View):
    """A mode's spatial map, smoothly enlarged, over the input picture.

    Where a mode has no map (vectors, tokens without a grid) its entries are drawn as a line over the features.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> image = views.ModeImage()
    >>> image.update(np.random.default_rng(0).random((8, 8)), picture=np.zeros((8, 8, 3), np.uint8))
    """

    def __init__(self) -> None:
        super().__init__()
        self._picture = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self._map = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self._line = ColumnDataSource({"x": [], "y": []})
        self.mapper = LinearColorMapper(palette=MAGNITUDE_PALETTE, low=0, high=1)
        self.figure = quiet_figure(
            x_range=self._range(0, 8),
            y_range=self._range(0, 8),
            # As much room at the sides as the colour bar takes below keeps a square map square.
            min_border_left=26,
            min_border_right=26,
            min_border_top=8,
            min_border_bottom=44,
        )
        self.figure.grid.visible = False
        self.figure.yaxis.axis_label = "value"
        box = {"x": "x", "y": "y", "dw": "dw", "dh": "dh"}
        self.figure.image_rgba(image="image", source=self._picture, **box)
        overlay = self.figure.image(
            image="image", source=self._map, color_mapper=self.mapper, global_alpha=0.7, level="glyph", **box
        )
        self._overlay = overlay
        self.figure.line("x", "y", source=self._line, color=NEUTRAL, line_width=1.5)
        self._bar = bar = color_bar(self.mapper, height=10)
        self.figure.add_layout(bar, "below")
        self.figure.add_tools(hover([overlay], [("value", "@image{0.000}")]))

    def update(
        self, values, *, picture=None, opacity: float = 0.7, signed: bool = False, entries: str = "entry"
    ) -> None:
        """Show one map.

        Parameters
        ----------
        values : array (h, w) or (n,)
            The map, any unit; non-negative unless `signed`. A vector is drawn as a line.
        picture : array (H, W, 3) of uint8 or None
            What lies under the map; the map is enlarged to its size.
        opacity : float in [0, 1], default 0.7
            Of the map over the picture.
        signed : bool, default False
            Colours diverge from zero instead of running from the least value.
        entries : str
            What a vector has one value for, below the line.
        """
        values = np.asarray(values, dtype=float)
        values = np.where(np.isfinite(values), np.clip(values, -BIGGEST, BIGGEST), np.nan).astype(np.float32)
        if values.ndim == 2:
            self._show_map(values, picture, opacity, signed)
        else:
            self._show_line(values.ravel(), entries)

    def _show_map(self, values, picture, opacity, signed) -> None:
        height, width = picture.shape[:2] if picture is not None else values.shape
        peak = largest_finite(values) or 1.0
        self.mapper.update(
            palette=SIGNED_PALETTE if signed else MAGNITUDE_PALETTE, low=-peak if signed else 0.0, high=peak
        )
        place = {"x": [0], "y": [0], "dw": [width], "dh": [height]}
        self._map.data = {"image": [smooth(values)[::-1]], **place}
        if picture is None:
            empty(self._picture)
        else:
            self._picture.data = {"image": [rgba(picture)[::-1]], **place}
        empty(self._line)
        self._overlay.glyph.global_alpha = opacity if picture is not None else 1.0
        self._fit_square(width, height)
        self.summary = (
            f"The mode's {values.shape[0]} x {values.shape[1]} map, strongest value {peak:.3g}{_holes(values)}."
        )

    def _fit_square(self, width: int, height: int) -> None:
        side = max(width, height)
        left, top = (side - width) / 2, (side - height) / 2
        self._fit(self.figure.x_range, -left, side - left)
        self._fit(self.figure.y_range, -top, side - top)
        self.figure.axis.visible, self._bar.visible = False, True

    def _show_line(self, values, entries: str) -> None:
        empty(self._map)
        empty(self._picture)
        self._line.data = {"x": np.arange(len(values)), "y": values}
        finite = values[np.isfinite(values)].astype(float)
        low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
        self.figure.axis.visible, self._bar.visible = True, False
        self.figure.xaxis.axis_label = entries
        margin = 0.05 * (high - low) or 1.0
        self._fit(self.figure.x_range, -0.5, max(len(values), 1) - 0.5)
        self._fit(self.figure.y_range, low - margin, high + margin)
        self.summary = f"The mode's {len(values)} entries; it has no spatial map{_holes(values)}."

    def clear(self) -> None:
        """Take map and picture away."""
        for source in (self._picture, self._map, self._line):
            empty(source)
        self.summary = "No mode to show."


def _holes(values: np.ndarray) -> str:
    count = int(np.sum(~np.isfinite(values)))
    return f"; {count} values are not finite and not drawn" if count else ""


def smooth(values: np.ndarray) -> np.ndarray:
    """Enlarge a small map bilinearly, as float32; a map of `FINEST` pixels or more stays as it is."""
    height, width = values.shape
    factor = FINEST / max(height, width)
    if factor <= 1:
        return values
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))


def rgba(picture: np.ndarray) -> np.ndarray:
    """Pack an (H, W, 3 or 4) uint8 picture into the (H, W) uint32 array that Bokeh draws."""
    height, width, channels = picture.shape
    packed = np.full((height, width, 4), 255, np.uint8)
    packed[..., :channels] = picture
    return packed.view(np.uint32).reshape(height, width)
