"""Small signed maps or pictures in a grid, each of which can be tapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bokeh.models import ColumnDataSource, LinearColorMapper, TapTool

from .base import View, empty, hover, largest_finite, plain_glyph, quiet_figure
from .mode_image import SIGNED_PALETTE, rgba
from .theme import NEUTRAL, SELECTED

GAP = 0.08
CAPTION = 0.22
WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Tile:
    """One cell of a grid.

    Parameters
    ----------
    caption : str
        Below it.
    values : ndarray (h, w), or (h, w, 3) or (h, w, 4) of uint8
        A signed map, whose colours diverge from zero to its own largest magnitude (nan is left blank), or a picture;
        where one of four channels is transparent, there is none, and the tile is hatched.
    row : int
        What a tap chooses; negative where it chooses nothing.
    note : str
        For the hover.
    mark : (x, y), optional
        Place in the picture that is ringed, as shares of its width and height from the upper left corner.
    frame : (left, top, right, bottom), optional
        Part of the picture that is framed, in the same shares.
    """

    caption: str
    values: np.ndarray
    row: int
    note: str = ""
    mark: tuple[float, float] | None = None
    frame: tuple[float, float, float, float] | None = None


class TileGrid(View):
    """Tiles in reading order; in a grid of several lines, fewer tiles are larger.

    Parameters
    ----------
    columns, lines : int
        Cells of the grid.
    aspect : float
        Width of the figure's frame over its height, so that square maps look square.
    empty_text : str
        What the summary says when there is nothing to show.
    grows : bool
        Whether fewer tiles are larger in a grid of one line, too.

    Examples
    --------
    >>> import numpy as np
    >>> from dyn_explorer import views
    >>> grid = views.TileGrid(2, 1, aspect=1.6)
    >>> grid.update([views.Tile("1", np.eye(3), 0), views.Tile("2", -np.eye(3), 1)], selected=1)
    >>> grid.summary
    '2 tiles: 1, 2.'
    """

    def __init__(
        self, columns: int, lines: int, *, aspect: float, empty_text: str = "Nothing to show.", grows=False
    ) -> None:
        super().__init__()
        self._grows = grows
        self._columns, self._lines, self._aspect, self._empty_text = columns, lines, aspect, empty_text
        self.rows = ColumnDataSource({name: [] for name in ("x", "y", "below", "row", "caption", "note", "edge")})
        image = ("image", "x", "y", "dw", "dh")
        self._maps = ColumnDataSource({name: [] for name in image})
        self._pictures = ColumnDataSource({name: [] for name in image})
        self._marks = ColumnDataSource({"x": [], "y": []})
        self._frames = ColumnDataSource({name: [] for name in ("left", "right", "top", "bottom")})
        self.figure = quiet_figure(
            x_range=self._range(0.0, 1.0),
            y_range=self._range(-1.0, 0.0),
            min_border=0,
            outline_line_color=None,
            tools="",
        )
        self.figure.axis.visible = self.figure.grid.visible = False
        self._holes = ColumnDataSource({name: [] for name in ("left", "right", "top", "bottom")})
        self.figure.quad(
            source=self._holes, fill_alpha=0, line_color=None, hatch_pattern="/", hatch_color=NEUTRAL, hatch_alpha=0.6,
            hatch_scale=6, **{name: name for name in self._holes.data},
        )  # fmt: skip
        mapper = LinearColorMapper(palette=SIGNED_PALETTE, low=-1, high=1, nan_color="rgba(0, 0, 0, 0)")
        place = {"x": "x", "y": "y", "dw": "dw", "dh": "dh"}
        self.figure.image("image", source=self._maps, color_mapper=mapper, **place)
        self.figure.image_rgba("image", source=self._pictures, **place)
        self.figure.scatter("x", "y", source=self._marks, size=12, fill_color=None, line_color=SELECTED, line_width=2)
        self.figure.quad(
            source=self._frames, fill_color=None, line_color=SELECTED, **{name: name for name in self._frames.data}
        )
        tiles = plain_glyph(
            self.figure.rect(
                "x", "y", 1 - GAP, 1 - GAP, source=self.rows, fill_alpha=0, line_color="edge", line_width=2
            )
        )
        captions = self.figure.text(
            "x", "below", "caption", source=self.rows, text_align="center", text_baseline="top", text_color=NEUTRAL
        )
        captions.glyph.text_font_size = "11px"
        plain_glyph(captions)
        self.figure.add_tools(TapTool(renderers=[tiles]), hover([tiles], [("", "@caption"), ("", "@note")]))

    def update(self, tiles: Sequence[Tile | None], *, selected: int | None = None, columns: int | None = None) -> None:
        """Show as many tiles as there are cells.

        Parameters
        ----------
        tiles : sequence of Tile, or None
            None leaves a cell empty.
        selected : int, optional
            Row that is marked.
        columns : int, optional
            Cells of a line, where tiles below one another belong together; by default as many as fit.
        """
        cells = list(tiles)[: self._columns * self._lines]
        columns, lines = self._cells(len(cells)) if columns is None else (columns, self._lines)
        self._fit_cells(columns, lines * (1 + CAPTION))
        filled = [(k, tile) for k, tile in enumerate(cells) if tile is not None]
        shown = [tile for _, tile in filled]
        self.figure.visible = bool(shown)
        places = [(k % columns, -(k // columns) * (1 + CAPTION)) for k, _ in filled]
        maps = [(tile, place) for tile, place in zip(shown, places, strict=True) if tile.values.ndim == 2]
        pictures = [(tile, place) for tile, place in zip(shown, places, strict=True) if tile.values.ndim == 3]
        self._maps.data = _images(maps, lambda values: _scaled(values)[::-1])
        self._pictures.data = _images(pictures, lambda values: rgba(values)[::-1])
        marks = [_mark(tile, place) for tile, place in zip(shown, places, strict=True) if tile.mark is not None]
        self._marks.data = {"x": [x for x, _ in marks], "y": [y for _, y in marks]}
        frames = [_frame(tile, place) for tile, place in zip(shown, places, strict=True) if tile.frame is not None]
        holes = [_frame(tile, place, WHOLE) for tile, place in pictures if tile.values.shape[2] == 4]
        self._holes.data = {name: [hole[name] for hole in holes] for name in self._holes.data}
        self._frames.data = {name: [frame[name] for frame in frames] for name in self._frames.data}
        self.rows.data = {
            "x": [x + 0.5 for x, _ in places],
            "y": [y - 0.5 for _, y in places],
            "below": [y - 1.0 for _, y in places],
            "row": [tile.row + 1 for tile in shown],
            "caption": [tile.caption for tile in shown],
            "note": [tile.note for tile in shown],
            "edge": [
                SELECTED if tile.row == selected and tile.row >= 0 else "rgba(140, 140, 140, 0.3)" for tile in shown
            ],
        }
        captions = ", ".join(tile.caption for tile in shown[:12])
        self.summary = f"{len(shown)} tiles: {captions}." if shown else self._empty_text

    def _cells(self, count: int) -> tuple[int, int]:
        """Columns and lines for so many tiles."""
        columns = min(self._columns, max(count, 1)) if self._grows else self._columns
        while self._lines > 1 and columns > 1 and count <= (columns - 1) * self._lines_of(columns - 1):
            columns -= 1
        return columns, max(1, self._lines_of(columns))

    def _lines_of(self, columns: int) -> int:
        """As many as fit below one another where `columns` fill the width."""
        return self._lines * columns // self._columns

    def _fit_cells(self, width: float, height: float) -> None:
        across, down = max(width, height * self._aspect), max(height, width / self._aspect)
        left = (across - width) / 2
        self._fit(self.figure.x_range, -left, across - left)
        self._fit(self.figure.y_range, -down, 0.0)

    def take_tap(self, chosen: int) -> int | None:
        """Row that was tapped; tiles that stand for no row are not taps."""
        row = super().take_tap(chosen)
        return row if row is not None and row >= 0 else None

    def clear(self) -> None:
        """Take every tile away."""
        for source in (self.rows, self._maps, self._pictures, self._marks, self._frames, self._holes):
            empty(source)
        self.summary = self._empty_text


def _scaled(values: np.ndarray) -> np.ndarray:
    return (np.asarray(values, dtype=float) / (largest_finite(values) or 1.0)).astype(np.float32)


def _box(tile: Tile, place: tuple[float, float]) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of what a tile shows, in its own proportions."""
    height, width = tile.values.shape[:2]
    room = (1 - GAP) / max(height, width)
    dw, dh = width * room, height * room
    return place[0] + 0.5 - dw / 2, place[1] - 0.5 - dh / 2, dw, dh


def _images(placed: list[tuple[Tile, tuple[float, float]]], draw) -> dict:
    boxes = [_box(tile, place) for tile, place in placed]
    return {
        "image": [draw(tile.values) for tile, _ in placed],
        **{name: [box[k] for box in boxes] for k, name in enumerate(("x", "y", "dw", "dh"))},
    }


def _mark(tile: Tile, place: tuple[float, float]) -> tuple[float, float]:
    left, bottom, dw, dh = _box(tile, place)
    return left + tile.mark[0] * dw, bottom + (1 - tile.mark[1]) * dh


def _frame(tile: Tile, place: tuple[float, float], frame: tuple | None = None) -> dict[str, float]:
    left, bottom, dw, dh = _box(tile, place)
    begin, top, end, low = frame or tile.frame
    return {
        "left": left + begin * dw,
        "right": left + end * dw,
        "top": bottom + (1 - top) * dh,
        "bottom": bottom + (1 - low) * dh,
    }
