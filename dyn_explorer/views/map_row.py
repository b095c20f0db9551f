"""Several maps side by side, each in its own scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper, TapTool

from .base import View, empty, hover, largest_finite, plain_glyph, quiet_figure
from .mode_image import smooth
from .theme import MAGNITUDE_PALETTE, NEUTRAL, SELECTED

GAP = 0.08
LINE = 0.16  # height of a line of captions


class MapRow(View):
    """Small pictures in a row, each scaled to its own largest magnitude, which the hover shows.

    Parameters
    ----------
    places : int
        Pictures that fit into the row.
    empty_text : str
        What the summary says when there is nothing to show.
    lines : int
        Of the captions.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> row = views.MapRow(3)
    >>> row.update([("a", np.eye(4)), ("b", np.ones((4, 4)))])
    >>> row.summary
    '2 maps: a, b.'
    """

    def __init__(self, places: int, empty_text: str = "No maps to show.", *, lines: int = 1) -> None:
        super().__init__()
        self._empty_text = empty_text
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "row", "caption", "peak", "edge")})
        self._images = ColumnDataSource({name: [] for name in ("image", "x", "y", "dw", "dh")})
        self.figure = quiet_figure(
            x_range=self._range(0, places),
            y_range=self._range(-0.06 - LINE * lines, 1.0),
            match_aspect=True,
            min_border=0,
            outline_line_color=None,
            tools="",
        )
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        mapper = LinearColorMapper(palette=MAGNITUDE_PALETTE, low=0, high=1)
        self.figure.image("image", x="x", y="y", dw="dw", dh="dh", source=self._images, color_mapper=mapper)
        tiles = plain_glyph(
            self.figure.rect(
                "x", "y", 1 - GAP, 1 - GAP, source=self.rows, fill_alpha=0, line_color="edge", line_width=2
            )
        )
        captions = self.figure.text(
            "x", -0.02, "caption", source=self.rows, text_align="center", text_baseline="top", text_color=NEUTRAL
        )
        captions.glyph.text_font_size = "11px"
        plain_glyph(captions)
        self.figure.add_tools(
            TapTool(renderers=[tiles]), hover([tiles], [("", "@caption"), ("largest", "@peak{0.000e+0}")])
        )

    def update(
        self, maps: Sequence[tuple[str, np.ndarray]], *, rows: Sequence[int] = (), selected: int | None = None
    ) -> None:
        """Show maps.

        Parameters
        ----------
        maps : sequence of (caption, array (h, w))
            Drawn by magnitude. A caption may have as many lines as the row was made for.
        rows : sequence of int, optional
            Row of the panel's table that each map stands for, for taps.
        selected : int, optional
            Row that is marked.
        """
        images, peaks = [], []
        for _, values in maps:
            magnitude = np.abs(np.asarray(values, dtype=np.float32))
            peak = largest_finite(magnitude)
            peaks.append(peak)
            images.append(smooth(magnitude / (peak or 1.0))[::-1])
        count = len(maps)
        self.figure.visible = count > 0
        left = np.arange(count) + GAP / 2
        self._images.data = {
            "image": images,
            "x": left,
            "y": np.full(count, GAP / 2),
            "dw": np.full(count, 1 - GAP),
            "dh": np.full(count, 1 - GAP),
        }
        numbers = list(rows) or [-1] * count
        self.rows.data = {
            "x": np.arange(count) + 0.5,
            "y": np.full(count, 0.5),
            "row": [number + 1 for number in numbers],
            "caption": [caption for caption, _ in maps],
            "peak": peaks,
            "edge": [SELECTED if number == selected else "rgba(140, 140, 140, 0.3)" for number in numbers],
        }
        captions = ", ".join(caption.replace("\n", " ") for caption, _ in maps)
        self.summary = f"{count} maps: {captions}." if count else self._empty_text

    def take_tap(self, chosen: int) -> int | None:
        """Row that was tapped; maps that stand for no row are not taps."""
        row = super().take_tap(chosen)
        return row if row is not None and row >= 0 else None

    def clear(self) -> None:
        """Take every map away."""
        empty(self.rows)
        empty(self._images)
        self.summary = self._empty_text
