"""Input pictures as a grid of tiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, TapTool

from .base import View, empty, hover, plain_glyph, quiet_figure
from .mode_image import rgba
from .theme import NEUTRAL, SELECTED

GAP = 0.1
LINE = 1.3  # height of a tile with its caption


class PictureGrid(View):
    """Tiles with captions, in reading order; one can be marked.

    Parameters
    ----------
    columns, lines : int
        Tiles that fit.
    empty_text : str
        What the summary says when there is nothing to show.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> grid = views.PictureGrid(8, 3)
    >>> grid.update([np.zeros((4, 4, 3), np.uint8)], ["cat"], rows=[5], title="images of +0")
    >>> grid.summary
    'images of +0: 1 picture.'
    """

    def __init__(self, columns: int, lines: int, empty_text: str = "No pictures to show.") -> None:
        super().__init__()
        self._columns, self.places, self._empty_text = columns, columns * lines, empty_text
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "low", "row", "image", "caption", "edge")})
        self._numbers = ColumnDataSource({name: [] for name in ("x", "y", "text")})
        self._images = ColumnDataSource({name: [] for name in ("image", "x", "y", "dw", "dh")})
        self.figure = quiet_figure(
            x_range=self._range(0, columns),
            y_range=self._range(-LINE * lines, 0),
            match_aspect=True,
            min_border=0,
            outline_line_color=None,
            tools="",
        )
        self.figure.axis.visible = False
        self.figure.grid.visible = False
        self.figure.image_rgba("image", x="x", y="y", dw="dw", dh="dh", source=self._images)
        side = 1 - GAP
        tiles = plain_glyph(
            self.figure.rect("x", "y", side, side, source=self.rows, fill_alpha=0, line_color="edge", line_width=2)
        )
        self.figure.text(
            "x", "y", "text", source=self._numbers, text_align="center", text_baseline="middle", text_color=NEUTRAL,
            text_font_size="11px",
        )  # fmt: skip
        captions = plain_glyph(
            self.figure.text(
                "x", "low", "caption", source=self.rows, text_align="center", text_baseline="top", text_color=NEUTRAL
            )
        )
        captions.glyph.text_font_size = "11px"
        self.figure.add_tools(TapTool(renderers=[tiles]), hover([tiles], [("image", "@image"), ("class", "@caption")]))

    def update(
        self,
        pictures: Sequence[np.ndarray | None],
        captions: Sequence[str],
        *,
        rows: Sequence[int],
        title: str,
        selected: int | None = None,
    ) -> None:
        """Show pictures, the first as many as fit.

        Parameters
        ----------
        pictures : sequence of array (H, W, 3) of uint8, or None
            None puts the input's number into the tile, for inputs that are no pictures.
        captions : sequence of str
        rows : sequence of int
            Number of the input that each is.
        title : str
            What they are, for the summary.
        selected : int, optional
            Input that is marked.
        """
        total, pictures = len(pictures), list(pictures)[: self.places]
        shown = np.arange(len(pictures))
        left, top = shown % self._columns + GAP / 2, -LINE * (shown // self._columns) - GAP / 2
        side, drawn = 1 - GAP, [k for k, picture in enumerate(pictures) if picture is not None]
        self._images.data = {
            "image": [rgba(pictures[k])[::-1] for k in drawn],
            "x": left[drawn],
            "y": top[drawn] - side,
            "dw": np.full(len(drawn), side),
            "dh": np.full(len(drawn), side),
        }
        numbers = np.asarray(rows, dtype=int)[: len(pictures)]
        bare = [k for k, picture in enumerate(pictures) if picture is None]
        self._numbers.data = {
            "x": left[bare] + side / 2,
            "y": top[bare] - side / 2,
            "text": [str(number) for number in numbers[bare]],
        }
        self.rows.data = {
            "x": left + side / 2,
            "y": top - side / 2,
            "low": top - side - 0.03,
            "row": numbers + 1,
            "image": numbers,
            "caption": list(captions)[: len(pictures)],
            "edge": [SELECTED if number == selected else "rgba(140, 140, 140, 0.3)" for number in numbers],
        }
        hidden = f", the first {len(pictures)} drawn" if total > len(pictures) else ""
        noun = "picture" if total == 1 else "pictures"
        self.summary = f"{title}: {total} {noun}{hidden}." if total else self._empty_text

    def clear(self) -> None:
        """Take every picture away."""
        empty(self.rows)
        empty(self._images)
        empty(self._numbers)
        self.summary = self._empty_text
