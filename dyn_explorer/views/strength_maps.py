"""One picture per channel, all in the same colours, so that borders and channels can be compared."""

from __future__ import annotations

import math

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper, TapTool

from .base import View, empty, hover, largest_finite, plain_glyph, quiet_figure
from .color_bar import color_bar
from .mode_image import SIGNED_PALETTE
from .theme import MAGNITUDE_PALETTE, SELECTED

MOST_MAPS = 64
MOST_POINTS = 1024
FINEST = 48  # places along the longer side of a picture
GAP = 0.1


class StrengthMaps(View):
    """Pictures of channels in a square of tiles; nodes without places are tiles of one colour.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> view = views.StrengthMaps()
    >>> view.update(np.ones((5, 8, 8)), selected=2)
    >>> view.summary
    '5 channels of 8 x 8 nodes; strengths from 1 to 1, zero is white.'
    """

    def __init__(self) -> None:
        super().__init__()
        self._images = ColumnDataSource({name: [] for name in ("image", "x", "y", "dw", "dh", "channel")})
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "row", "edge")})
        self.mapper = LinearColorMapper(palette=SIGNED_PALETTE, low=-1, high=1, nan_color="rgba(0, 0, 0, 0)")
        self.figure = quiet_figure(
            x_range=self._range(0, 1),
            y_range=self._range(0, 1),
            # As much room at the sides as the colour bar takes below keeps square maps square.
            min_border_left=26,
            min_border_right=26,
            min_border_top=8,
            min_border_bottom=44,
        )
        self.figure.grid.visible = self.figure.axis.visible = False
        drawn = self.figure.image(
            image="image", x="x", y="y", dw="dw", dh="dh", source=self._images, color_mapper=self.mapper
        )
        tiles = plain_glyph(
            self.figure.rect("x", "y", 1, 1, source=self.rows, fill_alpha=0, line_color="edge", line_width=2)
        )
        bar = color_bar(self.mapper, height=10)
        self.figure.add_layout(bar, "below")
        self.figure.add_tools(
            TapTool(renderers=[tiles]), hover([drawn], [("channel", "@channel"), ("strength", "@image{0.000[0]}")])
        )

    def update(self, values, *, selected: int | None = None, signed: bool = True) -> None:
        """Show the strengths of one node layer.

        Parameters
        ----------
        values : array (channels, h, w) or (n,)
            One strength per node. Of more than 64 maps (1,024 nodes without places) the strongest are shown.
        selected : int, optional
            Channel that is marked.
        signed : bool, default True
            Colours diverge from zero; else they run from zero.
        """
        values = np.asarray(values, dtype=float)
        maps = values.reshape(len(values), 1, 1) if values.ndim == 1 else values
        shown = _strongest(maps, MOST_POINTS if values.ndim == 1 else MOST_MAPS)
        side = math.ceil(math.sqrt(len(shown)))
        place = np.arange(len(shown))
        x, y = (place % side).astype(float), (side - 1 - place // side).astype(float)
        gap = 0.0 if values.ndim == 1 else GAP
        size = np.full(len(shown), 1 - gap)
        self._images.data = {
            "image": [_sampled(maps[channel])[::-1].astype(np.float32) for channel in shown],
            "x": x + gap / 2, "y": y + gap / 2, "dw": size, "dh": size, "channel": shown,
        }  # fmt: skip
        self.rows.data = {
            "x": x + 0.5, "y": y + 0.5, "row": shown + 1,
            "edge": [SELECTED if channel == selected else "rgba(0, 0, 0, 0)" for channel in shown],
        }  # fmt: skip
        peak = largest_finite(values) or 1.0
        palette = SIGNED_PALETTE if signed else MAGNITUDE_PALETTE
        self.mapper.update(palette=palette, low=-peak if signed else 0.0, high=peak)
        for axis_range in (self.figure.x_range, self.figure.y_range):
            self._fit(axis_range, 0.0, float(side))
        self.summary = _summary(values, len(shown), signed)

    def clear(self) -> None:
        """Take every map away."""
        empty(self._images)
        empty(self.rows)
        self.summary = "No strengths to show."


def _strongest(maps: np.ndarray, most: int) -> np.ndarray:
    """Channels with the largest mean strength, in their own order."""
    strength = np.abs(maps.reshape(len(maps), -1).mean(axis=1))
    return np.sort(np.argsort(-strength, kind="stable")[:most])


def _sampled(values: np.ndarray) -> np.ndarray:
    """Rows and columns at even steps, the border among them; a mean would wash the border out."""
    rows, columns = (np.unique(np.linspace(0, n - 1, min(n, FINEST)).round().astype(int)) for n in values.shape)
    return values[np.ix_(rows, columns)]


def _summary(values: np.ndarray, shown: int, signed: bool) -> str:
    nodes = "nodes" if values.ndim == 1 else f"channels of {values.shape[1]} x {values.shape[2]} nodes"
    count = f"{shown}" if shown == len(values) else f"The strongest {shown} of {len(values)}"
    finite = values[np.isfinite(values)]
    if not finite.size:
        return f"{count} {nodes}; none has a finite strength."
    zero = "zero is white" if signed else "zero is dark"
    return f"{count} {nodes}; strengths from {finite.min():.3g} to {finite.max():.3g}, {zero}."
