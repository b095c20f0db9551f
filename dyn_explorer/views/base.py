"""What every view shares: one figure, whole-column updates, and ranges that a person's zoom survives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, LogTicker, Range1d, WheelZoomTool
from bokeh.plotting import figure


class View(ABC):
    """A Bokeh figure that follows results.

    Attributes
    ----------
    figure : bokeh.plotting.figure
        The figure; only ``update`` and ``clear`` write to it.
    summary : str
        One sentence that says what the figure shows, for screen readers and empty states.
    rows : ColumnDataSource or None
        Points that stand for rows of the panel's table, by their column ``row`` (from 1); None where taps mean nothing.
    """

    rows: ColumnDataSource | None = None

    def __init__(self) -> None:
        self.summary = ""

    @abstractmethod
    def update(self, result) -> None:
        """Show `result`."""

    @abstractmethod
    def clear(self) -> None:
        """Show nothing; a stale plot beside an error would be a lie."""

    def blank(self, reason: str) -> None:
        """Show nothing and ask for no room in the page, until the next `update`; the summary says why."""
        self.clear()
        self.figure.visible = False
        self.summary = reason

    def take_tap(self, chosen: int) -> int | None:
        """Row (from 0) that was tapped since the last call, or None; a tap is an event, not a state.

        Where marks overlap, each tap goes on to the next of those under the pointer, so that all can be reached.
        """
        if self.rows is None or not self.rows.selected.indices:
            return None
        rows = self.rows.data["row"]
        # A tap may be older than the rows: the browser sent it before it drew them.
        hit = sorted({int(rows[index]) - 1 for index in self.rows.selected.indices if index < len(rows)})
        self.rows.selected.indices = []
        if not hit:
            return None
        return hit[(hit.index(chosen) + 1) % len(hit)] if chosen in hit else hit[0]

    def _range(self, start: float, end: float) -> Range1d:
        return Range1d(start=start, end=end, reset_start=start, reset_end=end)

    def _fit(self, axis_range: Range1d, start: float, end: float) -> None:
        """Move a range to its new home, unless the person has zoomed away from the old one.

        Ranges are set here and never found by the browser, so that two views of one figure cannot differ. Where a
        range is home stands in the range, because several figures may share it.
        """
        untouched = (axis_range.start, axis_range.end) == (axis_range.reset_start, axis_range.reset_end)
        axis_range.update(reset_start=start, reset_end=end)
        if untouched:
            axis_range.update(start=start, end=end)


def label_ticks(axis, places: Sequence[float], texts: Sequence[str]) -> None:
    """Put texts at places of an axis whose ticker is a `FixedTicker`; unchanged ones are left alone."""
    axis.ticker.update(ticks=list(places))
    axis.major_label_overrides = dict(zip(places, texts, strict=True))


def shortened(name: str, most: int = 14) -> str:
    """A name in at most so many letters; a long one loses its beginning, which layers have in common."""
    return name if len(name) <= most else f"…{name[len(name) - most + 1 :]}"


def quiet_figure(**options) -> figure:
    """A figure without toolbar chrome of its own; tools are still there for the hand."""
    defaults = {
        "sizing_mode": "stretch_both",
        "toolbar_location": None,
        "min_border": 8,
        "tools": "pan,wheel_zoom,reset",
    }
    made = figure(**{**defaults, **options})
    for tool in made.select(WheelZoomTool):
        tool.modifiers = {"ctrl": True}  # the wheel alone scrolls the notebook
    return made


def decades_only(axis) -> None:
    """Label whole decades of a log axis, so that a short one has no crowd of labels."""
    axis.ticker = LogTicker(mantissas=[1], num_minor_ticks=0, desired_num_ticks=5)


def plain_glyph(renderer):
    """Taps are read as events; the selected item has its own mark, so Bokeh must not restyle the rest."""
    renderer.selection_glyph = None
    renderer.nonselection_glyph = None
    return renderer


def hover(renderers, tooltips) -> HoverTool:
    """A hover tool that shows values only where there is a mark."""
    return HoverTool(renderers=renderers, tooltips=tooltips, attachment="horizontal", visible=False)


def empty(source: ColumnDataSource) -> None:
    """Take every row out of a source."""
    source.data = {name: [] for name in source.data}


def largest_finite(values: np.ndarray) -> float:
    """The largest finite magnitude, or 0.0 where there is none."""
    magnitudes = np.abs(values)
    return float(magnitudes[np.isfinite(magnitudes)].max(initial=0.0))


def log_bounds(values: np.ndarray, floor: float) -> tuple[float, float]:
    """Whole decades around the finite positive values, no lower than `floor`, with a little room below.

    There are always more than two of them, because on a shorter axis Bokeh labels numbers between the decades.
    """
    positive = values[np.isfinite(values) & (values > 0)]
    if positive.size == 0:
        return 0.8 * floor, max(1.0, 100 * floor)
    high = 10.0 ** min(int(np.ceil(np.log10(positive.max()))), 308)
    low = max(floor, 10.0 ** max(int(np.floor(np.log10(positive.min()))), -307))
    return 0.8 * min(low, high / 100), high


def finite_bounds(parts: Sequence[np.ndarray]) -> tuple[float, float]:
    """Ends of an axis around all finite values, with a little room."""
    values = np.concatenate([np.asarray(part, dtype=float) for part in parts]) if parts else np.empty(0)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    return low - room, high + room
